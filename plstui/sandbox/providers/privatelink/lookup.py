"""What belongs together across the two ends of a private link, and the words that both use."""

from __future__ import annotations

from plstui.domain.ids import ResourceId
from plstui.sandbox.ports import Json
from plstui.sandbox.store import Body, Store

SERVICE = "Microsoft.Network/privateLinkServices"
CONNECTION = f"{SERVICE}/privateEndpointConnections"
ENDPOINT = "Microsoft.Network/privateEndpoints"
ZONE_GROUP = f"{ENDPOINT}/privateDnsZoneGroups"

AUTOMATIC, MANUAL = "privateLinkServiceConnections", "manualPrivateLinkServiceConnections"
"""The two properties of an endpoint that hold its connection: asked for with a right on the service, and without."""

APPROVED, PENDING, REJECTED, DISCONNECTED = "Approved", "Pending", "Rejected", "Disconnected"

ALIAS_END = ".azure.privatelinkservice"


def state(status: str, description: str, actions_required: str = "None") -> Body:
    """The state of a connection, as both ends show it."""
    return {"status": status, "description": description, "actionsRequired": actions_required}


def is_alias(target: str) -> bool:
    """Whether a target is named by a service's alias and not by an id."""
    return target.lower().endswith(ALIAS_END) and not target.startswith("/")


def find_service(store: Store, target: str) -> Body | None:
    """A private link service by id or alias, in any case."""
    if is_alias(target):
        services = store.of_type(SERVICE)
        return next((s for s in services if s["properties"]["alias"].lower() == target.lower()), None)
    found = store.get(target)
    return dict(found) if found and ResourceId(found["id"]).is_type(SERVICE) else None


def connection_name(endpoint: Json) -> str:
    """What a service calls its connection with an endpoint: each side can tell the other's by it."""
    return f"{endpoint['name']}.{endpoint['properties']['resourceGuid']}"


def connections_of(service: Json) -> list[Body]:
    """A service's connections."""
    found: list[Body] = service["properties"]["privateEndpointConnections"]
    return found


def find_connection(service: Json, name: str) -> Body | None:
    """A service's connection by name, in any case."""
    return next((c for c in connections_of(service) if c["name"].lower() == name.lower()), None)


def requests_of(properties: Json) -> list[Body]:
    """The connections that an endpoint with these properties asks for, of both kinds."""
    return [*properties[AUTOMATIC], *properties[MANUAL]]
