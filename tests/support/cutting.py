"""A proxy in front of a served sandbox that cuts, stalls and garbles answers, and lets everything else pass untouched.

    with serve(tmp_path, "pending") as served, cutting(served, tmp_path) as proxy:
        proxy.harm(Harm.CUT_AFTER, "PUT", "/privateEndpointConnections/")
        run_plstui("--config", str(proxy.config), …)
        assert len(proxy.taken("PUT", "/privateEndpointConnections/")) == 1

It ends TLS with an authority of its own and speaks HTTPS with the server. Addresses in answers lead to itself, so that
polls and further pages pass it too. It runs in a thread of its own: a test may be a coroutine or not.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import quote

import aiohttp
import trustme
from aiohttp import web

from tests.support.served import Served

SECONDS = 30.0
"""Seconds that starting, stopping and waiting for a request may take; far more than it needs."""

_HOP = frozenset({"host", "connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})
"""Headers that hold for one connection, or that whoever sends writes anew."""


class Harm(Enum):
    """What happens to a request instead of its being answered."""

    CUT_BEFORE = "cut before the server has seen it"
    CUT_AFTER = "cut after the server has answered, before the client hears of it"
    STALL = "the server answers, and the client hears nothing for as long as it waits"
    LATE = "the client hears nothing, and the server gets it only when `let_go` says so"
    HALF = "half of the answer, then cut"
    NOT_HTTP = "the server has it, and what comes back is not HTTP"
    NOT_JSON = "the server has it, and what comes back with its status is not JSON"
    LEADS_BACK = "a list says that what follows on this page is this page; all else passes"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came to the proxy."""

    method: str
    path: str
    """Without the query, as it came."""
    nth: int
    """Its number among those with this method and path, from 1 on."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that the server has answered."""

    method: str
    path: str
    body: bytes
    status: int
    """Of the server's answer, whatever the client heard."""


Choose = Callable[[Asked], Harm | None]
"""Says what happens to a request; None for nothing. Called in the proxy's thread."""


@dataclass
class _Rule:
    harm: Harm
    method: str
    part: str
    skip: int
    times: int | None

    def __call__(self, asked: Asked) -> Harm | None:
        if self.times == 0 or (self.method and asked.method != self.method):
            return None
        if self.part.lower() not in asked.path.lower():
            return None
        if self.skip:
            self.skip -= 1
            return None
        if self.times is not None:
            self.times -= 1
        return self.harm


@dataclass
class CuttingProxy:
    """Stands between a client and one server."""

    upstream: str
    """The server's address, `https://127.0.0.1:PORT`."""
    upstream_ca: Path
    authority: trustme.CA = field(default_factory=trustme.CA)
    address: str = ""
    """Its own address, once started."""
    config: Path = Path()
    """Settings that lead to the sandbox through it, where `cutting` has made it."""
    came: list[Asked] = field(default_factory=list)
    """Every request that came, in order."""
    reached: list[Taken] = field(default_factory=list)
    """Every request that the server has answered, in order of its answers."""

    def __post_init__(self) -> None:
        self._chooses: list[Choose] = []
        self._counts: dict[tuple[str, str], int] = {}
        self._changed = threading.Condition()
        self._held: list[asyncio.Future[None]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cutting proxy", daemon=True)

    # What a test says and asks

    def harm(self, harm: Harm, method: str = "", part: str = "", *, skip: int = 0, times: int | None = 1) -> None:
        """Do this to requests of a method with `part` in their path (any case), after `skip` of them, so many `times`
        (None for without end). The first rule that fits a request decides."""
        self.choose(_Rule(harm, method, part, skip, times))

    def choose(self, choose: Choose) -> None:
        """Ask this function too what happens to a request."""
        self._chooses.append(choose)

    def heal(self) -> None:
        """Let everything pass from now on; what is stalled stays so."""
        self._chooses.clear()

    def let_go(self) -> None:
        """Let the server have what was kept from it as `LATE`."""
        self._loop.call_soon_threadsafe(self._let_go)

    def taken(self, method: str = "", part: str = "") -> list[Taken]:
        """The requests of a method with `part` in their path that reached the server and that it has answered."""
        with self._changed:
            return [one for one in self.reached if method in ("", one.method) and part.lower() in one.path.lower()]

    def asked(self, method: str = "", part: str = "") -> list[Asked]:
        """The same of those that came to the proxy, whether they got further or not."""
        with self._changed:
            return [one for one in self.came if method in ("", one.method) and part.lower() in one.path.lower()]

    def wait_until(self, so: Callable[[], object]) -> None:
        """Wait until something holds that follows from requests; looked at after each that comes or is answered."""
        with self._changed:
            if not self._changed.wait_for(so, SECONDS):
                raise AssertionError(f"it did not come about within {SECONDS:.0f} s: {self.came[-5:]}")

    # Its life

    def start(self) -> None:
        """Listen on 127.0.0.1."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(SECONDS)

    def stop(self) -> None:
        """Close everything; who is stalled is cut off."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()

    async def _start(self) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        trusted = ssl.create_default_context(cafile=self.upstream_ca)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trusted, limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            middlewares=(_once,),
        )
        self._background: set[asyncio.Task[object]] = set()
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        self.address = f"https://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _stop(self) -> None:
        for held in self._held:
            held.cancel()
        # What is under way with the server comes to its end: a connection that is cut is not closed when we are.
        if self._background:
            _, unfinished = await asyncio.wait(self._background, timeout=SECONDS / 2)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        await self._runner.cleanup()
        await self._session.close()
        # The TLS connections' last words need a turn of the loop.
        await asyncio.sleep(0)

    # One request

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        with self._changed:
            nth = self._counts[request.method, request.path] = self._counts.get((request.method, request.path), 0) + 1
            asked = Asked(request.method, request.path, nth)
            harm = next((harm for choose in self._chooses if (harm := choose(asked))), None)
            self.came.append(asked)
            self._changed.notify_all()
        if harm is Harm.CUT_BEFORE:
            _cut(request)
        if harm is Harm.LATE:
            self._keep(self._late(request, body))
            await asyncio.Event().wait()
        # A client that goes away takes back nothing that it has sent.
        status, headers, content = await asyncio.shield(self._keep(self._forward(request, body)))
        match harm:
            case Harm.CUT_AFTER:
                _cut(request)
            case Harm.STALL:
                await asyncio.Event().wait()
            case Harm.HALF:
                await _half(request, status, content)
            case Harm.NOT_HTTP:
                _write_and_close(request, b"\x00\xff\xfe 220 what is this?\r\n\r\n")
            case Harm.LEADS_BACK:
                content = _leading_to(f"{self.address}{request.raw_path}", content)
            case Harm.NOT_JSON:
                return web.Response(status=status, headers=headers, body=b'<p>{"oops": ')
        return web.Response(status=status, headers=headers, body=content)

    def _keep(self, work: Awaitable[object]) -> asyncio.Task[tuple[int, dict[str, str], bytes]]:
        """See work through, whether its client waits or not."""
        task: asyncio.Task[object] = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task  # type: ignore[return-value]

    async def _late(self, request: web.Request, body: bytes) -> None:
        held: asyncio.Future[None] = self._loop.create_future()
        self._held.append(held)
        await held
        await self._forward(request, body)

    def _let_go(self) -> None:
        held, self._held = self._held, []
        for future in held:
            if not future.done():
                future.set_result(None)

    async def _forward(self, request: web.Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send a request on; status, headers and body of the answer, as the client may have them."""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        sent = _moved(body, self.address, self.upstream)
        async with self._session.request(
            request.method, self.upstream + request.raw_path, headers=headers, data=sent, allow_redirects=False
        ) as answer:
            content = await answer.read()
        with self._changed:
            self.reached.append(Taken(request.method, request.path, body, answer.status))
            self._changed.notify_all()
        told = {
            name: value.replace(self.upstream, self.address)
            for name, value in answer.headers.items()
            if name.lower() not in _HOP
        }
        return answer.status, told, _moved(content, self.upstream, self.address)


def _moved(content: bytes, from_address: str, to_address: str) -> bytes:
    """A body in which one server's address stands for another's, also where it is a field of a form."""
    moved = content.replace(from_address.encode(), to_address.encode())
    return moved.replace(quote(from_address, safe="").encode(), quote(to_address, safe="").encode())


def _leading_to(address: str, content: bytes) -> bytes:
    """A page of a list whose next one is at an address; what is no list is as it was."""
    try:
        page = json.loads(content)
    except ValueError:
        return content
    is_list = isinstance(page, dict) and isinstance(page.get("value"), list)
    return json.dumps({**page, "nextLink": address}).encode() if is_list else content


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """aiohttp sends PUT and DELETE a second time on its own; a proxy that counts must not."""
    try:
        return await handler(request)
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        raise aiohttp.ClientPayloadError(f"the server cut the connection: {error}") from error


def _cut(request: web.Request) -> None:
    """Close the connection without another byte."""
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError


def _write_and_close(request: web.Request, raw: bytes) -> None:
    if request.transport is not None:
        request.transport.write(raw)
        request.transport.close()
    raise asyncio.CancelledError


async def _half(request: web.Request, status: int, content: bytes) -> None:
    """Half of a body, or where there is none half of the headers."""
    if not content:
        _write_and_close(request, f"HTTP/1.1 {status} OK\r\nContent-Ty".encode())
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    _write_and_close(request, head.encode() + content[: len(content) // 2])


@contextmanager
def cutting(served: Served, tmp_path: Path) -> Iterator[CuttingProxy]:
    """A proxy in front of a served sandbox, with settings of its own, for as long as the block runs."""
    ready = served.ready
    proxy = CuttingProxy(ready["arm"], Path(ready["ca"]))
    proxy.start()
    try:
        ca = tmp_path / "cutting-ca.pem"
        proxy.authority.cert_pem.write_to_path(str(ca))
        settings = served.config.read_text().replace(ready["arm"], proxy.address)
        proxy.config = tmp_path / "cutting.toml"
        proxy.config.write_text(settings.replace(json.dumps(ready["ca"]), json.dumps(str(ca))))
        yield proxy
    finally:
        proxy.stop()
