"""Writes to one side: decides on connections and removes them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from azure.core.pipeline import PipelineResponse
from azure.core.rest import HttpRequest
from azure.mgmt.network.models import PrivateEndpointConnection

from plstui.arm import connections
from plstui.arm.clients import NETWORK_API, POLL_SECONDS, RETRY_PAUSE, Clients
from plstui.arm.faults import RETRYABLE, operation_failed, retry_after
from plstui.domain.connection import Connection, ConnectionStatus
from plstui.domain.errors import (
    AzureError,
    NotReadBackError,
    PlstuiError,
    RefusedError,
    Retrying,
    ThrottledError,
    UnreachableError,
)
from plstui.domain.ids import ResourceId

BUSY_PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try of a write that Azure is not ready for: most updates in a network take four seconds,
that of a private link service eleven."""

WRITE_PATIENCE = 300.0
"""Seconds until a write counts as lost. Removing a connection takes eleven as recorded, and Azure has its bad days."""

_BUSY = frozenset({RETRYABLE.lower(), "anotheroperationinprogress"})
_OVER_WELL = "succeeded"
_OVER_BADLY = frozenset({"failed", "canceled"})

Result = TypeVar("Result")


class Writer:
    """Writes to one subscription; implements the engine's `CloudWriter`."""

    def __init__(
        self, clients: Clients, *, pauses: Sequence[float] = BUSY_PAUSES, patience: float = WRITE_PATIENCE
    ) -> None:
        self._clients = clients
        self._pauses = tuple(pauses)
        self._patience = patience

    async def decide(
        self,
        connection_id: ResourceId,
        status: ConnectionStatus,
        description: str,
        *,
        expected: ConnectionStatus,
        retrying: Retrying | None = None,
    ) -> Connection:
        """Set status and description; all else stays as Azure has it. Returns what Azure says once it is done.

        Raises `NotReadBackError` when Azure has taken it and then cannot be asked what came of it.
        """
        return await self._persist(lambda: self._decide(connection_id, status, description, expected), retrying)

    async def _decide(
        self, connection_id: ResourceId, status: ConnectionStatus, description: str, expected: ConnectionStatus
    ) -> Connection:
        model = await connections.get_patiently(self._clients, connection_id)
        before = connections.read(model)
        if before.status != expected:
            raise RefusedError(
                f"{before.name} is {before.status} by now, and was {expected} when you decided.",
                hint="Look at it again and decide anew.",
            )
        # Azure replaces the state whole: what is left out becomes empty.
        state = {"status": status.word, "description": description, "actionsRequired": "None"}
        model["properties"]["privateLinkServiceConnectionState"] = state
        headers: dict[str, str] = {}

        def keep_headers(
            response: PipelineResponse[Any, Any], answer: PrivateEndpointConnection, _: object
        ) -> PrivateEndpointConnection:
            headers.update({name.lower(): value for name, value in response.http_response.headers.items()})
            return answer

        answer = await self._clients.network.private_link_services.update_private_endpoint_connection(
            *connections.address(connection_id), model, api_version=NETWORK_API, cls=keep_headers
        )
        return await self._settled(connection_id, connections.read(answer), headers.get("azure-asyncoperation"))

    async def _settled(self, connection_id: ResourceId, after: Connection, operation: str | None) -> Connection:
        """The connection once Azure has done what it accepted.

        The SDK does not know this call as a long-running one, as the service's own definition does not, yet the answer
        carries the address of an operation. That is where a failure would be told; without it the connection is asked.
        """
        if after.provisioning_state.lower() == _OVER_WELL:
            return after
        readback = _Readback(self._clients, after, self._pauses, self._patience)
        if operation:
            await self._wait_for(operation, readback)
        while True:
            after = connections.read(await readback.ask(lambda: connections.get(self._clients, connection_id)))
            state = after.provisioning_state.lower()
            if state in _OVER_BADLY:
                raise AzureError(
                    f"Azure could not change {after.name}: it says {after.provisioning_state}.", code="Failed"
                )
            if state != "updating":
                return after
            await asyncio.sleep(POLL_SECONDS)

    async def _wait_for(self, operation: str, readback: _Readback) -> None:
        """Ask an operation's address, as Azure gave it and never rebuilt, until it is over. The first time at once:
        an approval is done within the second."""

        async def ask() -> tuple[Any, float | None]:
            response = await self._clients.network.send_request(HttpRequest("GET", operation))
            response.raise_for_status()
            return response.json(), retry_after(response.headers)

        while True:
            body, pause = await readback.ask(ask)
            word = str(body.get("status", "")).lower()
            if word == _OVER_WELL:
                return
            if word in _OVER_BADLY:
                raise operation_failed(body)
            await asyncio.sleep(POLL_SECONDS if pause is None else pause)

    async def remove(self, connection_id: ResourceId, *, retrying: Retrying | None = None) -> None:
        """Delete a connection and wait until Azure is done."""
        await self._persist(lambda: self._remove(connection_id), retrying)

    async def _remove(self, connection_id: ResourceId) -> None:
        services = self._clients.network.private_link_services
        poller = await services.begin_delete_private_endpoint_connection(
            *connections.address(connection_id), api_version=NETWORK_API
        )
        await poller.result()

    async def _persist(self, write: Callable[[], Awaitable[Result]], retrying: Retrying | None) -> Result:
        """Write, and again after a pause while something that the write depends on is still being changed."""
        pauses = iter(self._pauses)
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    try:
                        async with self._clients.translated():
                            return await write()
                    except AzureError as error:
                        pause = next(pauses, None) if error.code.lower() in _BUSY else None
                        if pause is None:
                            raise
                        if retrying:
                            retrying(error, pause)
                        await asyncio.sleep(pause)
        except TimeoutError:
            raise AzureError(
                f"Azure has not finished within {self._patience:.0f} s.",
                code="OperationTimeout",
                hint="It may still do so: look at the connection again before you try once more.",
            ) from None


class _Readback:
    """Asks what came of a decision that Azure has taken. That the asking fails makes the decision no failure."""

    def __init__(self, clients: Clients, taken: Connection, pauses: Sequence[float], patience: float) -> None:
        self._clients = clients
        self._taken = taken
        self._pauses = iter(pauses)
        self._until = asyncio.get_running_loop().time() + patience

    async def ask(self, question: Callable[[], Awaitable[Result]]) -> Result:
        """An answer, asked for again as long as there is hope and time. Raises `NotReadBackError`."""
        while True:
            try:
                async with self._clients.translated():
                    return await question()
            except PlstuiError as error:
                pause = self._pause(error)
                if pause is None or asyncio.get_running_loop().time() + pause >= self._until:
                    raise NotReadBackError(self._taken, error) from error
                await asyncio.sleep(pause)

    def _pause(self, error: PlstuiError) -> float | None:
        """Seconds to wait before asking again; None when that would not help."""
        match error:
            case ThrottledError():
                return max(error.retry_after, RETRY_PAUSE)
            case UnreachableError():
                return next(self._pauses, None)
            case AzureError() if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                return next(self._pauses, None)
        return None
