"""A clock that stands still until a test turns it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 14, 9, 26, 0, tzinfo=UTC)


class TurnedClock:
    """Time as the engine's ports want it; whoever waits is released when the time has been turned far enough."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._wall = 0.0
        self._waiting: list[tuple[float, asyncio.Event]] = []

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return self._start + timedelta(seconds=self._elapsed + self._wall)

    def monotonic(self) -> float:
        """Seconds since the test began."""
        return self._elapsed

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for the event, or until the clock has been turned by so much; whether the event came."""
        rung = asyncio.Event()
        entry = (self._elapsed + seconds, rung)
        self._waiting.append(entry)
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(rung.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting.remove(entry)
            for wait in waits:
                wait.cancel()
        return event.is_set()

    def set_wall(self, seconds: float) -> None:
        """Put the time of day so much ahead of where it would be, as somebody who sets a machine's clock."""
        self._wall = seconds

    def turn(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._elapsed += seconds
        for deadline, rung in self._waiting:
            if deadline <= self._elapsed:
                rung.set()
