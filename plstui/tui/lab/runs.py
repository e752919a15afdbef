"""What the lab screen starts and waits for: building, opening the page, approving; each with its questions.

These run in workers. They show nothing themselves: the screen hears of it by message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen

from plstui.domain.az import delete_line
from plstui.domain.connection import Connection
from plstui.domain.decision import Decision
from plstui.domain.errors import PlstuiError, RefusedError
from plstui.domain.states import Tone
from plstui.domain.text import clean, sentence
from plstui.lab import keys
from plstui.lab.checks.problem import PreflightError
from plstui.lab.parts import Step, Want
from plstui.lab.progress import Event
from plstui.lab.runner import Run
from plstui.lab.session import approve
from plstui.lab.steps import Choices, Workshop
from plstui.lab.teardown import Teardown
from plstui.lab.undo import Undo, is_there, piece_line
from plstui.tui.dialogs.confirm import ConfirmScreen
from plstui.tui.dialogs.question import QuestionScreen
from plstui.tui.lab.words import LONGEST, Plan, event_line, numbers, page_line, plan
from plstui.tui.lab.work import LabWork
from plstui.tui.state import Line
from plstui.tui.tones import styled

Answer = TypeVar("Answer")

MACHINES = frozenset({"vm1", "vm2", "vm3", "client"})
"""The parts that have a size and are signed in to."""

COSTLY = MACHINES | {"nat"}
"""The parts that cost money by the hour."""

COSTS = "Machines, disks and the NAT gateway cost money until they are deleted; {key} takes all of it down again."

NO_WAY_BACK = "Nothing of this can be taken back."


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


class Ask(Protocol):
    """Shows a question and waits for the answer."""

    async def __call__(self, question: ModalScreen[Answer]) -> Answer: ...


class LabRuns:
    """Procedures over a `LabWork`. Each raises `PlstuiError`."""

    def __init__(self, work: LabWork, ask: Ask, post: Callable[[Message], object], down: str) -> None:
        """`down` is the key that takes the lab down."""
        self._work = work
        self._ask = ask
        self._post = post
        self._down = down
        self._chosen = False
        """Whether Azure was asked what the settings leave open."""

    async def look(self) -> None:
        """Find out where the steps stand; the first time also what they will be made of."""
        await self._work.look(self._hear)
        self._post(LabMoved())
        if not self._chosen:
            await self._work.choose(anew=False, say=self._say_again)
            self._chosen = True

    async def build(self, steps: Sequence[Step]) -> None:
        """Bring steps about, once a person has seen what that creates.

        What is agreed to is these steps as they lack now; what others take, a size or a password, is chosen and shown
        when they are built.
        """
        work = self._work
        work.runtime.journal.check()
        wanted = {step.id for step in steps}
        while True:
            if not await self._can_be_built(steps[-1]):
                return
            run, found = self._begin(wanted)
            if not found:
                break
            facts = [*_plan_facts(found), *_choice_facts(work.workshop.choices, found, work.runtime.lab.user)]
            warning = COSTS.format(key=self._down) if found.keys & COSTLY else ""
            if not await self._ask(QuestionScreen(f"Build {numbers(steps)}?", facts, "Build", warning=warning)):
                return
            agreed_to = found.keys
            # Somebody may have thought about it for hours, while others went on; of less than was agreed to no word.
            await work.look(self._hear)
            run, found = self._begin(wanted)
            if not found or found.keys <= agreed_to:
                break
        if found:
            work.forget_page()
        # With what was chosen the steps were made anew.
        steps = [step for step in work.workshop.steps if step.id in wanted]
        await run.up(steps)
        self._post(LabMoved())
        if any(step.opens_page for step in steps):
            await self.open_page()

    def _begin(self, wanted: Collection[str]) -> tuple[Run, Plan | None]:
        """A run from what was last seen, and what it would write for these steps."""
        work = self._work
        run = work.begin(self._tell)
        self._post(LabMoved())
        return run, plan([status for status in work.statuses() if status.step.id in wanted], work.subscriptions)

    def _say_again(self, sentence: str) -> None:
        """Let the log say what a look asks for again."""
        self._post(LabSaid(Line(f"↻ {clean(sentence, LONGEST)}", Tone.WAITING)))

    def _hear(self, event: Event) -> None:
        self._say_again(event.text)

    def _tell(self, event: Event) -> None:
        if line := event_line(event):
            self._post(LabSaid(line, event.step))
        self._post(LabMoved())

    async def _can_be_built(self, last: Step) -> bool:
        """Check everything that is known to stop the lab half-way; a person is told of all of it at once."""
        while True:
            try:
                await self._work.choose(last.id, say=self._say_again)
            except keys.NoKeyError as error:
                made = "An ed25519 key without a passphrase can be made there; nothing is overwritten."
                facts = [("Missing", Content(clean(error.message, LONGEST))), ("Offer", Content(made))]
                if not await self._ask(QuestionScreen("Make a key for the machines?", facts, "Make it")):
                    return False
                await asyncio.to_thread(keys.create_key)
                self._post(LabSaid(Line("made ~/.ssh/id_ed25519 for the machines", Tone.GOOD)))
            except PreflightError as error:
                await self._ask(QuestionScreen("Not yet: nothing was sent", list(_problems(error)), "", no="Close"))
                return False
            else:
                self._chosen = True
                return True

    async def approve(self) -> None:
        """Make the ISV's decision with the dialog that every approval has."""

        async def confirm(decision: Decision, connection: Connection) -> Decision | None:
            link = self._work.request()
            if link is None:
                raise RefusedError("The request is gone meanwhile.", hint="The customer has to ask again.")
            return await self._ask(ConfirmScreen(decision, connection, link))

        await approve(self._work.runtime, self._work.workshop, confirm)

    async def open_page(self) -> None:
        """Fetch the page from everything that has it."""
        step = self._work.workshop.steps[-1]
        async for result in self._work.open_page():
            line = page_line(result)
            self._post(LabSaid(Line(f"{clean(result.target.name, 60)}  {line.text}", line.tone), step))
            self._post(LabMoved())

    async def undo(self, step: Step) -> None:
        """Take a step back, once a person has seen what goes, and typed the names that need it."""
        work = self._work
        work.runtime.journal.check()
        await work.look(self._hear)
        undo = Undo(work.lab, work.seen, self._tell)
        if reason := undo.why_not(step):
            raise RefusedError(reason)
        there = [part for part in step.parts if isinstance(part, Want) and is_there(part, work.seen)]
        facts = [(f"{want.side.marker} {want.side.label}", Content(clean(want.what, 120))) for want in there]
        az = "\n".join(_undo_line(work.workshop, want) for want in reversed(there))
        title = f"Undo step {step.number}, {step.title}?"
        confirmed = []
        for doubt in await undo.doubts(step):
            name, reason = doubt.id.name, clean(doubt.reason, LONGEST)
            asked = [
                *facts,
                ("Careful", styled(sentence(reason), Tone.WAITING)),
                ("To go on", Content(clean(f"Type {name} and press Enter.", LONGEST))),
            ]
            if not await self._ask(
                QuestionScreen(title, asked, "Delete", no="Keep", dangerous=True, typed=name, az=az)
            ):
                return
            confirmed.append(name)
        if not confirmed and not await self._ask(
            QuestionScreen(title, facts, "Delete", no="Keep", warning=NO_WAY_BACK, dangerous=True, az=az)
        ):
            return
        work.undoing = undo
        self._post(LabMoved())
        await undo.undo(step, confirmed)

    async def tear_down(self) -> None:
        """Delete what the lab has made, once a person has seen what that is, and typed the names that need it."""
        work = self._work
        work.runtime.journal.check()
        inventory = await work.take_stock(self._say_again)
        asked = Teardown(work.lab, inventory, self._tell)
        facts = list(_teardown_facts(asked))
        warning = f"{NO_WAY_BACK} Nothing outside these two groups is touched."
        down = QuestionScreen("Take the lab down?", facts, "Delete", no="Keep", warning=warning, dangerous=True)
        if not await self._ask(down):
            return
        confirmed = []
        for group in inventory.to_type():
            name = group.id.name
            doubt = clean(group.doubt, LONGEST)
            facts = [
                ("Careful", styled(sentence(doubt), Tone.WAITING)),
                ("To go on", Content("Type the group's name and press Enter.")),
            ]
            if not await self._ask(QuestionScreen(f"Delete {name}?", facts, "Delete", dangerous=True, typed=name)):
                return
            confirmed.append(name)
        work.teardown = Teardown(work.lab, inventory, self._tell, confirmed=confirmed)
        self._post(LabMoved())
        await work.teardown.down()
        for note in work.teardown.notes():
            self._post(LabSaid(Line(clean(note, LONGEST), Tone.WAITING)))


def _teardown_facts(teardown: Teardown) -> Iterator[tuple[str, Content]]:
    """What goes, step by step, and what stays behind."""
    for status in teardown.statuses():
        step = status.step
        because = clean(status.because, LONGEST) or "nothing is there"
        yield f"{step.side.marker} {step.number}", Content.assemble(step.title, styled(f": {because}", Tone.QUIET))
    for side, group in teardown.inventory.groups.items():
        if names := ", ".join(clean(content.id.name, 80) for content in group.contents):
            yield f"In {side.label}", Content(f"{clean(group.id.name, 90)}: {names}")
    for note in teardown.notes():
        yield "Note", styled(clean(note, LONGEST), Tone.WAITING)


def _undo_line(workshop: Workshop, want: Want) -> str:
    """The `az` command that takes something of a step back."""
    return piece_line(workshop, want) if want.undone else delete_line(want.id)


def _plan_facts(found: Plan) -> Iterator[tuple[str, Content]]:
    for side, subscription, lines in found.sides:
        yield f"{side.marker} {side.label}", Content(f"subscription {subscription}")
        yield from ((f"   step {number}", Content(names)) for number, names in lines)


def _choice_facts(choices: Choices, found: Plan, user: str) -> Iterator[tuple[str, Content]]:
    yield "Region", Content(clean(choices.region, 60))
    if found.keys & MACHINES:
        yield "Size", Content(clean(choices.size, 60))
        yield "Sign-in", Content(clean(f"{user} with {_shortened(choices.public_key)}", 200))
    if choices.password and "client" in found.keys:
        shown_once = styled("  for the Windows machine; it is shown now and never again", Tone.WAITING)
        yield "Password", Content.assemble(Content(choices.password), shown_once)


def _shortened(key: str) -> str:
    """A public key as people tell one from another: its kind, its end, its comment."""
    kind, _, rest = key.partition(" ")
    blob, _, comment = rest.partition(" ")
    return f"{kind} …{blob[-8:]} {comment}".rstrip()


def _problems(error: PreflightError) -> Iterator[tuple[str, Content]]:
    for problem in error.problems:
        yield "✖", styled(clean(problem.message, LONGEST), Tone.BAD)
        yield "", Content(clean(problem.hint, LONGEST))
