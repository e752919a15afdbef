"""What keeps the page from coming: the doctor's findings, and all about the one under the cursor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive, var
from textual.widgets import Static

from plstui.domain.findings.finding import Finding
from plstui.domain.ids import ResourceId
from plstui.domain.states import Tone
from plstui.domain.text import clean
from plstui.domain.world import World
from plstui.engine.runtime import Runtime
from plstui.tui.commands import Keys
from plstui.tui.details import LONGEST
from plstui.tui.doctor import words
from plstui.tui.doctor.words import APPROVE, TONES, Examination, Examined
from plstui.tui.messages import LinesWanted, OpenDetails, ResourceHighlighted
from plstui.tui.section import Section
from plstui.tui.tones import styled
from plstui.tui.widgets.bars import KEY_STYLE
from plstui.tui.widgets.columns import Column
from plstui.tui.widgets.table import Cell, Row, Table
from plstui.tui.work import work

ROOMY = 9
"""Lines from which one may stay empty between the table and what is told of a row."""

ABOUT_ONE = 4
"""Lines that are usually enough for what is told of a row."""


def key_of(place: int, finding: Finding) -> ResourceId:
    """What a finding's row is known by: a rule may find several things in one resource."""
    return finding.where.child("findings", f"{finding.rule}.{place}")


class FindingsTable(Table):
    """One row a finding."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("severity", "Severity", 9, 9, 1),
        Column("what", "What is wrong", 24, 120, 1, enough=64),
        Column("where", "Where", 10, 34, 2),
        Column("fix", "Mended by", 9, 50, 3),
    )

    examination: reactive[Examination] = reactive(Examination)
    world: reactive[World] = reactive(World)

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys

    def watch_examination(self) -> None:
        self._fill()

    def watch_world(self) -> None:
        self._fill()

    def _fill(self) -> None:
        seen: dict[tuple[ResourceId, str], int] = {}
        rows = []
        for finding in self.examination.findings:
            place = seen[finding.where, finding.rule] = seen.get((finding.where, finding.rule), -1) + 1
            rows.append(Row(key_of(place, finding), self._cells(finding)))
        self.rows = tuple(rows)

    def _cells(self, finding: Finding) -> dict[str, Cell]:
        tone = TONES[finding.severity]
        return {
            "severity": Cell(words.badge(finding.severity), tone),
            "what": Cell(clean(finding.what, LONGEST), "" if tone is not Tone.QUIET else tone),
            "where": Cell(words.where(finding, self.world), Tone.QUIET),
            "fix": Cell(" ".join(words.mended_by(self.examination, finding, self._keys)).strip()),
        }

    @property
    def current(self) -> Finding | None:
        """The finding under the cursor."""
        place = next((place for place, row in enumerate(self.rows) if row.key == self.cursor), None)
        return None if place is None else self.examination.findings[place]

    def shows(self, key: str, text: str) -> bool:
        """Whether a column has room for all of a text."""
        return any(column.key == key and cell_len(text) <= width for column, width in self._fitted)


class DoctorView(Vertical, Section):
    """The verdict, the findings with the worst first, and what proves and mends the one under the cursor."""

    TITLE = "Doctor"
    STYLE = Path(__file__).with_name("view.tcss")

    examination: var[Examination] = var(Examination)

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys
        self._current: Finding | None = None

    def start(self, runtime: Runtime, at: datetime) -> None:
        # Not before the first frame: it brings the whole lab along.
        from plstui.tui.doctor.doctoring import Doctoring

        if not self.busy:
            doctor = Doctoring(runtime, self.post_message, self._keys)
            self.examination = doctor.begin(self.examination, at, self.world, self.probe)
            self.run_worker(work(doctor.examine, self.examination), group="doctor", name="doctor")

    @on(Examined)
    def _take_findings(self, event: Examined) -> None:
        self.examination = event.examination

    def compose(self) -> ComposeResult:
        yield Static(id="verdict")
        yield FindingsTable(self._keys).data_bind(DoctorView.examination, DoctorView.world)
        yield Static(id="finding")

    def on_mount(self) -> None:
        self._show()

    def on_resize(self, event: events.Resize) -> None:
        """What is cut in the table is told in full below it."""
        self.set_class(event.size.height >= ROOMY, "-roomy")
        self.call_after_refresh(self._show)

    def watch_examination(self) -> None:
        self.busy = self.examination.running
        # After the table has its rows.
        self.call_after_refresh(self._show)

    def watch_world(self) -> None:
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        table = self.query_one(FindingsTable)
        verdict, finding = (self.query_one(f"#{name}", Static) for name in ("verdict", "finding"))
        first = Content.assemble(
            *(styled(line.text, line.tone) for line in words.summary(self.examination, self.world, self._keys))
        )
        trouble = (styled(f"✖ {text}", Tone.BAD) for text in self.examination.trouble)
        outside = (styled(line.text, line.tone) for line in words.outside(self.examination))
        lines = [line for line in (first, *outside, *trouble) if line]
        verdict.update(Content("\n").join(lines))
        table.display = bool(table.rows)
        current = table.current
        finding.display = current is not None
        finding.update(Content("\n").join(self._lines(current, table)) if current else Content(""))
        if self.id:
            told = max(ROOMY, len(lines) + len(table.rows) + 1 + ABOUT_ONE) if table.rows else len(lines)
            self.post_message(LinesWanted(self.id, told))
        if current != self._current:
            self._current = current
            if current and current.fix == APPROVE:
                # So that the key acts on it.
                self.post_message(ResourceHighlighted(current.where))

    def _lines(self, finding: Finding, table: FindingsTable) -> Iterator[Content]:
        """Where it is and what proves it; then what the row does not say."""
        proof = " · ".join(words.evidence(finding))
        yield styled(f"{words.where(finding, self.world)}  {proof}", Tone.QUIET)
        what, remedy = clean(finding.what, LONGEST), clean(finding.remedy, LONGEST)
        key, does = words.mended_by(self.examination, finding, self._keys)
        yield Content.assemble(
            styled("" if table.shows("what", what) else f"{what} ", TONES[finding.severity]),
            Content(f"{remedy} "),
            *((Content.styled(f" {key}", KEY_STYLE), Content(f" {does}")) if key else ()),
        )

    @property
    def step(self) -> str:
        return self.examination.step(self._current) if self.has_focus_within and self._current else ""

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        event.stop()
        self._show()

    def on_table_selected(self, event: Table.Selected) -> None:
        event.stop()
        if self._current:
            self.post_message(OpenDetails(words.details(self.examination, self._current, self._keys)))
