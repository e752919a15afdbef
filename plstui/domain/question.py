"""What only a person can answer while a probe connects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A question with yes and no, or for a secret. All of it is harmless to show."""

    title: str
    text: str
    """Whole sentences."""
    yes: str
    """What yes is called."""
    secret: bool = False
    """Whether a secret is to be typed."""


Ask = Callable[[Question], Awaitable[str | None]]
"""Asks a person: the secret, or an empty text for yes; None for no."""
