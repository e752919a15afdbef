"""How long to be patient with Azure, where more than one package has to agree on it."""

from __future__ import annotations

from plstui.domain.errors import AzureError, PlstuiError

THROTTLED_PATIENCE = 120.0
"""Seconds that a decision waits in all while Azure asks for fewer requests: its limits refill by the second, and who
would have to wait longer is told so instead."""


def as_asked(error: PlstuiError, pause: float, longest: float) -> float | None:
    """A pause of ours, or as long as Azure asks to wait where that is more; None when it asks for more than `longest`.

    All in seconds.
    """
    asked = error.retry_after if isinstance(error, AzureError) else None
    if asked is None:
        return pause
    return max(asked, pause) if asked <= longest else None
