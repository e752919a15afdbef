"""What the main screen keeps besides the world itself. Frozen, so that an equal state costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from plstui.domain.connection import Verb
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Target, TargetResult, all_well
from plstui.domain.snapshot import Snapshot
from plstui.domain.world import Link, World


@dataclass(frozen=True, slots=True)
class Line:
    """A harmless line and its tone."""

    text: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the activity log."""

    at: datetime
    text: str
    """One harmless line."""
    tone: str = ""


KEPT_RUNS = 7
"""Runs of the probe that are kept beside the last one: a cell each, and a line of 80 cells has few to spare."""


@dataclass(frozen=True, slots=True)
class ProbeRun:
    """The last probe: what was asked and what has come back so far."""

    targets: tuple[Target, ...] = ()
    results: tuple[TargetResult, ...] = ()
    """In the order in which they came."""
    running: bool = False
    started_at: datetime | None = None
    past: tuple[tuple[TargetResult, ...], ...] = ()
    """What the runs before brought, the oldest first."""
    trouble: str = ""
    """Why it was cut short; empty when every target was asked, or is being asked."""
    world: World = field(default_factory=World, compare=False, repr=False)
    """Both sides as they were when it was started."""

    def again(self, targets: tuple[Target, ...], at: datetime, world: World) -> ProbeRun:
        """The next run: what this one brought is kept to be looked back at."""
        past = (*self.past, self.results)[-KEPT_RUNS:] if self.results else self.past
        return ProbeRun(targets, running=True, started_at=at, past=past, world=world)

    def answered(self, result: TargetResult) -> ProbeRun:
        """This run with one result more."""
        return replace(self, results=(*self.results, result))

    def result(self, target: Target) -> TargetResult | None:
        """What came back from a target; None while nothing has."""
        return _result(self.results, target)

    def history(self, target: Target) -> tuple[TargetResult | None, ...]:
        """What a target answered in each run, the oldest first; None where it was not asked to the end."""
        return tuple(_result(results, target) for results in (*self.past, self.results))

    @property
    def ok(self) -> bool:
        """Whether every target of which something can be told answered with a backend's page every time."""
        return len(self.results) == len(self.targets) and all_well(self.results)


def _result(results: tuple[TargetResult, ...], target: Target) -> TargetResult | None:
    return next((result for result in results if result.target == target), None)


LOOKS = 2
"""Snapshots after a write that may not show it yet: one may have been on its way when the write ended."""


@dataclass(frozen=True, slots=True)
class Settling:
    """Writes that Azure has taken and no snapshot has shown yet: their rows go on saying that they are under way."""

    writes: Mapping[ResourceId, Verb] = field(default_factory=dict)
    _looks: Mapping[ResourceId, int] = field(default_factory=dict)
    """How many snapshots each has been waited for."""

    def written(self, connection_id: ResourceId, verb: Verb) -> Settling:
        """With one write more."""
        return Settling({**self.writes, connection_id: verb}, {**self._looks, connection_id: 0})

    def after(self, snapshot: Snapshot) -> Settling:
        """Without those that the ISV's next snapshot shows, or should have: what Azure reports is all there is then."""
        if not self.writes:
            return self
        shown = {connection.id: connection.status for connection in snapshot.connections()}
        looks = {connection_id: count + 1 for connection_id, count in self._looks.items()}
        left = {i: v for i, v in self.writes.items() if looks[i] < LOOKS and shown.get(i) != v.status}
        return Settling(left, {connection_id: looks[connection_id] for connection_id in left})


@dataclass(frozen=True, slots=True)
class Sighting:
    """Since when a connection has been seen in its status. Azure itself does not say since when it is."""

    at: float
    """In steady seconds."""
    seen_to_change: bool
    """Whether the status came while somebody watched; otherwise it is older than that, and nobody knows how much."""


def sightings(
    old: tuple[Link, ...],
    new: tuple[Link, ...],
    before: Mapping[ResourceId, Sighting],
    now: float,
    *,
    watched: bool,
) -> dict[ResourceId, Sighting]:
    """The sighting of each connection; `watched` says whether all of the old ones were as Azure had them then."""
    statuses = {link.id: link.status for link in old}
    just_now = Sighting(now, watched)
    return {
        link.id: before.get(link.id, just_now) if statuses.get(link.id) == link.status else just_now for link in new
    }
