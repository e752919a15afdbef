"""What the lab screen starts and waits for: building, opening the page, approving; each with its questions.

These run in workers. They show nothing themselves: the screen hears of it by message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen

from plstui.domain.errors import PlstuiError
from plstui.domain.states import Tone
from plstui.domain.text import clean
from plstui.domain.world import Link
from plstui.engine.actions import Intent
from plstui.lab import keys
from plstui.lab.checks.problem import PreflightError
from plstui.lab.parts import Step
from plstui.lab.progress import Event
from plstui.lab.session import approve, open_page
from plstui.lab.steps import Choices
from plstui.lab.teardown import Teardown
from plstui.tui.lab_view import LONGEST, Line, Plan, event_line, page_line, plan
from plstui.tui.lab_work import LabWork
from plstui.tui.screens.confirm import ConfirmScreen
from plstui.tui.screens.lab_dialogs import QuestionScreen
from plstui.tui.tones import styled

COSTS = "Machines, disks and the NAT gateway cost money until they are deleted; t takes all of it down again."


@dataclass
class LabSaid(Message):
    """Something happened that the log is to show."""

    line: Line
    step: Step | None = None


@dataclass
class LabMoved(Message):
    """The steps may stand elsewhere now."""


@dataclass
class LabFailed(Message):
    """What was started could not be done."""

    error: PlstuiError


class LabRuns:
    """Procedures over a `LabWork`. Each raises `PlstuiError`."""

    def __init__(
        self, work: LabWork, ask: Callable[[ModalScreen[bool]], Awaitable[bool]], post: Callable[[Message], object]
    ) -> None:
        self._work = work
        self._ask = ask
        self._post = post
        self._chosen = False
        """Whether Azure was asked what the settings leave open."""
        self._agreed = False
        """Whether a person has agreed to something being built since the screen was opened."""

    def left(self) -> None:
        """The screen was left: the next first write is asked about again."""
        self._agreed = False

    async def look(self) -> None:
        """Find out where the steps stand; the first time also what they will be made of."""
        await self._work.look()
        self._post(LabMoved())
        if not self._chosen:
            await self._work.choose()
            self._chosen = True

    async def build(self, steps: Sequence[Step], *, always_ask: bool) -> None:
        """Bring steps about, once a person has seen what that creates."""
        work = self._work
        if (always_ask or not self._agreed) and not await self._can_be_built(steps[-1]):
            return
        await work.look()
        wanted = {step.id for step in steps}
        # With what was chosen the steps are made anew.
        steps = [step for step in work.workshop.steps if step.id in wanted]
        run = work.begin(self._tell)
        self._post(LabMoved())
        found = plan(work.workshop, [s for s in work.statuses() if s.step.id in wanted], work.subscriptions)
        if found and (always_ask or not self._agreed):
            lines = [*_plan_lines(found), *_choice_lines(work.workshop.choices, work.runtime.lab.user)]
            if not await self._ask(QuestionScreen(found.title, lines, "Build", warning=COSTS)):
                return
            self._agreed = True
        await run.up(steps)
        self._post(LabMoved())
        if any(step.opens_page for step in steps):
            await self.open_page()

    def _tell(self, event: Event) -> None:
        if line := event_line(event):
            self._post(LabSaid(line, event.step))
        self._post(LabMoved())

    async def _can_be_built(self, last: Step) -> bool:
        """Check everything that is known to stop the lab half-way; a person is told of all of it at once."""
        while True:
            try:
                await self._work.choose(last.id)
            except keys.NoKeyError as error:
                lines = [Content(clean(error.message, LONGEST)), Content("")]
                lines.append(Content("An ed25519 key without a passphrase can be made there; nothing is overwritten."))
                if not await self._ask(QuestionScreen("Make a key for the machines?", lines, "Make it")):
                    return False
                await asyncio.to_thread(keys.create_key)
                self._post(LabSaid(Line("made ~/.ssh/id_ed25519 for the machines", Tone.GOOD)))
            except PreflightError as error:
                lines = list(_problem_lines(error))
                await self._ask(QuestionScreen("Not yet: nothing was sent", lines, "", no="Close"))
                return False
            else:
                self._chosen = True
                return True

    async def approve(self, link: Link) -> None:
        """Make the ISV's decision with the dialog that every approval has."""

        async def confirm(intent: Intent) -> str | None:
            return await self._ask(ConfirmScreen(intent, link))  # type: ignore[arg-type,return-value]

        await approve(self._work.runtime, self._work.workshop, confirm)

    async def open_page(self) -> None:
        """Fetch the page from everything that has it."""
        results = []
        step = self._work.workshop.steps[-1]
        self._work.forget_page()
        async for result in open_page(self._work.runtime, self._work.workshop):
            results.append(result)
            self._work.take_page(results, whole=False)
            line = page_line(result)
            self._post(LabSaid(Line(f"  {clean(result.target.name, 60)}  {line.text}", line.tone), step))
            self._post(LabMoved())
        self._work.take_page(results, whole=True)

    async def tear_down(self) -> None:
        """Delete what the lab has made, once a person has seen what that is, and typed the names that need it."""
        work = self._work
        inventory = await work.take_stock()
        asked = Teardown(work.lab, inventory, self._tell)
        lines = list(_teardown_lines(asked))
        warning = "Nothing of this can be taken back. Nothing outside these two groups is touched."
        down = QuestionScreen("Take the lab down?", lines, "Delete", no="Keep", warning=warning, dangerous=True)
        if not await self._ask(down):
            return
        confirmed = []
        for group in inventory.to_type():
            lines = [Content(f"{clean(group.doubt, LONGEST)}."), Content(""), Content("Type its name to delete it.")]
            name = group.id.name
            if not await self._ask(QuestionScreen(f"Delete {name}?", lines, "Delete", dangerous=True, typed=name)):
                return
            confirmed.append(name)
        work.teardown = Teardown(work.lab, inventory, self._tell, confirmed=confirmed)
        self._post(LabMoved())
        await work.teardown.down()
        for note in work.teardown.notes():
            self._post(LabSaid(Line(clean(note, LONGEST), Tone.WAITING)))


def _teardown_lines(teardown: Teardown) -> Iterator[Content]:
    """What goes, side by side, and what stays behind."""
    for status in teardown.statuses():
        step = status.step
        yield Content.assemble(Content(f"{step.side.marker} {step.number}  "), Content.styled(step.title, "bold"))
        yield Content(f"      {clean(status.because, LONGEST) or 'nothing is there'}")
    for side, group in teardown.inventory.groups.items():
        if names := ", ".join(clean(content.id.name, 80) for content in group.contents):
            yield Content("")
            yield styled(f"{side.marker} In {clean(group.id.name, 90)}: {names}", Tone.QUIET)
    for note in teardown.notes():
        yield Content("")
        yield styled(clean(note, LONGEST), Tone.WAITING)


def _plan_lines(found: Plan) -> Iterator[Content]:
    for side, subscription, lines in found.sides:
        yield Content.assemble(
            Content.styled(f"{side.marker} {side.label}", "bold"), styled(f"  subscription {subscription}", Tone.QUIET)
        )
        yield from (Content(f"  {line.text}") for line in lines)
        yield Content("")


def _choice_lines(choices: Choices, user: str) -> Iterator[Content]:
    facts = {"Region": choices.region, "Size": choices.size, "Sign-in": f"{user} with {_shortened(choices.public_key)}"}
    for name, value in facts.items():
        yield Content.assemble(styled(f"{name:<9}", Tone.QUIET), Content(clean(value, 200)))
    if choices.password:
        yield Content.assemble(
            styled(f"{'Password':<9}", Tone.QUIET),
            Content(choices.password),
            styled("  of the Windows machine; it is shown now and never again", Tone.WAITING),
        )


def _shortened(key: str) -> str:
    """A public key as people tell one from another: its kind, its end, its comment."""
    kind, _, rest = key.partition(" ")
    blob, _, comment = rest.partition(" ")
    return f"{kind} …{blob[-8:]} {comment}".rstrip()


def _problem_lines(error: PreflightError) -> Iterator[Content]:
    for problem in error.problems:
        yield styled(f"✖ {clean(problem.message, LONGEST)}", Tone.BAD)
        yield Content(f"  {clean(problem.hint, LONGEST)}")
        yield Content("")
