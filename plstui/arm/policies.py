"""What every request of a side passes on its way: a second try of what only reads, and a limit for the whole answer."""

from __future__ import annotations

import asyncio
import ssl
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import (
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from plstui.arm.faults import body_of, retry_after
from plstui.arm.transport import ANSWER_SECONDS, REPEATABLE, SILENCE_SECONDS, LostAnswerError
from plstui.domain.patience import (
    LONGEST_READ_PAUSE,
    LONGEST_SIGN_IN_PAUSE,
    PASSING_STATUSES,
    READ_PAUSES,
    SIGN_IN_PAUSES,
    persist,
)

_Request = PipelineRequest[HttpRequest]
_Response = PipelineResponse[HttpRequest, AsyncHttpResponse]


class _TroubleError(Exception):
    """An answer of a server or gateway in trouble, which often is gone a moment later."""

    def __init__(self, response: _Response) -> None:
        super().__init__()
        self.response = response


class RetryReads(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Tries a read a second time when the first met a passing trouble.

    The SDK's own policy also sleeps for as long as a Retry-After says, up to minutes, and repeats writes: the watcher
    knows better when to ask again, and a write is repeated by whoever can look at the state first.
    """

    methods = REPEATABLE
    """Those that change nothing here."""
    statuses = PASSING_STATUSES
    pauses: tuple[float, ...] = READ_PAUSES
    longest = LONGEST_READ_PAUSE

    async def send(self, request: _Request) -> _Response:
        """Send a request as often as there are pauses."""
        if request.http_request.method not in self.methods:
            return await self.next.send(request)

        async def attempt(_: int) -> _Response:
            response = await self.next.send(request)
            if response.http_response.status_code in self.statuses:
                raise _TroubleError(response)
            return response

        try:
            return await persist(attempt, self._pause, passing=(_TroubleError, ServiceRequestError))
        except _TroubleError as trouble:
            return trouble.response

    def _pause(self, error: Exception, tries: int) -> float | None:
        """Seconds before it is tried again; None when it is not."""
        # Who was not reached a moment later either is not there.
        pauses = self.pauses if isinstance(error, _TroubleError) else READ_PAUSES
        if tries > len(pauses) or isinstance(error, ServiceRequestTimeoutError):
            return None
        asked = retry_after(error.response.http_response.headers) if isinstance(error, _TroubleError) else None
        pause = max(asked or 0.0, pauses[tries - 1])
        return pause if pause <= self.longest else None


class RetrySignIn(RetryReads):
    """Tries a sign-in again, which changes nothing, also when Entra ID has too much to do: everything waits for it."""

    methods = frozenset({"GET", "POST"})
    statuses = PASSING_STATUSES | {HTTPStatus.TOO_MANY_REQUESTS}
    pauses = SIGN_IN_PAUSES
    longest = LONGEST_SIGN_IN_PAUSE

    def __init__(self, **_: Any) -> None:
        """Takes the options that azure-identity gives to the policy in whose place this one is put, and has no use for
        them."""
        super().__init__()

    async def send(self, request: _Request) -> _Response:
        """Send a request as often as there are pauses. Raises `HttpResponseError` for an answer that is no JSON object:
        azure-identity takes that for a refusal and says nothing of it."""
        request.context.options.pop("retry_on_methods", None)  # As said to the SDK's policy; no transport knows it.
        response = await super().send(request)
        body, _ = body_of(response.http_response)
        if not isinstance(body, dict):
            raise HttpResponseError(response=response.http_response)
        return response


class LastMile(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """What goes for every single request: a limit for the whole answer, and whose certificates are trusted.

    The transport's own limit is for each piece of an answer, and given a file it would build a new TLS context for each
    request, so that no connection is used twice.
    """

    def __init__(self, context: ssl.SSLContext | None, seconds: float = ANSWER_SECONDS) -> None:
        super().__init__()
        self._options = {"ssl": context} if context else {}
        self._seconds = seconds

    async def send(self, request: _Request) -> _Response:
        """Send a request within the limit."""
        request.context.options.update(self._options)
        if request.http_request.method == "GET":
            request.context.options.setdefault("read_timeout", SILENCE_SECONDS)
        try:
            async with asyncio.timeout(self._seconds):
                return await self.next.send(request)
        except TimeoutError as error:
            cause = error if request.http_request.method in REPEATABLE else LostAnswerError("no answer in time")
            raise ServiceResponseTimeoutError(f"no answer within {self._seconds:.0f} s", error=cause) from error
