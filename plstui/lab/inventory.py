"""What taking the lab down takes away: all that is in its two groups, whoever made it, and who uses its service."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from plstui.domain.az import GROUP, az
from plstui.domain.connection import ConnectionStatus
from plstui.domain.errors import AzureError, NotFoundError, PlstuiError, RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.tasks import both, to_the_end
from plstui.domain.text import clean, sentence
from plstui.lab.fragments import Body
from plstui.lab.guide import COMMANDS, Guide
from plstui.lab.lab import Lab
from plstui.lab.owners import OURS, RUN_TAG, TAG, is_marked
from plstui.lab.parts import DELETING, Want, state_of
from plstui.lab.reading import PatientReader, Say
from plstui.lab.steps import Workshop

_DISK = "Microsoft.Compute/disks"
_INTERFACE = "Microsoft.Network/networkInterfaces"
_LOCK = "Microsoft.Authorization/locks"


@dataclass(frozen=True, slots=True)
class Content:
    """A resource in one of the groups."""

    id: ResourceId
    is_labs: bool
    """Whether the lab makes it, or Azure for something that the lab makes."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A connection of the lab's service: somebody's endpoint."""

    id: ResourceId
    endpoint_id: ResourceId
    status: ConnectionStatus
    is_labs: bool
    """Whether the endpoint is the one that the lab makes."""
    state: str
    """Its provisioning state, in lower case."""


@dataclass(frozen=True, slots=True)
class Group:
    """One of the two resource groups."""

    side: Side
    id: ResourceId
    state: str = ""
    """Its provisioning state, in lower case; empty when there is no such group."""
    is_ours: bool = False
    """Whether its tags say that plstui created it, and in which run."""
    run: str = ""
    """The run that its tag names."""
    contents: tuple[Content, ...] = ()
    locks: tuple[ResourceId, ...] = ()
    """What keeps it, or something in it, from being deleted."""
    strangers: tuple[Guest, ...] = ()
    """Connections of its service that are not the lab's: customers who would be cut off."""

    @property
    def exists(self) -> bool:
        """Whether there is such a group."""
        return bool(self.state)

    @property
    def foreign(self) -> tuple[Content, ...]:
        """What is in it and is not the lab's."""
        return tuple(content for content in self.contents if not content.is_labs)

    @property
    def doubt(self) -> str:
        """Why it is deleted only when its name has been typed; empty when nothing speaks against it."""
        if not self.exists or self.state == DELETING:
            return ""
        found = []
        if not self.is_ours:
            found.append("was not created by plstui")
        elif self.foreign:
            found.append(f"holds what is not the lab's: {some([content.id.name for content in self.foreign])}")
        if self.strangers:
            found.append(f"serves others: {some([guest.endpoint_id.name for guest in self.strangers])}")
        return f"resource group {self.id.name} {', and it '.join(found)}" if found else ""

    def obstacle(self, confirmed: Collection[str] = ()) -> str:
        """Why it is not deleted as things are; empty when it is. `confirmed` are the names that have been typed."""
        if self.locks:
            locks = some([lock.name for lock in self.locks])
            return f"resource group {self.id.name} is locked against deletion by {locks}"
        if self.doubt and typed(self.id.name) not in map(typed, confirmed):
            return f"{self.doubt}, so its name has to be typed"
        return ""

    def refuse(self, confirmed: Collection[str] = (), guide: Guide = COMMANDS) -> None:
        """Raise `RefusedError` when it is not deleted as things are."""
        if reason := self.obstacle(confirmed):
            hint = (
                f"Whoever set the lock removes it: {az('lock delete', {'--ids': self.locks[0]})}."
                if self.locks
                else f"Look at what is in it first; then {guide.name([self.id.name])}."
            )
            raise RefusedError(sentence(reason), hint=hint)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What there is, as Azure was last seen."""

    groups: Mapping[Side, Group] = field(default_factory=dict)
    """The group of each side that could be read."""
    guests: tuple[Guest, ...] = ()
    """Every connection of the lab's service, other customers' too."""
    service: ResourceId | None = None
    """The lab's private link service; None when it is not there."""
    endpoint: ResourceId | None = None
    """The lab's private endpoint; None when it is not there."""
    record: ResourceId | None = None
    """A record of the lab's in a public zone, which was there before the lab; it stays."""
    unreachable: Mapping[Side, PlstuiError] = field(default_factory=dict)
    """The sides that could not be read, and why."""

    def to_type(self, sides: Collection[Side] = tuple(Side)) -> tuple[Group, ...]:
        """The groups whose names have to be typed before they are deleted."""
        return tuple(group for side, group in self.groups.items() if side in sides and group.doubt)


def typed(name: str) -> str:
    """A name as somebody typed it, ready to be compared."""
    return name.strip().casefold()


async def take_stock(lab: Lab, say: Say = lambda _: None) -> Inventory:
    """Look at all of it; changes nothing, and `say` hears of what is asked for again.

    Raises the first side's `PlstuiError` when no side could be read.
    """

    async def read(side: Side) -> Inventory | PlstuiError:
        try:
            return await _read_side(lab, side, say)
        except PlstuiError as error:
            return error

    readings = await to_the_end(map(read, lab.clouds))
    found: Inventory = Inventory()
    unreachable: dict[Side, PlstuiError] = {}
    for side, reading in zip(lab.clouds, readings, strict=True):
        if isinstance(reading, PlstuiError):
            unreachable[side] = reading
        else:
            found = _joined(found, reading)
    if unreachable and not found.groups:
        raise next(iter(unreachable.values()))
    return Inventory(found.groups, found.guests, found.service, found.endpoint, found.record, unreachable)


def _joined(one: Inventory, other: Inventory) -> Inventory:
    return Inventory(
        {**one.groups, **other.groups},
        one.guests or other.guests,
        one.service or other.service,
        one.endpoint or other.endpoint,
        one.record or other.record,
    )


async def _read_side(lab: Lab, side: Side, say: Say) -> Inventory:
    cloud, provider, consumer = reader(lab, side, say), lab.workshop.provider, lab.workshop.consumer
    if side is Side.ISV:
        assert provider is not None, "a side with a cloud is configured"
        group, service = await both(read_group(lab, side, say), cloud.get(provider.service))
        guests = guests_of(service, consumer.endpoint if consumer else None)
        group = replace(group, strangers=tuple(guest for guest in guests if not guest.is_labs))
        return Inventory({side: group}, guests, service=provider.service if service else None)
    assert consumer is not None, "a side with a cloud is configured"
    group, endpoint = await both(read_group(lab, side, say), cloud.get(consumer.endpoint))
    record = await cloud.get(consumer.record) if lab.workshop.lab.dns.kind == "public" else None
    return Inventory(
        {side: group},
        endpoint=consumer.endpoint if endpoint else None,
        record=consumer.record if record and is_marked(record) else None,
    )


async def read_group(lab: Lab, side: Side, say: Say = lambda _: None) -> Group:
    """A side's group with all that is in it. Raises `PlstuiError`."""
    cloud, group_id = reader(lab, side, say), group_of(lab.workshop, side)
    body = await cloud.get(group_id)
    if body is None:
        return Group(side, group_id)
    try:
        resources, locks = await both(
            cloud.collect(f"{group_id.text}/resources", "Microsoft.Resources/resources"), _locks(cloud, group_id)
        )
    except NotFoundError:  # It has gone in this moment.
        return Group(side, group_id)
    # Names of tags are the same in any case, their values are not.
    tags = {str(name).lower(): value for name, value in (body.get("tags") or {}).items()}
    ours = _labs_own(lab.workshop)
    return Group(
        side,
        group_id,
        state_of(body) or "unknown",
        tags.get(TAG) == OURS and bool(tags.get(RUN_TAG)),
        run=str(tags.get(RUN_TAG) or ""),
        contents=tuple(Content(ResourceId(item["id"]), _is_labs(item, ours)) for item in resources),
        locks=locks,
    )


def reader(lab: Lab, side: Side, say: Say = lambda _: None) -> PatientReader:
    """Reads a side and is patient with it."""
    return PatientReader(lab.clouds[side], lab.clock, say)


def group_of(workshop: Workshop, side: Side) -> ResourceId:
    """The id of a side's group."""
    half = workshop.provider if side is Side.ISV else workshop.consumer
    assert half is not None, "a side with a cloud is configured"
    return half.group


def guests_of(service: Body | None, endpoint: ResourceId | None) -> tuple[Guest, ...]:
    """The connections of a service, the lab's own marked."""
    connections = ((service or {}).get("properties") or {}).get("privateEndpointConnections") or []
    return tuple(_guest(connection, endpoint) for connection in connections)


def _guest(connection: Body, endpoint: ResourceId | None) -> Guest:
    properties = connection.get("properties") or {}
    other = ResourceId(str((properties.get("privateEndpoint") or {}).get("id", "")))
    status = (properties.get("privateLinkServiceConnectionState") or {}).get("status")
    return Guest(
        ResourceId(connection["id"]), other, ConnectionStatus.parse(status), other == endpoint, state_of(connection)
    )


async def _locks(cloud: PatientReader, group: ResourceId) -> tuple[ResourceId, ...]:
    try:
        found = await cloud.collect(f"{group.text}/providers/{_LOCK}", _LOCK)
    except AzureError as error:
        if error.status != HTTPStatus.FORBIDDEN:
            raise
        # Not everybody who may delete may read locks; then Azure's refusal tells of them.
        return ()
    return tuple(ResourceId(lock["id"]) for lock in found)


def _labs_own(workshop: Workshop) -> frozenset[ResourceId]:
    """What the lab makes, also where its settings were others when it did, or more of it could be done than now."""
    found = {part.id for step in workshop.steps for part in step.parts if isinstance(part, Want)}
    machines: list[ResourceId] = []
    if provider := workshop.provider:
        found |= {provider.nat_address, provider.nat_gateway}
        machines += provider.machines
    if consumer := workshop.consumer:
        found.add(consumer.endpoint)
        if workshop.lab.dns.kind != "public":
            found |= {consumer.zone, consumer.zone_link}
        machines.append(consumer.machine)
    for machine in machines:
        assert machine.parent is not None, f"a machine is in a group: {machine}"
        found.add(ResourceId(f"{machine.parent.text}/providers/{_DISK}/{machine.name}-os"))
    return frozenset(found)


def _is_labs(item: Body, ours: frozenset[ResourceId]) -> bool:
    """Whether a resource is the lab's, or hangs under something that is, or was made by Azure for it."""
    resource_id, owner = ResourceId(item["id"]), ResourceId(str(item.get("managedBy") or ""))
    if owner in ours or any(one in ours for one in _with_ancestors(resource_id)):
        return True
    # A service's and an endpoint's interface: `<its name>.nic.<guid>`, as every recording shows.
    maker, dot, _ = resource_id.name.rpartition(".nic.")
    return bool(dot) and resource_id.is_type(_INTERFACE) and any(_makes(one, maker, resource_id) for one in ours)


def _makes(one: ResourceId, maker: str, interface: ResourceId) -> bool:
    private = one.is_type("Microsoft.Network/privateLinkServices") or one.is_type("Microsoft.Network/privateEndpoints")
    return private and one.name.lower() == maker.lower() and one.parent == interface.parent


def _with_ancestors(resource_id: ResourceId) -> Iterator[ResourceId]:
    one: ResourceId | None = resource_id
    while one is not None and not one.is_type(GROUP):
        yield one
        one = one.parent


def some(names: Sequence[str], most: int = 5) -> str:
    """A few names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(clean, names[:most])) + more
