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
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

from azure.core.pipeline import PipelineResponse

from plstui.arm import connections, mapping
from plstui.arm.faults import operation_failed, retry_after
from plstui.arm.road import POLL_SECONDS, Body, Road, path_of
from plstui.arm.versions import NETWORK_API
from plstui.domain.connection import CONNECTION_TYPE, PENDING, Connection, ConnectionStatus, Seen
from plstui.domain.errors import (
    UNREADABLE,
    AnswerLostError,
    AzureError,
    DecidedOtherwiseError,
    NotFoundError,
    NotReadBackError,
    OutcomeUnknownError,
    PlstuiError,
    RefusedError,
    Retrying,
    ThrottledError,
)
from plstui.domain.ids import ResourceId
from plstui.domain.patience import (
    BUSY_PAUSES,
    THROTTLED_PATIENCE,
    TIDYING_PAUSES,
    Throttle,
    as_asked,
    is_busy,
    passes,
    pause_among,
    persist,
)

HOW_TO_LOOK = "Look with plstui connections list before you decide again: it may still be done a while later."

_OVER_WELL = "succeeded"
_OVER_BADLY = frozenset({"failed", "canceled"})

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a decision is patient with Azure; all in seconds."""

    busy: tuple[float, ...] = BUSY_PAUSES
    """Before each further try of a write that Azure is not ready for, and of a question that nobody answers."""
    operation: float = 300.0
    """For what Azure has taken: removing a connection takes eleven as recorded, and Azure has its bad days."""
    shown: float = 20.0
    """Until what Azure has done must show: recordings show it in the same second."""
    throttled: float = THROTTLED_PATIENCE
    """For fewer requests, in all."""
    looks: tuple[float, ...] = TIDYING_PAUSES
    """Before each further look when an answer was lost and the old state shows: a request that was taken shows at once,
    one that hangs somewhere is not waited for."""


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
        return await (await persist(self._try, self._pause, retrying=self._retrying))()

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

    def _pause(self, error: PlstuiError, tries: int) -> float | None:
        """Seconds until it is sent once more, which only helps where Azure is not ready for it."""
        if isinstance(error, ThrottledError):
            return self._throttle(error)
        return (
            pause_among(self._patience.busy, error, tries) if isinstance(error, AzureError) and is_busy(error) else None
        )

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
        readback = _Readback(self._patience, self._retrying)
        done = operation is not None and await self._wait_for(operation, readback)
        shown = _now() + self._patience.shown
        while True:
            now = await readback.ask(self._get)
            if self._wanted is None and now is None:
                return None
            if now is None:
                raise DecidedOtherwiseError(self._id.name, "it has been removed", None)
            state = now.provisioning_state.lower()
            if state in _OVER_BADLY and not done:
                raise AzureError(f"Azure could not change {now.name}: it says {now.provisioning_state}.", code="Failed")
            if now.status == self._wanted and (done or state != "updating"):
                return now
            if self._is_anothers(now):
                raise DecidedOtherwiseError(now.name, f"it is {now.status} now", now)
            under_way = not done and state in ("updating", "deleting")
            if _now() >= (readback.until if under_way else shown):
                what = f"is {now.provisioning_state}" if under_way else f"shows {now.status}"
                raise NotReadBackError(f"Azure still {what}; look again in a while")
            await asyncio.sleep(POLL_SECONDS)

    async def _wait_for(self, operation: str, readback: _Readback) -> bool:
        """Ask an operation's address, as Azure gave it and never rebuilt, until it is over; whether it then is.

        The first time at once: an approval is done within the second. Raises `AzureError` when it has failed.
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
            if _now() + pause >= readback.until:
                return False
            await asyncio.sleep(pause)

    async def _after_loss(self, cause: PlstuiError) -> Connection | None:
        """What a decision came to whose answer was lost, where that shows. Never sends it again."""
        readback = _Readback(self._patience, self._retrying)
        looks = iter(self._patience.looks)
        while True:
            try:
                now = await readback.ask(self._get)
            except NotReadBackError as error:
                self._unknown(error.message, cause)
            if self._wanted is None and now is None:
                return None
            if now is None:
                self._unknown("the connection is not there any more", cause)
            state = now.provisioning_state.lower()
            if now.status == self._wanted and state != "updating":
                return now
            if self._is_anothers(now):
                self._unknown(f"it is {now.status} now, which somebody else has decided", cause)
            under_way = state in ("updating", "deleting") and _now() < readback.until
            pause = POLL_SECONDS if under_way else next(looks, None)
            if pause is None:
                self._unknown(f"Azure still shows {now.status}", cause)
            await asyncio.sleep(pause)

    def _is_anothers(self, now: Connection) -> bool:
        """Whether somebody else has decided: it is neither the status before nor ours, nor Pending, which no decision
        leads to and only an old answer shows. A removal leaves any status until it is over.
        """
        return self._wanted is not None and now.status not in (self._wanted, self._expected, PENDING)

    @staticmethod
    def _unknown(why: str, cause: PlstuiError) -> NoReturn:
        raise OutcomeUnknownError(why, cause, hint=HOW_TO_LOOK) from cause

    async def _get(self) -> Connection | None:
        """The connection as it is now; None when it is not there."""
        try:
            _, connection = await connections.get(self._road, self._id)
        except NotFoundError as error:
            if not error.is_absence:
                raise
            return None
        return connection


class _Readback:
    """Asks what came of a decision. That the asking fails makes the decision no failure."""

    def __init__(self, patience: Patience, retrying: Retrying | None) -> None:
        self.until = _now() + patience.operation
        """When to stop, on the loop's clock."""
        self._pauses = iter(patience.busy)
        self._throttle = Throttle(patience.throttled)
        self._retrying = retrying

    async def ask(self, question: Callable[[], Awaitable[Result]]) -> Result:
        """An answer, asked for again as long as there is hope and time. Raises `NotReadBackError`."""
        try:
            return await persist(lambda _: question(), self._pause, retrying=self._told)
        except PlstuiError as last:
            raise NotReadBackError(f"it could not be read back: {last.message}", hint=last.hint) from last

    def _pause(self, error: PlstuiError, _: int) -> float | None:
        """Seconds before asking again; None when that would not help. All questions share the pauses."""
        if isinstance(error, ThrottledError):
            return self._throttle(error)
        pause = next(self._pauses, None) if passes(error) else None
        pause = None if pause is None else as_asked(error, pause)
        return None if pause is None or _now() + pause >= self.until else pause

    def _told(self, error: PlstuiError, pause: float) -> None:
        """Only a wait that Azure asks for is worth telling."""
        if self._retrying and isinstance(error, ThrottledError):
            self._retrying(error, pause)


def _response(response: PipelineResponse[Any, Any], _: object, __: object) -> Any:
    """The answer itself, as it came."""
    return response.http_response


def _operation_of(response: Any) -> str | None:
    """The address of Azure's operation in an answer."""
    operation: str | None = response.headers.get("Azure-AsyncOperation")
    return operation


def _now() -> float:
    """Seconds on the loop's clock."""
    return asyncio.get_running_loop().time()
