"""From a private endpoint to the service behind it."""

from __future__ import annotations

from dataclasses import dataclass

from plstui.domain.ids import ResourceId
from plstui.sandbox.fabric.topology import properties, reference, references
from plstui.sandbox.ports import Json, ResourceView

SERVICE = "Microsoft.Network/privateLinkServices"


@dataclass(frozen=True, slots=True)
class Link:
    """An approved way from an endpoint to a service. Ids are in lower case."""

    link_identifier: int
    frontend_id: str | None
    destination_address: str | None
    """Instead of a frontend, for a service that forwards to an address."""
    network_id: str
    """The service's virtual network."""
    proxy_protocol: bool
    nic_ids: tuple[str, ...]
    """The interfaces with the service's NAT addresses."""


def approved_link(view: ResourceView, endpoint_id: str) -> Link | str:
    """The link behind an endpoint, or a sentence that says why there is none."""
    endpoint = view.get(endpoint_id)
    if endpoint is None:
        return "the private endpoint is gone"
    values = properties(endpoint)
    connections = [
        *(values.get("privateLinkServiceConnections") or []),
        *(values.get("manualPrivateLinkServiceConnections") or []),
    ]
    if not connections:
        return "the private endpoint has no connection"
    connection = properties(connections[0])
    if not _approved(connection):
        return "the endpoint's connection is not approved"
    service = _service(view, str(connection.get("privateLinkServiceId", "")))
    if service is None:
        return "the private link service is gone"
    theirs = _service_side(service, endpoint)
    if theirs is None or not _approved(properties(theirs)):
        return "the service has not approved the connection"
    return _link(service, theirs)


def _approved(values: Json) -> bool:
    state = values.get("privateLinkServiceConnectionState") or {}
    return str(state.get("status", "")).lower() == "approved"


def _service(view: ResourceView, target: str) -> Json | None:
    """The service by id or by alias."""
    if target.startswith("/"):
        return view.get(target)
    wanted = target.lower()
    services = view.of_type(SERVICE)
    return next((body for body in services if str(properties(body).get("alias", "")).lower() == wanted), None)


def _service_side(service: Json, endpoint: Json) -> Json | None:
    """The service's connection for an endpoint: by the endpoint's id, or by its name and resource guid."""
    endpoint_id = str(endpoint["id"]).lower()
    guid = properties(endpoint).get("resourceGuid")
    name = f"{endpoint.get('name') or ResourceId(endpoint_id).name}.{guid}".lower()
    for connection in properties(service).get("privateEndpointConnections") or []:
        if reference(properties(connection).get("privateEndpoint")) == endpoint_id:
            return dict(connection)
        if str(connection.get("name", "")).lower() == name:
            return dict(connection)
    return None


def _link(service: Json, connection: Json) -> Link:
    values = properties(service)
    frontends = references(values.get("loadBalancerFrontendIpConfigurations"))
    subnets = [reference(properties(item).get("subnet")) for item in values.get("ipConfigurations") or []]
    return Link(
        link_identifier=int(properties(connection).get("linkIdentifier") or 0),
        frontend_id=frontends[0] if frontends else None,
        destination_address=values.get("destinationIPAddress"),
        network_id=next((subnet.rpartition("/subnets/")[0] for subnet in subnets if subnet), ""),
        proxy_protocol=bool(values.get("enableProxyProtocol")),
        nic_ids=tuple(references(values.get("networkInterfaces"))),
    )
