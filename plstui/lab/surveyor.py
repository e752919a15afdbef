"""Finds out what Azure holds of the lab: everything a step is told from, read once and side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from plstui.domain.ids import ResourceId
from plstui.domain.resources import BalancerHealth
from plstui.domain.sides import Side
from plstui.engine.ports import Clock, CloudBodies
from plstui.lab.fragments import Body
from plstui.lab.parts import Step, Survey, Wait, Want, lack_of
from plstui.lab.progress import Event, Kind, Tell
from plstui.lab.reading import AT_ONCE, together
from plstui.lab.retry import pause_after_read, persist
from plstui.lab.steps import Workshop

Result = TypeVar("Result")


async def take_survey(
    workshop: Workshop, clouds: Mapping[Side, CloudBodies], clock: Clock, tell: Tell, *, with_health: bool = True
) -> Survey:
    """What Azure holds of the lab now; `tell` hears of what is asked for again. Raises `PlstuiError`.

    Health is a question of its own, which takes seconds and a right that readers lack.
    """
    return await _Surveyor(workshop, clouds, clock, tell, clock.monotonic(), with_health).survey()


@dataclass(frozen=True)
class _Reading:
    """One resource to look at, and the step that wants to know."""

    step: Step
    side: Side
    id: ResourceId


@dataclass(frozen=True)
class _Surveyor:
    workshop: Workshop
    clouds: Mapping[Side, CloudBodies]
    clock: Clock
    tell: Tell
    began: float
    with_health: bool

    async def survey(self) -> Survey:
        parts = [(step, part) for step in self.workshop.steps for part in step.parts]
        wants = [_Reading(step, part.side, part.id) for step, part in parts if isinstance(part, Want)]
        waits = [(step, part) for step, part in parts if isinstance(part, Wait)]
        survey = await self._read(Survey(), wants)
        # What waits are told from is partly known only now: an endpoint's interface has a name that Azure made up.
        while more := self._unread(survey, waits):
            survey = await self._read(survey, more)
        for step, wait in waits:
            if self.with_health and wait.health_of and self._can_have_health(wait, survey):
                survey = survey.with_health(wait.health_of, await self._health(step, wait.side, wait.health_of))
        return survey

    async def _health(self, step: Step, side: Side, rule: ResourceId) -> BalancerHealth:
        return await self._persist(step, lambda _: self.clouds[side].health(rule))

    @staticmethod
    def _unread(survey: Survey, waits: Iterable[tuple[Step, Wait]]) -> list[_Reading]:
        """What is to be looked at and was not yet."""
        reads = (_Reading(step, *read) for step, wait in waits for read in wait.reads(survey))
        return [read for read in reads if read.id not in survey.bodies]

    def _can_have_health(self, wait: Wait, survey: Survey) -> bool:
        """Whether asking for a rule's health makes sense: all that it comes after is there."""
        parts = {part.key: part for step in self.workshop.steps for part in step.parts}
        return not any(lack_of(parts[key], survey) for key in wait.needs)

    async def _read(self, survey: Survey, wanted: Iterable[_Reading]) -> Survey:
        gate = asyncio.Semaphore(AT_ONCE)

        async def read(one: _Reading) -> tuple[ResourceId, Body | None]:
            async with gate:
                return one.id, await self._persist(one.step, lambda _: self.clouds[one.side].get(one.id))

        found = await together(read(one) for one in {one.id: one for one in wanted}.values())
        return Survey({**survey.bodies, **dict(found)}, survey.health)

    async def _persist(self, step: Step, attempt: Callable[[int], Awaitable[Result]]) -> Result:
        def say(text: str) -> None:
            self.tell(Event(Kind.RETRY, step, text, self.clock.monotonic() - self.began))

        return await persist(attempt, self.clock, say, pause_after_read)
