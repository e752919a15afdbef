"""Azure's things in Azure's words, as far as plstui looks at them.

Each is what a LIST of its type says. Text is as Azure returned it; cleaning is done where it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plstui.domain.connection import Connection, EndpointConnection
from plstui.domain.ids import ResourceId


class Kind(StrEnum):
    """Azure's type of what is listed; the members' names in lower case are the fields of a snapshot."""

    GROUPS = "Microsoft.Resources/resourceGroups"
    NETWORKS = "Microsoft.Network/virtualNetworks"
    SECURITY_GROUPS = "Microsoft.Network/networkSecurityGroups"
    INTERFACES = "Microsoft.Network/networkInterfaces"
    BALANCERS = "Microsoft.Network/loadBalancers"
    SERVICES = "Microsoft.Network/privateLinkServices"
    ENDPOINTS = "Microsoft.Network/privateEndpoints"
    MACHINES = "Microsoft.Compute/virtualMachines"
    ZONES = "Microsoft.Network/privateDnsZones"
    ZONE_LINKS = "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
    RECORDS = "Microsoft.Network/privateDnsZones/A"
    PUBLIC_ZONES = "Microsoft.Network/dnsZones"
    PUBLIC_RECORDS = "Microsoft.Network/dnsZones/A"
    PROVIDERS = "Microsoft.Resources/providers"
    PERMISSIONS = "Microsoft.Authorization/permissions"

    @property
    def field(self) -> str:
        """The field of a snapshot that holds what is listed of this type."""
        return self.name.lower()

    @property
    def plural(self) -> str:
        """What a person calls several of them."""
        return self.name.lower().replace("_", " ")


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

    address_prefixes: tuple[str, ...] = ()
    security_group_id: ResourceId | None = None
    nat_gateway_id: ResourceId | None = None
    route_table_id: ResourceId | None = None
    address_ids: tuple[ResourceId, ...] = ()
    """The IP configurations that have an address of it. A private link service's are named twice: as the service's own
    and as those of its interface."""
    private_endpoint_network_policies: str = ""
    private_link_service_network_policies: str = ""
    """`Disabled` is what a private link service needs of the subnet it takes its NAT addresses from."""


@dataclass(frozen=True, slots=True)
class VirtualNetwork(Resource):
    """A virtual network and its subnets."""

    address_prefixes: tuple[str, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    dns_servers: tuple[str, ...] = ()
    """The name servers that its machines ask instead of Azure's."""


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
    source_ports: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    """Addresses, ranges and service tags that it is about; empty where it names application security groups."""
    destinations: tuple[str, ...] = ()
    source_group_ids: tuple[ResourceId, ...] = ()
    """Application security groups."""
    destination_group_ids: tuple[ResourceId, ...] = ()

    @property
    def is_inbound(self) -> bool:
        """Whether it is about what comes in."""
        return self.direction.lower() == "inbound"

    @property
    def allows(self) -> bool:
        """Whether it lets through what it is about."""
        return self.access.lower() == "allow"


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
    application_group_ids: tuple[ResourceId, ...] = ()
    """The application security groups that it is in."""
    public_ip_address_id: ResourceId | None = None


@dataclass(frozen=True, slots=True)
class NetworkInterface(Resource):
    """A network interface, of a machine, a private endpoint or a private link service."""

    ip_configurations: tuple[IpConfiguration, ...] = ()
    machine_id: ResourceId | None = None
    private_endpoint_id: ResourceId | None = None
    security_group_id: ResourceId | None = None

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
class BackendAddress:
    """A member of a pool as `loadBalancerBackendAddresses` names it."""

    name: str
    ip_address: str = ""
    is_interface: bool = False
    """Whether it stands for an interface's IP configuration; else the address is all there is of it."""


@dataclass(frozen=True, slots=True)
class BackendAddressPool:
    """A load balancer's pool: the addresses that share its work."""

    id: ResourceId
    name: str
    member_ids: tuple[ResourceId, ...] = ()
    """Ids of the IP configurations of members that are interfaces."""
    addresses: tuple[BackendAddress, ...] = ()
    """The members as the pool names them."""

    @property
    def bare_addresses(self) -> tuple[str, ...]:
        """The addresses of members that are an address and no interface."""
        return tuple(one.ip_address for one in self.addresses if one.ip_address and not one.is_interface)

    @property
    def is_empty(self) -> bool:
        """Whether it has no member of either kind."""
        return not self.member_ids and not any(one.ip_address for one in self.addresses)


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

    @property
    def is_basic(self) -> bool:
        """Whether it is of the SKU that a private link service cannot stand on."""
        return self.sku.lower() == "basic"

    def pool_of(self, rule: LoadBalancingRule) -> BackendAddressPool | None:
        """The pool that a rule sends to; None when it is not listed here."""
        return next((pool for pool in self.pools if pool.id == rule.pool_id), None)

    def probe_of(self, rule: LoadBalancingRule) -> HealthProbe | None:
        """What a rule's members are asked; None when it has no probe."""
        return next((probe for probe in self.probes if probe.id == rule.probe_id), None)

    def has_health(self, rule: LoadBalancingRule) -> bool:
        """Whether a rule's health can be asked for: an empty pool costs a write and has no answer."""
        pool = self.pool_of(rule)
        # A pool that is not listed may have members.
        return rule.probe_id is not None and rule.pool_id is not None and not (pool and pool.is_empty)


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
class NatIpConfiguration:
    """An address of a private link service: what its customers' connections seem to come from."""

    id: ResourceId
    name: str
    subnet_id: ResourceId | None = None


@dataclass(frozen=True, slots=True)
class PrivateLinkService(Resource):
    """A private link service and the connections to it."""

    alias: str = ""
    connections: tuple[Connection, ...] = ()
    frontend_ids: tuple[ResourceId, ...] = ()
    proxy_protocol: bool = False
    ip_configurations: tuple[NatIpConfiguration, ...] = ()
    interface_ids: tuple[ResourceId, ...] = ()
    visibility: tuple[str, ...] | None = None
    """The subscriptions that may see it, `*` for all, in lower case and in order; None when it leaves that open."""
    auto_approval: tuple[str, ...] | None = None
    """The subscriptions that it approves by itself, likewise."""
    tags: tuple[tuple[str, str], ...] = ()

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

    @property
    def request(self) -> EndpointConnection | None:
        """Its own view of its connection, of which it has one in practice: a manual one before an automatic one."""
        return min(self.connections, key=lambda connection: not connection.manual, default=None)

    @property
    def network_id(self) -> ResourceId | None:
        """The virtual network that it is in."""
        return self.subnet_id.parent if self.subnet_id else None


@dataclass(frozen=True, slots=True)
class VirtualMachine(Resource):
    """A virtual machine."""

    power_state: str = ""
    """`running`, `stopped`, `deallocated`…: the last word of Azure's `PowerState/…`; empty when not known."""
    zones: tuple[str, ...] = ()
    size: str = ""
    interface_ids: tuple[ResourceId, ...] = ()
    is_windows: bool = False


@dataclass(frozen=True, slots=True)
class DnsZone(Resource):
    """A private DNS zone, or a public one."""


@dataclass(frozen=True, slots=True)
class ZoneLink(Resource):
    """That the machines of a virtual network get answers from a private zone, which is the link's parent."""

    network_id: ResourceId | None = None


@dataclass(frozen=True, slots=True)
class AddressRecord(Resource):
    """The A records of one name in a zone, which is their parent."""

    addresses: tuple[str, ...] = ()
    auto_registered: bool = False
    """Whether Azure has written it for a machine."""
    metadata: tuple[tuple[str, str], ...] = ()

    @property
    def full_name(self) -> str:
        """The name that is asked for."""
        return f"{self.name}.{self.id.parent.name if self.id.parent else ''}"


@dataclass(frozen=True, slots=True)
class ProviderRegistration:
    """Whether a subscription may have resources of a provider."""

    namespace: str
    state: str
    """Azure's word, like `Registered`."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What who is signed in may do: what `actions` grants and `notActions` does not take away, with wildcards."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
