"""One side at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import Flag, auto
from functools import cached_property

from plstui.domain.connection import Connection
from plstui.domain.ids import ResourceId
from plstui.domain.resources import (
    BalancerHealth,
    LoadBalancer,
    MemberHealth,
    NetworkInterface,
    NetworkSecurityGroup,
    PrivateEndpoint,
    PrivateLinkService,
    ResourceGroup,
    VirtualMachine,
    VirtualNetwork,
)
from plstui.domain.sides import Side


class Tier(Flag):
    """Types that are read together, because they change at the same pace. One LIST per type."""

    CONNECTIONS = auto()
    """Private link services and private endpoints: two calls."""
    MACHINES = auto()
    """Machines with power state, network interfaces, load balancers: three calls."""
    NETWORKS = auto()
    """Resource groups, virtual networks, network security groups: three calls."""
    ALL = CONNECTIONS | MACHINES | NETWORKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one refresh read. A field is None when its type was not asked for this time."""

    groups: tuple[ResourceGroup, ...] | None = None
    networks: tuple[VirtualNetwork, ...] | None = None
    security_groups: tuple[NetworkSecurityGroup, ...] | None = None
    interfaces: tuple[NetworkInterface, ...] | None = None
    balancers: tuple[LoadBalancer, ...] | None = None
    services: tuple[PrivateLinkService, ...] | None = None
    endpoints: tuple[PrivateEndpoint, ...] | None = None
    machines: tuple[VirtualMachine, ...] | None = None


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
        read = {f.name: getattr(reading, f.name) for f in fields(reading)}
        changed = {name: value for name, value in read.items() if value is not None}
        return replace(self, **changed, read_at=at, answered=True, stale_since=None, error="", error_code="")

    def failed(self, error: str, code: str, at: datetime) -> Snapshot:
        """This side after a refresh that failed: the content stays, marked with since when and why."""
        return replace(self, stale_since=self.stale_since or at, error=error, error_code=code)

    def with_health(self, health: tuple[BalancerHealth, ...]) -> Snapshot:
        """This side after an answer about health. What it does not name is not known: no old opinion stays."""
        return replace(self, health=health, health_stale_since=None, health_error="")

    def health_failed(self, error: str, at: datetime) -> Snapshot:
        """This side after a question about health that failed: the old answer stays, marked with since when and why."""
        return replace(self, health_stale_since=self.health_stale_since or at, health_error=error)

    def connections(self) -> tuple[Connection, ...]:
        """The connections of every private link service on this side."""
        return tuple(connection for service in self.services for connection in service.connections)

    @cached_property
    def _interfaces_by_id(self) -> dict[ResourceId, NetworkInterface]:
        return {nic.id: nic for nic in self.interfaces}

    def endpoint_address(self, endpoint: PrivateEndpoint) -> str:
        """A private endpoint's address, which only its interface knows; empty while there is none."""
        found = (self._interfaces_by_id.get(interface_id) for interface_id in endpoint.interface_ids)
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
