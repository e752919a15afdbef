"""The two ends of a private link, kept in step: the connection on the service and the one in the endpoint.

A change of state shows on both sides at once and gives both a new etag. Nothing here copies deeply: a service may have
a thousand connections.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container

from plstui.domain.ids import ResourceId
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.network.bodies import SUCCEEDED, child_body
from plstui.sandbox.providers.network.links import fork, new_etag, stamp
from plstui.sandbox.providers.privatelink import zonerecords
from plstui.sandbox.providers.privatelink.lookup import (
    AUTOMATIC,
    CONNECTION,
    DISCONNECTED,
    MANUAL,
    connection_name,
    connections_of,
    find_connection,
    find_service,
    requests_of,
    state,
)
from plstui.sandbox.providers.privatelink.names import dns_configs
from plstui.sandbox.store import Body, Store

_FIRST_LINK, _LINKS = 0x1F000000, 0x01000000
"""Where link identifiers begin, and how many there are: recorded ones have nine digits and begin with 52 or 53."""


def with_connections(service: Json, connections: list[Body]) -> Body:
    """A copy of a service with these connections, everything under one new etag."""
    etag = new_etag()
    properties = {
        **service["properties"],
        "ipConfigurations": [{**item, "etag": etag} for item in service["properties"]["ipConfigurations"]],
        "privateEndpointConnections": [{**item, "etag": etag} for item in connections],
    }
    return {**service, "etag": etag, "properties": properties}


def with_state(connection: Json, shown: Body, provisioning: str = SUCCEEDED) -> Body:
    """A copy of a connection, of either end, in another state."""
    properties = {**connection["properties"], "provisioningState": provisioning}
    return {**connection, "properties": {**properties, "privateLinkServiceConnectionState": shown}}


def replaced(service: Json, connection: Body) -> list[Body]:
    """A service's connections with one of them replaced by one of its name."""
    return [connection if c["name"] == connection["name"] else c for c in connections_of(service)]


def attach(store: Store, service_id: str, endpoint: Json, shown: Body) -> None:
    """Give a service the connection with an endpoint."""
    service = store.get(service_id)
    if service is None:
        return
    links = {c["properties"]["linkIdentifier"] for c in connections_of(service)}
    connection = connection_body(ResourceId(service["id"]), endpoint, shown, new_link(links))
    store.put(with_connections(service, [*connections_of(service), connection]))


def connection_body(service_id: ResourceId, endpoint: Json, shown: Json, link: str) -> Body:
    """The connection of a service with an endpoint."""
    properties = {
        "privateEndpoint": {"id": endpoint["id"]},
        "privateLinkServiceConnectionState": shown,
        "linkIdentifier": link,
        "privateEndpointLocation": endpoint["location"],
    }
    return child_body(service_id, CONNECTION, connection_name(endpoint), properties)


def new_link(present: Container[str], below: Callable[[int], int] = secrets.randbelow) -> str:
    """A link identifier that is not among those that are present; `below` draws a number."""
    while (link := str(_FIRST_LINK + below(_LINKS))) in present:
        pass
    return link


def detach(store: Store, endpoint: Json) -> None:
    """Take the connection with an endpoint, which is gone, from its service."""
    name = connection_name(endpoint)
    for request in requests_of(endpoint["properties"]):
        service = find_service(store, request["properties"]["privateLinkServiceId"])
        if service is not None and find_connection(service, name):
            store.put(with_connections(service, _without(service, name)))


def show(store: Store, service: Json, connection: Json, shown: Body) -> None:
    """Let both ends show a new state."""
    store.put(with_connections(service, replaced(service, with_state(connection, shown))))
    _tell_endpoint(store, service, connection, shown)


def disconnect(store: Store, service: Json, connection: Json) -> None:
    """Remove a connection from its service: the endpoint stays, and is good for nothing but to be deleted."""
    store.put(with_connections(service, _without(service, connection["name"])))
    _tell_endpoint(store, service, connection, state(DISCONNECTED, "Connection removed by the service's owner"))


def _without(service: Json, name: str) -> list[Body]:
    return [c for c in connections_of(service) if c["name"].lower() != name.lower()]


def _tell_endpoint(store: Store, service: Json, connection: Json, shown: Body) -> None:
    endpoint = store.get(connection["properties"]["privateEndpoint"]["id"])
    if endpoint is None or connection_name(endpoint).lower() != connection["name"].lower():
        return
    names = (service["id"].lower(), service["properties"]["alias"].lower())
    properties = dict(endpoint["properties"])
    for kind in (AUTOMATIC, MANUAL):
        properties[kind] = [
            with_state(item, shown) if item["properties"]["privateLinkServiceId"].lower() in names else item
            for item in properties[kind]
        ]
    properties["customDnsConfigs"] = dns_configs(store, properties)
    after = fork({**endpoint, "properties": properties})
    stamp(after, new_etag())
    zonerecords.refresh(store, after)
    store.put(after)
