"""Everything plstui knows of one resource, as names and harmless text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

from plstui.domain.az import show_line
from plstui.domain.connection import ConnectionStatus
from plstui.domain.ids import ResourceId
from plstui.domain.resources import LoadBalancer
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.states import Tone, tone_of
from plstui.domain.text import clean
from plstui.domain.tree import rows
from plstui.domain.world import Link, World
from plstui.tui.clock import clock_time
from plstui.tui.tones import badge

LONGEST = 1000
"""Characters of one value: more than a request message or an id may have."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One line of the details."""

    name: str
    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """What the details screen shows."""

    title: str
    lines: tuple[Detail, ...]
    id: str
    az: str
    """The `az` command that shows the same."""


def details_of(world: World, resource_id: ResourceId) -> Details | None:
    """The details of a resource or a connection; None when no side shows it any more."""
    link = next((link for link in world.links() if link.id == resource_id), None)
    if link:
        title = f"Connection of {clean(link.endpoint_name, 80)}"
        return Details(title, tuple(_link(link, world)), str(link.id), show_line(link.id))
    for snapshot in (world.isv, world.customer):
        resource = _find(snapshot, resource_id) if snapshot else None
        if snapshot and resource is not None:
            return Details(
                f"{snapshot.side.marker} {clean(resource_id.name, 80)}",
                tuple(_resource(snapshot, resource_id, resource)),
                clean(str(resource_id), LONGEST),
                show_line(resource_id),
            )
    return None


def _link(link: Link, world: World) -> Iterator[Detail]:
    yield Detail("Status", badge(link.status.word), tone_of(link.status.word))
    if not link.agrees and link.endpoint_side:
        yield Detail(
            "Status at the endpoint", f"{badge(link.endpoint_side.status.word)}: the two sides differ", Tone.BAD
        )
    yield Detail("Seen from", " ".join(f"{side.marker} {side.label}" for side in link.seen_from))
    for snapshot in (world.isv, world.customer):
        if snapshot and not snapshot.answered:
            why = "could not be read" if snapshot.stale_since else "is being read"
            yield Detail("Not known from", f"{snapshot.side.marker} {snapshot.side.label}, which {why}", Tone.WAITING)
    yield Detail("Endpoint", link.endpoint_name)
    yield Detail("Endpoint's address", link.endpoint_address)
    yield Detail("Service", link.service_name)
    yield Detail("Customer's message", link.message)
    if at_service := link.service_side:
        yield Detail("Description at the service", at_service.description)
        yield Detail("Actions required", at_service.actions_required)
        yield Detail("Endpoint's location", at_service.endpoint_location)
        yield Detail("Link identifier", at_service.link_identifier)
        yield Detail("Provisioning state", at_service.provisioning_state)
    if at_endpoint := link.endpoint_side:
        yield Detail("Description at the endpoint", at_endpoint.description)
        yield Detail("Asked for", "manual approval" if at_endpoint.manual else "automatic approval")
    if link.endpoint_id:
        yield Detail("Endpoint's id", str(link.endpoint_id))
    yield Detail("Connection's name", link.name)
    for side, end in ((Side.ISV, link.service_side), (Side.CUSTOMER, link.endpoint_side)):
        if end:
            yield Detail(f"Id at {side.label}", str(end.id))


def _resource(snapshot: Snapshot, resource_id: ResourceId, resource: object) -> Iterator[Detail]:
    row = next((row for row in rows(snapshot) if row.id == resource_id), None)
    if row:
        yield Detail("State", badge(row.state, row.tone), row.tone)
        yield Detail("In short", row.detail)
    yield Detail("Type", resource_id.type)
    yield Detail("Resource group", resource_id.resource_group)
    yield Detail("Subscription", f"{resource_id.subscription} ({snapshot.side.label})")
    if snapshot.read_at:
        yield Detail("Read at", clock_time(snapshot.read_at))
    if isinstance(resource, LoadBalancer) and snapshot.health_stale_since:
        since = clock_time(snapshot.health_stale_since)
        yield Detail("Health", f"cannot be read since {since}: {snapshot.health_error}", Tone.WAITING)
    yield from _fields(resource, skip=("id", "name"))


def _fields(value: object, skip: tuple[str, ...] = (), before: str = "") -> Iterator[Detail]:
    """The fields of a dataclass, nested ones with their owner's name in front."""
    for field in fields(value) if is_dataclass(value) else ():
        if field.name in skip:
            continue
        name = f"{before}{field.name.replace('_', ' ').removesuffix(' id')}"
        name = name[:1].upper() + name[1:]
        inner = getattr(value, field.name)
        if isinstance(inner, tuple) and any(is_dataclass(item) and not _is_plain(item) for item in inner):
            for item in inner:
                yield Detail(name, clean(str(getattr(item, "name", "")), 120))
                yield from _fields(item, ("id", "name"), "  ")
        else:
            yield Detail(name, _text(inner))


def _is_plain(value: object) -> bool:
    return isinstance(value, ResourceId | ConnectionStatus)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _find(snapshot: Snapshot, resource_id: ResourceId) -> object | None:
    """A resource of a side, or a subnet or connection inside one."""
    groups = (
        snapshot.groups,
        snapshot.networks,
        snapshot.security_groups,
        snapshot.machines,
        snapshot.interfaces,
        snapshot.balancers,
        snapshot.services,
        snapshot.endpoints,
        snapshot.connections(),
        tuple(subnet for network in snapshot.networks for subnet in network.subnets),
    )
    return next((item for items in groups for item in items if item.id == resource_id), None)
