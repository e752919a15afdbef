"""Thousands of private endpoints at once, for a world that holds them: one PUT after the other would take minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.network import addresses, links
from plstui.sandbox.providers.network.bodies import resource_body
from plstui.sandbox.providers.privatelink import interfaces, pairing, targets
from plstui.sandbox.providers.privatelink.endpointbodies import endpoint_properties, interface_body, request_body
from plstui.sandbox.providers.privatelink.lookup import DISCONNECTED, ENDPOINT, MANUAL, connections_of
from plstui.sandbox.store import Body


@dataclass(frozen=True, slots=True)
class Wish:
    """An endpoint that is to be there, and how its manual request to a service has ended."""

    id: ResourceId
    location: str
    subnet_id: str
    service_id: str
    target: str
    """What the request names: the service's id or its alias."""
    name: str
    """What the endpoint calls its connection."""
    message: str
    shown: Json
    """The connection's state at the endpoint."""


def connect(azure: Azure, wishes: Sequence[Wish], below: Callable[[int], int]) -> None:
    """Create endpoints with their interfaces, and the connections of their services.

    Both ends are as a PUT of each endpoint and a decision about it would leave them. Nothing is checked, and the
    services have no names of their own (`fqdns`) that would have to appear. `below` draws the link identifiers.
    """
    free: dict[str, Iterator[addresses.Address]] = {}
    connections: dict[str, dict[str, Body]] = {}
    bodies: list[Body] = []
    for wish in wishes:
        if wish.subnet_id not in free:
            subnet = _stored(azure, wish.subnet_id)
            free[wish.subnet_id] = addresses.free(subnet, addresses.taken(azure.store, subnet))
        endpoint = _endpoint(azure, wish)
        address = {f"privateEndpointIpConfig.{azure.new_guid()}": str(next(free[wish.subnet_id]))}
        bodies += (endpoint, interface_body(azure, endpoint, address, None))
        if wish.shown["status"] != DISCONNECTED:
            asked = endpoint["properties"][MANUAL][0]["properties"]
            present = connections.setdefault(wish.service_id, {})
            link = pairing.new_link(present, below)
            present[link] = pairing.connection_body(
                ResourceId(wish.service_id), endpoint, targets.at_service(asked), link
            )
    links.add(azure.store, bodies)
    for service_id, new in connections.items():
        service = _stored(azure, service_id)
        azure.store.put(pairing.with_connections(service, [*connections_of(service), *new.values()]))


def _stored(azure: Azure, resource_id: str) -> Body:
    found = azure.store.get(resource_id)
    assert found is not None, f"{resource_id} is to be there before endpoints are"
    return dict(found)


def _endpoint(azure: Azure, wish: Wish) -> Body:
    request = request_body(wish.id, MANUAL, wish.name, wish.target, wish.shown, message=wish.message)
    nic_id = interfaces.interface_id(wish.id, f"{wish.id.name}.nic.{azure.new_guid()}")
    built = endpoint_properties(MANUAL, request, wish.subnet_id, nic_id.text)
    return resource_body(wish.id, ENDPOINT, wish.location, {"resourceGuid": azure.new_guid(), **built})
