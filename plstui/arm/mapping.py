"""ARM's JSON → plstui's facts. Pure, and content with whatever Azure leaves out, sets to null or adds.

The SDK's models are mappings of the JSON that ARM sent, and are read as such, too: their typed attributes raise where a
value is not of the type that the SDK's version expects. What has no id cannot be shown and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from plstui.arm.fields import (
    Json,
    every,
    head_of,
    id_of,
    name_of,
    number,
    object_at,
    objects,
    pairs_at,
    parsed_id,
    properties_of,
    reference_at,
    text,
    texts,
)
from plstui.domain.connection import Connection, ConnectionStatus, EndpointConnection
from plstui.domain.ids import ResourceId
from plstui.domain.resources import (
    AddressRecord,
    BackendAddress,
    BackendAddressPool,
    BalancerHealth,
    DnsZone,
    FrontendIpConfiguration,
    HealthProbe,
    IpConfiguration,
    LoadBalancer,
    LoadBalancingRule,
    MemberHealth,
    NatIpConfiguration,
    NetworkInterface,
    NetworkSecurityGroup,
    Permission,
    PrivateEndpoint,
    PrivateLinkService,
    ProviderRegistration,
    ResourceGroup,
    SecurityRule,
    Subnet,
    VirtualMachine,
    VirtualNetwork,
    ZoneLink,
)

_ADDRESSES = "loadBalancerBackendAddresses"
"""Members of a pool by address, and what the health query says of them."""


def group(model: Json) -> ResourceGroup | None:
    """A resource group."""
    head = head_of(model)
    return ResourceGroup(**head, tags=pairs_at(model, "tags")) if head else None


def network(model: Json) -> VirtualNetwork | None:
    """A virtual network with its subnets."""
    head, properties = head_of(model), properties_of(model)
    if not head:
        return None
    return VirtualNetwork(
        **head,
        address_prefixes=texts(object_at(properties, "addressSpace").get("addressPrefixes")),
        subnets=every(subnet, properties.get("subnets")),
        dns_servers=texts(object_at(properties, "dhcpOptions").get("dnsServers")),
    )


def subnet(model: Json) -> Subnet | None:
    """A subnet, as it stands in its network."""
    head, properties = head_of(model), properties_of(model)
    if not head:
        return None
    return Subnet(
        **head,
        # Ranges stand under two names; where both are there, the list has them all.
        address_prefixes=texts(properties.get("addressPrefixes")) or _one_and_many(properties, "addressPrefix", ""),
        security_group_id=reference_at(properties, "networkSecurityGroup"),
        nat_gateway_id=reference_at(properties, "natGateway"),
        route_table_id=reference_at(properties, "routeTable"),
        address_ids=every(id_of, properties.get("ipConfigurations")),
        private_endpoint_network_policies=text(properties.get("privateEndpointNetworkPolicies")),
        private_link_service_network_policies=text(properties.get("privateLinkServiceNetworkPolicies")),
    )


def security_group(model: Json) -> NetworkSecurityGroup | None:
    """A network security group with the rules that are its own."""
    head = head_of(model)
    rules = every(_security_rule, properties_of(model).get("securityRules"))
    return NetworkSecurityGroup(**head, rules=rules) if head else None


def _security_rule(model: Json) -> SecurityRule:
    properties = properties_of(model)
    return SecurityRule(
        name=text(model.get("name")),
        priority=number(properties.get("priority")),
        direction=text(properties.get("direction")),
        access=text(properties.get("access")),
        protocol=text(properties.get("protocol")),
        ports=_one_and_many(properties, "destinationPortRange"),
        source_ports=_one_and_many(properties, "sourcePortRange"),
        sources=_one_and_many(properties, "sourceAddressPrefix", "es"),
        destinations=_one_and_many(properties, "destinationAddressPrefix", "es"),
        source_group_ids=every(id_of, properties.get("sourceApplicationSecurityGroups")),
        destination_group_ids=every(id_of, properties.get("destinationApplicationSecurityGroups")),
    )


def _one_and_many(properties: Json, name: str, plural: str = "s") -> tuple[str, ...]:
    """A property's one value and its many, which stand under two names."""
    one = text(properties.get(name))
    return ((one,) if one else ()) + (texts(properties.get(name + plural)) if plural else ())


def interface(model: Json) -> NetworkInterface | None:
    """A network interface."""
    head, properties = head_of(model), properties_of(model)
    if not head:
        return None
    return NetworkInterface(
        **head,
        ip_configurations=every(_ip_configuration, properties.get("ipConfigurations")),
        machine_id=reference_at(properties, "virtualMachine"),
        private_endpoint_id=reference_at(properties, "privateEndpoint"),
        security_group_id=reference_at(properties, "networkSecurityGroup"),
    )


def _ip_configuration(model: Json) -> IpConfiguration | None:
    resource_id, properties = id_of(model), properties_of(model)
    if resource_id is None:
        return None
    return IpConfiguration(
        id=resource_id,
        name=name_of(model, resource_id),
        private_ip_address=text(properties.get("privateIPAddress")),
        subnet_id=reference_at(properties, "subnet"),
        pool_ids=every(id_of, properties.get("loadBalancerBackendAddressPools")),
        application_group_ids=every(id_of, properties.get("applicationSecurityGroups")),
        public_ip_address_id=reference_at(properties, "publicIPAddress"),
    )


def balancer(model: Json) -> LoadBalancer | None:
    """A load balancer and everything inside it."""
    head, properties = head_of(model), properties_of(model)
    if not head:
        return None
    return LoadBalancer(
        **head,
        sku=text(object_at(model, "sku").get("name")),
        frontends=every(_frontend, properties.get("frontendIPConfigurations")),
        pools=every(_pool, properties.get("backendAddressPools")),
        probes=every(_probe, properties.get("probes")),
        rules=every(_rule, properties.get("loadBalancingRules")),
    )


def _frontend(model: Json) -> FrontendIpConfiguration | None:
    resource_id, properties = id_of(model), properties_of(model)
    if resource_id is None:
        return None
    return FrontendIpConfiguration(
        id=resource_id,
        name=name_of(model, resource_id),
        private_ip_address=text(properties.get("privateIPAddress")),
        subnet_id=reference_at(properties, "subnet"),
    )


def _pool(model: Json) -> BackendAddressPool | None:
    resource_id, properties = id_of(model), properties_of(model)
    if resource_id is None:
        return None
    return BackendAddressPool(
        id=resource_id,
        name=name_of(model, resource_id),
        member_ids=every(id_of, properties.get("backendIPConfigurations")),
        addresses=every(_backend_address, properties.get(_ADDRESSES)),
    )


def _backend_address(model: Json) -> BackendAddress:
    properties = properties_of(model)
    return BackendAddress(
        name=text(model.get("name")),
        ip_address=text(properties.get("ipAddress")),
        is_interface=reference_at(properties, "networkInterfaceIPConfiguration") is not None,
    )


def _probe(model: Json) -> HealthProbe | None:
    resource_id, properties = id_of(model), properties_of(model)
    if resource_id is None:
        return None
    return HealthProbe(
        id=resource_id,
        name=name_of(model, resource_id),
        protocol=text(properties.get("protocol")),
        port=number(properties.get("port")),
        interval=number(properties.get("intervalInSeconds")),
    )


def _rule(model: Json) -> LoadBalancingRule | None:
    resource_id, properties = id_of(model), properties_of(model)
    if resource_id is None:
        return None
    # Newer api-versions may give the pools as a list and leave the single one out.
    pools = every(id_of, properties.get("backendAddressPools"))
    return LoadBalancingRule(
        id=resource_id,
        name=name_of(model, resource_id),
        protocol=text(properties.get("protocol")),
        frontend_port=number(properties.get("frontendPort")),
        backend_port=number(properties.get("backendPort")),
        frontend_id=reference_at(properties, "frontendIPConfiguration"),
        pool_id=reference_at(properties, "backendAddressPool") or next(iter(pools), None),
        probe_id=reference_at(properties, "probe"),
        idle_timeout=number(properties.get("idleTimeoutInMinutes")) or 4,
    )


def rule_health(model: Json, balancer_id: ResourceId, rule_id: ResourceId) -> BalancerHealth:
    """What the health query of a load-balancing rule answered."""
    return BalancerHealth(balancer_id, rule_id, every(_member, model.get(_ADDRESSES)))


def _member(model: Json) -> MemberHealth:
    configuration = model.get("networkInterfaceIPConfigurationId")
    if isinstance(configuration, Mapping):  # Other references in ARM are objects with an id.
        configuration = configuration.get("id")
    return MemberHealth(
        address=text(model.get("ipAddress")),
        ip_configuration_id=parsed_id(configuration),
        up=text(model.get("state")).lower() == "up",
        reason=text(model.get("reason")),
    )


def service(model: Json) -> PrivateLinkService | None:
    """A private link service with the connections to it."""
    head, properties = head_of(model), properties_of(model)
    if not head:
        return None
    return PrivateLinkService(
        **head,
        alias=text(properties.get("alias")),
        connections=every(connection, properties.get("privateEndpointConnections")),
        frontend_ids=every(id_of, properties.get("loadBalancerFrontendIpConfigurations")),
        proxy_protocol=properties.get("enableProxyProtocol") is True,
        ip_configurations=every(_nat_ip_configuration, properties.get("ipConfigurations")),
        interface_ids=every(id_of, properties.get("networkInterfaces")),
        visibility=_subscriptions(properties, "visibility"),
        auto_approval=_subscriptions(properties, "autoApproval"),
        tags=pairs_at(model, "tags"),
    )


def _nat_ip_configuration(model: Json) -> NatIpConfiguration | None:
    resource_id = id_of(model)
    if resource_id is None:
        return None
    return NatIpConfiguration(resource_id, name_of(model, resource_id), reference_at(properties_of(model), "subnet"))


def _subscriptions(properties: Json, name: str) -> tuple[str, ...] | None:
    """The subscriptions in a list of a service, in lower case; None when it leaves that open."""
    listed = object_at(properties, name).get("subscriptions")
    return tuple(sorted({one.lower() for one in texts(listed)})) if isinstance(listed, list | tuple) else None


def connection(model: Json) -> Connection | None:
    """A connection as its service reports it."""
    resource_id, properties = id_of(model), properties_of(model)
    if resource_id is None or resource_id.parent is None:
        return None
    state = object_at(properties, "privateLinkServiceConnectionState")
    return Connection(
        id=resource_id,
        name=name_of(model, resource_id),
        status=ConnectionStatus.parse(text(state.get("status"))),
        provisioning_state=text(properties.get("provisioningState")),
        description=text(state.get("description")),
        actions_required=text(state.get("actionsRequired")),
        endpoint_id=reference_at(properties, "privateEndpoint"),
        endpoint_location=text(properties.get("privateEndpointLocation")),
        link_identifier=text(properties.get("linkIdentifier")),
    )


def endpoint(model: Json) -> PrivateEndpoint | None:
    """A private endpoint with both its lists of connections."""
    head, properties = head_of(model), properties_of(model)
    if not head:
        return None
    automatic = every(lambda m: _endpoint_connection(m, manual=False), properties.get("privateLinkServiceConnections"))
    manual = every(
        lambda m: _endpoint_connection(m, manual=True), properties.get("manualPrivateLinkServiceConnections")
    )
    return PrivateEndpoint(
        **head,
        resource_guid=text(properties.get("resourceGuid")),
        connections=automatic + manual,
        interface_ids=every(id_of, properties.get("networkInterfaces")),
        subnet_id=reference_at(properties, "subnet"),
    )


def _endpoint_connection(model: Json, *, manual: bool) -> EndpointConnection | None:
    resource_id, properties = id_of(model), properties_of(model)
    if resource_id is None:
        return None
    state = object_at(properties, "privateLinkServiceConnectionState")
    return EndpointConnection(
        id=resource_id,
        name=name_of(model, resource_id),
        manual=manual,
        status=ConnectionStatus.parse(text(state.get("status"))),
        target=text(properties.get("privateLinkServiceId")),
        request_message=text(properties.get("requestMessage")),
        description=text(state.get("description")),
        actions_required=text(state.get("actionsRequired")),
        provisioning_state=text(properties.get("provisioningState")),
    )


def machine(model: Json) -> VirtualMachine | None:
    """A virtual machine; its power state is known when the answer carries the instance view."""
    head, properties = head_of(model), properties_of(model)
    if not head:
        return None
    codes = (text(status.get("code")) for status in objects(object_at(properties, "instanceView").get("statuses")))
    power = (word for kind, _, word in (code.partition("/") for code in codes) if kind.lower() == "powerstate")
    return VirtualMachine(
        **head,
        power_state=next(power, "").lower(),
        zones=texts(model.get("zones")),
        size=text(object_at(properties, "hardwareProfile").get("vmSize")),
        interface_ids=every(id_of, object_at(properties, "networkProfile").get("networkInterfaces")),
        is_windows="windowsConfiguration" in object_at(properties, "osProfile"),
    )


def zone(model: Json) -> DnsZone | None:
    """A DNS zone, private or public."""
    head = head_of(model)
    return DnsZone(**head) if head else None


def zone_link(model: Json) -> ZoneLink | None:
    """A private zone's link to a virtual network."""
    head = head_of(model)
    return ZoneLink(**head, network_id=reference_at(properties_of(model), "virtualNetwork")) if head else None


def address_record(model: Json) -> AddressRecord | None:
    """The A records of a name; Azure spells their list differently in public zones."""
    head, properties = head_of(model), properties_of(model)
    if not head:
        return None
    listed = properties.get("aRecords") or properties.get("ARecords")
    return AddressRecord(
        **head,
        addresses=tuple(text(item.get("ipv4Address")) for item in objects(listed)),
        auto_registered=properties.get("isAutoRegistered") is True,
        metadata=pairs_at(properties, "metadata"),
    )


def provider(model: Json) -> ProviderRegistration | None:
    """Whether a resource provider is registered."""
    namespace = text(model.get("namespace"))
    return ProviderRegistration(namespace, text(model.get("registrationState"))) if namespace else None


def permission(model: Json) -> Permission:
    """What a role grants who is signed in."""
    return Permission(texts(model.get("actions")), texts(model.get("notActions")))
