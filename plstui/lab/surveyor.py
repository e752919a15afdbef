"""Finds out what Azure holds of the lab: everything a step is told from, read once and side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TypeVar

from plstui.domain.errors import AzureError, PlstuiError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.tasks import together
from plstui.engine.ports import Clock, CloudBodies
from plstui.lab.fragments import Body
from plstui.lab.parts import Part, Step, Survey, Wait, Want, lack_of
from plstui.lab.progress import Event, Kind, Tell
from plstui.lab.reading import AT_ONCE
from plstui.lab.retry import pause_after_read, persist
from plstui.lab.steps import Workshop

Result = TypeVar("Result")


async def take_survey(
    workshop: Workshop,
    clouds: Mapping[Side, CloudBodies],
    clock: Clock,
    tell: Tell,
    *,
    partial: bool = False,
) -> Survey:
    """What Azure holds of the lab now, but for health; `tell` hears of what is asked for again.

    With `partial` it is enough that one side can be read. Raises `PlstuiError`.
    """
    return await _Surveyor(workshop, clouds, clock, tell, clock.monotonic(), partial).survey()


async def ask_health(
    workshop: Workshop, clouds: Mapping[Side, CloudBodies], clock: Clock, tell: Tell, survey: Survey
) -> Survey:
    """A survey with the members' health: a question of its own, which takes seconds and a right that readers lack.

    Raises `PlstuiError`.
    """
    return await _Surveyor(workshop, clouds, clock, tell, clock.monotonic()).with_health(survey)


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
    partial: bool = False

    async def survey(self) -> Survey:
        parts = self._parts()
        wants = [_Reading(step, part.side, part.id) for step, part in parts if isinstance(part, Want)]
        waits = [(step, part) for step, part in parts if isinstance(part, Wait)]
        survey = await self._read(Survey(), wants)
        # What waits are told from is partly known only now: an endpoint's interface has a name that Azure made up.
        while more := self._unread(survey, waits):
            survey = await self._read(survey, more)
        return survey

    async def with_health(self, survey: Survey) -> Survey:
        for step, part in self._parts():
            if isinstance(part, Wait) and part.health_of and self._can_have_health(part, survey):
                survey = await self._ask_health(survey, step, part.side, part.health_of)
        return survey

    def _parts(self) -> list[tuple[Step, Part]]:
        return [(step, part) for step in self.workshop.steps for part in step.parts]

    async def _ask_health(self, survey: Survey, step: Step, side: Side, rule: ResourceId) -> Survey:
        try:
            health = await self._persist(step, lambda _: self.clouds[side].health(rule))
        except AzureError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            # It is an action: who may only look at resources may not ask.
            return replace(survey, untold={**survey.untold, rule: "you may not ask for it"})
        return survey.with_health(rule, health)

    @staticmethod
    def _unread(survey: Survey, waits: Iterable[tuple[Step, Wait]]) -> list[_Reading]:
        """What is to be looked at and was not yet."""
        reads = (_Reading(step, *read) for step, wait in waits for read in wait.reads(survey))
        return [read for read in reads if read.id not in survey.bodies and read.side not in survey.unread]

    def _can_have_health(self, wait: Wait, survey: Survey) -> bool:
        """Whether asking for a rule's health makes sense: all that it comes after is there."""
        parts = {part.key: part for _, part in self._parts()}
        return not any(lack_of(parts[key], survey) for key in wait.needs)

    async def _read(self, survey: Survey, wanted: Iterable[_Reading]) -> Survey:
        """The survey with what is wanted, each side read beside the other. Raises when no side can be read."""
        by_side: dict[Side, dict[ResourceId, _Reading]] = {}
        for one in wanted:
            by_side.setdefault(one.side, {})[one.id] = one
        bodies, unread = dict(survey.bodies), dict(survey.unread)
        for side, found in await together(self._read_side(side, ones.values()) for side, ones in by_side.items()):
            if isinstance(found, PlstuiError):
                if len(unread) + 1 == len(self.clouds):
                    raise found
                unread[side] = f"the {side.label} subscription cannot be read: {str(found).rstrip('.')}"
            else:
                bodies |= found
        return replace(survey, bodies=bodies, unread=unread)

    async def _read_side(
        self, side: Side, wanted: Iterable[_Reading]
    ) -> tuple[Side, dict[ResourceId, Body | None] | PlstuiError]:
        """What one side holds, or why it does not tell, where the other side alone will do."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def read(one: _Reading) -> tuple[ResourceId, Body | None]:
            async with gate:
                return one.id, await self._persist(one.step, lambda _: self.clouds[side].get(one.id))

        try:
            return side, dict(await together(read(one) for one in wanted))
        except PlstuiError as error:
            if not self.partial:
                raise
            return side, error

    async def _persist(self, step: Step, attempt: Callable[[int], Awaitable[Result]]) -> Result:
        def say(text: str) -> None:
            self.tell(Event(Kind.RETRY, step, text, self.clock.monotonic() - self.began))

        return await persist(attempt, self.clock, say, pause_after_read)
