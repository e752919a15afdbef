"""Tables for people: the same facts as the JSON documents."""

from __future__ import annotations

from collections.abc import Sequence

import click

from plstui.cli.output import print_table
from plstui.domain.absence import absence
from plstui.domain.ids import ResourceId
from plstui.domain.probe import TargetResult
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.states import Tone, glyph_of
from plstui.domain.text import clean
from plstui.domain.tree import rows
from plstui.domain.world import Link, World


def state_text(state: str, tone: Tone | None = None) -> str:
    """A state as glyph and word; `tone` where more is known than the word tells."""
    return f"{glyph_of(state, tone)} {clean(state, 24)}" if state else ""


def print_side(side: Side, snapshot: Snapshot | None) -> None:
    """One side's resources, indented as they hang together."""
    click.echo(f"{side.marker} {side.label}", nl=False)
    if snapshot is None:
        click.echo(f": not configured (set [{side.value}] subscription)\n")
        return
    click.echo(f" {clean(snapshot.subscription)}" + (f": {clean(snapshot.error)}" if snapshot.error else ""))
    depth: dict[ResourceId, int] = {}
    lines = []
    for row in rows(snapshot):
        depth[row.id] = depth.get(row.parent_id, -1) + 1 if row.parent_id else 0
        name = "  " * (depth[row.id] + 1) + clean(row.name, 60)
        lines.append(
            (name, clean(row.type.rsplit("/", 1)[-1], 60), state_text(row.state, row.tone), clean(row.detail, 60))
        )
    if lines:
        print_table(("  name", "type", "state", ""), lines)
    elif not snapshot.not_read:
        click.echo("  nothing here" if snapshot.reachable else "  not known")
    for kind, known in snapshot.not_read.items():
        click.echo(f"  {kind.plural} could not be read: {clean(known.why, 300)}")
    click.echo()


def print_connections(links: Sequence[Link], world: World) -> None:
    """The connections, one a line; `world` is what was read."""
    if not links:
        click.echo(absence(world, "No private endpoint connections.", what="private endpoint connection"))
        return
    print_table(
        ("status", "endpoint", "service", "message", "description", "address"),
        [
            (
                state_text(link.status.word) + ("" if link.agrees else " (ends differ)"),
                clean(link.endpoint_name, 40),
                clean(link.service_name, 40),
                clean(link.message, 60),
                clean(link.description, 60),
                clean(link.endpoint_address, 40),
            )
            for link in links
        ],
    )


def print_target(result: TargetResult) -> None:
    """One target's pages, failures and times."""
    target = result.target
    mark = glyph_of("" if result.silent else "up" if result.ok else "down")
    address = f"{clean(target.address, 60)}:{target.port}"
    route = f"  via {clean(result.route, 60)}" if result.route else ""
    click.echo(f"{mark} {target.side.marker} {target.kind} {clean(target.name, 40)} {address}{route}")
    for host, count in result.hosts.items():
        click.echo(f"      Host: {host}  ×{count}")
    for failure, count in result.failures.items():
        click.echo(f"      {failure}  ×{count}: {clean(result.error_of(failure), 600)}")
    if result.untold:
        lost = sum(attempt.host is None and attempt.failure is None for attempt in result.attempts)
        click.echo(f"      no answer  ×{lost}: {clean(result.untold, 600)}")
    if result.resolved and result.resolved != (target.address,):
        click.echo(f"      resolved to {clean(', '.join(result.resolved), 200)}")
    if result.connect_ms and result.first_byte_ms:
        click.echo(
            f"      connect {result.connect_ms[0]:.0f}/{result.connect_ms[1]:.0f} ms,"
            f" first byte {result.first_byte_ms[0]:.0f}/{result.first_byte_ms[1]:.0f} ms (p50/p95)"
        )
