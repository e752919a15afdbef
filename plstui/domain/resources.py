"""Azure's things in Azure's words, as far as plstui looks at them.

Each is what a LIST of its type says. Text is as Azure returned it; cleaning is done where it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from plstui.domain.connection import Connection, EndpointConnection
from plstui.domain.ids import ResourceId


@dataclass(frozen=True, slots=True)
class Resource:
    """What every resource has."""

    id: ResourceId
    name: str
    location: str = ""
    provisioning_state: str = ""


@dataclass(frozen=True, slots=True)
class ResourceGroup(Resource):
    """A resource group."""

    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Subnet(Resource):
    """A subnet, read with its virtual network."""

    address_prefix: str = ""
    security_group_id: ResourceId | None = None
    nat_gateway_id: ResourceId | None = None
    private_endpoint_network_policies: str = ""
    private_link_service_network_policies: str = ""
    """`Disabled` is what a private link service needs of the subnet it takes its NAT addresses from."""


@dataclass(frozen=True, slots=True)
class VirtualNetwork(Resource):
    """A virtual network and its subnets."""

    address_prefixes: tuple[str, ...] = ()
    subnets: tuple[Subnet, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityRule:
    """One rule of a network security group."""

    name: str
    priority: int
    direction: str
    access: str
    protocol: str
    ports: tuple[str, ...]
    """Destination ports or ranges, `80` or `8000-8099` or `*`."""


@dataclass(frozen=True, slots=True)
class NetworkSecurityGroup(Resource):
    """A network security group with its own rules; the default rules are the same everywhere."""

    rules: tuple[SecurityRule, ...] = ()


@dataclass(frozen=True, slots=True)
class IpConfiguration:
    """One address of a network interface."""

    id: ResourceId
    name: str
    private_ip_address: str = ""
    subnet_id: ResourceId | None = None
    pool_ids: tuple[ResourceId, ...] = ()
    """The load-balancer backend pools this address is a member of."""


@dataclass(frozen=True, slots=True)
class NetworkInterface(Resource):
    """A network interface, of a machine, a private endpoint or a private link service."""

    ip_configurations: tuple[IpConfiguration, ...] = ()
    machine_id: ResourceId | None = None
    private_endpoint_id: ResourceId | None = None

    @property
    def address(self) -> str:
        """The first private address; empty while none is given."""
        return next((c.private_ip_address for c in self.ip_configurations if c.private_ip_address), "")


@dataclass(frozen=True, slots=True)
class FrontendIpConfiguration:
    """A load balancer's frontend."""

    id: ResourceId
    name: str
    private_ip_address: str = ""
    subnet_id: ResourceId | None = None


@dataclass(frozen=True, slots=True)
class BackendAddressPool:
    """A load balancer's pool: the addresses that share its work."""

    id: ResourceId
    name: str
    member_ids: tuple[ResourceId, ...] = ()
    """Ids of the IP configurations of members that are interfaces."""
    addresses: tuple[str, ...] = ()
    """The members' addresses as the pool names them; all there is of members that are no interface of ours."""

    @property
    def is_empty(self) -> bool:
        """Whether it has no member of either kind."""
        return not self.member_ids and not self.addresses


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """What a load balancer asks its members."""

    id: ResourceId
    name: str
    protocol: str = ""
    port: int = 0
    interval: int = 0
    """Seconds between two probes."""


@dataclass(frozen=True, slots=True)
class LoadBalancingRule:
    """Which frontend port goes to which pool."""

    id: ResourceId
    name: str
    protocol: str = ""
    frontend_port: int = 0
    backend_port: int = 0
    frontend_id: ResourceId | None = None
    pool_id: ResourceId | None = None
    probe_id: ResourceId | None = None
    idle_timeout: int = 4
    """Minutes at the balancer. Through a private link a connection idles four to five minutes, whatever stands here."""


@dataclass(frozen=True, slots=True)
class LoadBalancer(Resource):
    """A load balancer with everything inside it."""

    sku: str = ""
    frontends: tuple[FrontendIpConfiguration, ...] = ()
    pools: tuple[BackendAddressPool, ...] = ()
    probes: tuple[HealthProbe, ...] = ()
    rules: tuple[LoadBalancingRule, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberHealth:
    """How a load balancer sees one member of a rule's pool."""

    address: str
    ip_configuration_id: ResourceId | None
    up: bool
    reason: str = ""
    """Azure's word, like `Down_Probe_TcpProbeTimeout`."""


@dataclass(frozen=True, slots=True)
class BalancerHealth:
    """What the health query of one load-balancing rule answered."""

    balancer_id: ResourceId
    rule_id: ResourceId
    members: tuple[MemberHealth, ...]


@dataclass(frozen=True, slots=True)
class PrivateLinkService(Resource):
    """A private link service and the connections to it."""

    alias: str = ""
    connections: tuple[Connection, ...] = ()
    frontend_ids: tuple[ResourceId, ...] = ()
    proxy_protocol: bool = False

    def is_target(self, target: str) -> bool:
        """Whether an endpoint that asked for `target` asked for this: by its id or its alias, in any case."""
        return bool(target) and target.lower() in (self.id.key, self.alias.lower())


@dataclass(frozen=True, slots=True)
class PrivateEndpoint(Resource):
    """A private endpoint and its connections, automatic and manual."""

    resource_guid: str = ""
    connections: tuple[EndpointConnection, ...] = ()
    interface_ids: tuple[ResourceId, ...] = ()
    subnet_id: ResourceId | None = None


@dataclass(frozen=True, slots=True)
class VirtualMachine(Resource):
    """A virtual machine."""

    power_state: str = ""
    """`running`, `stopped`, `deallocated`…: the last word of Azure's `PowerState/…`; empty when not known."""
    zones: tuple[str, ...] = ()
    size: str = ""
    interface_ids: tuple[ResourceId, ...] = ()
