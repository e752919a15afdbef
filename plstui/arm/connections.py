"""One private-endpoint connection on the wire, as reader and writer both need it."""

from __future__ import annotations

from azure.mgmt.network.models import PrivateEndpointConnection

from plstui.arm import mapping
from plstui.arm.clients import NETWORK_API, Clients
from plstui.domain.connection import CONNECTION_TYPE, Connection
from plstui.domain.errors import AzureError, NotFoundError
from plstui.domain.ids import ResourceId


def address(connection_id: ResourceId) -> tuple[str, str, str]:
    """Group, service and name, as the SDK wants a connection named. Raises `NotFoundError` for another type's id."""
    service = connection_id.parent
    if service is None or not connection_id.is_type(CONNECTION_TYPE):
        raise NotFoundError(f"{connection_id} is not the id of a connection to a private link service.")
    return connection_id.resource_group, service.name, connection_id.name


async def get(clients: Clients, connection_id: ResourceId) -> PrivateEndpointConnection:
    """A connection as ARM answers it; what the SDK does not know of it is kept. Raises what the SDK raises."""
    services = clients.network.private_link_services
    return await services.get_private_endpoint_connection(*address(connection_id), api_version=NETWORK_API)


def read(model: PrivateEndpointConnection) -> Connection:
    """The connection that an answer describes. Raises `AzureError` when it describes none."""
    connection = mapping.connection(model)
    if connection is None:
        raise AzureError("Azure's answer names no connection.", code="UnreadableAnswer")
    return connection
