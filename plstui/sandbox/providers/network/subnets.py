"""Subnets: from a request to a body, what may not be, and the verbs of their own."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, ClassVar

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError, bad_request
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.network import addresses, prefixes
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.providers.network.bodies import child_body
from plstui.sandbox.providers.network.children import NetworkChild
from plstui.sandbox.providers.network.polling import operation_address
from plstui.sandbox.providers.network.refusals import busy, missing
from plstui.sandbox.store import Body

TYPE = "Microsoft.Network/virtualNetworks/subnets"

PRIVATE_SUBNETS_FROM = "2025-07-01"
"""The api-version from which a new subnet gives no outbound access unless it is asked for (Microsoft's documents)."""

_ACTION = "Microsoft.Network/virtualNetworks/subnets"
_ACTIONS = {
    "microsoft.web/serverfarms": ("action",),
    "microsoft.sql/managedinstances": (
        "join/action",
        "prepareNetworkPolicies/action",
        "unprepareNetworkPolicies/action",
    ),
}
"""What a service may do in a subnet that is delegated to it, where that is not just to join it; as recorded."""


def build(endpoint: NetworkEndpoint, call: Call, network: Body, name: str, sent: Fields, old: Body | None) -> Body:
    """A subnet of `network` as `sent` asks for it; whether it fits among the others is not looked at here."""
    network_id = ResourceId(network["id"])
    subnet_id = ResourceId(old["id"]) if old else network_id.child("subnets", name)
    fields = sent.fields("properties")
    properties: Body = {**_prefixes(fields, subnet_id)}
    for word, kind in (
        ("networkSecurityGroup", "Microsoft.Network/networkSecurityGroups"),
        ("routeTable", "Microsoft.Network/routeTables"),
        ("natGateway", "Microsoft.Network/natGateways"),
    ):
        if wanted := fields.reference(word):
            found = endpoint.require(wanted, by=subnet_id, kind=kind, call=call, location=network["location"])
            properties[word] = {"id": found["id"]}
    properties["ipamPoolPrefixAllocations"] = []
    if services := fields.objects("serviceEndpoints"):
        properties["serviceEndpoints"] = [_service(service) for service in services]
    properties["delegations"] = [_delegation(subnet_id, item) for item in fields.objects("delegations")]
    properties["privateEndpointNetworkPolicies"] = fields.word(
        "privateEndpointNetworkPolicies",
        "Enabled",
        "Disabled",
        "NetworkSecurityGroupEnabled",
        "RouteTableEnabled",
        default="Disabled",
    )
    properties["privateLinkServiceNetworkPolicies"] = fields.word(
        "privateLinkServiceNetworkPolicies", "Enabled", "Disabled", default="Enabled"
    )
    if "defaultOutboundAccess" in fields:
        properties["defaultOutboundAccess"] = fields.flag("defaultOutboundAccess")
    elif call.api_version[:10] >= PRIVATE_SUBNETS_FROM:
        properties["defaultOutboundAccess"] = bool(old and old["properties"].get("defaultOutboundAccess", True))
    if "sharingScope" in fields:
        properties["sharingScope"] = fields.word("sharingScope", "Tenant", "DelegatedServices")
    body = child_body(network_id, TYPE, subnet_id.name, properties)
    if old:
        _check_change(endpoint, old, body)
    return body


def _prefixes(fields: Fields, subnet_id: ResourceId) -> Body:
    """The prefixes: one is answered as `addressPrefix`, several as `addressPrefixes`, however they were sent."""
    texts = fields.texts("addressPrefixes") or [text for text in [fields.text("addressPrefix")] if text]
    if not texts:
        raise missing("addressPrefix", fields.where)
    for text in texts:
        prefixes.network(text, subnet_id)
    return {"addressPrefix": texts[0]} if len(texts) == 1 else {"addressPrefixes": texts}


def _service(fields: Fields) -> Body:
    service = fields.text("service")
    if not service:
        raise missing("service", fields.where)
    body: Body = {"provisioningState": "Succeeded", "service": service}
    body["locations"] = fields.texts("locations") or ["*"]
    if identifier := fields.reference("networkIdentifier"):
        body["networkIdentifier"] = {"id": identifier.text}
    return body


def _delegation(subnet_id: ResourceId, fields: Fields) -> Body:
    name, service = fields.text("name"), fields.fields("properties").text("serviceName")
    if not name or not service:
        raise missing("name" if not name else "properties.serviceName", fields.where)
    actions = [f"{_ACTION}/{action}" for action in _ACTIONS.get(service.lower(), ("join/action",))]
    return child_body(subnet_id, f"{TYPE}/delegations", name, {"serviceName": service, "actions": actions})


def _check_change(endpoint: NetworkEndpoint, old: Body, new: Body) -> None:
    """Raise the refusal of a change that would pull the ground from under somebody."""
    used = addresses.taken(endpoint.azure.store, old)
    kept = addresses.prefixes_of(new)
    lost = next((at for at in used if not any(at.version == p.version and at in p for p in kept)), None)
    if lost is not None:
        prefix = next(p for p in addresses.prefixes_of(old) if p.version == lost.version and lost in p)
        raise bad_request(
            "InUsePrefixCannotBeDeleted",
            f"IpPrefix {prefix} on Subnet {old['name']} has active allocations and cannot be deleted.",
        )
    policy = "privateLinkServiceNetworkPolicies"
    services = [user["id"] for user in _users(old) if "/privatelinkservices/" in user["id"].lower()]
    if services and new["properties"][policy] == "Enabled" != old["properties"][policy]:
        raise bad_request(
            "PrivateLinkServiceNetworkPoliciesCannotBeEnabledOnPrivateLinkServiceSubnet",
            f"Private link service network policies cannot be enabled on subnet {old['id']} since it is used by "
            f"{services[0]}.",
        )


def _users(subnet: Body) -> list[Body]:
    return subnet["properties"].get("ipConfigurations") or []


def check_fit(network_name: str, space: list[prefixes.Network], subnets: list[Body]) -> None:
    """Raise the 400 of a subnet that is too small, lies outside the address space or takes another one's addresses."""
    taken = prefixes.Taken()
    for subnet in subnets:
        own = addresses.prefixes_of(subnet)
        if any(one.version == 4 and one.prefixlen > prefixes.SMALLEST_SUBNET for one in own):
            raise prefixes.invalid(subnet["name"], network_name)
        if not all(prefixes.contains(space, one) for one in own):
            raise prefixes.outside(subnet["name"], network_name)
        if not all(taken.take(one) for one in own):
            raise prefixes.overlapping(subnet["name"], network_name)


def check_unused(subnet: Body) -> None:
    """Raise the 400 of a subnet in which something has an address."""
    users = _users(subnet) or subnet["properties"].get("privateEndpoints") or []
    if users:
        raise bad_request(
            "InUseSubnetCannotBeDeleted",
            f"Subnet {subnet['name']} is in use by {users[0]['id']} and cannot be deleted. In order to delete the "
            "subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
        )


def check_idle(endpoint: NetworkEndpoint, call: Call, network: Body) -> None:
    """Raise the 409 of a network that has a write under way: it takes one at a time."""
    under_way = endpoint.azure.operations.under_way(network["id"])
    if under_way:
        raise busy(operation_address(call, under_way))


class Subnets(NetworkChild):
    """Subnets with PUT and DELETE of their own."""

    type: ClassVar[str] = TYPE
    put_pace: ClassVar[Pace] = Pace(3.5, 3)
    restamps: ClassVar[bool] = True

    def check_parent(self, call: Call, parent: Body) -> None:
        """Neither a network that goes nor one that is busy."""
        self.check_not_deleting(parent)
        check_idle(self, call, parent)

    def build_child(self, call: Call, parent: Body, old: Body | None) -> Body:
        """One subnet, which has to fit among its siblings."""
        body = build(self, call, parent, call.named.name, call.fields, old)
        siblings = [one for one in parent["properties"]["subnets"] if ResourceId(one["id"]) != ResourceId(body["id"])]
        space = [
            prefixes.network(text, ResourceId(parent["id"]))
            for text in parent["properties"]["addressSpace"]["addressPrefixes"]
        ]
        check_fit(parent["name"], space, [*siblings, body])
        return body

    def check_child_unused(self, parent: Body, child: Body) -> None:
        """A subnet in use stays."""
        check_unused(child)


def availability(endpoint: NetworkEndpoint, network: Body, text: str) -> Body:
    """Whether an address of a network is free, and others if it is not, as `CheckIPAddressAvailability` answers."""
    try:
        address = ip_address(text)
    except ValueError:
        raise bad_request("InvalidIPAddressFormat", f"IP address {text[:60]!r} is not formatted correctly.") from None
    for subnet in network["properties"]["subnets"]:
        prefix = next((p for p in addresses.prefixes_of(subnet) if p.version == address.version and address in p), None)
        if prefix is None:
            continue
        used = addresses.taken(endpoint.azure.store, subnet)
        reserved = addresses.is_reserved(prefix, address)
        answer: dict[str, Any] = {"available": not reserved and address not in used}
        if not answer["available"]:
            others = addresses.free(subnet, used, address.version)
            answer["availableIPAddresses"] = [str(other) for other, _ in zip(others, range(5), strict=False)]
        return {**answer, "isPlatformReserved": reserved}
    raise ArmError(
        400,
        "PrivateIPAddressNotInAnySubnet",
        f"Private static IP address {address} does not belong to the range of any subnet of virtual network "
        f"{network['id']}.",
        details=(),
    )
