"""One side at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Flag, StrEnum, auto
from functools import cached_property
from typing import Any, TypeVar

from plstui.domain.connection import Connection
from plstui.domain.errors import AzureError, PlstuiError, ThrottledError
from plstui.domain.ids import ResourceId
from plstui.domain.resources import (
    AddressRecord,
    BalancerHealth,
    DnsZone,
    Kind,
    LoadBalancer,
    MemberHealth,
    NetworkInterface,
    NetworkSecurityGroup,
    Permission,
    PrivateEndpoint,
    PrivateLinkService,
    ProviderRegistration,
    ResourceGroup,
    Subnet,
    VirtualMachine,
    VirtualNetwork,
    ZoneLink,
)
from plstui.domain.sides import Side

Found = TypeVar("Found")


class Tier(Flag):
    """Types that are read together, because they change at the same pace. One LIST per type."""

    CONNECTIONS = auto()
    """Private link services and private endpoints: two calls."""
    MACHINES = auto()
    """Machines with power state, network interfaces, load balancers: three calls."""
    NETWORKS = auto()
    """Resource groups, virtual networks, network security groups: three calls."""
    ALL = CONNECTIONS | MACHINES | NETWORKS
    """What the panes live on."""
    NAMES = auto()
    """Private zones, and the links and A records of each: what only a diagnosis reads, as all below."""
    PUBLIC_NAMES = auto()
    """Public zones and the A records of each."""
    ACCOUNT = auto()
    """Which providers are registered, and what who is signed in may do: two calls."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The types that are read, in the order in which they are asked for."""
        return tuple(kind for tier, kinds in _KINDS.items() if tier in self for kind in kinds)


_KINDS = {
    Tier.CONNECTIONS: (Kind.SERVICES, Kind.ENDPOINTS),
    Tier.MACHINES: (Kind.BALANCERS, Kind.INTERFACES, Kind.MACHINES),
    Tier.NETWORKS: (Kind.NETWORKS, Kind.SECURITY_GROUPS, Kind.GROUPS),
    Tier.NAMES: (Kind.ZONES, Kind.ZONE_LINKS, Kind.RECORDS),
    Tier.PUBLIC_NAMES: (Kind.PUBLIC_ZONES, Kind.PUBLIC_RECORDS),
    Tier.ACCOUNT: (Kind.PROVIDERS, Kind.PERMISSIONS),
}


ENDS = {Side.ISV: (Kind.SERVICES,), Side.CUSTOMER: (Kind.ENDPOINTS,)}
"""What each side sees its end of a connection in."""


class Outcome(StrEnum):
    """What came of asking for the resources of a type."""

    READ = "read"
    NOT_ALLOWED = "not allowed"
    NOT_REGISTERED = "not registered"
    FAILED = "failed"
    NOT_ASKED = "not asked"


_REFUSED = {403: Outcome.NOT_ALLOWED, 404: Outcome.NOT_REGISTERED, 409: Outcome.NOT_REGISTERED}
"""What a LIST that Azure does not answer says: a type is not found where its provider is not registered."""


@dataclass(frozen=True, slots=True)
class NotRead:
    """Why the resources of a type are not known as they are now."""

    outcome: Outcome
    why: str
    """In one sentence."""
    code: str = ""
    """ARM's code where there is one."""
    since: datetime | None = field(default=None, compare=False)
    """When it could not be read for the first time since it last was."""

    @classmethod
    def of(cls, error: PlstuiError, since: datetime | None = None) -> NotRead:
        """What an error says of the type that was asked for."""
        status = error.status if isinstance(error, AzureError) and not isinstance(error, ThrottledError) else 0
        return cls(_REFUSED.get(status, Outcome.FAILED), str(error), error.code, since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one refresh read."""

    resources: Mapping[Kind, tuple[Any, ...]] = field(default_factory=dict)
    """The resources of each type that was read; a type that was not asked for this time is missing."""
    failures: Mapping[Kind, PlstuiError] = field(default_factory=dict)
    """Why a type could not be read, which takes nothing else away."""

    @property
    def failure(self) -> PlstuiError | None:
        """Why nothing at all could be read; None when something could, or nothing was asked for."""
        return None if self.resources else next(iter(self.failures.values()), None)


@dataclass(frozen=True, slots=True)
class HealthReading:
    """What balancers said of the members behind their rules."""

    health: tuple[BalancerHealth, ...] = ()
    """A rule that Azure does not tell it of is missing."""
    refused: tuple[ResourceId, ...] = ()
    """The rules that may not be asked about."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything plstui knows of one side, frozen. Two snapshots are equal when they would look the same."""

    side: Side
    subscription: str
    tenant: str = ""
    groups: tuple[ResourceGroup, ...] = ()
    networks: tuple[VirtualNetwork, ...] = ()
    security_groups: tuple[NetworkSecurityGroup, ...] = ()
    interfaces: tuple[NetworkInterface, ...] = ()
    balancers: tuple[LoadBalancer, ...] = ()
    health: tuple[BalancerHealth, ...] = ()
    services: tuple[PrivateLinkService, ...] = ()
    endpoints: tuple[PrivateEndpoint, ...] = ()
    machines: tuple[VirtualMachine, ...] = ()
    zones: tuple[DnsZone, ...] = ()
    """Private ones."""
    zone_links: tuple[ZoneLink, ...] = ()
    records: tuple[AddressRecord, ...] = ()
    public_zones: tuple[DnsZone, ...] = ()
    public_records: tuple[AddressRecord, ...] = ()
    providers: tuple[ProviderRegistration, ...] = ()
    permissions: tuple[Permission, ...] = ()
    asked: frozenset[Kind] = frozenset()
    """The types that were asked for at least once."""
    not_read: Mapping[Kind, NotRead] = field(default_factory=dict)
    """The types whose last LIST brought nothing, and why; what was known of them before stays."""
    health_refused: tuple[ResourceId, ...] = ()
    """The rules whose health may not be asked for."""
    read_at: datetime | None = field(default=None, compare=False)
    """When Azure last answered, in UTC; None before the first answer."""
    answered: bool = False
    """Whether Azure has ever answered: before that, that nothing is here says nothing of the side."""
    stale_since: datetime | None = None
    """When the first refresh failed that has not been followed by a good one; None while the content is current."""
    error: str = ""
    """Why it is stale, in one sentence."""
    error_code: str = ""
    """The same for programs: ARM's code where there is one."""
    health_stale_since: datetime | None = None
    """When the first question about `health` failed that has not been followed by an answer; None while it is current.
    Health is asked for apart from the rest, and may fail alone."""
    health_error: str = ""
    """Why the health is stale, in one sentence."""

    @property
    def reachable(self) -> bool:
        """Whether the last refresh got an answer."""
        return self.answered and self.stale_since is None

    @property
    def awaited(self) -> bool:
        """Whether the first refresh is under way, so that nothing is known yet."""
        return not self.answered and self.stale_since is None

    def fold(self, reading: Reading, at: datetime) -> Snapshot:
        """This side after a good refresh: what was read replaces what was known, the rest stays."""
        read: dict[str, Any] = {kind.field: resources for kind, resources in reading.resources.items()}
        since = {kind: known.since for kind, known in self.not_read.items()}
        failed = {kind: NotRead.of(error, since.get(kind) or at) for kind, error in reading.failures.items()}
        not_read = {kind: known for kind, known in self.not_read.items() if kind not in reading.resources} | failed
        return replace(
            self,
            **read,
            asked=self.asked | reading.resources.keys() | reading.failures.keys(),
            not_read=not_read,
            read_at=at,
            answered=True,
            stale_since=None,
            error="",
            error_code="",
        )

    def failed(self, error: str, code: str, at: datetime) -> Snapshot:
        """This side after a refresh that failed: the content stays, marked with since when and why."""
        return replace(self, stale_since=self.stale_since or at, error=error, error_code=code)

    def with_health(self, answer: HealthReading) -> Snapshot:
        """This side after an answer about health. What it does not name is not known: no old opinion stays."""
        return replace(
            self, health=answer.health, health_refused=answer.refused, health_stale_since=None, health_error=""
        )

    def health_failed(self, error: str, at: datetime) -> Snapshot:
        """This side after a question about health that failed: the old answer stays, marked with since when and why."""
        return replace(self, health_stale_since=self.health_stale_since or at, health_error=error)

    def outcome(self, kind: Kind) -> Outcome:
        """What came of asking for a type."""
        if kind in self.not_read:
            return self.not_read[kind].outcome
        return Outcome.READ if kind in self.asked else Outcome.NOT_ASKED

    def knows(self, *kinds: Kind) -> bool:
        """Whether all resources of these types are known, as far as they are there."""
        return all(self.outcome(kind) is Outcome.READ for kind in kinds)

    def connections(self) -> tuple[Connection, ...]:
        """The connections of every private link service on this side."""
        return tuple(connection for service in self.services for connection in service.connections)

    @cached_property
    def _by_id(self) -> dict[ResourceId, Any]:
        """Networks, subnets, interfaces, balancers, machines and security groups."""
        listed = (self.networks, self.interfaces, self.balancers, self.machines, self.security_groups)
        found: dict[ResourceId, Any] = {resource.id: resource for resources in listed for resource in resources}
        return found | {subnet.id: subnet for network in self.networks for subnet in network.subnets}

    def _get(self, resource_id: ResourceId | None, kind: type[Found]) -> Found | None:
        found = self._by_id.get(resource_id) if resource_id else None
        return found if isinstance(found, kind) else None

    def network(self, resource_id: ResourceId | None) -> VirtualNetwork | None:
        """A virtual network by its id; None when it was not read or is not there, as below."""
        return self._get(resource_id, VirtualNetwork)

    def subnet(self, resource_id: ResourceId | None) -> Subnet | None:
        """A subnet by its id."""
        return self._get(resource_id, Subnet)

    def interface(self, resource_id: ResourceId | None) -> NetworkInterface | None:
        """A network interface by its id."""
        return self._get(resource_id, NetworkInterface)

    def balancer(self, resource_id: ResourceId | None) -> LoadBalancer | None:
        """A load balancer by its id."""
        return self._get(resource_id, LoadBalancer)

    def machine(self, resource_id: ResourceId | None) -> VirtualMachine | None:
        """A machine by its id."""
        return self._get(resource_id, VirtualMachine)

    def security_group(self, resource_id: ResourceId | None) -> NetworkSecurityGroup | None:
        """A network security group by its id."""
        return self._get(resource_id, NetworkSecurityGroup)

    def endpoint_address(self, endpoint: PrivateEndpoint) -> str:
        """A private endpoint's address, which only its interface knows; empty while there is none."""
        found = map(self.interface, endpoint.interface_ids)
        return next((nic.address for nic in found if nic and nic.address), "")

    def machine_interfaces(self, machine: VirtualMachine) -> tuple[NetworkInterface, ...]:
        """A machine's interfaces, found from whichever end names the other."""
        return tuple(nic for nic in self.interfaces if nic.machine_id == machine.id or nic.id in machine.interface_ids)

    def member_health(self, machine: VirtualMachine) -> tuple[MemberHealth, ...]:
        """What the balancers' health queries said of a machine's addresses; empty when it is in no pool."""
        addresses = {c.id for nic in self.machine_interfaces(machine) for c in nic.ip_configurations}
        return tuple(
            member
            for health in self.health
            for member in health.members
            if member.ip_configuration_id and member.ip_configuration_id in addresses
        )

    def balancer_members(self, balancer: LoadBalancer) -> dict[str, bool]:
        """Each member's address and whether it is up for every rule; empty before the first health query."""
        members: dict[str, bool] = {}
        for health in self.health:
            if health.balancer_id == balancer.id:
                for member in health.members:
                    members[member.address] = members.get(member.address, True) and member.up
        return members
