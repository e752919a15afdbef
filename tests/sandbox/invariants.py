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
MACHINE = "Microsoft.Compute/virtualMachines"
SERVICE, ENDPOINT = N + "privateLinkServices", N + "privateEndpoints"

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
    (SERVICE + "/ipConfigurations", "subnet"): "ipConfigurations",
    (ENDPOINT, "subnet"): "privateEndpoints",
}
"""`(type, property)` of a reference: the property of its target that shows it."""

BACK = frozenset(MIRRORS.values())

MAY_DANGLE = frozenset(
    {"remoteVirtualNetwork", "privateLinkServiceId", "privateEndpoint", "publicIPPrefix", "publicIpPrefixes"}
)
"""References into what may be gone, the other side of a peering or another tenant's end of a private link, or into what
no sandbox has."""


def problems(store: Store) -> list[str]:
    """Every way in which the resources contradict each other."""
    network = (_dangling, _unmirrored, _stale_mirrors, _etags, _addresses, *PRIVATE_LINK)
    checks = {"Microsoft.Network": network, "Microsoft.Compute": (_machines, _disks, _children)}
    return [
        problem
        for body in store
        if "properties" in body
        for check in checks.get(ResourceId(body["id"]).type.partition("/")[0], ())
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
            if back == "networkInterfaces" and kind in (SERVICE, ENDPOINT):
                continue  # These are their own, and looked at elsewhere.
            if (kind, back) in MIRRORS:
                continue  # A reference of that name: what a subnet calls its gateway, an address calls its mirror.
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
            if "/privatelinkservices/" in user_id.lower():
                continue  # What has the address is the interface of the service.
            address = ((store.get(user_id) or {}).get("properties") or {}).get("privateIPAddress")
            if address is None:
                continue
            if not any(ip_address(address) in prefix for prefix in prefixes):
                yield f"{user_id}: {address} is outside {subnet['id']}"
            if other := seen.get(address):
                yield f"{user_id}: {address} is also that of {other}"
            seen[address] = user_id


def _services(store: Store, body: Json) -> Iterator[str]:
    """A connection of a service is one of an endpoint, in the same state."""
    for connection in body["properties"]["privateEndpointConnections"] if body["type"] == SERVICE else []:
        properties = connection["properties"]
        endpoint = store.get(properties["privateEndpoint"]["id"])
        if endpoint is None:
            yield f"{connection['id']}: there is no {properties['privateEndpoint']['id']}"
        elif connection["name"] != f"{endpoint['name']}.{endpoint['properties']['resourceGuid']}":
            yield f"{connection['id']}: its name is not that of {endpoint['id']}"
        elif _state(properties) not in [_state(asked) for asked in _asked(endpoint)]:
            yield f"{connection['id']}: its state is not that in {endpoint['id']}"


def _endpoints(store: Store, body: Json) -> Iterator[str]:
    """What an endpoint asks for is a connection of the service, unless the service's owner has removed it."""
    for asked in _asked(body) if body["type"] == ENDPOINT else []:
        target = asked["privateLinkServiceId"].lower()
        aliases = {one["properties"]["alias"].lower(): one for one in store.of_type(SERVICE)}
        service = aliases.get(target) or store.get(target)
        name = f"{body['name']}.{body['properties']['resourceGuid']}"
        connections = service["properties"]["privateEndpointConnections"] if service else []
        present = name in [connection["name"] for connection in connections]
        removed = _state(asked)[0] == "Disconnected"
        if target.startswith("/") and not ResourceId(target).is_type(SERVICE):
            continue
        if present == removed:
            yield f"{body['id']}: is {_state(asked)[0]}, and {target} has {'a' if present else 'no'} connection with it"


def _interfaces(store: Store, body: Json) -> Iterator[str]:
    """The interfaces of a service or an endpoint are its own."""
    roles = {SERVICE: "privateLinkService", ENDPOINT: "privateEndpoint"}
    for nic_id in _ids(body["properties"]["networkInterfaces"]) if body["type"] in roles else []:
        nic = store.get(nic_id)
        owner = nic["properties"].get(roles[body["type"]], {}).get("id") if nic else None
        if nic is None or owner != body["id"] or nic.get("managedBy") != body["id"]:
            yield f"{body['id']}: its interface {nic_id} is not its own"
    owner = body.get("managedBy")
    if body["type"] == NIC and owner and store.get(owner) is None:
        yield f"{body['id']}: its owner {owner} is not there"


def _zone_groups(store: Store, body: Json) -> Iterator[str]:
    """The records that a zone group speaks of are in the zone, as long as the zone is there."""
    for group in body["properties"].get("privateDnsZoneGroups") or []:
        for config in group["properties"]["privateDnsZoneConfigs"]:
            zone = config["properties"]["privateDnsZoneId"]
            for record in config["properties"]["recordSets"]:
                record_id = f"{zone}/A/{record['recordSetName']}"
                if record["provisioningState"] == "Succeeded" and store.get(zone) and not store.get(record_id):
                    yield f"{group['id']}: there is no {record_id}"


def _machines(store: Store, body: Json) -> Iterator[str]:
    """A machine and its interfaces and disks know each other."""
    for nic_id in _interfaces_of(body) if body["type"] == MACHINE else []:
        nic = store.get(nic_id)
        if nic is None or nic["properties"].get("virtualMachine", {}).get("id") != body["id"]:
            yield f"{body['id']}: its interface {nic_id} does not know it"
    for disk in _disks_of(body) if body["type"] == MACHINE else []:
        known = store.get(disk["managedDisk"]["id"]) if "id" in disk["managedDisk"] else {"managedBy": body["id"]}
        if known is None or known.get("managedBy") != body["id"]:
            yield f"{body['id']}: its disk {disk} does not know it"


def _disks(store: Store, body: Json) -> Iterator[str]:
    """A disk that is said to belong to a machine does."""
    owner = body.get("managedBy")
    if body["type"] != "Microsoft.Compute/disks" or owner is None:
        return
    machine = store.get(owner)
    if machine is None or body["id"] not in [disk["managedDisk"].get("id") for disk in _disks_of(machine)]:
        yield f"{body['id']}: {owner} has no such disk"


def _children(store: Store, body: Json) -> Iterator[str]:
    """What hangs under something is gone when that is."""
    parent = ResourceId(body["id"]).parent
    if parent is not None and store.get(parent) is None:
        yield f"{body['id']}: there is no {parent}"


def _interfaces_of(machine: Json) -> list[str]:
    return [item["id"] for item in machine["properties"]["networkProfile"]["networkInterfaces"]]


def _disks_of(machine: Json) -> list[Json]:
    profile = machine["properties"]["storageProfile"]
    return [profile["osDisk"], *profile["dataDisks"]]


def _asked(endpoint: Json) -> list[Json]:
    kinds = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
    return [item["properties"] for kind in kinds for item in endpoint["properties"][kind]]


def _state(properties: Json) -> tuple[str, str]:
    state = properties["privateLinkServiceConnectionState"]
    return state["status"], state["actionsRequired"]


PRIVATE_LINK = (_services, _endpoints, _interfaces, _zone_groups)
