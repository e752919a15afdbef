"""The lab between two subscriptions: its steps, and what reaches Azure on each side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plstui.domain.sides import Side
from plstui.engine.gate import Gate
from plstui.engine.ports import Clock, CloudBodies
from plstui.lab.guide import COMMANDS, Guide
from plstui.lab.parts import Survey
from plstui.lab.progress import Tell, silent
from plstui.lab.steps import Workshop
from plstui.lab.surveyor import ask_health, take_survey


@dataclass(frozen=True)
class Lab:
    """What looking, building and taking down have in common."""

    workshop: Workshop
    clouds: Mapping[Side, CloudBodies]
    gate: Gate
    clock: Clock
    guide: Guide = COMMANDS
    """What is said of how to go on."""

    async def survey(self, tell: Tell = silent, *, partial: bool = False) -> Survey:
        """What Azure holds of the lab now; `tell` hears of what is asked for again.

        With `partial` it is enough that one side can be read. Raises `PlstuiError`.
        """
        survey = await take_survey(self.workshop, self.clouds, self.clock, tell, partial=partial)
        return await ask_health(self.workshop, self.clouds, self.clock, tell, survey)
