"""The probe itself: where it was not possible, nobody knows whether the page comes."""

from __future__ import annotations

from collections.abc import Iterator

from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Failure
from plstui.domain.sides import Side
from plstui.domain.world import World


def not_possible(world: World) -> Iterator[Finding]:
    """Targets that could not be asked, because the machine the probe starts from could not be used."""
    for side in Side:
        snapshot = world.side(side)
        results = [result for result in world.results if result.target.side is side]
        unasked = [result for result in results if set(result.failures) == {Failure.JUMP.value}]
        if not unasked:
            continue
        nothing = len(unasked) == len(results) and not any(result.hosts for result in unasked)
        yield Finding(
            rule="probe-not-possible",
            severity=Severity.WARNING,
            where=ResourceId(f"/subscriptions/{snapshot.subscription if snapshot else ''}"),
            what=f"Nothing on the {side.label}'s side could be probed."
            if nothing
            else f"{len(unasked)} of {len(results)} targets on the {side.label}'s side could not be asked every time.",
            remedy=f"Mend the way there: [{side}.ssh] in the settings says where a probe starts, and routes in [probe] "
            "how it gets there.",
            evidence={"probe": unasked[0].error},
        )


RULES = (not_possible,)
