"""Writes to one side: decides on connections, and writes, deletes and starts resources by id.

Resources are written as ARM's JSON through the SDK's operations by id: one way for all types.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, TypeVar

from azure.core.pipeline import PipelineResponse
from azure.core.polling import AsyncLROPoller

from plstui.arm.bodies import VIEWED
from plstui.arm.decision import Decision
from plstui.arm.faults import UnreadableError
from plstui.arm.road import Body, Road, path_of
from plstui.arm.versions import COMPUTE_API, api_version
from plstui.domain.connection import ConnectionStatus, Seen, unheard
from plstui.domain.errors import (
    UNREADABLE,
    AnswerLostError,
    AzureError,
    NotFoundError,
    PlstuiError,
    Retrying,
    ThrottledError,
)
from plstui.domain.ids import ResourceId
from plstui.domain.readback import Patience

PATIENCE = 1800.0
"""Seconds until a write counts as lost: a machine takes a minute or two, a group with machines up to fifteen."""

Result = TypeVar("Result")


class Writer:
    """Writes to one subscription; implements the engine's `CloudWriter`.

    Every method raises `PlstuiError` and nothing else, `AnswerLostError` where a resource may have been written all the
    same.
    """

    def __init__(self, road: Road, decisions: Patience | None = None, *, patience: float = PATIENCE) -> None:
        self._road = road
        self._decisions = decisions or Patience()
        self._patience = patience

    async def get_ready(self) -> None:
        """Make what writes, which the first write would wait for."""
        await self._road.clients()

    async def prepare(
        self,
        connection_id: ResourceId,
        wanted: ConnectionStatus | None,
        description: str,
        *,
        expected: ConnectionStatus,
        seen: Seen = unheard,
        retrying: Retrying | None = None,
    ) -> Decision:
        """A decision that is ready to be sent: the connection has been read anew and is as `expected`.

        `wanted` is the status to set with the description, None to remove the connection; `seen` hears of each look at
        it. Raises `PlstuiError`, and of these `RefusedError` when the connection is no longer as expected.
        """
        patience = self._decisions
        if wanted is not None:
            # Before the look: what comes between that and the decision is overwritten, and making them takes a second.
            await self.get_ready()
        decision = Decision(self._road, connection_id, wanted, description, expected, patience, seen, retrying)
        await decision.look()
        return decision

    async def put(self, resource_id: ResourceId, body: Body, *, etag: str | None = None) -> Body:
        """Create or change a resource and wait until Azure is done; what it then is.

        `etag` is what it must still have, and empty when it must not be there yet; None for whatever is there.
        """
        condition = {} if etag is None else {"If-Match": etag} if etag else {"If-None-Match": "*"}
        async with self._written():
            clients = await self._road.clients()
            poller = await clients.resources.resources.begin_create_or_update_by_id(
                resource_id.text.lstrip("/"),
                _without_view(resource_id, body),
                api_version=api_version(resource_id.type),
                headers=condition,
                cls=_raw,
            )
            result: Any = await self._over(poller)
            if not isinstance(result, dict):
                raise UnreadableError("it is no resource")
        return result

    async def delete(self, resource_id: ResourceId) -> None:
        """Delete a resource and wait until Azure is done; one that is not there is no error."""
        try:
            async with self._written():
                clients = await self._road.clients()
                poller = await clients.resources.resources.begin_delete_by_id(
                    resource_id.text.lstrip("/"), api_version=api_version(resource_id.type)
                )
                await self._over(poller)
        except NotFoundError as error:
            if not error.is_absence:
                raise

    async def discard(self, resource_id: ResourceId) -> None:
        """Have a resource deleted and do not wait for it: Azure has taken note."""
        try:
            await self._road.send("DELETE", path_of(resource_id), resource_id.type)
        except AzureError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    async def start(self, machine_id: ResourceId) -> None:
        """Start a machine and wait until it runs."""
        async with self._written():
            clients = await self._road.clients()
            poller = await clients.compute.virtual_machines.begin_start(
                machine_id.resource_group, machine_id.name, api_version=COMPUTE_API
            )
            await self._over(poller)

    async def run_command(self, machine_id: ResourceId, script: str, *, windows: bool = False) -> str:
        """What a script prints, run by a machine's agent: as root by a shell, or as the system by PowerShell.

        Of more than 4,096 bytes the end.

        Azure takes half a minute even for the shortest one, and refuses a second one in the same machine meanwhile.
        """
        async with self._written():
            clients = await self._road.clients()
            poller = await clients.compute.virtual_machines.begin_run_command(
                machine_id.resource_group,
                machine_id.name,
                {"commandId": "RunPowerShellScript" if windows else "RunShellScript", "script": [script]},
                api_version=COMPUTE_API,
            )
            told = (await self._over(poller)).value or ()
            if windows:
                # Each stream has a text of its own there.
                return "".join(status.message or "" for status in told if "/StdOut/" in (status.code or ""))
            return _printed("".join(status.message or "" for status in told))

    @asynccontextmanager
    async def _written(self) -> AsyncIterator[None]:
        """What goes for every write: errors in our words, a limit for waiting, and what says nothing is no answer."""
        try:
            async with asyncio.timeout(self._patience), self._road.translated():
                yield
        except TimeoutError:
            raise AzureError(
                f"Azure has not finished within {self._patience:.0f} s.",
                code="OperationTimeout",
                hint="It may still do so.",
            ) from None
        except AzureError as error:
            if error.code == UNREADABLE:
                raise AnswerLostError(error.message, hint=error.hint) from error
            raise

    async def _over(self, poller: AsyncLROPoller[Result]) -> Result:
        """What a write came to that Azure has taken. That Azure cannot be asked then says nothing of the write.

        Raises `AnswerLostError` for that, so that nobody takes it for a refusal and tries again without a look.
        """
        try:
            async with self._road.translated():
                return await poller.result()
        except PlstuiError as error:
            if _tells_of_the_write(error):
                raise
            raise AnswerLostError(error.message, hint=error.hint) from error


def _tells_of_the_write(error: PlstuiError) -> bool:
    """Whether an error while waiting is Azure's word on the write itself, and not only on the asking."""
    if not isinstance(error, AzureError) or isinstance(error, ThrottledError):
        return False  # Nobody is signed in any more, say.
    # Our own codes stand where Azure's words are missing: something on the way has answered.
    ours = error.code == UNREADABLE or error.code.startswith("Http")
    return error.status < HTTPStatus.INTERNAL_SERVER_ERROR and not ours


def _without_view(resource_id: ResourceId, body: Body) -> Body:
    """A body without what is only shown with it: the view, and extensions, which are resources of their own."""
    if not any(map(resource_id.is_type, VIEWED)):
        return body
    properties = {name: value for name, value in body.get("properties", {}).items() if name != "instanceView"}
    return {name: value for name, value in body.items() if name != "resources"} | {"properties": properties}


def _printed(message: str) -> str:
    """What came on standard output, from the one text in which the agent hands over both streams."""
    _, _, printed = message.partition("[stdout]\n")
    return printed.rpartition("\n[stderr]")[0]


def _raw(response: PipelineResponse[Any, Any], _: object, __: object) -> Any:
    """What was answered, as it came: the SDK's generic model keeps half of it."""
    return response.http_response.json()
