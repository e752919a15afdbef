"""Times as people read them."""

from __future__ import annotations

from datetime import datetime


def ago(then: datetime, now: datetime) -> str:
    """How long ago, roughly: `3 s ago`, `5 min ago`, `2 h ago`."""
    return f"{span((now - then).total_seconds())} ago"


def span(seconds: float) -> str:
    """A duration, roughly: `3 s`, `5 min`, `2 h`; never negative."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 3600 else f"{whole // 3600} h"


def clock_time(at: datetime) -> str:
    """The time of day where the person is."""
    return f"{at.astimezone():%H:%M:%S}"
