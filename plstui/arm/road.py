"""The one road to ARM: every request of a side goes by it, and what it brings is the JSON that ARM sent.

    pages   a LIST, page after page
    get     one resource
    send    one request
    wait    a long-running operation, until it is over

Azure's management SDK makes a model of every object in an answer, and takes a second to import; so it writes only, by
the same pipeline (`clients`), and nothing that reads imports it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import AsyncPipeline, PipelineResponse
from azure.core.pipeline.policies import RequestIdPolicy, UserAgentPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest

from plstui import __version__
from plstui.arm.credentials import sign_in
from plstui.arm.faults import SDK_ERRORS, UnreadableError, Where, explain
from plstui.arm.policies import LastMile, RetryReads
from plstui.arm.signing import SignedRequests
from plstui.arm.threads import in_daemon
from plstui.arm.transport import open_session, sdk_options, trust
from plstui.arm.versions import api_version
from plstui.config.settings import Settings
from plstui.domain.errors import CredentialsError
from plstui.domain.ids import ResourceId
from plstui.domain.patience import POLL_SECONDS
from plstui.domain.sides import Side

if TYPE_CHECKING:
    from plstui.arm.clients import Clients

NO_LIST = "it is no list"

Body = dict[str, Any]
"""A JSON object of ARM's."""

Response = PipelineResponse[HttpRequest, AsyncHttpResponse]

# Without a handler Python writes the SDK's warnings to standard error; a person is told by the errors' own words.
for _name in ("azure", "msal"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


class Road:
    """The way to ARM of one side. Every method raises `PlstuiError` and nothing else.

    One pool of connections and one token. It has no policy that logs, none that follows redirects with a token, and not
    the SDK's one that registers resource providers unasked: a write.
    """

    def __init__(self, settings: Settings, side: Side) -> None:
        """Nothing is asked of Azure yet. Raises `ConfigError`."""
        self._arm = settings.azure.arm.rstrip("/")
        self.subscription = settings.side(side).subscription
        context = trust(settings)
        options = sdk_options(settings)
        options.pop("connection_verify", None)  # `LastMile` says it.
        self._tokens = sign_in(settings, side)
        self._where = Where(self._arm, self.subscription, self._tokens.where.next_step)
        self._pipeline: AsyncPipeline[Any, Any] = AsyncPipeline(
            AioHttpTransport(session=open_session(options), **options),
            [
                RequestIdPolicy(),
                UserAgentPolicy(f"plstui/{__version__}"),
                RetryReads(),
                SignedRequests(self._tokens, self._arm),
                LastMile(context),
            ],
        )
        self._clients: Clients | None = None
        self._making_clients = asyncio.Lock()

    async def pages(self, path: str, kind: str, **query: str) -> AsyncIterator[Sequence[object]]:
        """The items of a LIST, page after page; `kind` is the full type that says the api-version.

        Half a list, or none, must not pass for the whole, since what is not listed counts as gone: raises `AzureError`
        for an answer that is no list, and for pages that lead back to each other or away from ARM.
        """
        address = self._request("GET", path, kind, query).url
        asked: set[str] = set()
        while True:
            asked.add(address)
            async with self.translated():
                page = _object_of(await self._run(HttpRequest("GET", address)), NO_LIST)
                items, following = page.get("value"), page.get("nextLink") or ""
                if not isinstance(items, list) or not isinstance(following, str):
                    raise UnreadableError(NO_LIST)
                following = urljoin(f"{self._arm}/", following) if following else ""
                if following in asked:
                    raise UnreadableError("its pages lead back to each other")
            yield items
            if not following:
                return
            address = following

    async def get(self, path: str, kind: str, **query: str) -> Body:
        """One resource as it is now; `kind` is the full type that says the api-version."""
        async with self.translated():
            return _object_of(await self._run(self._request("GET", path, kind, query)))

    async def send(self, method: str, path: str, kind: str, **options: Any) -> Response:
        """Send one request that has no body; the answer, which is a good one. `options` are the transport's."""
        async with self.translated():
            return await self._run(self._request(method, path, kind, {}), **options)

    async def ask(self, address: str) -> AsyncHttpResponse:
        """What there is at an address as ARM gave it, which is never rebuilt: of an operation, for one."""
        async with self.translated():
            return (await self._run(HttpRequest("GET", address))).http_response

    async def wait(self, response: Response, **options: Any) -> Body:
        """What a long-running operation came to, from the answer that began it."""
        # Not before the first operation: what a pane shows first is no part of one.
        from azure.core import AsyncPipelineClient
        from azure.core.polling import AsyncLROPoller
        from azure.mgmt.core.polling.async_arm_polling import AsyncARMPolling

        polling: Any = AsyncARMPolling(POLL_SECONDS, **options)
        client: Any = AsyncPipelineClient(self._arm, pipeline=self._pipeline)
        async with self.translated():
            poller: AsyncLROPoller[Body] = AsyncLROPoller(client, response, _object_of, polling)
            return await poller.result()

    async def clients(self) -> Clients:
        """The SDK's clients, to write by; made when first asked for, in a thread, as their import takes a second."""
        async with self._making_clients:
            if self._clients is None:
                self._clients = await in_daemon(self._make_clients)
            return self._clients

    def _make_clients(self) -> Clients:
        from plstui.arm.clients import Clients

        return Clients(self._tokens, self.subscription, self._arm, self._pipeline, POLL_SECONDS)

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

    def _request(self, method: str, path: str, kind: str, query: dict[str, str]) -> HttpRequest:
        return HttpRequest(method, f"{self._arm}{path}", params={"api-version": api_version(kind), **query})

    async def _run(self, request: HttpRequest, **options: Any) -> Response:
        """The answer to a request. Raises what the pipeline raises, and `HttpResponseError` for one that is not good:
        whoever leads elsewhere is not Azure."""
        request.headers.setdefault("Accept", "application/json")
        response = await self._pipeline.run(request, **options)
        if response.http_response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            raise HttpResponseError(response=response.http_response)
        return response

    async def close(self) -> None:
        """Give back sockets and tokens."""
        await self._pipeline.__aexit__()
        await self._tokens.close()


def path_of(resource_id: ResourceId) -> str:
    """The path of a resource, as it goes over the wire."""
    return quote(resource_id.text, safe="/")


def _object_of(response: Response, otherwise: str = "it is no resource") -> Body:
    """The object in an answer. Raises `UnreadableError` and what reading JSON raises."""
    body = response.http_response.json()
    if not isinstance(body, dict):
        raise UnreadableError(otherwise)
    return body
