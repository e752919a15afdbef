"""What the engine's tests put at its ports: a clock that passes by itself, and a reader that notes what it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from plstui.domain.errors import UnreachableError
from plstui.domain.resources import LoadBalancer
from plstui.domain.sides import Side
from plstui.domain.snapshot import HealthReading, Reading, Snapshot, Tier
from plstui.engine.watcher import Watcher
from tests.support.cloud import Cloud, Reader
from tests.support.lab import lab

START = datetime(2026, 3, 14, 9, 26, 0, tzinfo=UTC)


class PassingClock:
    """Whoever waits is at the end of the wait at once, unless the event has come before or comes meanwhile."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.waits: list[float] = []
        """The seconds of every wait that was one, as asked."""
        self.while_waiting: Callable[[], None] | None = None
        """What happens once during the next wait, halfway through."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return START + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        """Seconds since the test began."""
        return self.elapsed

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Let the time pass; whether the event came."""
        await asyncio.sleep(0)  # What runs beside gets its turn, and may have been what is waited for.
        if event.is_set():
            return True
        self.waits.append(seconds)
        happening, self.while_waiting = self.while_waiting, None
        if happening:
            self.elapsed += seconds / 2
            happening()
        if event.is_set():
            return True
        self.elapsed += seconds / 2 if happening else seconds
        return False


class NotingReader(Reader):
    """Reads a cloud and notes what was asked; `during` happens in the middle of the next read."""

    def __init__(self, cloud: Cloud, side: Side) -> None:
        super().__init__(cloud, side)
        self.asked: list[Tier | str] = []
        self.during: Callable[[], None] | None = None

    async def read(self, tiers: Tier) -> Reading:
        """The types of these tiers."""
        self.asked.append(tiers)
        happening, self.during = self.during, None
        if happening:
            happening()
        return await super().read(tiers)

    async def read_health(self, balancers: Sequence[LoadBalancer]) -> HealthReading:
        """The health of these balancers' members."""
        self.asked.append("health")
        return await super().read_health(balancers)


OFFLINE = UnreachableError("Azure did not answer.")


@dataclass
class Watch:
    """A watcher of the ISV's side with everything it works with."""

    cloud: Cloud
    reader: NotingReader
    clock: PassingClock
    watcher: Watcher
    snapshots: AsyncGenerator[Snapshot, None]

    async def next(self, count: int = 1) -> Snapshot:
        """The last of the next snapshots."""
        for _ in range(count):
            snapshot = await anext(self.snapshots)
        return snapshot

    async def settle(self) -> Snapshot:
        """Skip the first content, with its health."""
        snapshot = await self.next(2)
        self.reader.asked.clear()
        return snapshot


def watch(interval: float = 5.0, jitter: float = 1.0) -> Watch:
    cloud, clock = Cloud(lab()), PassingClock()
    reader = NotingReader(cloud, Side.ISV)
    watcher = Watcher(
        Side.ISV, "subscription", reader, tenant="tenant", interval=interval, clock=clock, jitter=lambda: jitter
    )
    return Watch(cloud, reader, clock, watcher, watcher.snapshots())
