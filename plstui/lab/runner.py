"""Makes the lab what it should be: finds out what is missing and sends that, as much at once as may be.

What Azure holds is read from Azure and nowhere else, so whoever is interrupted goes on where it stood, from another
machine too. A part starts as soon as all that it needs is there, whatever step that belongs to; a resource has one
writer at a time, and what is ready for the same resource goes into one write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from plstui.domain.errors import AzureError, PlstuiError, RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.engine.ports import Clock, CloudBodies
from plstui.engine.writes import Writes
from plstui.lab.effort import POLL, Effort
from plstui.lab.fragments import Body, merged
from plstui.lab.parts import SUCCEEDED, Part, Step, Survey, Wait, Want, lack_of, obstacle, state_of
from plstui.lab.progress import Kind, StepStatus, Tell, assess
from plstui.lab.steps import Workshop

AT_ONCE = 8
"""Reads under way at a time; ARM refills 25 a second for each subscription."""

Approve = Callable[[], Awaitable[None]]
"""Makes the ISV's decision, through the same gate as the key does."""

AzLine = Callable[[Part], str]
"""The `az` command that does the same, for the journal."""


class StepFailedError(PlstuiError):
    """A step could not be done; the message says which and why."""

    code = "LabStepFailed"

    def __init__(self, step: Step, cause: PlstuiError) -> None:
        super().__init__(
            f"Step {step.number}, {step.title}: {cause.message}",
            hint=cause.hint or "The same command goes on from there.",
            code=cause.code,
        )
        self.step = step


@dataclass(frozen=True)
class Lab:
    """The lab between two subscriptions."""

    workshop: Workshop
    clouds: Mapping[Side, CloudBodies]
    writes: Writes
    clock: Clock
    az_line: AzLine

    async def survey(self) -> Survey:
        """What Azure holds of the lab now. Raises `PlstuiError`."""
        parts = [part for step in self.workshop.steps for part in step.parts]
        wants = {part.id: part.side for part in parts if isinstance(part, Want)}
        survey = await self._read(Survey(), wants.items())
        # What waits are told from is partly known only now: an endpoint's interface has a name that Azure made up.
        while more := self._unread(survey, parts):
            survey = await self._read(survey, more)
        for part in parts:
            if isinstance(part, Wait) and part.health_of and self._can_have_health(part, survey):
                health = await self.clouds[part.side].health(part.health_of)
                survey = survey.with_health(part.health_of, health)
        return survey

    @staticmethod
    def _unread(survey: Survey, parts: Iterable[Part]) -> list[tuple[ResourceId, Side]]:
        """What is to be looked at and was not yet."""
        reads = (read for part in parts if isinstance(part, Wait) for read in part.reads(survey))
        return list({resource_id: side for side, resource_id in reads if resource_id not in survey.bodies}.items())

    def _can_have_health(self, wait: Wait, survey: Survey) -> bool:
        """Whether asking for a rule's health makes sense: all that it comes after is there."""
        parts = {part.key: part for step in self.workshop.steps for part in step.parts}
        return not any(lack_of(parts[key], survey) for key in wait.needs)

    async def _read(self, survey: Survey, wanted: Iterable[tuple[ResourceId, Side]]) -> Survey:
        gate = asyncio.Semaphore(AT_ONCE)

        async def read(resource_id: ResourceId, side: Side) -> tuple[ResourceId, Body | None]:
            async with gate:
                return resource_id, await self.clouds[side].get(resource_id)

        found = await asyncio.gather(*(read(*one) for one in wanted))
        return Survey({**survey.bodies, **dict(found)}, survey.health)

    def run(self, survey: Survey, tell: Tell, approve: Approve | None = None) -> Run:
        """A run that starts from a survey."""
        return Run(self, survey, tell, approve)


class Run(Effort):
    """One go at the lab, or at some of its steps."""

    def __init__(self, lab: Lab, survey: Survey, tell: Tell, approve: Approve | None) -> None:
        super().__init__(lab.clock, lab.writes, lab.workshop.steps, tell)
        self.survey = survey
        self._lab = lab
        self._approve = approve
        self._step_of = {part.key: step for step in lab.workshop.steps for part in step.parts}
        self._open: dict[str, Part] = {}
        self._tasks: dict[asyncio.Task[None], tuple[Part, ...]] = {}

    def statuses(self, page: str | None = None) -> tuple[StepStatus, ...]:
        """Where each step stands, with what this run has done for it."""
        return tuple(map(self._with_progress, assess(self._lab.workshop, self.survey, page=page)))

    async def up(self, steps: Sequence[Step]) -> None:
        """Bring these steps about; what is so already is left alone.

        Raises `RefusedError` when something is in the way before anything is sent, and `StepFailedError`.
        """
        self._open = {part.key: part for step in steps for part in step.parts if lack_of(part, self.survey)}
        self._refuse_what_cannot_be(steps)
        try:
            self._start()
            while self._tasks:
                done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    parts = self._tasks.pop(task)
                    await self._ended(task, parts)
                self._start()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _refuse_what_cannot_be(self, steps: Sequence[Step]) -> None:
        for step in steps:
            reason = step.absent or next((why for part in step.parts if (why := obstacle(part, self.survey))), "")
            if reason:
                raise RefusedError(f"Step {step.number}, {step.title}: {reason}.")
        missing = {key for part in self._open.values() for key in part.needs if key not in self._open}
        for key in missing:
            step = self._step_of[key]
            part = next(part for part in step.parts if part.key == key)
            if lack := lack_of(part, self.survey):
                raise RefusedError(f"Step {step.number}, {step.title}, comes first: {lack}.")

    def _start(self) -> None:
        """Start all that can be started now."""
        busy = {part.key for parts in self._tasks.values() for part in parts}
        for parts in self._ready():
            if any(part.key in busy for part in parts):
                continue
            for step in {self._step_of[part.key].id: self._step_of[part.key] for part in parts}.values():
                self._begin(step)
            work = self._write(parts) if isinstance(parts[0], Want) else self._wait_for(parts[0])
            self._tasks[asyncio.create_task(work)] = parts

    def _ready(self) -> list[tuple[Part, ...]]:
        """What nothing open stands before: waits one by one, wants by the resource that they are pieces of."""
        locked = {part.id for parts in self._tasks.values() for part in parts if isinstance(part, Want)}
        found: list[tuple[Part, ...]] = []
        by_resource: dict[ResourceId, list[Want]] = {}
        for part in self._open.values():
            if isinstance(part, Want):
                by_resource.setdefault(part.id, []).append(part)
            elif not any(key in self._open for key in part.needs):
                found.append((part,))
        for resource_id, wants in by_resource.items():
            if resource_id in locked:
                continue
            together = wants
            while True:
                keys = {want.key for want in together}
                kept = [w for w in together if not any(key in self._open and key not in keys for key in w.needs)]
                if len(kept) == len(together):
                    break
                together = kept
            if together:
                found.append(tuple(together))
        return found

    async def _ended(self, task: asyncio.Task[None], parts: tuple[Part, ...]) -> None:
        """Take note of work that is over. Raises `StepFailedError` once all else that is on its way has ended too."""
        error = task.exception()
        if isinstance(error, PlstuiError):
            step = self._step_of[parts[0].key]
            self._fail(step, error)
            await self._let_writes_end()
            raise StepFailedError(step, error)
        if error:
            raise error
        for part in parts:
            self._open.pop(part.key, None)
            self._say(Kind.DONE, self._step_of[part.key], part.what)
        for step in {self._step_of[part.key].id: self._step_of[part.key] for part in parts}.values():
            if not any(part.key in self._open for part in step.parts):
                self._end(step)

    async def _let_writes_end(self) -> None:
        """Azure does what it has accepted whether we look or not, so what it makes of it may as well be seen."""
        for task, parts in self._tasks.items():
            if not isinstance(parts[0], Want):
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    # One resource

    async def _write(self, parts: tuple[Part, ...]) -> None:
        wants = [part for part in parts if isinstance(part, Want)]
        first = wants[0]
        step = self._step_of[first.key]
        cloud = self._lab.clouds[first.side]
        there = self.survey.body(first.id)

        async def attempt(tries: int) -> None:
            nonlocal there
            if there is not None or tries > 1:
                there = await self._settled(cloud, first.id)
            self.survey = self.survey.with_body(first.id, there)
            lacking = [want for want in wants if want.lack(self.survey)]
            if not lacking:
                return
            body = self._body(there, lacking)
            what = ", ".join(want.what for want in lacking)
            az = "\n".join(filter(None, map(self._lab.az_line, lacking)))
            verb = "create" if there is None else "update"
            result = await self._send(step, first.side, verb, first.id, what, az, lambda: cloud.put(first.id, body))
            self.survey = self.survey.with_body(first.id, result)
            there = result
            if left := next((lack for want in wants if (lack := want.lack(self.survey))), None):
                raise AzureError(f"Azure took the request, and yet {left}.", code="NotAsRequested")

        await self._persist(step, attempt)

    def _body(self, there: Body | None, wants: Sequence[Want]) -> Body:
        """What to send: all that is there, and what is wanted of it."""
        body: Body = dict(there or {})
        for want in wants:
            if there is None or state_of(there) not in (SUCCEEDED, ""):
                body = merged(body, want.initial)
        for want in wants:
            body = merged(body, want.wanted(self.survey) or {})
        return body

    # One condition

    async def _wait_for(self, part: Part) -> None:
        assert isinstance(part, Wait), part
        step = self._step_of[part.key]
        said = ""

        async def attempt(_: int) -> None:
            nonlocal said
            while True:
                await self._look(part)
                if hopeless := part.hopeless(self.survey):
                    raise RefusedError(f"{hopeless[:1].upper()}{hopeless[1:]}.")
                lack = part.lacking(self.survey)
                if lack is None:
                    return
                if lack != said:
                    said = lack
                    self._say(Kind.WAITING, step, lack)
                if not await self._help(part, step):
                    await self._pause(POLL)

        await self._persist(step, attempt)

    async def _look(self, part: Wait) -> None:
        # The answer first: while it is on its way, others change the survey too.
        for side, resource_id in part.reads(self.survey):
            body = await self._lab.clouds[side].get(resource_id)
            self.survey = self.survey.with_body(resource_id, body)
        if part.health_of:
            health = await self._lab.clouds[part.side].health(part.health_of)
            self.survey = self.survey.with_health(part.health_of, health)

    async def _help(self, part: Wait, step: Step) -> bool:
        """Do what makes it true, where that is ours to do; whether anything was done."""
        if not part.ripe(self.survey):
            return False
        if machine := part.start:
            cloud = self._lab.clouds[part.side]
            what, az = f"start of {machine.name}", self._lab.az_line(part)
            await self._send(step, part.side, "start", machine, what, az, lambda: cloud.start(machine))
            return True
        if part.decision and self._approve is not None:
            self._count(step)
            await self._approve()
            self._approve = None
            return True
        return False
