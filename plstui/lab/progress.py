"""What a run of the lab tells while it goes on, and where each step stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from plstui.lab.parts import Step, StepState, Survey, lack_of, obstacle


class Kind(StrEnum):
    """What an event is about."""

    SENT = "sent"
    """A write was sent."""
    DONE = "done"
    """A part is as it should be."""
    RETRY = "retry"
    """Azure was not ready; the write is sent again."""
    WAITING = "waiting"
    """What is being waited for has changed."""
    STEP = "step"
    """A step began, is done or has failed."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a run's log."""

    kind: Kind
    step: Step
    text: str
    seconds: float
    """Since the run began."""


Tell = Callable[[Event], None]


def silent(_: Event) -> None:
    """Tells nobody: for who only wants to know the end."""


@dataclass(frozen=True, slots=True)
class StepStatus:
    """Where one step stands."""

    step: Step
    state: StepState
    because: str
    """What is missing or in the way; empty when done."""
    seconds: float = 0.0
    """How long it took in this run."""
    writes: int = 0
    """PUTs and other writes that this run sent for it."""
    lacking: tuple[str, ...] = ()
    """The keys of its parts that are not so yet."""
    shows: str = ""
    """What a person is shown of it once it is done."""


def assess(steps: Sequence[Step], survey: Survey, *, page: str | None = None) -> tuple[StepStatus, ...]:
    """Where each step stands by what Azure holds.

    `page` is what a probe says of the page: empty when it came, else why not; None when this run has not looked.
    """
    return tuple(
        StepStatus(
            step,
            *state(step, survey, page),
            lacking=tuple(part.key for part in step.parts if lack_of(part, survey)),
            shows="" if step.absent else step.shows(survey),
        )
        for step in steps
    )


def state(step: Step, survey: Survey, page: str | None = None) -> tuple[StepState, str]:
    """Where one step stands, and what is missing or in the way."""
    if blocked := step.absent or survey.unread.get(step.side):
        return StepState.BLOCKED, blocked
    if step.opens_page:
        if page is None:
            return StepState.NEEDED, "not opened in this run; only opening it tells"
        return (StepState.NEEDED, page) if page else (StepState.DONE, "")
    for part in step.parts:
        if taken := obstacle(part, survey):
            return StepState.BLOCKED, taken
    lack = next((lack for part in step.parts if (lack := lack_of(part, survey))), None)
    return (StepState.NEEDED, lack) if lack else (StepState.DONE, "")
