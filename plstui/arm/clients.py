"""The SDK's clients of one side, on a pipeline of our own."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from azure.core.exceptions import ServiceRequestError, ServiceRequestTimeoutError, ServiceResponseTimeoutError
from azure.core.pipeline import AsyncPipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy, RequestIdPolicy, UserAgentPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from plstui import __version__
from plstui.arm.credentials import sign_in
from plstui.arm.faults import SDK_ERRORS, Where, explain, retry_after
from plstui.arm.signing import SignedRequests
from plstui.arm.transport import (
    ANSWER_SECONDS,
    REPEATABLE,
    SILENCE_SECONDS,
    LostAnswerError,
    open_session,
    sdk_options,
    trust,
)
from plstui.arm.versions import RESOURCES_API
from plstui.config.settings import Settings
from plstui.domain.errors import CredentialsError
from plstui.domain.sides import Side

POLL_SECONDS = 1.0
"""Seconds between two questions about a long-running operation when Azure does not say; the SDK's own are thirty."""

RETRY_PAUSE = 0.3
"""Seconds before the second try of a read, where Azure does not ask to wait longer."""

LONGEST_RETRY_PAUSE = 2.0
"""Seconds that such a wait may take; where Azure asks for more, the read fails and says so."""

_PASSING = frozenset({500, 502, 503, 504})
"""Statuses of gateways and of servers in trouble, which often are gone a moment later."""

# Without a handler Python writes the SDK's warnings to standard error; a person is told by the errors' own words.
for _name in ("azure", "msal"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

_Request = PipelineRequest[HttpRequest]
_Response = PipelineResponse[HttpRequest, AsyncHttpResponse]


class RetryReads(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Tries a read a second time when the first met a passing trouble.

    The SDK's own policy also sleeps for as long as a Retry-After says, up to minutes, and repeats writes: the watcher
    knows better when to ask again, and a write is repeated by whoever can look at the state first.
    """

    async def send(self, request: _Request) -> _Response:
        """Send a request once or twice."""
        if request.http_request.method not in REPEATABLE:
            return await self.next.send(request)
        try:
            response = await self.next.send(request)
            answer = response.http_response
            pause = retry_after(answer.headers) or RETRY_PAUSE
            if answer.status_code not in _PASSING or pause > LONGEST_RETRY_PAUSE:
                return response
        except ServiceRequestTimeoutError:
            raise
        except ServiceRequestError:
            # The second try says what is wrong, if anything still is.
            pause = RETRY_PAUSE
        await asyncio.sleep(max(pause, RETRY_PAUSE))
        return await self.next.send(request)


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


class Clients:
    """What one side's reader and writer call Azure with.

    The three clients share one pipeline, so one pool of connections and one token. It has no policy that logs, none
    that follows redirects with a token, and not the SDK's one that registers resource providers unasked: a write.
    """

    def __init__(self, settings: Settings, side: Side) -> None:
        arm = settings.azure.arm.rstrip("/")
        self.subscription = subscription = settings.side(side).subscription
        context = trust(settings)
        options = sdk_options(settings)
        options.pop("connection_verify", None)  # `LastMile` says it.
        self._tokens = sign_in(settings, side)
        self._where = Where(arm, subscription, self._tokens.next_step)
        self._pipeline: AsyncPipeline[Any, Any] = AsyncPipeline(
            AioHttpTransport(session=open_session(options), **options),
            [
                RequestIdPolicy(),
                UserAgentPolicy(f"plstui/{__version__}"),
                RetryReads(),
                SignedRequests(self._tokens, f"{arm}/.default"),
                LastMile(context),
            ],
        )
        shared: dict[str, Any] = {
            "base_url": arm,
            "credential_scopes": [f"{arm}/.default"],
            "pipeline": self._pipeline,
            "polling_interval": POLL_SECONDS,
        }
        self.network = NetworkManagementClient(self._tokens, subscription, **shared)
        self.compute = ComputeManagementClient(self._tokens, subscription, **shared)
        self.resources = ResourceManagementClient(self._tokens, subscription, api_version=RESOURCES_API, **shared)

    @asynccontextmanager
    async def translated(self) -> AsyncIterator[None]:
        """Whatever the SDK raises inside comes out as a `PlstuiError`."""
        try:
            yield
        except SDK_ERRORS as error:
            fault = explain(error, self._where)
            if isinstance(fault, CredentialsError):
                await self._tokens.forget()
            raise fault from error

    async def close(self) -> None:
        """Give back sockets and tokens."""
        await self._pipeline.__aexit__()
        await self._tokens.close()
