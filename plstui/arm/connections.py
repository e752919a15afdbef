"""One private-endpoint connection on the wire, as reader and writer both need it."""

from __future__ import annotations

from plstui.arm import mapping
from plstui.arm.road import Body, Road, path_of
from plstui.domain.connection import CONNECTION_TYPE, Connection
from plstui.domain.errors import UNREADABLE, AzureError, NotFoundError, Retrying
from plstui.domain.ids import ResourceId
from plstui.domain.patience import Throttle, persist


def address(connection_id: ResourceId) -> tuple[str, str, str]:
    """Group, service and name, as the SDK wants a connection named. Raises `NotFoundError` for another type's id."""
    service = connection_id.parent
    if service is None or not connection_id.is_type(CONNECTION_TYPE):
        raise NotFoundError(f"{connection_id} is not the id of a connection to a private link service.")
    return connection_id.resource_group, service.name, connection_id.name


async def get(road: Road, connection_id: ResourceId) -> tuple[Body, Connection]:
    """A connection as ARM answers it, and as we see it. Raises `PlstuiError`."""
    address(connection_id)
    body = await road.get(path_of(connection_id), CONNECTION_TYPE)
    connection = mapping.connection(body)
    if connection is None:
        raise AzureError("Azure's answer names no connection.", code=UNREADABLE)
    return body, connection


async def get_patiently(
    road: Road, connection_id: ResourceId, throttle: Throttle, retrying: Retrying | None = None
) -> tuple[Body, Connection]:
    """The same, again after as long as Azure asks to wait. Raises `PlstuiError`."""
    return await persist(lambda _: get(road, connection_id), throttle, retrying=retrying)
