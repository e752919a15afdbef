"""The sandbox's time. Long-running operations, tokens and health probes run on it, and tests turn it."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count
from time import monotonic

_MANY = 1000
"""Sleepers among whom to look for some that sleep no more."""


class SandboxClock:
    """The machine's clock plus whatever it was turned forward by."""

    def __init__(self) -> None:
        self._turned = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._tidy_at = _MANY
        self._order = count()

    def time(self) -> float:
        """Seconds that never go back."""
        return monotonic() + self._turned

    def now(self) -> datetime:
        """The time of day in UTC, turned likewise."""
        return datetime.now(UTC) + timedelta(seconds=self._turned)

    async def sleep(self, seconds: float) -> None:
        """Return once so many seconds of this clock have passed, by waiting or by `advance`."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        if len(self._sleepers) > self._tidy_at:
            # Whoever was woken otherwise would be kept until then.
            self._sleepers = [sleeper for sleeper in self._sleepers if not sleeper[2].done()]
            heapq.heapify(self._sleepers)
            self._tidy_at = max(_MANY, 2 * len(self._sleepers))
        heapq.heappush(self._sleepers, (self.time() + seconds, next(self._order), woken))
        timer = loop.call_later(seconds, self._wake)
        try:
            await woken
        finally:
            timer.cancel()

    def advance(self, seconds: float) -> None:
        """Turn the clock forward; whoever's time has come wakes up."""
        self._turned += seconds
        self._wake()

    def _wake(self) -> None:
        # Half a millisecond of grace: a timer of the event loop may fire that much early.
        while self._sleepers and self._sleepers[0][0] <= self.time() + 0.0005:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
