"""What has happened since the start: the log, and its last line."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive, var
from textual.widgets import Static

from plstui.domain.states import Tone
from plstui.tui.clock import clock_time
from plstui.tui.messages import LinesWanted
from plstui.tui.state import Event
from plstui.tui.tones import styled
from plstui.tui.widgets.following import FollowingLog

KEPT_EVENTS = 300
"""Lines of the log; older ones are in the journal as far as they are writes."""

ENOUGH = 5
"""Lines of the log that are worth room of others; what came before is looked up rarely, by scrolling or zoomed."""


class ActivityLog(FollowingLog):
    """Every event, newest last."""

    TITLE = "Activity"

    events: var[tuple[Event, ...]] = var(())

    def watch_events(self, events: tuple[Event, ...]) -> None:
        self.show(map(_line, events))
        if self.id:
            self.post_message(LinesWanted(self.id, min(len(events), ENOUGH)))


class ActivityLine(Static):
    """The last event, where there is no room for the log."""

    events: reactive[tuple[Event, ...]] = reactive(())

    def render(self) -> Content:
        return _line(self.events[-1]) if self.events else Content("")


def _line(event: Event) -> Content:
    return Content.assemble(styled(f"{clock_time(event.at)}  ", Tone.QUIET), styled(event.text, event.tone))
