"""Every private link connection, joined from both sides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from textual.reactive import reactive, var

from plstui.domain.absence import absence
from plstui.domain.ids import ResourceId
from plstui.domain.states import Tone, tone_of
from plstui.domain.text import clean
from plstui.domain.world import Link, World
from plstui.tui.clock import age
from plstui.tui.messages import DetailsRequested, ResourceHighlighted
from plstui.tui.state import Sighting
from plstui.tui.tones import BUSY, badge, busy_badge
from plstui.tui.widgets.columns import Column
from plstui.tui.widgets.table import Cell, Row, Table


class ConnectionsTable(Table):
    """One row a connection; the row under the cursor is what approve, reject and remove work on."""

    TITLE = "Connections"
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("status", "Status", 12, 16, 1, enough=16),
        Column("endpoint", "Endpoint", 19, 40, 2),
        Column("message", "Message", 16, 60, 4, enough=40),
        Column("changed", "Changed", 10, 11, 3, enough=11),
        Column("description", "Description", 14, 40, 7, enough=20),
        Column("service", "Service", 14, 40, 8, enough=22),
        Column("address", "Address", 9, 15, 6),
        Column("location", "Location", 10, 18, 9),
        Column("customer", "Customer", 8, 8, 10),
        Column("sides", "Sides", 5, 5, 5),
    )
    EMPTY = "No private link connection yet: it appears when a customer's endpoint asks for one."
    NO_MATCH = "No connection has these words; Esc shows all again."
    FINDS_ANOTHER = False

    world: var[World] = var(World)
    links: reactive[tuple[Link, ...]] = reactive(())
    under_way: reactive[Mapping[ResourceId, str]] = reactive(dict)
    since: reactive[Mapping[ResourceId, Sighting]] = reactive(dict)
    """Since when each connection has been seen in its status."""
    steady: reactive[float] = reactive(0.0, repaint=False)
    sought: reactive[str] = reactive("")
    """What the links are filtered by; empty when these are all."""

    @property
    def nothing(self) -> str:
        return absence(self.world, self.NO_MATCH if self.sought else self.EMPTY, what="connection")

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[ResourceId, tuple[Link, str | None, Row]] = {}
        self._ages: list[str] = []

    def watch_world(self) -> None:
        if not self.rows:
            self.show_nothing()

    def watch_sought(self) -> None:
        if not self.rows:
            self.show_nothing()

    def watch_links(self) -> None:
        self._fill()

    def watch_under_way(self, before: Mapping[ResourceId, str], now: Mapping[ResourceId, str]) -> None:
        if changed := {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}:
            self._kept |= {link.id: self._keep(link) for link, _, _ in self._kept.values() if link.id in changed}
            self.rows = tuple(row for _, _, row in self._kept.values())

    def watch_since(self) -> None:
        self._show_ages()

    def watch_steady(self) -> None:
        self._show_ages()

    def _show_ages(self) -> None:
        """Paint anew when an age in view reads differently, which it does not every second."""
        ages = [self._age(row) for row in self.visible_rows]
        if ages != self._ages:
            self._ages = ages
            self.refresh()

    def _age(self, row: Row) -> str:
        sighting = self.since.get(row.key)
        return changed(sighting, self.steady) if sighting else ""

    def live_cells(self, row: Row) -> dict[str, Cell]:
        return {"changed": Cell(self._age(row), Tone.QUIET)}

    def _fill(self) -> None:
        self._kept = {link.id: self._keep(link) for link in self.links}
        self.rows = tuple(row for _, _, row in self._kept.values())

    def _keep(self, link: Link) -> tuple[Link, str | None, Row]:
        """A link's row as it was if nothing in it has changed: a thousand of them are not made anew for one."""
        doing = self.under_way.get(link.id)
        kept = self._kept.get(link.id)
        if kept and kept[1] == doing and (kept[0] is link or kept[0] == link):
            return kept
        return link, doing, Row(link.id, self._cells(link, doing))

    def _cells(self, link: Link, doing: str | None) -> dict[str, Cell]:
        endpoint_id = link.endpoint_id
        location = link.service_side.endpoint_location if link.service_side else ""
        return {
            "status": _status(link, doing),
            "endpoint": Cell(clean(link.endpoint_name, 80)),
            "message": Cell(clean(link.message, 140)),
            "description": Cell(clean(link.description, 140), Tone.QUIET),
            "service": Cell(clean(link.service_name, 80)),
            "address": Cell(clean(link.endpoint_address, 40)),
            "location": Cell(clean(location or (link.endpoint.location if link.endpoint else ""), 40), Tone.QUIET),
            "customer": Cell(clean(endpoint_id.subscription[:8] if endpoint_id else "", 8), Tone.QUIET),
            "sides": Cell("".join(side.marker for side in link.seen_from)),
        }

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        event.stop()
        self.post_message(ResourceHighlighted(event.key))

    def on_table_selected(self, event: Table.Selected) -> None:
        event.stop()
        self.post_message(DetailsRequested(event.key))


def changed(sighting: Sighting, now: float) -> str:
    """When the status became what it is: `now`, `5 min ago`, or `>5 min ago` and `earlier` where nobody has seen it."""
    how_long = age(timedelta(seconds=now - sighting.at))
    if how_long == "now":
        return "now" if sighting.seen_to_change else "earlier"
    return f"{'' if sighting.seen_to_change else '>'}{how_long} ago"


def _status(link: Link, doing: str | None) -> Cell:
    if doing:
        return Cell(busy_badge(doing), BUSY)
    word = link.status.word
    return Cell(badge(word) if link.agrees else f"{badge(word)} ≠", tone_of(word))
