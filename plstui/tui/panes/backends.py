"""The backends: what the balancer thinks of each, and what its page says, side by side.

A balancer's probe of a TCP port says Up while something listens, also when the page is wrong.
"""

from __future__ import annotations

from typing import ClassVar

from textual.reactive import reactive

from plstui.domain.absence import TARGETS, absence
from plstui.domain.probe import Target, TargetKind, TargetResult
from plstui.domain.resources import VirtualMachine
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.states import Tone, tone_of
from plstui.domain.targets import targets
from plstui.domain.text import clean
from plstui.domain.world import World
from plstui.tui.messages import DetailsRequested
from plstui.tui.state import ProbeRun
from plstui.tui.tones import BUSY, badge
from plstui.tui.widgets.columns import Column
from plstui.tui.widgets.table import Cell, Row, Table


class BackendsTable(Table):
    """One row a member of a balancer's pool."""

    TITLE = "Backends"
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("name", "Backend", 10, 30, 1),
        Column("zone", "Zone", 4, 4, 5),
        Column("address", "Address", 11, 21, 2),
        Column("power", "Machine", 11, 14, 4),
        Column("health", "Balancer", 8, 30, 2, enough=22),
        Column("page", "Page", 16, 40, 3),
    )
    EMPTY = "No backend yet: they appear once a balancer's rule leads to a pool with members."

    world: reactive[World] = reactive(World)
    probe: reactive[ProbeRun] = reactive(ProbeRun)

    @property
    def nothing(self) -> str:
        return absence(self.world, self.EMPTY, what="backend", of=(Side.ISV,), needs=TARGETS)

    def watch_world(self) -> None:
        self._fill()
        self.show_nothing()

    def watch_probe(self) -> None:
        self._fill()

    def _fill(self) -> None:
        isv = self.world.isv
        backends = [t for t in targets(self.world) if t.kind is TargetKind.BACKEND and t.resource_id] if isv else []
        self.rows = tuple(
            # A machine may stand behind several rules: the row is the machine's port.
            Row(target.resource_id.child("ports", str(target.port)), self._cells(isv, target))
            for target in backends
            if isv and target.resource_id
        )

    def _cells(self, isv: Snapshot, target: Target) -> dict[str, Cell]:
        machine = next((machine for machine in isv.machines if machine.id == target.resource_id), None)
        power = (machine.power_state or machine.provisioning_state) if machine else ""
        return {
            "name": Cell(clean(target.name, 80)),
            "zone": Cell(clean(" ".join(machine.zones), 12) if machine else ""),
            "address": Cell(f"{clean(target.address, 40)}:{target.port}", Tone.QUIET),
            "power": Cell(badge(power), tone_of(power)),
            "health": _health(isv, machine),
            "page": self._page(target),
        }

    def _page(self, target: Target) -> Cell:
        result = self.probe.result(target)
        if result:
            return page_cell(result)
        if self.probe.running and target in self.probe.targets:
            return Cell("◌ asking…", BUSY)
        return Cell("not probed", Tone.QUIET)

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        event.stop()

    def on_table_selected(self, event: Table.Selected) -> None:
        event.stop()
        if event.key.parent:
            self.post_message(DetailsRequested(event.key.parent))


def _health(isv: Snapshot, machine: VirtualMachine | None) -> Cell:
    members = isv.member_health(machine) if machine else ()
    down = next((member for member in members if not member.up), None)
    old = ", stale" if isv.health_stale_since else ""
    if down:
        reason = clean(down.reason, 60).removeprefix("Down_Probe_")
        return Cell(f"{badge('Down')}{old} {reason}".rstrip(), Tone.BAD)
    tone = Tone.WAITING if old else Tone.GOOD
    return Cell(f"{badge('Up', tone)}{old}", tone) if members else Cell("not known", Tone.QUIET)


def page_cell(result: TargetResult) -> Cell:
    """What a target's page said, in one cell: the hosts, or how it failed."""
    hosts = ", ".join(clean(host, 40) for host in result.hosts)
    if result.ok:
        return Cell(f"✔ Host: {hosts}", Tone.GOOD)
    failed = ", ".join(f"{kind} ×{count}" for kind, count in result.failures.items())
    return Cell(f"✖ {failed}{f', Host: {hosts}' if hosts else ''}", Tone.BAD)
