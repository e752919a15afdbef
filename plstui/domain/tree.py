"""One side's resources as rows with a parent, a badge and a tone: what the tree shows and `status` prints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plstui.domain.ids import ResourceId
from plstui.domain.resources import LoadBalancer, PrivateEndpoint, Resource, VirtualMachine
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

    The order inside a group is the order in which the lab builds them, then by name.
    """
    groups = sorted(snapshot.groups, key=lambda group: group.name.lower())
    known = {group.id for group in groups}
    inside: dict[ResourceId | None, list[TreeRow]] = {}
    for row in _resources(snapshot):
        inside.setdefault(row.parent_id if row.parent_id in known else None, []).append(row)
    result: list[TreeRow] = []
    for group in groups:
        result.append(_row(group, None, group.provisioning_state))
        result.extend(_with_children(snapshot, inside.get(group.id, [])))
    # Resources whose group was created after the groups were last listed.
    result.extend(_with_children(snapshot, inside.get(None, [])))
    return tuple(result)


def _resources(snapshot: Snapshot) -> Iterator[TreeRow]:
    by_type: tuple[tuple[Resource, ...], ...] = (
        snapshot.networks,
        snapshot.security_groups,
        snapshot.machines,
        snapshot.interfaces,
        snapshot.balancers,
        snapshot.services,
        snapshot.endpoints,
    )
    for resources in by_type:
        for resource in sorted(resources, key=lambda r: r.name.lower()):
            yield _describe(snapshot, resource)


def _describe(snapshot: Snapshot, resource: Resource) -> TreeRow:
    """The row of a top-level resource, with the badge its type calls for."""
    group = resource.id.parent
    match resource:
        case VirtualMachine():
            return _machine(snapshot, resource, group)
        case LoadBalancer():
            members = snapshot.balancer_members(resource)
            up = sum(member.up for member in members)
            state = f"{up}/{len(members)}" if members else resource.provisioning_state
            address = next((f.private_ip_address for f in resource.frontends if f.private_ip_address), "")
            return _row(resource, group, state, detail=address)
        case PrivateEndpoint():
            status = resource.connections[0].status.word if resource.connections else resource.provisioning_state
            return _row(resource, group, status, detail=snapshot.endpoint_address(resource))
        case _:
            detail = getattr(resource, "address", "") or ", ".join(getattr(resource, "address_prefixes", ()))
            return _row(resource, group, resource.provisioning_state, detail=detail)


def _machine(snapshot: Snapshot, machine: VirtualMachine, group: ResourceId | None) -> TreeRow:
    """A machine's badge is its power state; it is bad, too, when a balancer gets no answer from it."""
    addresses = [nic.address for nic in snapshot.machine_interfaces(machine) if nic.address]
    zone = f"zone {machine.zones[0]}" if machine.zones else ""
    down = next((member for member in snapshot.member_health(machine) if not member.up), None)
    detail = " ".join(part for part in (*addresses, zone, "no answer to the health probe" if down else "") if part)
    state = machine.power_state or machine.provisioning_state
    return _row(machine, group, state, detail=detail, tone=Tone.BAD if down else None)


def _with_children(snapshot: Snapshot, tops: list[TreeRow]) -> Iterator[TreeRow]:
    subnets = {network.id: network.subnets for network in snapshot.networks}
    connections = {service.id: service.connections for service in snapshot.services}
    for top in tops:
        yield top
        for subnet in subnets.get(top.id, ()):
            yield _row(subnet, top.id, subnet.provisioning_state, detail=subnet.address_prefix)
        for connection in connections.get(top.id, ()):
            yield TreeRow(
                id=connection.id,
                parent_id=top.id,
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
