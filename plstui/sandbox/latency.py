"""How long operations take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Latency(StrEnum):
    """What `--latency` may say."""

    NONE = "none"
    """Every operation is done when it is first asked about."""
    FAST = "fast"
    """Moments: an operation takes a twentieth of what Azure needs."""
    AZURE = "azure"
    """As recorded."""

    @property
    def factor(self) -> float:
        """What a recorded duration is multiplied by."""
        return {Latency.NONE: 0.0, Latency.FAST: 0.05, Latency.AZURE: 1.0}[self]


@dataclass(frozen=True, slots=True)
class Pace:
    """The duration and the polling advice of one kind of operation, as recorded from Azure."""

    seconds: float
    """From the request to Succeeded."""
    retry_after: int | None = None
    """Seconds that the first answer advises to wait; None when Azure sends no such header."""
