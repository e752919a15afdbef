"""A table of rows with keys: whole rows under the cursor, columns that come and go with the width.

Textual's DataTable keeps styled cells, so colours of an old theme stay in it, and it has no columns that give way at
80 cells. This one holds plain cells, paints the lines that are visible, and finds its cursor again by the row's key.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from plstui.domain.ids import ResourceId
from plstui.domain.states import Tone
from plstui.domain.text import ELLIPSIS
from plstui.tui.messages import LinesWanted
from plstui.tui.tones import COMPONENTS, ink
from plstui.tui.widgets.columns import GAP, Column, fit

MARKER = "▸ "
"""Stands before the row under the cursor, so that it is seen without colours."""

MEASURED_ROWS = 400
"""Rows that are looked at to find how wide a column's content is."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A harmless piece of text and its tone."""

    text: str
    tone: str = ""


_NOTHING = Cell("")
_LIVE = Cell("…")
"""Stands for a cell that a row does not hold because it changes by itself."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row; a column without a cell stays empty."""

    key: ResourceId
    cells: Mapping[str, Cell] = field(default_factory=dict)


class Table(ScrollView, can_focus=True):
    """Rows under a header that stays; subclasses give the columns and set `rows`."""

    COLUMNS: ClassVar[tuple[Column, ...]] = ()
    EMPTY: ClassVar[str] = ""
    """What is said instead of rows."""
    FINDS_ANOTHER: ClassVar[bool] = True
    """Whether the cursor goes to another row when its own is gone; if not, whoever sets `cursor` sees to that."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False),
        Binding("down,j", "cursor(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "cursor(-1000000)", "First", show=False),
        Binding("end", "cursor(1000000)", "Last", show=False),
        Binding("enter", "select", "Details", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--header", "table--cursor", *COMPONENTS}

    rows: reactive[tuple[Row, ...]] = reactive(())
    """The rows in the order in which they are shown."""
    cursor: reactive[ResourceId | None] = reactive(None)
    """The key of the row under the cursor; None while there are no rows."""

    @dataclass
    class Highlighted(Message):
        """The cursor moved to another row."""

        key: ResourceId

    @dataclass
    class Selected(Message):
        """Enter was pressed on a row, or it was clicked twice."""

        key: ResourceId

    _index: int = 0
    _places: Mapping[ResourceId, int] = MappingProxyType({})
    """Each row's place, by its key."""
    _fitted: tuple[tuple[Column, int], ...] = ()
    _wanted: int = 0
    """The lines it has asked for."""

    def watch_rows(self, before: tuple[Row, ...], rows: tuple[Row, ...]) -> None:
        fixed = self._fixed(before)
        self._places = {row.key: place for place, row in enumerate(rows)}
        self._arrange()
        self._find_cursor()
        self._hold(fixed)

    def live_cells(self, row: Row) -> Mapping[str, Cell]:
        """Cells that change by themselves, like an age: asked for when the row is painted, over those it holds."""
        return {}

    @property
    def nothing(self) -> str:
        """What is said while there are no rows."""
        return self.EMPTY

    @property
    def visible_rows(self) -> tuple[Row, ...]:
        """The rows that are in view."""
        top = self.scroll_offset.y
        return self.rows[top : top + max(0, self._lines_for_rows)]

    def watch_cursor(self) -> None:
        self._find_cursor()
        self._scroll_to_cursor()

    def on_resize(self) -> None:
        """Lay the columns out anew; the row under the cursor stays in view."""
        self._arrange()
        self._scroll_to_cursor()

    def _arrange(self) -> None:
        """Lay the columns out for the width there is; one that says nothing in any row is left out."""
        width = self.scrollable_content_region.width
        sample = self.rows[:MEASURED_ROWS]
        columns = [c for c in self.COLUMNS if not sample or any(r.cells.get(c.key, _LIVE).text for r in sample)]
        wanted = [
            max(
                cell_len(column.title),
                *(cell_len(r.cells[column.key].text) for r in sample if column.key in r.cells),
                0,
            )
            for column in columns
        ]
        self._fitted = tuple(fit(columns, wanted, width - len(MARKER)))
        self.virtual_size = Size(width, len(self.rows) + 1)
        self.show_nothing()

    def show_nothing(self) -> None:
        """Bring what is said instead of rows up to date, and ask for the lines that this or the rows take."""
        self.refresh()
        wanted = len(self.rows) + 1 if self.rows else len(self._nothing_lines())
        if self.id and (self.rows or self.size.width) and wanted != self._wanted:
            self._wanted = wanted
            self.post_message(LinesWanted(self.id, wanted))

    def _nothing_lines(self) -> list[str]:
        return textwrap.wrap(self.nothing, max(1, self.scrollable_content_region.width - 2))

    def _fixed(self, rows: Sequence[Row]) -> tuple[ResourceId, int] | None:
        """The row of these that stays in its line whatever comes or goes above it, and that line.

        It is the one under the cursor, or the first in view where a person has scrolled away from that. None at the
        top of the table: what comes there is to be seen.
        """
        top = self.scroll_offset.y
        if not top < len(rows):
            return None
        if self._index < len(rows) and self._in_view(self._index):
            return rows[self._index].key, self._index - top
        return (rows[top].key, 0) if top else None

    def _in_view(self, place: int) -> bool:
        return 0 <= place - self.scroll_offset.y < max(1, self._lines_for_rows)

    @property
    def _lines_for_rows(self) -> int:
        return self.scrollable_content_region.height - 1

    def _hold(self, fixed: tuple[ResourceId, int] | None) -> None:
        """Scroll so that a row is in the line where it was before the rows changed."""
        place = self._places.get(fixed[0]) if fixed else None
        at_top = self.scroll_offset.y == 0 and place is not None and place < self._lines_for_rows
        if fixed and place is not None and not at_top:
            self.scroll_to(y=place - fixed[1], animate=False, force=True)
        elif self.rows and fixed and place is None:
            self._scroll_to_cursor()

    def _find_cursor(self) -> None:
        """Put the cursor back on its row; when that is gone, on the one that took its place."""
        if not self.rows:
            return
        place = self._places.get(self.cursor) if self.cursor else None
        if place is not None:
            self._index = place
        elif self.FINDS_ANOTHER:
            self._move_to(min(self._index, len(self.rows) - 1))

    def _move_to(self, index: int) -> None:
        self._index = max(0, min(index, len(self.rows) - 1))
        self.cursor = self.rows[self._index].key
        self._scroll_to_cursor()
        self.post_message(self.Highlighted(self.cursor))

    def _scroll_to_cursor(self) -> None:
        visible, top = self._lines_for_rows, self.scroll_offset.y
        if visible > 0 and not self._in_view(self._index):
            self.scroll_to(y=self._index if self._index < top else self._index - visible + 1, animate=False, force=True)

    def action_cursor(self, steps: int) -> None:
        """Move the cursor by so many rows."""
        if self.rows:
            self._move_to(self._index + steps)

    def action_page(self, pages: int) -> None:
        """Move the cursor by so many screenfuls."""
        self.action_cursor(pages * max(1, self.scrollable_content_region.height - 2))

    def action_select(self) -> None:
        """Ask for the details of the row under the cursor."""
        if self.rows and self.cursor is not None:
            self.post_message(self.Selected(self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row that was clicked; a double click selects it."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y == 0:
            return
        index = self.scroll_offset.y + offset.y - 1
        if index < len(self.rows):
            self._move_to(index)
            if event.chain > 1:
                self.action_select()

    def render_line(self, y: int) -> Strip:
        """Paint one visible line: the header, a row, or nothing."""
        width = self.scrollable_content_region.width
        base = self.rich_style
        if not self.rows:
            lines = self._nothing_lines()
            text = lines[y] if y < len(lines) else ""
            return Strip([Segment(_cut(f" {text}", width), base + ink(self, Tone.QUIET))], width)
        if y == 0:
            style = base + self.get_component_rich_style("table--header")
            return self._line("  ", ((column.title, style, size) for column, size in self._fitted), style, width)
        index = self.scroll_offset.y + y - 1
        if index >= len(self.rows):
            return Strip.blank(width, base)
        row = self.rows[index]
        under_cursor = row.key == self.cursor
        if under_cursor:
            base += self.get_component_rich_style("table--cursor")
        # On the bar of the focused cursor tones would be hard to read; glyph and word say the same.
        plain = under_cursor and self.has_focus
        content = {**row.cells, **self.live_cells(row)}
        cells = ((content.get(column.key, _NOTHING), size) for column, size in self._fitted)
        painted = ((cell.text, base if plain else base + ink(self, cell.tone), size) for cell, size in cells)
        return self._line(MARKER if under_cursor else "  ", painted, base, width)

    def _line(self, marker: str, cells: Iterable[tuple[str, Style, int]], base: Style, width: int) -> Strip:
        segments = [Segment(marker, base)]
        for text, style, size in cells:
            segments += (Segment(_cut(text, size), style), Segment(" " * GAP, base))
        return Strip(segments).adjust_cell_length(width, base)


def _cut(text: str, width: int) -> str:
    """`text` at exactly `width` cells, with an ellipsis where something is cut off."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, max(0, width - 1)).rstrip() + ELLIPSIS, width)
