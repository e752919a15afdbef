"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

NO_TIME: Final = datetime.min.replace(tzinfo=UTC)
"""The time before a clock has been looked at."""


def age(time: timedelta) -> str:
    """How old something is, roughly: `now`, `20 s`, `5 min`, `2 h`, `3 d`.

    Seconds go in steps of ten: a number that moves every second draws the eye and says nothing.
    """
    seconds = max(0, int(time.total_seconds()))
    if seconds < 10:
        return "now"
    if seconds < 60:
        return f"{seconds // 10 * 10} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 48 * 3600 else f"{seconds // 86400} d"


def clock_time(at: datetime) -> str:
    """The time of day where the person is."""
    return f"{at.astimezone():%H:%M:%S}"
