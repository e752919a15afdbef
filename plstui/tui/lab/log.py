"""The log of the lab: what was sent, what is waited for, what is done."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import var

from plstui.domain.states import Tone
from plstui.tui.clock import clock_time
from plstui.tui.lab.words import LogLine
from plstui.tui.tones import styled
from plstui.tui.widgets.following import FollowingLog

KEPT_LINES = 500
"""Lines of the log: several whole runs."""


class LabLog(FollowingLog):
    """What the runs have told, newest last."""

    lines: var[tuple[LogLine, ...]] = var(())

    def watch_lines(self, lines: tuple[LogLine, ...]) -> None:
        self.show(map(_content, lines))


def _content(log: LogLine) -> Content:
    where = f"{log.step.side.marker} {log.step.number:>2}  " if log.step else ""
    return Content.assemble(
        styled(f"{clock_time(log.at)}  ", Tone.QUIET), Content(where), styled(log.line.text, log.line.tone)
    )
