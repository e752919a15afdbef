"""One private-endpoint connection on the wire, as reader and writer both need it."""

from __future__ import annotations

import asyncio

from azure.mgmt.network.models import PrivateEndpointConnection

from plstui.arm import mapping
from plstui.arm.clients import RETRY_PAUSE, Clients
from plstui.arm.faults import UNREADABLE
from plstui.arm.versions import NETWORK_API
from plstui.domain.connection import CONNECTION_TYPE, Connection
from plstui.domain.errors import AzureError, NotFoundError, Retrying, ThrottledError
from plstui.domain.ids import ResourceId
from plstui.domain.patience import THROTTLED_PATIENCE


def address(connection_id: ResourceId) -> tuple[str, str, str]:
    """Group, service and name, as the SDK wants a connection named. Raises `NotFoundError` for another type's id."""
    service = connection_id.parent
    if service is None or not connection_id.is_type(CONNECTION_TYPE):
        raise NotFoundError(f"{connection_id} is not the id of a connection to a private link service.")
    return connection_id.resource_group, service.name, connection_id.name


async def get(clients: Clients, connection_id: ResourceId) -> tuple[PrivateEndpointConnection, Connection]:
    """A connection as ARM answers it, with what the SDK does not know of it, and as we see it. Raises `PlstuiError`."""
    services = clients.network.private_link_services
    async with clients.translated():
        model = await services.get_private_endpoint_connection(*address(connection_id), api_version=NETWORK_API)
        connection = mapping.connection(model)
    if connection is None:
        raise AzureError("Azure's answer names no connection.", code=UNREADABLE)
    return model, connection


async def get_patiently(
    clients: Clients, connection_id: ResourceId, throttle: Throttle
) -> tuple[PrivateEndpointConnection, Connection]:
    """The same, again after as long as Azure asks to wait. Raises `PlstuiError`."""
    while True:
        try:
            return await get(clients, connection_id)
        except ThrottledError as error:
            await throttle.wait(error)


class Throttle:
    """Waits as long as Azure asks for fewer requests, in all so long as one decision may wait for that."""

    def __init__(self, retrying: Retrying | None = None, seconds: float = THROTTLED_PATIENCE) -> None:
        self._retrying = retrying
        self._until = asyncio.get_running_loop().time() + seconds
        self._waits = 0

    async def wait(self, error: ThrottledError) -> None:
        """Wait as `error` asks, and tell of it; raises `error` when that would take too long."""
        self._waits += 1
        # A server that asks for no wait at all gets longer ones from us.
        pause = max(error.retry_after, RETRY_PAUSE * self._waits)
        if asyncio.get_running_loop().time() + pause >= self._until:
            raise error
        if self._retrying:
            self._retrying(error, pause)
        await asyncio.sleep(pause)
