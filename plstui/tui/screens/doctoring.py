"""One look of the doctor. Nothing is shown from here: the screen hears of it by message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from textual.message import Message

from plstui.domain.errors import PlstuiError
from plstui.domain.findings import diagnose
from plstui.domain.states import Tone
from plstui.domain.text import clean
from plstui.domain.world import World
from plstui.engine.doctor import Doctor
from plstui.engine.runtime import Runtime
from plstui.lab.session import subscriptions
from plstui.lab.steps import Choices, workshop
from plstui.tui.doctor_view import Examination, summary
from plstui.tui.messages import Examined, Said, Troubled
from plstui.tui.state import ProbeRun
from plstui.tui.truth import still_true

LONGEST = 300
"""Characters of an error."""


class Doctoring:
    """Looks at both sides of a session."""

    def __init__(self, runtime: Runtime, tell: Callable[[Message], object]) -> None:
        self._runtime = runtime
        self._tell = tell

    def begin(self, last: Examination, now: datetime, world: World, probe: ProbeRun) -> Examination:
        """A look that is under way; until it is over, what the last one has found stays in view."""
        results = still_true(probe, world)
        steps = step_names(self._runtime)
        return replace(last, running=True, at=now, results=results, steps=steps, world=world)

    async def examine(self, begun: Examination) -> None:
        """Look at everything on both sides, and tell what is wrong."""
        runtime = self._runtime
        try:
            facts = await Doctor(subscriptions(runtime), runtime.bodies).examine(begun.results)
            # With thousands of connections this takes a moment, and the interface has others to serve meanwhile.
            findings = await asyncio.to_thread(diagnose, facts)
        except PlstuiError as error:
            sentence = clean(str(error), LONGEST)
            self._tell(Examined(replace(begun, running=False, findings=(), trouble=(sentence,), blind=True)))
            self._tell(Said(f"doctor: {sentence}", Tone.BAD))
            self._tell(Troubled(error, "Doctor"))
        else:
            trouble = tuple(
                f"{side.marker} {side.label} could not be looked at: {clean(str(error), LONGEST)}"
                for side, error in facts.failures.items()
            )
            over = replace(begun, running=False, findings=findings, trouble=trouble, blind=False)
            verdict = next(summary(over, over.world))
            self._tell(Examined(over))
            self._tell(Said(f"doctor: {verdict.text}", verdict.tone))


def step_names(runtime: Runtime) -> Mapping[str, str]:
    """What each step of the lab is called, by its id: its number and title depend on nothing that would be asked."""
    nothing_chosen = Choices(region="", size="", public_key="", run="")
    steps = workshop(runtime.lab, subscriptions(runtime), nothing_chosen).steps
    return {step.id: f"step {step.number} of the lab, {step.title}" for step in steps}
