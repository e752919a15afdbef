"""The page every backend serves: its body is `Host: <hostname>`."""

from __future__ import annotations

import re

from plstui.domain.text import clean

_HOST = re.compile(r"^\s*Host:[ \t]*(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,62}[A-Za-z0-9])?)\s*$")
"""A host name as RFC 1123 allows it, and nothing after it."""


def host_of(body: str) -> str | None:
    """The hostname a backend's page names; None when this is some other page."""
    match = _HOST.match(body)
    return match["host"] if match else None


def page_line(body: str) -> str:
    """The page as one harmless line, for showing."""
    return clean(body, 120)
