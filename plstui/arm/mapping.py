"""ARM's JSON → plstui's facts. Pure, and content with whatever Azure leaves out, sets to null or adds.

The SDK's models are mappings of the JSON that ARM sent, and are read as such, too: their typed attributes raise where a
value is not of the type that the SDK's version expects. What has no id cannot be shown and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from plstui.domain.connection import Connection, ConnectionStatus, EndpointConnection
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

_ADDRESSES = "loadBalancerBackendAddresses"
"""Members of a pool by address, and what the health query says of them."""

Json = Mapping[str, Any]
Fact = TypeVar("Fact")


def every(convert: Callable[[Json], Fact | None], items: object) -> tuple[Fact, ...]:
    """What `convert` makes of each item of a list; items that are no objects, or that it makes nothing of, are left."""
    return tuple(fact for item in _objects(items) if (fact := convert(item)) is not None)


def group(model: Json) -> ResourceGroup | None:
    """A resource group."""
    head = _head(model)
    tags = model.get("tags")
    pairs = sorted(tags.items()) if isinstance(tags, Mapping) else ()
    return ResourceGroup(**head, tags=tuple((str(k), _text(v)) for k, v in pairs)) if head else None


def network(model: Json) -> VirtualNetwork | None:
    """A virtual network with its subnets."""
    head, properties = _head(model), _properties(model)
    if not head:
        return None
    return VirtualNetwork(
        **head,
        address_prefixes=_texts(_object(properties, "addressSpace").get("addressPrefixes")),
        subnets=every(subnet, properties.get("subnets")),
    )


def subnet(model: Json) -> Subnet | None:
    """A subnet, as it stands in its network."""
    head, properties = _head(model), _properties(model)
    if not head:
        return None
    prefixes = _texts(properties.get("addressPrefixes"))
    return Subnet(
        **head,
        address_prefix=_text(properties.get("addressPrefix")) or ", ".join(prefixes),
        security_group_id=_reference(properties, "networkSecurityGroup"),
        nat_gateway_id=_reference(properties, "natGateway"),
        private_endpoint_network_policies=_text(properties.get("privateEndpointNetworkPolicies")),
        private_link_service_network_policies=_text(properties.get("privateLinkServiceNetworkPolicies")),
    )


def security_group(model: Json) -> NetworkSecurityGroup | None:
    """A network security group with the rules that are its own."""
    head = _head(model)
    rules = every(_security_rule, _properties(model).get("securityRules"))
    return NetworkSecurityGroup(**head, rules=rules) if head else None


def _security_rule(model: Json) -> SecurityRule:
    properties = _properties(model)
    one = _text(properties.get("destinationPortRange"))
    return SecurityRule(
        name=_text(model.get("name")),
        priority=_number(properties.get("priority")),
        direction=_text(properties.get("direction")),
        access=_text(properties.get("access")),
        protocol=_text(properties.get("protocol")),
        ports=((one,) if one else ()) + _texts(properties.get("destinationPortRanges")),
    )


def interface(model: Json) -> NetworkInterface | None:
    """A network interface."""
    head, properties = _head(model), _properties(model)
    if not head:
        return None
    return NetworkInterface(
        **head,
        ip_configurations=every(_ip_configuration, properties.get("ipConfigurations")),
        machine_id=_reference(properties, "virtualMachine"),
        private_endpoint_id=_reference(properties, "privateEndpoint"),
    )


def _ip_configuration(model: Json) -> IpConfiguration | None:
    resource_id, properties = _id(model), _properties(model)
    if resource_id is None:
        return None
    return IpConfiguration(
        id=resource_id,
        name=_name(model, resource_id),
        private_ip_address=_text(properties.get("privateIPAddress")),
        subnet_id=_reference(properties, "subnet"),
        pool_ids=every(_id, properties.get("loadBalancerBackendAddressPools")),
    )


def balancer(model: Json) -> LoadBalancer | None:
    """A load balancer and everything inside it."""
    head, properties = _head(model), _properties(model)
    if not head:
        return None
    return LoadBalancer(
        **head,
        sku=_text(_object(model, "sku").get("name")),
        frontends=every(_frontend, properties.get("frontendIPConfigurations")),
        pools=every(_pool, properties.get("backendAddressPools")),
        probes=every(_probe, properties.get("probes")),
        rules=every(_rule, properties.get("loadBalancingRules")),
    )


def _frontend(model: Json) -> FrontendIpConfiguration | None:
    resource_id, properties = _id(model), _properties(model)
    if resource_id is None:
        return None
    return FrontendIpConfiguration(
        id=resource_id,
        name=_name(model, resource_id),
        private_ip_address=_text(properties.get("privateIPAddress")),
        subnet_id=_reference(properties, "subnet"),
    )


def _pool(model: Json) -> BackendAddressPool | None:
    resource_id, properties = _id(model), _properties(model)
    if resource_id is None:
        return None
    addresses = (_text(_properties(item).get("ipAddress")) for item in _objects(properties.get(_ADDRESSES)))
    return BackendAddressPool(
        id=resource_id,
        name=_name(model, resource_id),
        member_ids=every(_id, properties.get("backendIPConfigurations")),
        addresses=tuple(address for address in addresses if address),
    )


def _probe(model: Json) -> HealthProbe | None:
    resource_id, properties = _id(model), _properties(model)
    if resource_id is None:
        return None
    return HealthProbe(
        id=resource_id,
        name=_name(model, resource_id),
        protocol=_text(properties.get("protocol")),
        port=_number(properties.get("port")),
        interval=_number(properties.get("intervalInSeconds")),
    )


def _rule(model: Json) -> LoadBalancingRule | None:
    resource_id, properties = _id(model), _properties(model)
    if resource_id is None:
        return None
    # Newer api-versions may give the pools as a list and leave the single one out.
    pools = every(_id, properties.get("backendAddressPools"))
    return LoadBalancingRule(
        id=resource_id,
        name=_name(model, resource_id),
        protocol=_text(properties.get("protocol")),
        frontend_port=_number(properties.get("frontendPort")),
        backend_port=_number(properties.get("backendPort")),
        frontend_id=_reference(properties, "frontendIPConfiguration"),
        pool_id=_reference(properties, "backendAddressPool") or next(iter(pools), None),
        probe_id=_reference(properties, "probe"),
        idle_timeout=_number(properties.get("idleTimeoutInMinutes")) or 4,
    )


def rule_health(model: Json, balancer_id: ResourceId, rule_id: ResourceId) -> BalancerHealth:
    """What the health query of a load-balancing rule answered."""
    return BalancerHealth(balancer_id, rule_id, every(_member, model.get(_ADDRESSES)))


def _member(model: Json) -> MemberHealth:
    configuration = model.get("networkInterfaceIPConfigurationId")
    if isinstance(configuration, Mapping):  # Other references in ARM are objects with an id.
        configuration = configuration.get("id")
    return MemberHealth(
        address=_text(model.get("ipAddress")),
        ip_configuration_id=_parse(configuration),
        up=_text(model.get("state")).lower() == "up",
        reason=_text(model.get("reason")),
    )


def service(model: Json) -> PrivateLinkService | None:
    """A private link service with the connections to it."""
    head, properties = _head(model), _properties(model)
    if not head:
        return None
    return PrivateLinkService(
        **head,
        alias=_text(properties.get("alias")),
        connections=every(connection, properties.get("privateEndpointConnections")),
        frontend_ids=every(_id, properties.get("loadBalancerFrontendIpConfigurations")),
        proxy_protocol=properties.get("enableProxyProtocol") is True,
    )


def connection(model: Json) -> Connection | None:
    """A connection as its service reports it."""
    resource_id, properties = _id(model), _properties(model)
    if resource_id is None or resource_id.parent is None:
        return None
    state = _object(properties, "privateLinkServiceConnectionState")
    return Connection(
        id=resource_id,
        name=_name(model, resource_id),
        status=ConnectionStatus.parse(_text(state.get("status"))),
        provisioning_state=_text(properties.get("provisioningState")),
        description=_text(state.get("description")),
        actions_required=_text(state.get("actionsRequired")),
        endpoint_id=_reference(properties, "privateEndpoint"),
        endpoint_location=_text(properties.get("privateEndpointLocation")),
        link_identifier=_text(properties.get("linkIdentifier")),
    )


def endpoint(model: Json) -> PrivateEndpoint | None:
    """A private endpoint with both its lists of connections."""
    head, properties = _head(model), _properties(model)
    if not head:
        return None
    automatic = every(lambda m: _endpoint_connection(m, manual=False), properties.get("privateLinkServiceConnections"))
    manual = every(
        lambda m: _endpoint_connection(m, manual=True), properties.get("manualPrivateLinkServiceConnections")
    )
    return PrivateEndpoint(
        **head,
        resource_guid=_text(properties.get("resourceGuid")),
        connections=automatic + manual,
        interface_ids=every(_id, properties.get("networkInterfaces")),
        subnet_id=_reference(properties, "subnet"),
    )


def _endpoint_connection(model: Json, *, manual: bool) -> EndpointConnection | None:
    resource_id, properties = _id(model), _properties(model)
    if resource_id is None:
        return None
    state = _object(properties, "privateLinkServiceConnectionState")
    return EndpointConnection(
        id=resource_id,
        name=_name(model, resource_id),
        manual=manual,
        status=ConnectionStatus.parse(_text(state.get("status"))),
        target=_text(properties.get("privateLinkServiceId")),
        request_message=_text(properties.get("requestMessage")),
        description=_text(state.get("description")),
        actions_required=_text(state.get("actionsRequired")),
        provisioning_state=_text(properties.get("provisioningState")),
    )


def machine(model: Json) -> VirtualMachine | None:
    """A virtual machine; its power state is known when the answer carries the instance view."""
    head, properties = _head(model), _properties(model)
    if not head:
        return None
    codes = (_text(status.get("code")) for status in _objects(_object(properties, "instanceView").get("statuses")))
    power = (word for kind, _, word in (code.partition("/") for code in codes) if kind.lower() == "powerstate")
    return VirtualMachine(
        **head,
        power_state=next(power, "").lower(),
        zones=_texts(model.get("zones")),
        size=_text(_object(properties, "hardwareProfile").get("vmSize")),
        interface_ids=every(_id, _object(properties, "networkProfile").get("networkInterfaces")),
    )


def _head(model: Json) -> dict[str, Any]:
    """What every resource has, as arguments of its class; empty when it has no id."""
    resource_id = _id(model)
    if resource_id is None:
        return {}
    return {
        "id": resource_id,
        "name": _name(model, resource_id),
        "location": _text(model.get("location")),
        "provisioning_state": _text(_properties(model).get("provisioningState")),
    }


def _id(model: Json) -> ResourceId | None:
    return _parse(model.get("id"))


def _parse(value: object) -> ResourceId | None:
    try:
        return ResourceId.parse(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _name(model: Json, resource_id: ResourceId) -> str:
    return _text(model.get("name")) or resource_id.name


def _properties(model: Json) -> Json:
    return _object(model, "properties")


def _object(model: Json, key: str) -> Json:
    value = model.get(key)
    return value if isinstance(value, Mapping) else {}


def _reference(model: Json, key: str) -> ResourceId | None:
    """The resource that `{"key": {"id": …}}` refers to."""
    return _id(_object(model, key))


def _objects(items: object) -> Iterator[Json]:
    if isinstance(items, Iterable) and not isinstance(items, str | bytes | Mapping):
        yield from (item for item in items if isinstance(item, Mapping))


def _texts(items: object) -> tuple[str, ...]:
    return tuple(_text(item) for item in items if item is not None) if isinstance(items, list | tuple) else ()


def _text(value: object) -> str:
    """Text as it is; numbers as text, for fields whose type has changed between api-versions; all else is empty."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _number(value: object) -> int:
    try:
        return int(value) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0
