"""A small HTTPS server that answers as a test tells it to, in ARM's shapes."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import trustme
from aiohttp import web

TENANT = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
NETWORK = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network"
LISTS = {
    "services": f"{NETWORK}/privateLinkServices",
    "endpoints": f"{NETWORK}/privateEndpoints",
    "balancers": f"{NETWORK}/loadBalancers",
    "interfaces": f"{NETWORK}/networkInterfaces",
    "networks": f"{NETWORK}/virtualNetworks",
    "security_groups": f"{NETWORK}/networkSecurityGroups",
    "machines": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines",
    "groups": f"/subscriptions/{SUBSCRIPTION}/resourcegroups",
}
"""The path of the LIST behind each field of a `Reading`."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Answer:
    """One answer."""

    body: Any = None
    """JSON, or text that is sent as it is."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        headers = {name: value.format(arm=f"https://{request.host}") for name, value in self.headers.items()}
        if self.body is None:
            return web.Response(status=self.status, headers=headers)
        if isinstance(self.body, str):
            return web.Response(text=self.body, status=self.status, headers=headers, content_type=self.content_type)
        return web.json_response(self.body, status=self.status, headers=headers)


@dataclass(frozen=True)
class Seen:
    """One request that came."""

    method: str
    target: str
    """Path and query as they stood on the wire."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By name in any case."""
    body: Any

    @property
    def authorization(self) -> str:
        """The token it came with, `Bearer …`."""
        return self.headers.get("Authorization", "")


async def drop(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    raise asyncio.CancelledError


async def break_off(request: web.Request) -> web.StreamResponse:
    """Close the connection in the middle of an answer."""
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"value": [')
    return await drop(request)


class ArmServer:
    """Answers what `on` has been told, the last answer for a path again and again; everything else is a 404."""

    def __init__(self, authority: trustme.CA) -> None:
        self.seen: list[Seen] = []
        self.tokens = 0
        """How many tokens have been given out."""
        self._peers: set[tuple[str, int]] = set()
        self.token_error: Answer | None = None
        self._authority = authority
        self._answers: defaultdict[tuple[str, str], list[Handler]] = defaultdict(list)
        self._runner: web.AppRunner | None = None
        self.arm = ""
        """The address, once started."""

    @property
    def connections(self) -> int:
        """How many connections have brought requests."""
        return len(self._peers)

    def on(self, method: str, path: str, *answers: Handler) -> None:
        """Answer requests for a path (any case) with these, one after the other."""
        self._answers[method, path.lower()] = list(answers)

    def everything_empty(self) -> None:
        """Answer every LIST with nothing."""
        for path in LISTS.values():
            self.on("GET", path, Answer({"value": []}))

    def requests(self, method: str, part: str = "") -> list[Seen]:
        """The requests of a method whose target has this in it."""
        return [seen for seen in self.seen if seen.method == method and part.lower() in seen.target.lower()]

    async def start(self) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        app.on_response_prepare.append(self._count)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        self.arm = f"https://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _count(self, request: web.Request, _: web.StreamResponse) -> None:
        assert request.transport is not None
        self._peers.add(request.transport.get_extra_info("peername"))

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        answers = self._answers.get((request.method, request.path.lower()))
        if request.path.lower().endswith("/oauth2/v2.0/token") and not answers:
            return await self._token(request)
        body = await request.json() if request.can_read_body and request.content_type == "application/json" else None
        self.seen.append(Seen(request.method, request.raw_path, request.query, request.headers, body))
        if not answers:
            error = {"error": {"code": "ResourceNotFound", "message": f"Nothing is at {request.path}."}}
            return await Answer(error, 404)(request)
        return await (answers.pop(0) if len(answers) > 1 else answers[0])(request)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        if self.token_error:
            return await self.token_error(request)
        self.tokens += 1
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": f"token-{self.tokens}"})
