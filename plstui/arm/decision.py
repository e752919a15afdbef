"""One decision on a connection: sent once, and what came of it read back.

    taken                      → the operation, then the connection, until it shows what was asked for
    answer lost (or a 5xx)     → the connection, a few times; it is never sent again
    busy, or fewer requests    → a pause, the connection as before the first try, and then once more
    refused                    → Azure's error

A write whose answer is lost may have been taken, and one that stalls on the way may land later. So what still shows the
old state is not called undone: nobody knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from azure.core.pipeline import PipelineResponse

from plstui.arm import connections, mapping
from plstui.arm.faults import operation_failed, retry_after
from plstui.arm.road import Body, Road, path_of
from plstui.arm.versions import NETWORK_API
from plstui.domain.change import Shown
from plstui.domain.connection import CONNECTION_TYPE, PENDING, Connection, ConnectionStatus, Seen
from plstui.domain.errors import (
    UNREADABLE,
    AnswerLostError,
    AzureError,
    NotFoundError,
    NotReadBackError,
    PlstuiError,
    RefusedError,
    Retrying,
)
from plstui.domain.ids import ResourceId
from plstui.domain.patience import POLL_SECONDS, Throttle, Waits, is_busy, persist
from plstui.domain.readback import Patience, Readback

HOW_TO_LOOK = "Look with plstui connections list before you decide again: it may still be done a while later."

_OVER_WELL = "succeeded"
_OVER_BADLY = frozenset({"failed", "canceled"})


class Decision:
    """A decision that has been looked at and not been sent: to set a status, or to remove the connection."""

    def __init__(
        self,
        road: Road,
        connection_id: ResourceId,
        wanted: ConnectionStatus | None,
        description: str,
        expected: ConnectionStatus,
        patience: Patience,
        seen: Seen,
        retrying: Retrying | None,
    ) -> None:
        """`wanted` is None for a removal; `expected` is the status that the person saw."""
        self._road = road
        self._id = connection_id
        self._wanted = wanted
        self._description = description
        self._expected = expected
        self._patience = patience
        self._seen = seen
        self._retrying = retrying
        self._throttle = Throttle(patience.throttled)
        # That it is sent once more only helps where Azure is not ready for it.
        self._waits = Waits(patience.busy, self._throttle, is_busy)
        self._body: Body | None = None

    async def look(self) -> None:
        """Read the connection as it is now. Raises `RefusedError` when it is not what the person saw."""
        self._body, before = await connections.get_patiently(self._road, self._id, self._throttle, self._retrying)
        self._seen(before)
        if before.status != self._expected:
            raise RefusedError(
                f"{before.name} is {before.status} by now, and was {self._expected} when you decided.",
                hint="Look at it again and decide anew.",
            )

    async def send(self) -> Connection | None:
        """Send it and see what came of it: the connection as it was asked for and read back, None when it is gone.

        Raises `NotReadBackError` when Azure has taken it and it does not show, `DecidedOtherwiseError` when somebody
        else has decided since, `OutcomeUnknownError` when that cannot be told, and otherwise what says that Azure has
        not taken it.
        """
        return await (await persist(self._try, self._waits, retrying=self._retrying))()

    async def _try(self, tries: int) -> Callable[[], Awaitable[Connection | None]]:
        """Send it; what then tells what came of it. Raises what says that Azure has not taken it."""
        if tries > 1:
            await self.look()
        try:
            operation = await (self._remove() if self._wanted is None else self._decide(self._wanted))
        except AnswerLostError as error:
            return partial(self._after_loss, error)
        except AzureError as error:
            if error.status == 0 or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                # A server that broke down on the way, a gateway, or one whose answer says nothing: what has been done
                # they do not tell.
                return partial(self._after_loss, error)
            raise
        return partial(self._after, operation)

    # Sent

    async def _decide(self, wanted: ConnectionStatus) -> str | None:
        """Set the status; the address of Azure's operation, where it gives one."""
        body = self._body
        assert body is not None, "it has been looked at"
        # Azure replaces the state whole: what is left out becomes empty.
        state = {"status": wanted.word, "description": self._description, "actionsRequired": "None"}
        changed = {**body, "properties": {**body["properties"], "privateLinkServiceConnectionState": state}}
        clients = await self._road.clients()
        # Without If-Match. Azure compares etags for balancers, public addresses and route tables, as cloud providers'
        # error reports show; for a service's connections nothing shows it, and their etag is the one that the service
        # shares with all of them, so that every other customer's request would refuse this decision.
        async with self._road.translated():
            response: Any = await clients.network.private_link_services.update_private_endpoint_connection(
                *connections.address(self._id), clients.connection(changed), api_version=NETWORK_API, cls=_response
            )
            if mapping.connection(response.json()) is None:
                raise AzureError("Azure's answer names no connection.", code=UNREADABLE)
        # No definition calls this a long-running operation, yet the answer has the address of one.
        return _operation_of(response)

    async def _remove(self) -> str | None:
        """Have the connection deleted; the address of Azure's operation, where it gives one."""
        return _operation_of((await self._road.send("DELETE", path_of(self._id), CONNECTION_TYPE)).http_response)

    # What came of it

    async def _after(self, operation: str | None) -> Connection | None:
        """What a decision came to that Azure has taken."""
        readback = self._readback()
        done = operation is not None and await self._wait_for(operation, readback)

        def look(now: Connection | None) -> tuple[Shown, str]:
            if now and not done and now.provisioning_state.lower() in _OVER_BADLY:
                raise AzureError(f"Azure could not change {now.name}: it says {now.provisioning_state}.", code="Failed")
            return self._look_at(now, done=done)

        return await readback.see(self._get, look)

    async def _after_loss(self, cause: PlstuiError) -> Connection | None:
        """What a decision came to whose answer was lost, where that shows."""
        return await self._readback(cause).see(self._get, self._look_at)

    def _readback(self, lost: PlstuiError | None = None) -> Readback:
        return Readback(self._id.name, self._patience, hint=HOW_TO_LOOK, lost=lost, retrying=self._retrying)

    async def _wait_for(self, operation: str, readback: Readback) -> bool:
        """Ask an operation's address, as Azure gave it and never rebuilt, until it is over; whether it then is.

        The first time at once: an approval is done within the second. The SDK's poller would read the connection as
        well, and ends at the first answer that fails. Raises `AzureError` when the operation has failed.
        """

        async def ask() -> tuple[Any, float | None]:
            response = await self._road.ask(operation)
            async with self._road.translated():
                return response.json(), retry_after(response.headers)

        while True:
            try:
                body, pause = await readback.ask(ask)
            except NotReadBackError:
                return False  # The connection itself may still tell.
            word = str(body.get("status", "")).lower() if isinstance(body, dict) else ""
            if word == _OVER_WELL:
                return True
            if word in _OVER_BADLY:
                raise operation_failed(body)
            pause = POLL_SECONDS if pause is None else pause
            if not readback.is_time_for(pause):
                return False
            await asyncio.sleep(pause)

    def _look_at(self, now: Connection | None, *, done: bool = False) -> tuple[Shown, str]:
        """What a connection shows of the decision, and in words what it shows instead; `done` as the operation says."""
        if now is None:
            return (Shown.AS_ASKED if self._wanted is None else Shown.OTHERWISE), "it has been removed"
        under_way = not done and now.provisioning_state.lower() in ("updating", "deleting")
        if now.status == self._wanted and not under_way:
            return Shown.AS_ASKED, ""
        if self._is_anothers(now):
            return Shown.OTHERWISE, f"it is {now.status} now"
        if under_way:
            return Shown.UNDER_WAY, f"it still is {now.provisioning_state}"
        return Shown.AS_BEFORE, f"Azure still shows {now.status}"

    def _is_anothers(self, now: Connection) -> bool:
        """Whether somebody else has decided: it is neither the status before nor ours, nor Pending, which no decision
        leads to and only an old answer shows. A removal leaves any status until it is over.
        """
        return self._wanted is not None and now.status not in (self._wanted, self._expected, PENDING)

    async def _get(self) -> Connection | None:
        """The connection as it is now; None when it is not there."""
        try:
            _, connection = await connections.get(self._road, self._id)
        except NotFoundError as error:
            if not error.is_absence:
                raise
            return None
        return connection


def _response(response: PipelineResponse[Any, Any], _: object, __: object) -> Any:
    """The answer itself, as it came."""
    return response.http_response


def _operation_of(response: Any) -> str | None:
    """The address of Azure's operation in an answer."""
    operation: str | None = response.headers.get("Azure-AsyncOperation")
    return operation
