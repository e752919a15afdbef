"""What has happened since the start: the log, and its last line."""

from __future__ import annotations

from rich.text import Text
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import RichLog, Static

from plstui.domain.states import Tone
from plstui.tui.clock import clock_time
from plstui.tui.state import Event
from plstui.tui.tones import COMPONENTS, styled

KEPT_EVENTS = 1000
"""Lines of the log; older ones are in the journal as far as they are writes."""


class ActivityLog(RichLog):
    """Every event, newest last."""

    TITLE = "Activity"
    COMPONENT_CLASSES = set(COMPONENTS)

    events: reactive[tuple[Event, ...]] = reactive(())

    def __init__(self) -> None:
        super().__init__(max_lines=KEPT_EVENTS, wrap=True, highlight=False, markup=False)

    def watch_events(self, before: tuple[Event, ...], events: tuple[Event, ...]) -> None:
        known = before[-1] if before else None
        start = events.index(known) + 1 if known in events else 0
        for event in events[start:]:
            tone = self.get_component_rich_style(f"tone--{event.tone}", partial=True) if event.tone else ""
            quiet = self.get_component_rich_style("tone--quiet", partial=True)
            self.write(Text.assemble((f"{clock_time(event.at)}  ", quiet), (event.text, tone)))


class ActivityLine(Static):
    """The last event, where there is no room for the log."""

    events: reactive[tuple[Event, ...]] = reactive(())

    def render(self) -> Content:
        if not self.events:
            return Content("")
        last = self.events[-1]
        return Content.assemble(styled(f"{clock_time(last.at)}  ", Tone.QUIET), styled(last.text, last.tone))
