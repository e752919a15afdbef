"""What bodies of Microsoft.Network have in common: states, sub-resources, and what of them a write can change."""

from __future__ import annotations

from typing import Any

from plstui.domain.ids import ResourceId
from plstui.sandbox.providers.network import derived, links
from plstui.sandbox.providers.network.links import parts
from plstui.sandbox.store import Body

SUCCEEDED, UPDATING, DELETING, FAILED = "Succeeded", "Updating", "Deleting", "Failed"

STEADY = frozenset(
    f"microsoft.network/{kind}".lower()
    for kind in (
        "privateLinkServices/ipConfigurations",
        "privateEndpoints/privateLinkServiceConnections",
        "privateEndpoints/manualPrivateLinkServiceConnections",
        "privateEndpoints/ipConfigurations",
        "privateEndpoints/privateDnsZoneGroups",
        "privateEndpoints/privateDnsZoneGroups/privateDnsZoneConfigs",
        "privateLinkServices/privateEndpointConnections",
        "virtualNetworks/virtualNetworkPeerings",
        "virtualNetworks/subnets/delegations",
    )
)
"""Nested types that stay Succeeded while what they are in is Updating."""


def with_child(parent: Body, collection: str, child: Body) -> Body:
    """A copy of the parent with a child put in, in the place of the one with its name."""
    after = links.fork(parent)
    children: list[Body] = after["properties"].setdefault(collection, [])
    for at, present in enumerate(children):
        if present["name"].lower() == child["name"].lower():
            children[at] = child
            return after
    children.append(child)
    return after


def without_child(parent: Body, collection: str, name: str) -> Body:
    """A copy of the parent without a child."""
    after = links.fork(parent)
    children = after["properties"].get(collection) or []
    after["properties"][collection] = [child for child in children if child["name"].lower() != name.lower()]
    return after


def resource_body(resource_id: ResourceId, resource_type: str, location: str, properties: Body, **more: Any) -> Body:
    """A top-level resource; what else its type shows beside `properties` comes as `more`."""
    return {
        "name": resource_id.name,
        "id": resource_id.text,
        "etag": "",
        "type": resource_type,
        "location": location,
        "properties": {"provisioningState": SUCCEEDED, **properties},
        **more,
    }


def child_body(parent_id: ResourceId, resource_type: str, name: str, properties: Body) -> Body:
    """A sub-resource in ARM's order; `resource_type` is the full type."""
    return {
        "name": name,
        "id": parent_id.child(resource_type.rpartition("/")[2], name).text,
        "etag": "",
        "properties": {"provisioningState": SUCCEEDED, **properties},
        "type": resource_type,
    }


def settle_states(body: Body, state: str) -> None:
    """Show the state of a write in a resource and in what is nested in it."""
    for part in parts(body):
        if part is body or part["type"].lower() not in STEADY:
            set_state(part, state)


def set_state(part: Body, state: str) -> None:
    """Show a state in one part; the services that a subnet lets in have no type, and its state."""
    part["properties"]["provisioningState"] = state
    for service in part["properties"].get("serviceEndpoints", ()):
        service["provisioningState"] = state


def essence_of(body: Body) -> Body:
    """What a write can change: without etags, states and mirrors."""
    essence = links.fork(body)
    for part in parts(essence):
        part.pop("etag", None)
        part["properties"].pop("provisioningState", None)
        for service in part["properties"].get("serviceEndpoints", ()):
            service.pop("provisioningState", None)
        for name in links.back_references(part["type"]):
            part["properties"].pop(name, None)
        derived.strip(part)
    return essence
