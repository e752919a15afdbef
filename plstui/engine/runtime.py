"""The running parts that a person's commands and keys work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plstui.domain.sides import Side
from plstui.domain.world import World
from plstui.engine.gate import Gate
from plstui.engine.journal import Journal
from plstui.engine.ports import CloudBodies, Prober
from plstui.engine.watcher import Watcher

if TYPE_CHECKING:  # Neither the settings' library nor all that a diagnosis knows is imported before the first frame.
    from plstui.config.settings import Lab
    from plstui.engine.doctor import Doctor


async def _ready() -> None:
    """Nothing is missing."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """One session with one or two sides."""

    watchers: Mapping[Side, Watcher]
    """A watcher for each side that is configured."""
    bodies: Mapping[Side, CloudBodies]
    """What the lab looks at, for each side that is configured."""
    gate: Gate
    lab: Lab
    """What the settings say of the lab."""
    prober: Prober
    journal: Journal
    probe_count: int
    """Fresh connections per target of a probe."""
    close: Callable[[], Awaitable[None]]
    """Gives everything back: sockets, jump connections, an embedded sandbox."""
    get_ready: Callable[[], Coroutine[None, None, None]] = _ready
    """Does ahead what the first write would wait for; for when there is nothing else to do."""

    def doctor(self) -> Doctor:
        """One who examines all sides that are configured."""
        from plstui.engine.doctor import Doctor

        watchers = self.watchers
        return Doctor(
            {side: watcher.snapshot.subscription for side, watcher in watchers.items()},
            {side: watcher.reader for side, watcher in watchers.items()},
        )

    def world(self) -> World:
        """Both sides as last seen."""
        isv, customer = self.watchers.get(Side.ISV), self.watchers.get(Side.CUSTOMER)
        return World(isv.snapshot if isv else None, customer.snapshot if customer else None)
