"""One private-endpoint connection on the wire, as reader and writer both need it."""

from __future__ import annotations

import asyncio

from azure.mgmt.network.models import PrivateEndpointConnection

from plstui.arm import mapping
from plstui.arm.clients import NETWORK_API, RETRY_PAUSE, Clients
from plstui.domain.connection import CONNECTION_TYPE, Connection
from plstui.domain.errors import AzureError, NotFoundError, ThrottledError
from plstui.domain.ids import ResourceId

THROTTLED_TRIES = 3
"""How often a connection is asked for before a decision, while Azure asks for fewer requests."""

LONGEST_WAIT = 30.0
"""Seconds that such a wait may take: somebody has pressed a key."""


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


async def get_patiently(clients: Clients, connection_id: ResourceId) -> PrivateEndpointConnection:
    """The same, again after as long as Azure asks to wait. Raises `PlstuiError`."""
    for tries_left in reversed(range(THROTTLED_TRIES)):
        try:
            async with clients.translated():
                return await get(clients, connection_id)
        except ThrottledError as error:
            if not tries_left or error.retry_after > LONGEST_WAIT:
                raise
            await asyncio.sleep(max(error.retry_after, RETRY_PAUSE))
    raise AssertionError("the last try returns or raises")


def read(model: PrivateEndpointConnection) -> Connection:
    """The connection that an answer describes. Raises `AzureError` when it describes none."""
    connection = mapping.connection(model)
    if connection is None:
        raise AzureError("Azure's answer names no connection.", code="UnreadableAnswer")
    return connection
