"""The log of the lab: what was sent, what is waited for, what is done."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import var
from textual.widgets import Static

from plstui.domain.states import Tone
from plstui.tui.clock import clock_time
from plstui.tui.lab_view import LogLine
from plstui.tui.tones import styled

KEPT_LINES = 500
"""Lines of the log: several whole runs."""


class LabLog(VerticalScroll):
    """Newest last; the end stays in view for whoever has not scrolled away from it."""

    lines: var[tuple[LogLine, ...]] = var(())

    def compose(self) -> ComposeResult:
        yield Static()

    def on_mount(self) -> None:
        self.anchor()

    def watch_lines(self, lines: tuple[LogLine, ...]) -> None:
        for static in self.query_children(Static):
            static.update(Content("\n").join(map(_content, lines)))


def _content(log: LogLine) -> Content:
    where = f"{log.step.side.marker} {log.step.number:>2}  " if log.step else ""
    return Content.assemble(
        styled(f"{clock_time(log.at)}  ", Tone.QUIET), Content(where), styled(log.line.text, log.line.tone)
    )
