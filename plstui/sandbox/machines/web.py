"""The HTTP servers of the machines: real ones, on free ports of 127.0.0.1."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from plstui.sandbox.machines.pages import Answer, Pages, Request, error_page

PROXY_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
"""What a PROXY protocol header of version 2 starts with."""

KEEP_ALIVE = 75.0
"""Seconds until an idle connection is closed, nginx's default."""

MOST_CLIENTS = 128
"""Connections of one server at a time."""
FIRST_REQUEST = 60.0
"""Seconds until a connection is closed on which no request has come, nginx's default."""

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_OURS = frozenset({"content-length", "transfer-encoding", "connection", "upgrade", "content-type", "server"})
"""Headers that belong to the connection, whatever a configuration says."""

_HEADER_SIZE = 16
"""Bytes of a PROXY header before its addresses: signature, version and command, family, length."""


@dataclass(frozen=True, slots=True)
class Site:
    """What is served on one port of the machine."""

    port: int
    server: str
    """The `Server` header."""
    pages: Pages
    proxy_protocol: bool = False
    """Whether each connection must begin with a PROXY header."""
    log: Callable[[Request, Answer], None] | None = None
    """Keeps a record of each request."""


class WebServer:
    """One listening server."""

    def __init__(self, site: Site, answering: asyncio.Event) -> None:
        self._site = site
        self._answering = answering
        self._runner = web.Server(self._handle)
        self.sources: dict[int, str] = {}
        """The address that a client has in its network, by the port it comes from on 127.0.0.1."""
        self._listening: asyncio.Server
        self._open: set[_Front] = set()

    @classmethod
    async def start(cls, site: Site, answering: asyncio.Event) -> WebServer:
        """Listen on a free port of 127.0.0.1; requests wait until `answering` is set."""
        server = cls(site, answering)
        loop = asyncio.get_running_loop()
        server._listening = await loop.create_server(lambda: _Front(server), "127.0.0.1", 0)
        return server

    @property
    def port(self) -> int:
        """The machine's port, 80 as a rule."""
        return self._site.port

    @property
    def real_port(self) -> int:
        """The port on 127.0.0.1."""
        port: int = self._listening.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Close the port and end the connections."""
        self._listening.close()
        for front in list(self._open):
            front.abort()
        await self._runner.shutdown(timeout=0)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        front = next(front for front in self._open if front.inner is request.protocol)
        front.patience.cancel()
        await self._answering.wait()
        asked = Request(request.method, request.path, request.host, front.source, front.proxied)
        known = asked.method in ("GET", "HEAD")
        answer = self._site.pages.answer(asked) if known else error_page(405, "Not Allowed")
        if self._site.log:
            self._site.log(asked, answer)
        response = self.response(answer)
        if front.finished:
            response.force_close()
        return response

    def response(self, answer: Answer) -> web.Response:
        """An answer with the server's own headers."""
        response = web.Response(status=answer.status, body=answer.body.encode("utf-8", "surrogateescape"))
        response.headers["Content-Type"] = _printable(answer.content_type)
        response.headers["Server"] = self._site.server
        for name, value in answer.headers:
            if _HEADER.fullmatch(name) and name.lower() not in _OURS:
                response.headers[name] = _printable(value)
        return response

    def bad_request(self) -> bytes:
        """What the server says to bytes that are no HTTP; Python's server says nothing."""
        if not self._site.server.startswith("nginx"):
            return b""
        answer = error_page(400, "Bad Request")
        head = f"HTTP/1.1 400 Bad Request\r\nServer: {self._site.server}\r\nContent-Type: text/html\r\n"
        return f"{head}Content-Length: {len(answer.body)}\r\nConnection: close\r\n\r\n{answer.body}".encode()


def _printable(value: str) -> str:
    """A header's value as it can be sent: what a client or a configuration puts there may be anything."""
    return "".join(char if char.isprintable() else "?" for char in value)


class _Http(web.RequestHandler):
    """aiohttp's protocol, saying of a broken request what the machine's server would say."""

    def __init__(self, server: WebServer) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(server._runner, loop=loop, keepalive_timeout=KEEP_ALIVE)
        self._machine_server = server

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status != 400:
            return super().handle_error(request, status, exc, message)
        response = self._machine_server.response(error_page(400, "Bad Request"))
        response.force_close()
        return response


class _Front(asyncio.Protocol):
    """Stands before aiohttp's protocol and deals with PROXY headers, which aiohttp does not know."""

    def __init__(self, server: WebServer) -> None:
        self._server = server
        self.inner: asyncio.Protocol = _Http(server)
        self.source = ""
        """The client's address in its network."""
        self.proxied = ""
        """The address in the PROXY header, if there was one."""
        self.finished = False
        """Whether the client will send no more."""
        self.patience: asyncio.TimerHandle
        """Ends the connection when no request comes."""
        self._transport: asyncio.Transport
        self._client_port = 0
        self._begun = False
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._client_port = int(transport.get_extra_info("peername")[1])
        self._server._open.add(self)
        self.patience = asyncio.get_running_loop().call_later(FIRST_REQUEST, self.abort)
        self.inner.connection_made(transport)
        if len(self._server._open) > MOST_CLIENTS:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._open.discard(self)
        self.patience.cancel()
        self._server.sources.pop(self._client_port, None)
        self.inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._begun:
            self.inner.data_received(data)
            return
        self._head += data
        signature = self._head[: len(PROXY_SIGNATURE)]
        if not PROXY_SIGNATURE.startswith(signature):
            if self._server._site.proxy_protocol:
                # nginx logs a broken header and closes.
                self._transport.close()
                return
            self._pass_on(self._head)
        elif not self._server._site.proxy_protocol and len(self._head) >= len(PROXY_SIGNATURE):
            self._transport.write(self._server.bad_request())
            self._transport.close()
        elif len(self._head) >= _HEADER_SIZE:
            (length,) = struct.unpack_from("!H", self._head, _HEADER_SIZE - 2)
            if len(self._head) >= _HEADER_SIZE + length:
                self._read_header(self._head[_HEADER_SIZE - 4 : _HEADER_SIZE + length])
                self._pass_on(self._head[_HEADER_SIZE + length :])

    def _read_header(self, header: bytes) -> None:
        local, ipv4 = header[0] == 0x20, header[1] == 0x11
        if ipv4 and not local:
            self.proxied = ".".join(map(str, header[4:8]))

    def _pass_on(self, data: bytes) -> None:
        self._begun, self._head = True, b""
        self.source = self._server.sources.get(self._client_port, "127.0.0.1")
        if data:
            self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        # A client that has asked and will say no more still gets its answer.
        self.finished = True
        self.inner.eof_received()
        return True

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()
