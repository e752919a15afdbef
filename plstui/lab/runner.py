"""Makes the lab what it should be: finds out what is missing and sends that, as much at once as may be.

What Azure holds is read from Azure and nowhere else, so whoever is interrupted goes on where it stood, from another
machine too. A part starts as soon as all that it needs is there, whatever step that belongs to; a resource has one
writer at a time, and what is ready for the same resource goes into one write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from itertools import chain, count, repeat

from plstui.domain.change import Put, Ready, Start, etag_of
from plstui.domain.errors import AzureError, PlstuiError, RefusedError, Retrying, again_in
from plstui.domain.ids import ResourceId
from plstui.domain.patience import POLL_SECONDS
from plstui.domain.tasks import end
from plstui.domain.text import sentence
from plstui.lab import az
from plstui.lab.effort import Effort, StepFailedError, minutes
from plstui.lab.fragments import Body, merged
from plstui.lab.lab import Lab
from plstui.lab.parts import OVER, Part, Step, Survey, Wait, Want, lack_of, obstacle, state_of
from plstui.lab.progress import Kind, StepStatus, Tell, assess
from plstui.lab.retry import NOT_AS_REQUESTED, TIMED_OUT, pause_after, pause_after_write

SOON = (0.1, 0.2, 0.4)
"""Seconds before the first looks again: what follows from a write of ours is mostly so a moment later."""

Approve = Callable[[Retrying], Awaitable[None]]
"""Makes the ISV's decision, through the same gate as the key does."""


class Run(Effort):
    """One go at the lab, or at some of its steps."""

    def __init__(self, lab: Lab, survey: Survey, tell: Tell, approve: Approve | None = None) -> None:
        super().__init__(lab.clock, lab.gate, lab.workshop.steps, tell)
        self.survey = survey
        self._lab = lab
        self._approve = approve
        self._step_of = {part.key: step for step in lab.workshop.steps for part in step.parts}
        self._open: dict[str, Part] = {}
        self._tasks: dict[asyncio.Task[None], tuple[Part, ...]] = {}
        self._failure: StepFailedError | None = None
        """The first step that could not be done; nothing is started any more."""
        self._order = count(1)
        self._asked: dict[ResourceId, int] = {}
        """When what is known of a resource was asked for, in the order of all questions."""

    def statuses(self, page: str | None = None) -> tuple[StepStatus, ...]:
        """Where each step stands, with what this run has done for it."""
        return tuple(map(self._with_progress, assess(self._lab.workshop.steps, self.survey, page=page)))

    async def up(self, steps: Sequence[Step]) -> None:
        """Bring these steps about; what is so already is left alone.

        Raises `RefusedError` when something is in the way before anything is sent, and `StepFailedError`.
        """
        self._open = {part.key: part for step in steps for part in step.parts if lack_of(part, self.survey)}
        self._failure = None
        self._refuse_what_cannot_be(steps)
        try:
            self._start()
            while self._tasks:
                done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._ended(task, self._tasks.pop(task))
                self._start()
        finally:
            left, self._tasks = list(self._tasks), {}
            await end(left)
            self._stop()
        await self._catch_up()
        if self._failure:
            raise self._failure

    async def _catch_up(self) -> None:
        """See what has followed beyond the steps of this run: an endpoint that was made is a request at the service.

        What cannot be read stays as it was last seen.
        """
        if not any(tally.writes for tally in self._tallies.values()):
            return
        waits = (part for step in self._lab.workshop.steps for part in step.parts if isinstance(part, Wait))
        lacking = [part for part in waits if part.lacking(self.survey) and not part.health_of]
        with suppress(PlstuiError):
            for side, resource_id in dict.fromkeys(read for part in lacking for read in part.reads(self.survey)):
                asked = next(self._order)
                self._note(resource_id, asked, await self._lab.clouds[side].get(resource_id))

    def _refuse_what_cannot_be(self, steps: Sequence[Step]) -> None:
        for step in steps:
            reason = step.absent or next((why for part in step.parts if (why := obstacle(part, self.survey))), "")
            if reason:
                raise RefusedError(f"Step {step.number}, {step.title}: {reason}.")
        missing = self._missing_before(self._open.values())
        first = min(missing, key=lambda part: self._step_of[part.key].number, default=None)
        if first:
            step = self._step_of[first.key]
            raise RefusedError(f"Step {step.number}, {step.title}, comes first: {lack_of(first, self.survey)}.")

    def _missing_before(self, parts: Iterable[Part]) -> list[Part]:
        """What these parts need, and what that needs in turn, as far as it is neither there nor among them."""
        by_key = {part.key: part for step in self._lab.workshop.steps for part in step.parts}
        found: dict[str, Part] = {}
        keys = [key for part in parts for key in part.needs]
        while keys:
            part = by_key[keys.pop()]
            if part.key not in self._open and part.key not in found and lack_of(part, self.survey):
                found[part.key] = part
                keys += part.needs
        return list(found.values())

    def _start(self) -> None:
        """Start all that can be started now."""
        if self._failure:
            return
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

    def _ended(self, task: asyncio.Task[None], parts: tuple[Part, ...]) -> None:
        """Take note of work that is over. Raises what nobody has foreseen."""
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, PlstuiError):
            step = self._step_of[parts[0].key]
            self._fail(step, error)
            self._failure = self._failure or StepFailedError(step, error, self._lab.guide.up)
            self._stop_waiting()
            return
        if error:
            raise error
        for part in parts:
            self._open.pop(part.key, None)
            self._say(Kind.DONE, self._step_of[part.key], part.what)
        for step in {self._step_of[part.key].id: self._step_of[part.key] for part in parts}.values():
            if not any(part.key in self._open for part in step.parts):
                self._end(step)

    def _stop_waiting(self) -> None:
        """End what only waits. Azure does what it has accepted whether we look or not, so that may as well be seen."""
        for task, parts in self._tasks.items():
            if isinstance(parts[0], Wait):
                task.cancel()

    # One resource

    async def _write(self, parts: tuple[Part, ...]) -> None:
        wants = [part for part in parts if isinstance(part, Want)]
        first, step = wants[0], self._step_of[wants[0].key]

        async def attempt(_: int) -> None:
            # Somebody may have been here since the survey; in a later try that somebody may be ourselves, also by a
            # request whose answer was lost: what it has made is seen here and not sent again. Where it does not show,
            # the same is sent once more, which is safe: a PUT says what a resource is to be, and twice is as good as
            # once. Should the lost one land later still, its etag refuses it where something was changed; where
            # something was made it can undo at most what was added since, and the next run adds that again.
            there = await self._see(first)
            if taken := next((why for want in wants if (why := want.conflict(self.survey))), None):
                raise RefusedError(sentence(taken))
            lacking = [want for want in wants if want.lack(self.survey)]
            if not lacking:
                return
            body = self._body(there, lacking)
            what = ", ".join(want.what for want in lacking)
            lines = "\n".join(filter(None, (az.command(self._lab.workshop, part) for part in lacking)))
            verb = "create" if there is None else "update"
            put = Put(body, etag_of(first.id, there))
            write = Ready(side=first.side, target=first.id, verb=verb, az=lines, sends=put)
            result = await self._send(step, what, write)
            self._note(first.id, next(self._order), result)
            if state_of(result) not in OVER:
                await self._see(first)
            if left := next((lack for want in wants if (lack := want.lack(self.survey))), None):
                raise AzureError(f"Azure took the request, and yet {left}.", code=NOT_AS_REQUESTED)

        # What is not one of the lab's parts, as somebody's own zone, may really not be there.
        known = first.id.parent is None or self.survey.body(first.id.parent) is not None
        await self._persist(step, attempt, pause_after_write if known else pause_after)

    async def _see(self, want: Want) -> Body | None:
        """What is there of a resource once nothing is under way with it."""
        asked = next(self._order)
        there = await self._settled(self._step_of[want.key], self._lab.clouds[want.side], want.id)
        self._note(want.id, asked, there)
        return there

    def _note(self, resource_id: ResourceId, asked: int, body: Body | None) -> None:
        """Keep an answer, unless one to a later question has come before it."""
        if asked > self._asked.get(resource_id, 0):
            self._asked[resource_id] = asked
            self.survey = self.survey.with_body(resource_id, body)

    def _body(self, there: Body | None, wants: Sequence[Want]) -> Body:
        """What to send: all that is there, and what is wanted of it."""
        body: Body = there or {}
        if there is None:
            for want in wants:
                body = merged(body, want.initial)
        for want in wants:
            body = merged(body, want.wanted(self.survey) or {})
        return body

    # One condition

    async def _wait_for(self, part: Part) -> None:
        assert isinstance(part, Wait), part
        step = self._step_of[part.key]
        said, began, doubts = "", self._now(), False
        pauses = chain(SOON, repeat(POLL_SECONDS))
        # Each look is tried anew: a decision may take somebody days, and now and then an answer fails.
        while lack := await self._persist(step, lambda _: self._advance(part, step)):
            waited = self._now() - began
            if waited >= part.patience:
                hint = sentence(self._lab.guide.doctor)
                raise AzureError(f"After {minutes(waited)}: {lack}.", code=TIMED_OUT, hint=hint)
            if waited >= part.doubt and not doubts:
                doubts = True
                self._say(Kind.WAITING, step, f"after {minutes(waited)} still: {lack}")
            elif lack != said:
                self._say(Kind.WAITING, step, lack)
            said = lack
            await self._pause(next(pauses))

    async def _advance(self, part: Wait, step: Step) -> str | None:
        """Look, and do what makes it true where that is ours to do; what is missing still."""
        lack = await self._look(part)
        if lack and part.ripe(self.survey) and await self._help(part, step):
            lack = await self._look(part)
        return lack

    async def _look(self, part: Wait) -> str | None:
        """What is missing of it now. Raises `RefusedError` when waiting is no use."""
        for side, resource_id in part.reads(self.survey):
            asked = next(self._order)
            self._note(resource_id, asked, await self._lab.clouds[side].get(resource_id))
        if part.health_of:
            health = await self._lab.clouds[part.side].health(part.health_of)
            self.survey = self.survey.with_health(part.health_of, health)
        if hopeless := part.hopeless(self.survey):
            raise RefusedError(sentence(hopeless))
        return part.lacking(self.survey)

    async def _help(self, part: Wait, step: Step) -> bool:
        """Take the action that makes it true, if it is ours to take; whether it was taken."""
        if machine := part.start:
            line = az.command(self._lab.workshop, part)
            start = Ready(side=part.side, target=machine, verb="start", az=line, sends=Start())
            await self._send(step, f"start of {machine.name}", start)
            return True
        if not part.decision or self._approve is None:
            return False
        try:
            await self._approve(lambda error, pause: self._say(Kind.RETRY, step, again_in(error, pause)))
        except RefusedError:
            # Where somebody else has decided in the same moment, that is so and no failure of ours.
            if await self._look(part):
                raise
        else:
            self._count(step)
        return True
