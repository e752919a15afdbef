"""Watches one side and yields whole snapshots of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable

from plstui.domain.errors import AzureError, PlstuiError, SignInPendingError
from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.domain.snapshot import ENDS, HealthReading, Snapshot, Tier
from plstui.domain.tasks import end
from plstui.domain.tree import rows
from plstui.engine.ports import Clock, CloudReader, SystemClock

BUSY_INTERVAL = 1.0
"""Seconds between refreshes while something is under way: ARM refills 25 reads a second, we make two to eight."""

IDLE_INTERVAL = 15.0
"""Seconds between refreshes once nothing has changed for `IDLE_AFTER`."""

IDLE_AFTER = 300.0
"""Seconds without a change after which a side counts as idle."""

BUSY_AFTER_WRITE = 60.0
"""Seconds after a write during which its effects are still expected."""

LONGEST_BACK_OFF = 5.0
"""Seconds between two tries of a side that does not answer, at most, unless Azure or the settings ask for more.

A pane is live again within twenty seconds of the last fault: a request that was silent then is given up after eight
(`arm.transport.SILENCE_SECONDS`), the next try follows in this time and a tenth, and six are left to read everything.
Where Azure asks to wait, the next try follows when that is over, and five seconds are left to read. A try is eight
LISTs, of which ARM allows a subscription twenty-five a second; when that is too much it says so, and that is heeded.
"""

DOUBLINGS = 10
"""How often the back-off doubles: from the shortest interval this is enough to reach the longest."""

MACHINES_EVERY = 3
NETWORKS_EVERY = 12
"""Every n-th tick reads these tiers too."""

_UNDER_WAY = frozenset({"updating", "creating", "deleting", "starting", "stopping", "deallocating"})


def _jitter() -> float:
    """A factor that keeps two watchers from asking in step."""
    return random.uniform(0.9, 1.1)


def _asked_to_wait(error: PlstuiError) -> float:
    """The seconds that Azure asks to wait, with whatever status; 0 when it does not."""
    return (error.retry_after or 0.0) if isinstance(error, AzureError) else 0.0


class Watcher:
    """Reads one side again and again; every result is a whole `Snapshot`.

    A refresh that fails yields the last content with `stale_since` and `error` set. Ticks cannot pile up: the next
    wait starts when a refresh is over, and a `wake` during a refresh makes exactly one more follow.

    The health of balancers may take Azure half a minute to tell. It is asked for beside the ticks, once at a time, and
    when only that fails the rest of the side is as current as before.
    """

    def __init__(
        self,
        side: Side,
        subscription: str,
        reader: CloudReader,
        *,
        tenant: str = "",
        interval: float = 5.0,
        clock: Clock | None = None,
        jitter: Callable[[], float] = _jitter,
    ) -> None:
        self.snapshot = Snapshot(side=side, subscription=subscription, tenant=tenant)
        """The newest content; empty before the first answer."""
        self.failure: PlstuiError | None = None
        """Why the last refresh failed; None when it did not."""
        self.answered_at: float | None = None
        """When Azure last answered, in steady seconds of the clock; None before the first answer."""
        self.not_read: dict[Kind, PlstuiError] = {}
        """Why the last LIST of a type failed, where others did not."""
        self.health_failure: PlstuiError | None = None
        """Why the last question about health failed; None when it did not."""
        self.reader = reader
        self._interval = interval
        self._clock: Clock = clock or SystemClock()
        self._jitter = jitter
        self._wanted = False
        """Whether somebody has asked for a refresh that has not begun."""
        self._stir = asyncio.Event()
        """Ends a wait: a refresh is wanted, or an answer about health has come."""
        self._asking: asyncio.Task[None] | None = None
        """The question about health that is under way, or whose answer has not been yielded."""
        self._health_from = 0.0
        """When health may be asked for again, on the clock."""
        self._failures = 0
        self._retry_after = 0.0
        self._changed_at = self._clock.monotonic()
        self._written_at: float | None = None

    @property
    def blind(self) -> PlstuiError | None:
        """Why this side's ends of the connections are not known as they are now; None when they are."""
        ends = (self.not_read.get(kind) for kind in ENDS[self.snapshot.side])
        return self.failure or next((error for error in ends if error), None)

    def wake(self, *, after_write: bool = False) -> None:
        """Refresh now; `after_write` keeps the pace up for a minute."""
        if after_write:
            self._written_at = self._clock.monotonic()
        self._wanted = True
        self._stir.set()

    async def snapshots(self) -> AsyncGenerator[Snapshot, None]:
        """Snapshots without end: the first as soon as the side has answered or failed to."""
        tick = 0
        woken = True
        try:
            while True:
                self._wanted = False
                hurried = woken and self.snapshot.read_at is not None
                # After a failure nothing of what is shown is current, so it is not enough to read a part of it.
                tiers = Tier.ALL if woken or self.failure or self.snapshot.read_at is None else self._tiers(tick)
                if hurried:
                    # After a write or on request the connections come first: they are what is being waited for.
                    yield await self.refresh(Tier.CONNECTIONS)
                if not (hurried and self.failure):
                    yield await self.refresh(tiers)
                # What could not be told is asked for at every tick: it must not look old for longer than a pane may.
                if (Tier.MACHINES in tiers or self.health_failure) and not self.failure:
                    self._ask_for_health()
                tick += 1
                over = self._clock.monotonic() + self.pause()
                while await self._clock.wait(self._stir, max(0.0, over - self._clock.monotonic())):
                    self._stir.clear()
                    if self._health_has_come():
                        yield self.snapshot
                    if self._wanted:
                        break
                woken = self._wanted
        finally:
            if self._asking:
                await end([self._asking])

    def _ask_for_health(self) -> None:
        """Ask beside the ticks; a question that is still under way is not joined by a second one."""
        self._health_has_come()
        if self._asking is None and self._clock.monotonic() >= self._health_from:
            self._asking = asyncio.create_task(self._fold_health())

    async def _fold_health(self) -> None:
        try:
            await self.refresh_health()
        finally:
            self._stir.set()

    def _health_has_come(self) -> bool:
        """Whether a question has come to its end since this was last asked; raises what nobody has foreseen."""
        if self._asking is None or not self._asking.done():
            return False
        asked, self._asking = self._asking, None
        asked.result()
        return True

    def _tiers(self, tick: int) -> Tier:
        tiers = Tier.CONNECTIONS
        if tick % MACHINES_EVERY == 0:
            tiers |= Tier.MACHINES
        if tick % NETWORKS_EVERY == 0:
            tiers |= Tier.NETWORKS
        return tiers

    async def refresh(self, tiers: Tier = Tier.ALL) -> Snapshot:
        """One refresh; never raises for what Azure or the network does, the snapshot says it."""
        try:
            reading = await self.reader.read(tiers)
        except PlstuiError as error:
            return self._failed(error)
        self._failures = 0
        self.not_read = {kind: error for kind, error in self.not_read.items() if kind not in reading.resources}
        self.not_read |= reading.failures
        self._retry_after = max(map(_asked_to_wait, reading.failures.values()), default=0.0)
        self.failure = None
        self.answered_at = self._clock.monotonic()
        return self._keep(self.snapshot.fold(reading, self._clock.now()))

    async def refresh_health(self) -> Snapshot:
        """Ask the balancers how their members are; a side without balancers is not asked anything.

        Never raises for what Azure or the network does: what was known stays, marked with since when and why.
        """
        balancers = self.snapshot.balancers
        try:
            health = await self.reader.read_health(balancers) if balancers else HealthReading()
        except PlstuiError as error:
            self.health_failure = error
            self._health_from = self._clock.monotonic() + _asked_to_wait(error)
            return self._keep(self.snapshot.health_failed(str(error), self._clock.now()))
        self.health_failure = None
        return self._keep(self.snapshot.with_health(health))

    def _keep(self, snapshot: Snapshot) -> Snapshot:
        if snapshot != self.snapshot:
            self._changed_at = self._clock.monotonic()
        self.snapshot = snapshot
        return snapshot

    def _failed(self, error: PlstuiError) -> Snapshot:
        if not isinstance(error, SignInPendingError):  # Nothing is wrong: it goes on once somebody has signed in.
            self._failures += 1
        self.failure = error
        self._retry_after = _asked_to_wait(error)
        self.snapshot = self.snapshot.failed(str(error), error.code, self._clock.now())
        return self.snapshot

    def pause(self) -> float:
        """Seconds until the next refresh, from what the last ones showed."""
        if self._failures:
            doubled: float = self._interval * 2 ** min(self._failures - 1, DOUBLINGS)
            back_off = min(doubled, max(LONGEST_BACK_OFF, self._interval))
            return max(back_off * self._jitter(), self._retry_after)
        now = self._clock.monotonic()
        interval = self._interval
        if self._busy(now):
            interval = min(BUSY_INTERVAL, interval)
        elif now - self._changed_at >= IDLE_AFTER and not self.health_failure:
            interval = max(IDLE_INTERVAL, interval)
        return max(interval * self._jitter(), self._retry_after)

    def _busy(self, now: float) -> bool:
        if self._written_at is not None and now - self._written_at < BUSY_AFTER_WRITE:
            return True
        return any(row.provisioning_state.lower() in _UNDER_WAY for row in rows(self.snapshot))
