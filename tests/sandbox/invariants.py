"""What must be true of a sandbox's resources at any moment, whatever was asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from plstui.domain.ids import ResourceId
from plstui.sandbox.ports import Json
from plstui.sandbox.store import Store

N = "Microsoft.Network/"
LB, NIC, VNET = N + "loadBalancers", N + "networkInterfaces", N + "virtualNetworks"

MIRRORS = {
    (NIC + "/ipConfigurations", "subnet"): "ipConfigurations",
    (NIC + "/ipConfigurations", "publicIPAddress"): "ipConfiguration",
    (NIC + "/ipConfigurations", "loadBalancerBackendAddressPools"): "backendIPConfigurations",
    (NIC + "/ipConfigurations", "loadBalancerInboundNatRules"): "backendIPConfiguration",
    (NIC, "networkSecurityGroup"): "networkInterfaces",
    (VNET + "/subnets", "networkSecurityGroup"): "subnets",
    (VNET + "/subnets", "natGateway"): "subnets",
    (N + "natGateways", "publicIpAddresses"): "natGateway",
    (LB + "/frontendIPConfigurations", "subnet"): "ipConfigurations",
    (LB + "/frontendIPConfigurations", "publicIPAddress"): "ipConfiguration",
    (LB + "/loadBalancingRules", "frontendIPConfiguration"): "loadBalancingRules",
    (LB + "/loadBalancingRules", "backendAddressPools"): "loadBalancingRules",
    (LB + "/loadBalancingRules", "probe"): "loadBalancingRules",
    (LB + "/inboundNatRules", "frontendIPConfiguration"): "inboundNatRules",
    (LB + "/outboundRules", "backendAddressPool"): "outboundRules",
    (LB + "/outboundRules", "frontendIPConfigurations"): "outboundRules",
    (N + "privateLinkServices/ipConfigurations", "subnet"): "ipConfigurations",
    (N + "privateEndpoints", "subnet"): "privateEndpoints",
}
"""`(type, property)` of a reference: the property of its target that shows it."""

BACK = frozenset(MIRRORS.values())

MAY_DANGLE = frozenset({"remoteVirtualNetwork", "privateLinkServiceId", "privateEndpoint"})
"""References into what may be gone: the other side of a peering, or another tenant's end of a private link."""


def problems(store: Store) -> list[str]:
    """Every way in which the resources contradict each other."""
    return [
        problem
        for body in store
        if ResourceId(body["id"]).type.startswith(N) and "properties" in body
        for check in (_dangling, _unmirrored, _stale_mirrors, _etags, _addresses)
        for problem in check(store, body)
    ]


def _parts(body: Json) -> Iterator[Json]:
    yield body
    for value in body.get("properties", {}).values():
        if isinstance(value, list):
            for item in value:
                if isinstance(item, dict) and "properties" in item and "id" in item:
                    yield from _parts(item)


def _ids(value: Any) -> list[str]:
    """The ids that a property refers to; a sub-resource with properties of its own is no reference."""
    items = value if isinstance(value, list) else [value]
    return [item["id"] for item in items if isinstance(item, dict) and "id" in item and "properties" not in item]


def _dangling(store: Store, body: Json) -> Iterator[str]:
    for part in _parts(body):
        for name, value in part["properties"].items():
            if name in MAY_DANGLE and not part["id"].lower().count("/networkinterfaces/"):
                continue
            for target in _ids(value):
                if store.get(target) is None:
                    yield f"{part['id']}: {name} leads to {target}, which is not there"


def _unmirrored(store: Store, body: Json) -> Iterator[str]:
    for part in _parts(body):
        for name, value in part["properties"].items():
            back = MIRRORS.get((ResourceId(part["id"]).type, name))
            for target_id in _ids(value) if back else ():
                target = store.get(target_id)
                shown = _ids(target["properties"].get(back)) if target else []
                if part["id"].lower() not in [one.lower() for one in shown]:
                    yield f"{target_id}: {back} does not show {part['id']}"


def _stale_mirrors(store: Store, body: Json) -> Iterator[str]:
    for part in _parts(body):
        kind = ResourceId(part["id"]).type
        for back in BACK & part["properties"].keys():
            names = {name for (source, name), mirror in MIRRORS.items() if mirror == back and source != kind}
            for source_id in _ids(part["properties"][back]):
                source = store.get(source_id)
                said = [one.lower() for name in names for one in _ids((source or {}).get("properties", {}).get(name))]
                if part["id"].lower() not in said:
                    yield f"{part['id']}: {back} shows {source_id}, which does not refer to it"


def _etags(store: Store, body: Json) -> Iterator[str]:
    if "/privatednszones/" in body["id"].lower() or not str(body.get("etag", "")).startswith("W/"):
        return
    for part in _parts(body):
        if part.get("etag") != body["etag"]:
            yield f"{part['id']}: its etag is not that of {body['id']}"


def _addresses(store: Store, body: Json) -> Iterator[str]:
    for subnet in body["properties"].get("subnets") or [] if body["type"] == VNET else []:
        properties = subnet["properties"]
        prefixes = [ip_network(text) for text in properties.get("addressPrefixes") or [properties["addressPrefix"]]]
        seen: dict[str, str] = {}
        for user_id in _ids(properties.get("ipConfigurations")):
            address = ((store.get(user_id) or {}).get("properties") or {}).get("privateIPAddress")
            if address is None:
                continue
            if not any(ip_address(address) in prefix for prefix in prefixes):
                yield f"{user_id}: {address} is outside {subnet['id']}"
            if other := seen.get(address):
                yield f"{user_id}: {address} is also that of {other}"
            seen[address] = user_id
