"""The sections under the panes: all in view where there is room, otherwise one at a time behind tabs."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events
from textual.containers import Container
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from plstui.domain.states import Tone
from plstui.tui.messages import SectionChosen
from plstui.tui.tones import styled

TAB_GAP = "  "


class Deck(Container):
    """Holds sections by id. The frame's title is the row of tabs, so tabs cost no line."""

    active: reactive[str] = reactive("")
    """The section in front."""
    notes: reactive[Mapping[str, str]] = reactive(dict)
    """A word or two behind a section's title, like `1 pending`."""

    def __init__(self, *sections: tuple[str, str, Widget]) -> None:
        """`(id, title, widget)` of each section, in the order of its tab."""
        self._titles = {section_id: title for section_id, title, _ in sections}
        for section_id, _, widget in sections:
            widget.id = section_id
            widget.add_class("section")
        super().__init__(*(widget for _, _, widget in sections), id="deck", classes="area")

    def on_mount(self) -> None:
        self._show()

    def watch_active(self) -> None:
        self._show()

    def watch_notes(self) -> None:
        self._show()

    def _show(self) -> None:
        tabs = []
        for number, (section_id, title) in enumerate(self._titles.items(), 1):
            in_front = section_id == self.active
            note = styled(f" {self.notes[section_id]}", Tone.WAITING) if self.notes.get(section_id) else Content("")
            label = Content.assemble(
                styled(f"{number} ", Tone.QUIET),
                Content.styled(title, "bold $text-primary" if in_front else "$foreground-muted"),
                note,
            )
            tabs.append(label)
            for section in self.query_children(f"#{section_id}"):
                section.set_class(in_front, "-active")
                section.border_title = label
        self._tabs = tabs
        self.border_title = Content(TAB_GAP).join(tabs)

    def focus_section(self, section_id: str) -> None:
        """Put the focus on a section."""
        section = self.query_one(f"#{section_id}")
        # A section of several parts has its focus in one of them.
        next((part for part in (section, *section.query("*")) if part.focusable), section).focus()

    @property
    def focused_section(self) -> str | None:
        """The section that has the focus, which need not be the one in front where all are in view."""
        return next((section.id for section in self.children if section.has_focus_within), None)

    def on_click(self, event: events.Click) -> None:
        """A click on a tab brings its section to the front."""
        at = event.screen_offset - self.region.offset
        if at.y != 0:
            return
        x = at.x - 2
        for section_id, tab in zip(self._titles, self._tabs, strict=True):
            if 0 <= x < tab.cell_length:
                self.post_message(SectionChosen(section_id))
            x -= tab.cell_length + len(TAB_GAP)
