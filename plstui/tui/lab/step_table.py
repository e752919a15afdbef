"""The steps of the lab: where each stands, how long it took, what is missing."""

from __future__ import annotations

from typing import ClassVar

from textual.reactive import reactive

from plstui.domain.ids import ResourceId
from plstui.domain.states import Tone
from plstui.domain.text import clean
from plstui.lab.parts import Step
from plstui.lab.progress import StepStatus
from plstui.tui.lab.words import LONGEST, badge, elapsed
from plstui.tui.widgets.columns import Column
from plstui.tui.widgets.table import Cell, Row, Table


def key_of(step: Step) -> ResourceId:
    """What a step's row is known by; tables know their rows by resource ids."""
    return ResourceId(f"/steps/{step.id}")


class StepTable(Table):
    """One row a step."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("number", "Step", 5, 5, 1),
        Column("title", "", 14, 36, 1, enough=31),
        Column("state", "State", 9, 9, 1),
        Column("time", "Time", 5, 7, 2),
        Column("because", "Missing", 10, 200, 3),
    )
    EMPTY = "Reading what Azure holds of the lab…"
    FINDS_ANOTHER = False

    statuses: reactive[tuple[StepStatus, ...]] = reactive(())

    def watch_statuses(self) -> None:
        self.rows = tuple(_row(status) for status in self.statuses)


def _row(status: StepStatus) -> Row:
    step, state = status.step, badge(status)
    because = clean(status.because, LONGEST)
    return Row(
        key_of(step),
        {
            "number": Cell(f"{step.side.marker} {step.number:>2}"),
            "title": Cell(step.title),
            "state": Cell(state.text, state.tone),
            "time": Cell(elapsed(status.seconds), Tone.QUIET),
            "because": Cell(because, state.tone if state.tone == Tone.BAD else Tone.QUIET),
        },
    )
