"""The sections under the panes: all in view where there is room, otherwise one at a time behind tabs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from textual import events, on
from textual.containers import Container
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from plstui.domain.states import Tone
from plstui.tui.messages import LinesWanted, SectionChosen
from plstui.tui.panes.shares import shares
from plstui.tui.tones import styled

TAB_GAP = "  "

FRAME: Final = 2
"""Lines of a frame."""

ROWS: Final = (("connections",), ("backends", "probe"), ("activity", "doctor"))
"""The sections that stand side by side where all are in view."""

WEIGHTS: Final = (10, 11, 9)
"""What each of these rows gets of thirty lines when all have more to say than there is room for."""


class Deck(Container):
    """Holds sections by id. The frame's title is the row of tabs, so tabs cost no line."""

    active: reactive[str] = reactive("")
    """The section in front."""
    notes: reactive[Mapping[str, str]] = reactive(dict)
    """A word or two behind a section's title, like `1 pending`."""

    def __init__(self, *sections: tuple[str, str, str, Widget]) -> None:
        """`(id, key, title, widget)` of each section, in the order of its tab."""
        self._titles = {section_id: (key, title) for section_id, key, title, _ in sections}
        for section_id, _, _, widget in sections:
            widget.id = section_id
            widget.add_class("section")
        self._wanted: dict[str, int] = dict.fromkeys(self._titles, 1)
        """The lines that each section would like to have."""
        super().__init__(*(widget for *_, widget in sections), id="deck", classes="area")

    def on_mount(self) -> None:
        self._show()

    def watch_active(self) -> None:
        self._show()

    def watch_notes(self) -> None:
        self._show()

    def _show(self) -> None:
        tabs = []
        for section_id, (key, title) in self._titles.items():
            in_front = section_id == self.active
            note = styled(f" {self.notes[section_id]}", Tone.WAITING) if self.notes.get(section_id) else Content("")
            label = Content.assemble(
                styled(f"{key} ", Tone.QUIET),
                Content.styled(title, "bold $text-primary" if in_front else "$foreground-muted"),
                note,
            )
            tabs.append(label)
            for section in self.query_children(f"#{section_id}"):
                section.set_class(in_front, "-active")
                section.border_title = label
        self._tabs = tabs
        self.border_title = Content(TAB_GAP).join(tabs)

    # Sections that have nothing to say give their room to those that have

    @on(LinesWanted)
    def _take_wish(self, event: LinesWanted) -> None:
        event.stop()
        if self._wanted.get(event.section_id) != event.lines:
            self._wanted[event.section_id] = event.lines
            self.refresh(layout=True)
            self._share()

    def on_resize(self) -> None:
        """Share the lines out anew."""
        self._share()

    @property
    def _all_in_view(self) -> bool:
        return self.styles.layout is not None and self.styles.layout.name == "grid"

    def _share(self) -> None:
        if self._all_in_view:
            wanted = list(self._rows())
            self.styles.grid_rows = " ".join(map(str, shares(self.content_size.height, wanted, WEIGHTS)))

    def _rows(self) -> Iterator[int]:
        """The lines that each row of sections would like to have, with its frame."""
        return (max(self._wanted.get(section, 0) for section in row) + FRAME for row in ROWS)

    @property
    def _has_relative_children_height(self) -> bool:
        """No: its sections fill it, and it is as high as they wish. Textual would otherwise give it all there is."""
        return False

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return sum(self._rows()) if self._all_in_view else max(self._wanted.values())

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
