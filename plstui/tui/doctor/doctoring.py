"""One look of the doctor. Nothing is shown from here: the section hears of it by message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from textual.message import Message

from plstui.domain.errors import PlstuiError
from plstui.domain.findings import diagnose
from plstui.domain.findings.machines import seeming_ill
from plstui.domain.states import Tone
from plstui.domain.text import clean
from plstui.domain.world import World
from plstui.engine.doctor import Doctor
from plstui.engine.runtime import Runtime
from plstui.lab.session import subscriptions
from plstui.lab.steps import Choices, workshop
from plstui.tui.commands import Keys
from plstui.tui.doctor.words import Examination, Examined, summary
from plstui.tui.messages import Said, Troubled
from plstui.tui.state import ProbeRun
from plstui.tui.truth import still_true

LONGEST = 300
"""Characters of an error."""


class Doctoring:
    """Looks at both sides of a session."""

    def __init__(self, runtime: Runtime, tell: Callable[[Message], object], keys: Keys) -> None:
        self._runtime = runtime
        self._tell = tell
        self._keys = keys

    def begin(self, last: Examination, now: datetime, world: World, probe: ProbeRun) -> Examination:
        """A look that is under way; until it is over, what the last one has found stays in view."""
        results = still_true(probe, world)
        # What steps are called and make depends on nothing that would be asked.
        nothing_chosen = Choices(region="", size="", public_key="", run="")
        lab = workshop(self._runtime.lab, subscriptions(self._runtime), nothing_chosen)
        return Examination(
            last.findings,
            running=True,
            at=now,
            results=results,
            trouble=last.trouble,
            steps={step.id: f"step {step.number} of the lab, {step.title}" for step in lab.steps},
            endpoint=lab.consumer.endpoint if lab.consumer else None,
            world=world,
        )

    async def examine(self, begun: Examination) -> None:
        """Look at everything on both sides, and tell what is wrong.

        After a probe, machines that seem ill are then asked how their setting up went: that may take a minute, during
        which what has been found so far is in view.
        """
        runtime = self._runtime
        doctor = runtime.doctor()
        try:
            world = await doctor.examine(begun.results)
            seen = await self._look_inside(doctor, await _seen(begun, world), world)
        except PlstuiError as error:
            sentence = clean(str(error), LONGEST)
            self._tell(Examined(replace(begun, running=False, findings=(), trouble=(sentence,), blind=True)))
            self._tell(Said(f"doctor: {sentence}", Tone.BAD))
            self._tell(Troubled(error, "Doctor"))
        else:
            verdict = next(summary(seen, seen.world, self._keys))
            self._tell(Examined(seen))
            self._tell(Said(f"doctor: {verdict.text}", verdict.tone))

    async def _look_inside(self, doctor: Doctor, seen: Examination, world: World) -> Examination:
        """The same with what machines say that seem ill, or with why they were not asked."""
        gate, ill = self._runtime.gate, seeming_ill(world)
        if not ill:
            return seen
        if not seen.results:
            return replace(
                seen, outside=ill, outside_why=f"{self._keys['probe']}, then {self._keys['doctor']} does that"
            )
        if gate.why_not():
            return replace(seen, outside=ill, outside_why="plstui is read-only")
        self._tell(Examined(replace(seen, running=True, asking=ill)))
        try:
            told = await doctor.look_inside(world, gate)
        except PlstuiError as error:
            return replace(seen, outside=ill, outside_why=clean(str(error), LONGEST))
        why = "; ".join(dict.fromkeys(told.silent.values()))
        return replace(
            await _seen(seen, told),
            inside=tuple(told.boots),
            outside=tuple(told.silent),
            outside_why=clean(why, LONGEST),
        )


async def _seen(begun: Examination, world: World) -> Examination:
    """What follows from all that was looked at."""
    # With thousands of connections this takes a moment, and the interface has others to serve meanwhile.
    findings = await asyncio.to_thread(diagnose, world)
    trouble = tuple(
        f"{side.marker} {side.label} could not be looked at: {clean(str(error), LONGEST)}"
        for side, error in world.failures.items()
    )
    return replace(begun, running=False, findings=findings, trouble=trouble, blind=False)
