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

from plstui.domain.errors import PlstuiError
from plstui.domain.states import Tone
from plstui.domain.text import clean
from plstui.domain.world import Link
from plstui.engine.actions import Intent
from plstui.lab import keys
from plstui.lab.checks.problem import PreflightError
from plstui.lab.parts import Step
from plstui.lab.progress import Event
from plstui.lab.runner import Run
from plstui.lab.session import approve
from plstui.lab.steps import Choices
from plstui.lab.teardown import Teardown
from plstui.tui.lab_view import LONGEST, Plan, event_line, numbers, page_line, plan
from plstui.tui.lab_work import LabWork
from plstui.tui.screens.confirm import ConfirmScreen
from plstui.tui.screens.lab_dialogs import QuestionScreen
from plstui.tui.state import Line
from plstui.tui.tones import styled

Answer = TypeVar("Answer")

COSTLY = frozenset({"vm1", "vm2", "vm3", "client", "nat"})
"""The parts that cost money by the hour."""

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


class Ask(Protocol):
    """Shows a question and waits for the answer."""

    async def __call__(self, question: ModalScreen[Answer]) -> Answer: ...


class LabRuns:
    """Procedures over a `LabWork`. Each raises `PlstuiError`."""

    def __init__(self, work: LabWork, ask: Ask, post: Callable[[Message], object]) -> None:
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
            await self._work.choose(anew=False)
            self._chosen = True

    async def build(self, steps: Sequence[Step], *, always_ask: bool) -> None:
        """Bring steps about, once a person has seen what that creates."""
        work = self._work
        work.runtime.journal.check()
        if always_ask or not self._agreed:
            if not await self._can_be_built(steps[-1]):
                return
        else:
            await work.look()
        wanted = {step.id for step in steps}
        # With what was chosen the steps are made anew.
        steps = [step for step in work.workshop.steps if step.id in wanted]
        run, found = self._begin(wanted)
        agreed_to: frozenset[str] | None = None
        # A password that was made for this run must be shown before it is used.
        secret = bool(found and "client" in found.keys and work.workshop.choices.password)
        unasked = always_ask or secret or not self._agreed
        while found and (unasked if agreed_to is None else not found.keys <= agreed_to):
            facts = [*_plan_facts(found), *_choice_facts(work.workshop.choices, found, work.runtime.lab.user)]
            warning = COSTS if found.keys & COSTLY else ""
            if not await self._ask(QuestionScreen(f"Build {numbers(steps)}?", facts, "Build", warning=warning)):
                return
            self._agreed = True
            agreed_to = found.keys
            # Somebody may have thought about it for hours, while others went on; of less than was agreed to no word.
            await work.look()
            run, found = self._begin(wanted)
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

    async def approve(self, link: Link) -> None:
        """Make the ISV's decision with the dialog that every approval has."""

        async def confirm(intent: Intent) -> str | None:
            return await self._ask(ConfirmScreen(intent, link))

        await approve(self._work.runtime, self._work.workshop, confirm)

    async def open_page(self) -> None:
        """Fetch the page from everything that has it."""
        step = self._work.workshop.steps[-1]
        async for result in self._work.open_page():
            line = page_line(result)
            self._post(LabSaid(Line(f"{clean(result.target.name, 60)}  {line.text}", line.tone), step))
            self._post(LabMoved())

    async def tear_down(self) -> None:
        """Delete what the lab has made, once a person has seen what that is, and typed the names that need it."""
        work = self._work
        work.runtime.journal.check()
        inventory = await work.take_stock()
        asked = Teardown(work.lab, inventory, self._tell)
        facts = list(_teardown_facts(asked))
        warning = "Nothing of this can be taken back. Nothing outside these two groups is touched."
        down = QuestionScreen("Take the lab down?", facts, "Delete", no="Keep", warning=warning, dangerous=True)
        if not await self._ask(down):
            return
        confirmed = []
        for group in inventory.to_type():
            name = group.id.name
            doubt = clean(group.doubt, LONGEST)
            facts = [
                ("Careful", styled(f"{doubt[:1].upper()}{doubt[1:]}.", Tone.WAITING)),
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


def _plan_facts(found: Plan) -> Iterator[tuple[str, Content]]:
    for side, subscription, lines in found.sides:
        yield f"{side.marker} {side.label}", Content(f"subscription {subscription}")
        yield from ((f"   step {number}", Content(names)) for number, names in lines)


def _choice_facts(choices: Choices, found: Plan, user: str) -> Iterator[tuple[str, Content]]:
    yield "Region", Content(clean(choices.region, 60))
    if found.keys & COSTLY:
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
