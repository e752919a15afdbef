"""What has happened since the start: the log, and its last line."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import reactive, var
from textual.widgets import Static

from plstui.domain.states import Tone
from plstui.tui.clock import clock_time
from plstui.tui.state import Event
from plstui.tui.tones import styled

KEPT_EVENTS = 300
"""Lines of the log; older ones are in the journal as far as they are writes."""


class ActivityLog(VerticalScroll):
    """Every event, newest last; the end stays in view for whoever has not scrolled away from it."""

    TITLE = "Activity"

    events: var[tuple[Event, ...]] = var(())

    def compose(self) -> ComposeResult:
        yield Static()

    def watch_events(self, events: tuple[Event, ...]) -> None:
        at_end = self.is_vertical_scroll_end
        for static in self.query_children(Static):
            static.update(Content("\n").join(_line(event) for event in events))
            if at_end:
                self.scroll_end(animate=False)


class ActivityLine(Static):
    """The last event, where there is no room for the log."""

    events: reactive[tuple[Event, ...]] = reactive(())

    def render(self) -> Content:
        return _line(self.events[-1]) if self.events else Content("")


def _line(event: Event) -> Content:
    return Content.assemble(styled(f"{clock_time(event.at)}  ", Tone.QUIET), styled(event.text, event.tone))
