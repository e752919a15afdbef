"""The bodies of a private endpoint: itself, what it asks for, and its interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.network import nics
from plstui.sandbox.providers.network.bodies import child_body
from plstui.sandbox.providers.privatelink import interfaces, names
from plstui.sandbox.providers.privatelink.lookup import AUTOMATIC, ENDPOINT, MANUAL, requests_of
from plstui.sandbox.store import Body


def request_body(
    endpoint_id: ResourceId,
    kind: str,
    name: str,
    target: str,
    shown: Json,
    *,
    groups: Sequence[str] | None = None,
    message: str = "",
) -> Body:
    """What an endpoint asks for: a connection with `target`, an id or an alias. `kind` is AUTOMATIC or MANUAL."""
    return child_body(
        endpoint_id,
        f"{ENDPOINT}/{kind}",
        name,
        {
            "privateLinkServiceId": target,
            **({} if groups is None else {"groupIds": groups}),
            **({"requestMessage": message} if message else {}),
            "privateLinkServiceConnectionState": shown,
        },
    )


def endpoint_properties(
    kind: str,
    request: Body,
    subnet_id: str,
    nic_id: str,
    *,
    interface_name: str = "",
    addresses: Sequence[Body] = (),
    groups: Sequence[Body] = (),
) -> Body:
    """The properties of a new endpoint. `interface_name` and `addresses` are what was chosen, if anything was."""
    return {
        **{each: [request] if each == kind else [] for each in (AUTOMATIC, MANUAL)},
        "customNetworkInterfaceName": interface_name,
        "subnet": {"id": subnet_id},
        "ipConfigurations": [*addresses],
        **({"applicationSecurityGroups": [*groups]} if groups else {}),
        "networkInterfaces": [{"id": nic_id}],
        "customDnsConfigs": [],
        "privateDnsZoneGroups": [],
    }


def interface_body(azure: Azure, endpoint: Json, addresses: Mapping[str, str], old: Json | None) -> Body:
    """The interface of an endpoint, with an address for each IP configuration; `old` is the one that it replaces."""
    shown = endpoint["properties"]
    nic_id = ResourceId(shown["networkInterfaces"][0]["id"])
    chosen = {item["name"]: item["properties"] for item in shown["ipConfigurations"]}
    groups = shown.get("applicationSecurityGroups")
    configurations = [
        interfaces.configuration(
            nic_id.child("ipConfigurations", name),
            shown["subnet"]["id"],
            address,
            primary=at == 0,
            privateLinkConnectionProperties=_member(endpoint, chosen.get(name, {})),
            **({"applicationSecurityGroups": groups} if groups else {}),
        )
        for at, (name, address) in enumerate(addresses.items())
    ]
    return nics.managed_body(azure, nic_id, "privateEndpoint", endpoint, configurations, old)


def _member(endpoint: Json, chosen: Json) -> Body:
    """What an IP configuration of the interface says of the part of the service that it leads to."""
    asked = requests_of(endpoint["properties"])[0]["properties"]
    group = chosen.get("groupId") or next(iter(asked.get("groupIds") or ()), "")
    fqdns = names.platform_names(ResourceId(asked["privateLinkServiceId"]), [group]) if group else []
    return {"groupId": group, "requiredMemberName": chosen.get("memberName", group), "fqdns": fqdns}
