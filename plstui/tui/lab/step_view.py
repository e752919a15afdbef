"""One step, opened: why, where in the portal, what it sends, what came of it, and the `az` commands."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import var
from textual.widgets import Static

from plstui.domain.states import Tone
from plstui.tui.lab.words import StepText
from plstui.tui.tones import styled
from plstui.tui.widgets.az_line import AzLine


class StepView(VerticalScroll):
    """Follows the selected step; a step that reads as before is left alone."""

    told: var[StepText | None] = var(None)

    def __init__(self, key: str, *, id: str, classes: str) -> None:
        """`key` is the one that copies the commands."""
        super().__init__(id=id, classes=classes)
        self._key = key

    def compose(self) -> ComposeResult:
        yield Static()
        yield AzLine()

    def watch_told(self, before: StepText | None, told: StepText | None) -> None:
        if not self.is_mounted or told is None:
            return
        self.border_title = Content.assemble(
            Content(told.title), Content("  "), styled(told.badge.text, told.badge.tone)
        )
        self.query_one(Static).update(Content("\n").join(_lines(told, self._key)))
        commands = self.query_one(AzLine)
        commands.line = "\n".join(told.az)
        commands.display = bool(told.az)
        if before is None or before.title != told.title:
            self.scroll_home(animate=False)


def _lines(told: StepText, key: str) -> Iterator[Content]:
    yield Content(told.why)
    if told.because:
        yield Content("")
        yield styled(f"{told.badge.text}: {told.because}", told.badge.tone)
    yield Content("")
    yield Content.assemble(styled("Portal  ", Tone.QUIET), Content(told.blade))
    if told.outcome:
        yield Content("")
        yield styled("What came of it", Tone.QUIET)
        width = max(len(name) for name, _ in told.outcome)
        for name, line in told.outcome:
            yield Content.assemble(styled(f"  {name:<{width}}  ", Tone.QUIET), styled(line.text, line.tone))
    if told.parts:
        yield Content("")
        yield styled("What it takes", Tone.QUIET)
        yield from (styled(f"  {part.text}", part.tone) for part in told.parts)
    if told.az:
        # The widget after this one shows them.
        yield Content("")
        yield styled(f"The same with az, which {key} copies", Tone.QUIET)
