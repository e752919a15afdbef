"""One side's resources as rows with a parent, a badge and a tone: what the tree shows and `status` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from plstui.domain.connection import PENDING
from plstui.domain.ids import ResourceId
from plstui.domain.resources import (
    LoadBalancer,
    PrivateEndpoint,
    PrivateLinkService,
    Resource,
    VirtualMachine,
    VirtualNetwork,
)
from plstui.domain.snapshot import Snapshot
from plstui.domain.states import Tone, tone_of


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One resource as it stands in the tree."""

    id: ResourceId
    parent_id: ResourceId | None
    """The row this one hangs under; None at the top."""
    name: str
    location: str
    state: str
    """The word of the badge."""
    provisioning_state: str
    tone: Tone
    detail: str = ""
    """A few words more: an address, a zone, a prefix."""

    @property
    def type(self) -> str:
        """Azure's type, like `Microsoft.Network/loadBalancers`."""
        return self.id.type


def rows(snapshot: Snapshot) -> tuple[TreeRow, ...]:
    """Every resource of a side: groups first, each followed by what is in it, parents before children.

    Inside a group the private link comes first, then what stands behind it in the order in which traffic arrives, then
    what all of that stands in; each type by name.

    Made once for each snapshot, which never changes: there may be thousands, and several ask for them.
    """
    kept = vars(snapshot)  # Where a cached property of its own would keep them.
    if _KEPT not in kept:
        kept[_KEPT] = _rows(snapshot)
    made: tuple[TreeRow, ...] = kept[_KEPT]
    return made


_KEPT = "_rows"


def _rows(snapshot: Snapshot) -> tuple[TreeRow, ...]:
    groups = sorted(snapshot.groups, key=lambda group: group.name.lower())
    inside: dict[ResourceId | None, list[TreeRow]] = {}
    for row in _resources(snapshot):
        inside.setdefault(row.parent_id, []).append(row)
    result: list[TreeRow] = []
    for group in groups:
        result.append(_row(group, None, group.provisioning_state))
        result.extend(_below(group.id, inside))
    result.extend(_below(None, inside))
    return tuple(result)


def _below(parent_id: ResourceId | None, inside: Mapping[ResourceId | None, list[TreeRow]]) -> Iterator[TreeRow]:
    for row in inside.get(parent_id, ()):
        yield row
        yield from _below(row.id, inside)


def _resources(snapshot: Snapshot) -> Iterator[TreeRow]:
    """Every row but the groups', each with the parent that is really there."""
    by_type: tuple[tuple[Resource, ...], ...] = (
        snapshot.services,
        snapshot.endpoints,
        snapshot.balancers,
        snapshot.machines,
        snapshot.interfaces,
        snapshot.networks,
        snapshot.security_groups,
    )
    groups = {group.id for group in snapshot.groups}
    hosts = _hosts(snapshot)
    for resources in by_type:
        for resource in sorted(resources, key=lambda r: r.name.lower()):
            # A group that was created after the groups were last listed is not there to hang its resources under.
            parent = resource.id.parent if resource.id.parent in groups else None
            yield _describe(snapshot, resource, hosts.get(resource.id, parent))
            yield from _children(resource)


def _hosts(snapshot: Snapshot) -> dict[ResourceId, ResourceId]:
    """The machine or endpoint of each interface, found from whichever end names the other."""
    holders: tuple[VirtualMachine | PrivateEndpoint, ...] = (*snapshot.machines, *snapshot.endpoints)
    hosts = {interface_id: holder.id for holder in holders for interface_id in holder.interface_ids}
    known = {holder.id for holder in holders}
    for nic in snapshot.interfaces:
        holder_id = nic.machine_id or nic.private_endpoint_id
        if holder_id in known:
            hosts[nic.id] = holder_id
    return hosts


def _describe(snapshot: Snapshot, resource: Resource, parent: ResourceId | None) -> TreeRow:
    """The row of a resource, with the badge its type calls for."""
    match resource:
        case VirtualMachine():
            return _machine(snapshot, resource, parent)
        case LoadBalancer():
            return _balancer(snapshot, resource, parent)
        case PrivateEndpoint():
            status = resource.connections[0].status.word if resource.connections else resource.provisioning_state
            return _row(resource, parent, status, detail=snapshot.endpoint_address(resource))
        case PrivateLinkService():
            return _row(resource, parent, resource.provisioning_state, detail=_requests(resource))
        case _:
            detail = getattr(resource, "address", "") or ", ".join(getattr(resource, "address_prefixes", ()))
            return _row(resource, parent, resource.provisioning_state, detail=detail)


def _balancer(snapshot: Snapshot, balancer: LoadBalancer, parent: ResourceId | None) -> TreeRow:
    """A balancer's badge is how many of its members are up; one from an old answer is no good news any more."""
    address = next((f.private_ip_address for f in balancer.frontends if f.private_ip_address), "")
    members = snapshot.balancer_members(balancer)
    if not members:
        return _row(balancer, parent, balancer.provisioning_state, detail=address)
    up = sum(members.values())
    is_old = snapshot.health_stale_since is not None
    detail = " ".join(part for part in ("health is stale" if is_old else "", address) if part)
    tone = Tone.WAITING if is_old and up == len(members) else None
    return _row(balancer, parent, f"{up}/{len(members)}", detail=detail, tone=tone)


def _machine(snapshot: Snapshot, machine: VirtualMachine, parent: ResourceId | None) -> TreeRow:
    """A machine's badge is its power state; it is bad, too, when a balancer gets no answer from it."""
    addresses = [nic.address for nic in snapshot.machine_interfaces(machine) if nic.address]
    zone = f"zone {machine.zones[0]}" if machine.zones else ""
    down = next((member for member in snapshot.member_health(machine) if not member.up), None)
    detail = " ".join(part for part in ("no answer to the health probe" if down else "", *addresses, zone) if part)
    state = machine.power_state or machine.provisioning_state
    return _row(machine, parent, state, detail=detail, tone=Tone.BAD if down else None)


def _requests(service: PrivateLinkService) -> str:
    """How many of a service's connections wait for an answer; one alone says so itself."""
    waiting = sum(connection.status == PENDING for connection in service.connections)
    return f"{waiting} pending" if waiting > 1 else ""


def _children(resource: Resource) -> Iterator[TreeRow]:
    """What is read as a part of a resource: a network's subnets, a service's connections."""
    if isinstance(resource, VirtualNetwork):
        for subnet in resource.subnets:
            yield _row(subnet, resource.id, subnet.provisioning_state, detail=", ".join(subnet.address_prefixes))
    elif isinstance(resource, PrivateLinkService):
        for connection in resource.connections:
            yield TreeRow(
                id=connection.id,
                parent_id=resource.id,
                name=connection.name,
                location=connection.endpoint_location,
                state=connection.status.word,
                provisioning_state=connection.provisioning_state,
                tone=tone_of(connection.status.word),
            )


def _row(
    resource: Resource, parent: ResourceId | None, state: str, *, detail: str = "", tone: Tone | None = None
) -> TreeRow:
    return TreeRow(
        id=resource.id,
        parent_id=parent,
        name=resource.name,
        location=resource.location,
        state=state,
        provisioning_state=resource.provisioning_state,
        tone=tone or tone_of(state),
        detail=detail,
    )
