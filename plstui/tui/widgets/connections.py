"""Every private link connection, joined from both sides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from textual.reactive import reactive

from plstui.domain.connection import Verb
from plstui.domain.ids import ResourceId
from plstui.domain.states import Tone, tone_of
from plstui.domain.text import clean
from plstui.domain.world import Link
from plstui.tui.clock import clock_time
from plstui.tui.messages import DetailsRequested, ResourceHighlighted
from plstui.tui.tones import BUSY, badge, busy_badge
from plstui.tui.widgets.columns import Column
from plstui.tui.widgets.table import Cell, Row, Table


class ConnectionsTable(Table):
    """One row a connection; the row under the cursor is what approve, reject and remove work on."""

    TITLE = "Connections"
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("status", "Status", 14, 16, 1),
        Column("endpoint", "Endpoint", 19, 40, 2),
        Column("message", "Message", 16, 60, 3),
        Column("description", "Description", 14, 40, 5),
        Column("service", "Service", 14, 40, 6),
        Column("address", "Address", 9, 15, 4),
        Column("location", "Location", 10, 18, 8),
        Column("customer", "Customer", 8, 8, 9),
        Column("since", "Seen since", 10, 10, 7),
        Column("seen", "From", 4, 4, 4),
    )
    EMPTY = "No private link connection yet: it appears when a customer's endpoint asks for one."

    links: reactive[tuple[Link, ...]] = reactive(())
    under_way: reactive[Mapping[ResourceId, Verb]] = reactive(dict)
    since: reactive[Mapping[ResourceId, datetime]] = reactive(dict)

    def watch_links(self) -> None:
        self._fill()

    def watch_under_way(self) -> None:
        self._fill()

    def watch_since(self) -> None:
        self._fill()

    def _fill(self) -> None:
        self.rows = tuple(Row(link.id, self._cells(link)) for link in self.links)

    def _cells(self, link: Link) -> dict[str, Cell]:
        since = self.since.get(link.id)
        endpoint_id = link.endpoint_id
        location = link.service_side.endpoint_location if link.service_side else ""
        return {
            "status": self._status(link),
            "endpoint": Cell(clean(link.endpoint_name, 80)),
            "message": Cell(clean(link.message, 140)),
            "description": Cell(clean(link.description, 140), Tone.QUIET),
            "service": Cell(clean(link.service_name, 80)),
            "address": Cell(clean(link.endpoint_address, 40)),
            "location": Cell(clean(location or (link.endpoint.location if link.endpoint else ""), 40), Tone.QUIET),
            "customer": Cell(clean(endpoint_id.subscription[:8] if endpoint_id else "", 8), Tone.QUIET),
            "since": Cell(clock_time(since) if since else "", Tone.QUIET),
            "seen": Cell("".join(side.marker for side in link.seen_from)),
        }

    def _status(self, link: Link) -> Cell:
        verb = self.under_way.get(link.id)
        if verb:
            return Cell(busy_badge(verb), BUSY)
        word = link.status.word
        return Cell(badge(word) if link.agrees else f"{badge(word)} ≠", tone_of(word))

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        event.stop()
        self.post_message(ResourceHighlighted(event.key))

    def on_table_selected(self, event: Table.Selected) -> None:
        event.stop()
        self.post_message(DetailsRequested(event.key))
