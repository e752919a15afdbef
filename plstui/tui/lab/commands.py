"""What the lab screen can do: its part of the registry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from plstui.domain.connection import Verb
from plstui.domain.sides import Side
from plstui.domain.text import sentence
from plstui.domain.world import Link
from plstui.engine.gate import Gate
from plstui.lab.guide import Guide
from plstui.lab.parts import Step, StepState, Wait
from plstui.lab.progress import StepStatus
from plstui.tui.commands import COPY, NEXT_AREA, PROGRAM, REFRESH, Command, Group, Keys, SharedHost, keys_of
from plstui.tui.reasons import why_not_decide


def guide(keys: Keys) -> Guide:
    """How to go on, for whoever reads it here."""
    return Guide(
        # No key begins a clause: it would become another one where the clause begins a sentence.
        up=f"press {keys['lab-next']} or {keys['lab-until']} to go on from there",
        down=f"press {keys['lab-down']} to go on from there",
        undo=f"press {keys['lab-undo']} to go on from there",
        doctor=f"press {keys['doctor']} in the panes to look for the reason",
        naming="type {names} when that is asked for",
        side=keys["lab-down"].replace("{", "{{").replace("}", "}}"),
    )


READING = "Still reading what Azure holds of the lab; wait until the steps say where they stand."


@dataclass(frozen=True, slots=True)
class LabContext:
    """What the lab's commands look at to say whether they are possible now."""

    read_only: str | None = None
    """Why nothing can be written at all; None when it can."""
    statuses: tuple[StepStatus, ...] = ()
    """Where the steps stand; empty before Azure was asked."""
    selected: Step | None = None
    doing: str = ""
    """What goes on: `steps 1 to 9`; empty while nothing does."""
    gate: Gate | None = None
    request: Link | None = None
    """The lab's connection, as far as it is there."""
    ended: str = ""
    """Why nobody can decide on the request there is any more, as a clause; empty when somebody can."""
    undo_why_not: str | None = None
    """Why the selected step cannot be taken back; None when it can."""
    has_endpoint: bool = False
    """Whether the customer's endpoint is there, and so a request."""
    has_address: bool = False
    """Whether the endpoint has an address that the page can be asked for at."""
    has_groups: bool = False
    """Whether there is a group that could be taken down."""
    az: bool = False
    """Whether the selected step has an `az` command."""
    keys: Keys = field(default_factory=lambda: keys_of(LAB_COMMANDS, {}))
    """How the keys are called that reasons name."""

    def refresh_why_not(self) -> str | None:
        return _idle(self)

    def copy_why_not(self) -> str | None:
        return None if self.az else "There is no az command for this step."

    @property
    def next(self) -> StepStatus | None:
        """The first step that is to be done; of a request that has ended the decision, for all else comes after it."""
        wanted = (StepState.NEEDED, StepState.FAILED)
        return next((s for s in self.statuses if s.state in wanted or (self.ended and is_decision(s.step))), None)


class LabHost(SharedHost, Protocol):
    """What the lab screen does for its commands."""

    def do_next(self) -> None:
        """Do the next needed step."""

    def do_until_here(self) -> None:
        """Do all that is needed up to the selected step."""

    def approve(self) -> None:
        """Ask for confirmation, then approve the lab's request."""

    def open_page(self) -> None:
        """Fetch the page from the machines and through the endpoint."""

    def stop(self) -> None:
        """Wait no longer; what Azure has accepted goes on."""

    def undo(self) -> None:
        """Ask for confirmation, then take back what the selected step has made."""

    def tear_down(self) -> None:
        """Ask for confirmation, then delete what the lab has made."""

    def toggle_step(self) -> None:
        """Give the selected step the room of the log, or take it back."""

    def go_back(self) -> None:
        """Close the opened step, or go back to the panes; a run goes on."""


def is_decision(step: Step) -> bool:
    """Whether a step is the ISV's decision on the request."""
    return any(isinstance(part, Wait) and part.decision for part in step.parts)


def _idle(context: LabContext) -> str | None:
    stop = context.keys["lab-stop"]
    return f"The lab is busy with {context.doing}; wait, or press {stop} to stop waiting." if context.doing else None


def _may_write(context: LabContext) -> str | None:
    return context.read_only or (READING if not context.statuses else _idle(context))


def _next(context: LabContext) -> str | None:
    if reason := _may_write(context):
        return reason
    if (found := context.next) and context.ended and is_decision(found.step) and approve_why_not(context):
        keys = context.keys
        return f"{sentence(context.ended)} Press {keys['lab-undo']} on that step, then {keys['lab-next']}."
    if found:
        return None
    stuck = next((status for status in context.statuses if status.state is StepState.BLOCKED), None)
    if stuck:
        return f"Step {stuck.step.number}, {stuck.step.title}, cannot be done: {stuck.because}."
    return "Every step is done."


def _until_here(context: LabContext) -> str | None:
    if reason := _may_write(context):
        return reason
    if context.selected is None:
        return "No step is selected."
    number = context.selected.number
    if all(status.state is StepState.DONE for status in context.statuses[:number]):
        return "Step 1 is done already." if number == 1 else f"Steps 1 to {number} are done already."
    return None


def approve_why_not(context: LabContext) -> str | None:
    """Why the lab's request cannot be approved now; None when it can."""
    if context.read_only:
        return context.read_only
    if context.gate and (context.request or context.gate.absent(Side.ISV)):
        return why_not_decide(context.gate, Verb.APPROVE, context.request)
    if context.ended:
        return sentence(context.ended)
    # The panes may not show yet what the lab has seen; whoever approves has them look again.
    return None if context.has_endpoint else "There is no request yet: step 12 makes it."


def _page(context: LabContext) -> str | None:
    if not context.statuses:
        return READING
    if not context.has_address:
        return "There is no endpoint with an address yet, so there is no page to open."
    return _idle(context)


def _stop(context: LabContext) -> str | None:
    return None if context.doing else "Nothing is being waited for."


def _undo(context: LabContext) -> str | None:
    if reason := _may_write(context):
        return reason
    return "No step is selected." if context.selected is None else context.undo_why_not


def _tear_down(context: LabContext) -> str | None:
    if reason := _may_write(context):
        return reason
    return None if context.has_groups else "There is nothing to take down: none of the lab's resource groups is there."


LAB_COMMANDS: tuple[Command[LabContext, LabHost], ...] = (
    Command(
        "lab-next",
        "n",
        "Next",
        "Do the next needed step.",
        Group.LAB,
        lambda host: host.do_next(),
        _next,
        asks=True,
        rank=1,
    ),
    Command(
        "lab-until",
        "u",
        "Until here",
        "Do all that is needed up to the selected step, as much at once as Azure takes.",
        Group.LAB,
        lambda host: host.do_until_here(),
        _until_here,
        asks=True,
        rank=1,
    ),
    Command(
        "lab-approve",
        "a",
        "Approve",
        "Approve the customer's request; a run that waits for it goes on by itself.",
        Group.LAB,
        lambda host: host.approve(),
        approve_why_not,
        asks=True,
        rank=1,
    ),
    Command(
        "lab-page",
        "p",
        "Page",
        "Open the page: from every machine, and through the endpoint by address and by name.",
        Group.LAB,
        lambda host: host.open_page(),
        _page,
        asks=True,
        rank=1,
    ),
    Command(
        "lab-stop",
        "x",
        "Stop",
        "Stop waiting; what Azure has accepted goes on, and {lab-next} or {lab-until} goes on from there.",
        Group.LAB,
        lambda host: host.stop(),
        _stop,
        rank=1,
    ),
    Command(
        "lab-undo",
        "d",
        "Undo",
        "Take back what the selected step has made; asks first, and lists it.",
        Group.LAB,
        lambda host: host.undo(),
        _undo,
        dangerous=True,
        rank=2,
    ),
    Command(
        "lab-down",
        "t",
        "Tear down",
        "Delete what the lab has made, in the right order; asks first, and lists it.",
        Group.LAB,
        lambda host: host.tear_down(),
        _tear_down,
        dangerous=True,
        rank=1,
    ),
    Command(
        "lab-step",
        "",
        "Open step",
        "Give the selected step more room, and back; Enter does it.",
        Group.LOOK,
        lambda host: host.toggle_step(),
    ),
    COPY,
    REFRESH,
    NEXT_AREA,
    Command(
        "lab-back",
        "escape",
        "Back",
        "Go back to the panes; what is under way goes on.",
        Group.LOOK,
        lambda host: host.go_back(),
        rank=1,
    ),
    *PROGRAM,
)
