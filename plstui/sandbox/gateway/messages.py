"""A request and a response, apart from any HTTP library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to ARM."""

    method: str
    """In upper case."""
    path: str
    """Decoded, as the client typed it."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case; of a repeated one the last."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    content: bytes = b""
    """The body as it came: JSON, for the token endpoint a form."""
    base_url: str = "https://localhost"
    """Scheme, host and port the client used: what the addresses in answers start with."""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response."""

    status: int = 200
    body: Any = None
    """Sent as JSON; a string as HTML, as a proxy on the way would; None sends no content."""
    headers: Mapping[str, str] = field(default_factory=dict)


class Drop(Exception):
    """Raised instead of an answer: the connection is to be cut."""
