"""What a sub-resource shows because of its mirrors: a subnet's purpose, the addresses in a pool."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from plstui.sandbox.store import Body

_POOL = "microsoft.network/loadbalancers/backendaddresspools"
_SUBNET = "microsoft.network/virtualnetworks/subnets"
_ADDRESSES = "loadBalancerBackendAddresses"
_GUESTS = frozenset({"microsoft.web/serverfarms", "microsoft.sql/managedinstances", "microsoft.dbformysql/serversv2"})
"""Services that a subnet can be delegated to without being theirs: it shows no purpose then (17 of 17 recorded)."""


def derive(part: Body) -> None:
    """Bring a sub-resource in step with its mirrors."""
    kind = part["type"].lower()
    if kind == _POOL and _ADDRESSES in part["properties"]:
        members = part["properties"].get("backendIPConfigurations") or []
        part["properties"][_ADDRESSES] = [*_by_address(part), *(_member(part, member["id"]) for member in members)]
    elif kind == _SUBNET:
        _set_purpose(part["properties"])


def strip(part: Body) -> None:
    """Leave out what `derive` would put in."""
    kind = part["type"].lower()
    if kind == _POOL and _ADDRESSES in part["properties"]:
        part["properties"][_ADDRESSES] = _by_address(part)
    elif kind == _SUBNET:
        part["properties"].pop("purpose", None)


def _by_address(pool: Body) -> list[Body]:
    """The members that were given by address, not through a network interface."""
    return [item for item in pool["properties"][_ADDRESSES] if "ipAddress" in item["properties"]]


def _member(pool: Body, configuration_id: str) -> Body:
    """A network interface's configuration as a pool lists it; its name is made up once and stays."""
    name = str(uuid5(NAMESPACE_URL, f"{pool['id']} {configuration_id}".lower()))
    return {
        "name": name,
        "id": f"{pool['id']}/{_ADDRESSES}/{name}",
        "etag": pool["etag"],
        "properties": {
            "provisioningState": "Succeeded",
            "networkInterfaceIPConfiguration": {"id": configuration_id},
        },
        "type": f"Microsoft.Network/loadBalancers/backendAddressPools/{_ADDRESSES}",
    }


def _set_purpose(subnet: Body) -> None:
    services = {one["properties"]["serviceName"].lower() for one in subnet.get("delegations") or ()}
    if services - _GUESTS:
        subnet["purpose"] = "HostedWorkloads"
    elif subnet.get("privateEndpoints"):
        subnet["purpose"] = "PrivateEndpoints"
    else:
        subnet.pop("purpose", None)
