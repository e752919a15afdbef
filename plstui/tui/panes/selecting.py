"""A screen with a table of connections: which it shows, and which one commands work on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.reactive import var

from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.world import Link
from plstui.engine.ports import Clock
from plstui.tui.commanding import CommandingScreen
from plstui.tui.commands import Keys
from plstui.tui.dialog import TYPING
from plstui.tui.messages import FilterLeft, FilterTyped, ResourceHighlighted
from plstui.tui.panes.commands import COMMANDS, Context, Host
from plstui.tui.panes.deck import Deck
from plstui.tui.panes.filter_line import FilterLine
from plstui.tui.panes.selection import Selection, in_short, matching, pending_first


class SelectingScreen(CommandingScreen[Context, Host]):
    """Holds the filter and the selection; whoever inherits sets `links` and hears of both by `selection_moved`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "drop_filter", "All", show=False)]

    links: var[tuple[Link, ...]] = var(())
    """Every connection of both sides."""
    sought: var[str] = var("")
    """What the connections are filtered by."""
    shown: var[tuple[Link, ...]] = var(())
    """The links that the table shows."""
    selected: var[ResourceId | None] = var(None)
    """The connection that commands work on."""
    section: var[str] = var("connections")
    """The section in front."""
    notes: var[Mapping[str, str]] = var(dict)

    def __init__(self, keys: Keys, clock: Clock) -> None:
        super().__init__(COMMANDS, keys, clock)
        self.selection = Selection()

    def selection_moved(self) -> None:
        """Something else is selected, or what is selected has changed."""

    def watch_links(self) -> None:
        self._show_links()

    def watch_sought(self) -> None:
        self._show_links()

    def _show_links(self) -> None:
        """Bring the table and what is selected in it up to date."""
        self.shown = pending_first(matching(self.links, self.sought))
        self.notes = {"connections": in_short(self.links, self.shown, self.sought)}
        self._choose(self.selection.follow(self.links, self.shown))

    def take(self, link: Link) -> None:
        """A person has moved to a connection, or begins to work on it: it stays selected."""
        self._choose(self.selection.take(link, self.shown))

    def _choose(self, selection: Selection) -> None:
        self.selection = selection
        self.selected = selection.link.id if selection.link else None
        self.selection_moved()

    @on(ResourceHighlighted)
    def _select(self, event: ResourceHighlighted) -> None:
        wanted = event.resource_id
        if link := next((link for link in self.links if wanted in (link.id, link.endpoint_id)), None):
            self.take(link)

    def next_pending(self) -> None:
        if link := self.selection.next_pending(self.shown):
            self.take(link)
            self.show_section("connections")

    def show_section(self, section_id: str) -> None:
        self.section = section_id
        # In front first, focused after: what is not displayed cannot have the focus.
        self.call_after_refresh(self.query_one(Deck).focus_section, section_id)

    def start_filter(self) -> None:
        self.remove_class(*(f"-zoom-{side}" for side in Side))
        self.section = "connections"
        self.add_class(TYPING)
        self.call_after_refresh(self.query_one(FilterLine).focus)

    @on(FilterTyped)
    def _filter(self, event: FilterTyped) -> None:
        self.sought = event.text.strip()

    @on(FilterLeft)
    def _leave_filter(self) -> None:
        if self.has_class(TYPING):
            self.remove_class(TYPING)
            self.show_section("connections")

    def action_drop_filter(self) -> None:
        """Show every connection again."""
        self.query_one(FilterLine).value = ""
