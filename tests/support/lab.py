"""The workshop's two subscriptions as domain snapshots, in any state a test needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from plstui.domain.connection import APPROVED, PENDING, Connection, ConnectionStatus, EndpointConnection
from plstui.domain.ids import ResourceId
from plstui.domain.resources import (
    BackendAddressPool,
    BalancerHealth,
    FrontendIpConfiguration,
    HealthProbe,
    IpConfiguration,
    LoadBalancer,
    LoadBalancingRule,
    MemberHealth,
    NetworkInterface,
    NetworkSecurityGroup,
    PrivateEndpoint,
    PrivateLinkService,
    ResourceGroup,
    SecurityRule,
    Subnet,
    VirtualMachine,
    VirtualNetwork,
)
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.world import World

ISV_SUBSCRIPTION = "5b1f9c34-0d0e-4d6b-9a52-3f6f1b7c1a01"
CUSTOMER_SUBSCRIPTION = "c27e4f0a-8a6f-4b39-8d0c-71d9b52e6e02"
ISV_GROUP = "privatelink-pls-microhack-rg"
CUSTOMER_GROUP = "privatelink-dns-microhack-rg"
LOCATION = "westeurope"
MESSAGE = "Customer: Tradewinds, Order no.: 314159"
ENDPOINT_GUID = "3d2c9f2e-6a52-4f3c-b0a3-9d2a6f0c4e11"
SERVICE_GUID = "e0c9b3c1-54f7-4f7e-9a51-2c8c6a7d3b10"
ENDPOINT_ADDRESS = "10.1.0.5"
MACHINES = ("web1", "web2", "web3")
DONE = "Succeeded"


def isv_id(kind: str, name: str) -> ResourceId:
    """The id of something in the ISV's group; `kind` is the full type."""
    return ResourceId(f"/subscriptions/{ISV_SUBSCRIPTION}/resourceGroups/{ISV_GROUP}/providers/{kind}/{name}")


def customer_id(kind: str, name: str) -> ResourceId:
    """The id of something in the customer's group."""
    return ResourceId(f"/subscriptions/{CUSTOMER_SUBSCRIPTION}/resourceGroups/{CUSTOMER_GROUP}/providers/{kind}/{name}")


SERVICE_ID = isv_id("Microsoft.Network/privateLinkServices", "saasPrivateLinkService")
BALANCER_ID = isv_id("Microsoft.Network/loadBalancers", "loadBalancer")
ENDPOINT_ID = customer_id("Microsoft.Network/privateEndpoints", "saasPrivateEndpoint")


@dataclass(frozen=True)
class Request:
    """One customer's endpoint and what became of it."""

    name: str = "saasPrivateEndpoint"
    guid: str = ENDPOINT_GUID
    status: ConnectionStatus = PENDING
    message: str = MESSAGE
    description: str = ""
    address: str = ENDPOINT_ADDRESS
    at_service: bool = True
    """Whether the service lists the connection; after a removal only the endpoint is left."""
    at_customer: bool = True
    """Whether the customer's pane shows the endpoint; another customer's is not."""

    @property
    def connection_id(self) -> ResourceId:
        """The connection's id at the service."""
        return SERVICE_ID.child("privateEndpointConnections", f"{self.name}.{self.guid}")

    @property
    def endpoint_id(self) -> ResourceId:
        """The endpoint's id, in the customer's subscription."""
        return customer_id("Microsoft.Network/privateEndpoints", self.name)


def lab(*requests: Request, down: tuple[str, ...] = ()) -> World:
    """Both sides with these requests (the workshop's own when none is given); `down` are the sick machines."""
    given = requests or (Request(),)
    return World(isv_side(given, down), customer_side(given))


def with_status(status: ConnectionStatus, **changes: object) -> World:
    """The workshop with its one request in a status."""
    description = "Approved with plstui" if status == APPROVED else ""
    return lab(replace(Request(status=status, description=description), **changes))  # type: ignore[arg-type]


def empty() -> World:
    """Two subscriptions with nothing in them."""
    return World(
        Snapshot(side=Side.ISV, subscription=ISV_SUBSCRIPTION, answered=True),
        Snapshot(side=Side.CUSTOMER, subscription=CUSTOMER_SUBSCRIPTION, answered=True),
    )


def crowd(count: int) -> World:
    """A service that `count` customers have asked for, every third one still waiting."""
    requests = tuple(
        Request(
            name=f"endpoint-{number:04}",
            guid=f"00000000-0000-4000-8000-{number:012}",
            status=PENDING if number % 3 == 0 else APPROVED,
            message=f"Order no.: {number}",
            at_customer=number < 5,
            address=f"10.1.0.{number + 5}" if number < 5 else "",
        )
        for number in range(count)
    )
    return lab(*requests)


def isv_side(requests: tuple[Request, ...] = (), down: tuple[str, ...] = ()) -> Snapshot:
    """The provider's subscription: three machines behind a balancer behind a private link service."""
    network = isv_id("Microsoft.Network/virtualNetworks", "virtualNetwork")
    subnet = network.child("subnets", "saas")
    rules = isv_id("Microsoft.Network/networkSecurityGroups", "networkSecurityGroup")
    pool = BALANCER_ID.child("backendAddressPools", "saasBackendPool")
    frontend = BALANCER_ID.child("frontendIPConfigurations", "loadBalancerFrontEnd")
    probe = BALANCER_ID.child("probes", "http")
    rule = BALANCER_ID.child("loadBalancingRules", "http")
    interfaces = tuple(_web_interface(name, number, subnet, pool) for number, name in enumerate(MACHINES))
    members = tuple(nic.ip_configurations[0] for nic in interfaces)
    return Snapshot(
        side=Side.ISV,
        answered=True,
        subscription=ISV_SUBSCRIPTION,
        tenant="0b6d3c58-1f70-4a3c-9c6e-6f1b62e0aa01",
        groups=(_group(ISV_SUBSCRIPTION, ISV_GROUP),),
        networks=(
            VirtualNetwork(
                network,
                network.name,
                LOCATION,
                DONE,
                address_prefixes=("10.0.0.0/16",),
                subnets=(
                    Subnet(
                        subnet,
                        "saas",
                        "",
                        DONE,
                        address_prefixes=("10.0.1.0/24",),
                        security_group_id=rules,
                        private_link_service_network_policies="Disabled",
                    ),
                ),
            ),
        ),
        security_groups=(
            NetworkSecurityGroup(
                rules,
                rules.name,
                LOCATION,
                DONE,
                rules=(SecurityRule("nginx", 1003, "Inbound", "Allow", "Tcp", ("80", "443")),),
            ),
        ),
        interfaces=interfaces,
        machines=tuple(_machine(isv_id, name, str(number + 1)) for number, name in enumerate(MACHINES)),
        balancers=(
            LoadBalancer(
                BALANCER_ID,
                BALANCER_ID.name,
                LOCATION,
                DONE,
                sku="Standard",
                frontends=(FrontendIpConfiguration(frontend, frontend.name, "10.0.1.7", subnet),),
                pools=(BackendAddressPool(pool, pool.name, tuple(member.id for member in members)),),
                probes=(HealthProbe(probe, "http", "Tcp", 80, 5),),
                rules=(LoadBalancingRule(rule, "http", "Tcp", 80, 80, frontend, pool, probe, 15),),
            ),
        ),
        health=(
            BalancerHealth(
                BALANCER_ID,
                rule,
                tuple(
                    MemberHealth(
                        member.private_ip_address,
                        member.id,
                        name not in down,
                        "Down_Probe_TcpProbeTimeout" if name in down else "Up_Probe_Success",
                    )
                    for name, member in zip(MACHINES, members, strict=True)
                ),
            ),
        ),
        services=(
            PrivateLinkService(
                SERVICE_ID,
                SERVICE_ID.name,
                LOCATION,
                DONE,
                alias=f"saasprivatelinkservice.{SERVICE_GUID}.{LOCATION}.azure.privatelinkservice",
                connections=tuple(_at_service(request) for request in requests if request.at_service),
                frontend_ids=(frontend,),
            ),
        ),
    )


def customer_side(requests: tuple[Request, ...] = ()) -> Snapshot:
    """The consumer's subscription: a network with a test machine and the endpoints."""
    network = customer_id("Microsoft.Network/virtualNetworks", "spoke-vnet")
    subnet = network.child("subnets", "InfrastructureSubnet")
    test_nic = customer_id("Microsoft.Network/networkInterfaces", "testVM-nic")
    machine = _machine(customer_id, "testVM", "")
    own = [request for request in requests if request.at_customer]
    return Snapshot(
        side=Side.CUSTOMER,
        answered=True,
        subscription=CUSTOMER_SUBSCRIPTION,
        tenant="9f0a1c72-52c4-4d6f-8f0e-24a7cf1bbb02",
        groups=(_group(CUSTOMER_SUBSCRIPTION, CUSTOMER_GROUP),),
        networks=(
            VirtualNetwork(
                network,
                network.name,
                LOCATION,
                DONE,
                address_prefixes=("10.1.0.0/16",),
                subnets=(Subnet(subnet, subnet.name, "", DONE, address_prefixes=("10.1.0.0/24",)),),
            ),
        ),
        interfaces=(
            NetworkInterface(
                test_nic,
                test_nic.name,
                LOCATION,
                DONE,
                ip_configurations=(_address(test_nic, "10.1.0.4", subnet),),
                machine_id=machine.id,
            ),
            *(_endpoint_interface(request, subnet) for request in own),
        ),
        machines=(replace(machine, interface_ids=(test_nic,)),),
        endpoints=tuple(_endpoint(request, subnet) for request in own),
    )


def _group(subscription: str, name: str) -> ResourceGroup:
    return ResourceGroup(ResourceId(f"/subscriptions/{subscription}/resourceGroups/{name}"), name, LOCATION, DONE)


def _machine(id_of: Callable[[str, str], ResourceId], name: str, zone: str) -> VirtualMachine:
    machine = id_of("Microsoft.Compute/virtualMachines", name)
    return VirtualMachine(
        machine, name, LOCATION, DONE, power_state="running", zones=(zone,) if zone else (), size="Standard_B2ts_v2"
    )


def _web_interface(name: str, number: int, subnet: ResourceId, pool: ResourceId) -> NetworkInterface:
    nic = isv_id("Microsoft.Network/networkInterfaces", f"{name}-nic")
    return NetworkInterface(
        nic,
        nic.name,
        LOCATION,
        DONE,
        ip_configurations=(replace(_address(nic, f"10.0.1.{number + 4}", subnet), pool_ids=(pool,)),),
        machine_id=isv_id("Microsoft.Compute/virtualMachines", name),
    )


def _address(nic: ResourceId, address: str, subnet: ResourceId) -> IpConfiguration:
    return IpConfiguration(nic.child("ipConfigurations", "ipconfig1"), "ipconfig1", address, subnet)


def _endpoint_interface(request: Request, subnet: ResourceId) -> NetworkInterface:
    nic = _endpoint_nic(request)
    return NetworkInterface(
        nic,
        nic.name,
        LOCATION,
        DONE,
        ip_configurations=(_address(nic, request.address, subnet),),
        private_endpoint_id=request.endpoint_id,
    )


def _endpoint_nic(request: Request) -> ResourceId:
    return customer_id("Microsoft.Network/networkInterfaces", f"{request.name}.nic.{request.guid}")


def _endpoint(request: Request, subnet: ResourceId) -> PrivateEndpoint:
    return PrivateEndpoint(
        request.endpoint_id,
        request.name,
        LOCATION,
        DONE,
        resource_guid=request.guid,
        connections=(
            EndpointConnection(
                request.endpoint_id.child("manualPrivateLinkServiceConnections", "connectionToSaasService"),
                "connectionToSaasService",
                manual=True,
                status=request.status,
                target=str(SERVICE_ID),
                request_message=request.message,
                description=request.description,
                provisioning_state=DONE,
            ),
        ),
        interface_ids=(_endpoint_nic(request),),
        subnet_id=subnet,
    )


def _at_service(request: Request) -> Connection:
    return Connection(
        request.connection_id,
        request.connection_id.name,
        request.status,
        provisioning_state=DONE,
        description=request.description,
        endpoint_id=request.endpoint_id,
        endpoint_location=LOCATION,
        link_identifier="536880127",
    )
