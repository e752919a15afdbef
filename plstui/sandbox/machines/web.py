"""The HTTP servers of the machines: real ones, on free ports of 127.0.0.1."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from plstui.sandbox.machines.pages import Answer, Pages, Request, error_page

PROXY_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
"""What a PROXY protocol header of version 2 starts with."""

_HEADER_SIZE = 16
"""Bytes of a PROXY header before its addresses: signature, version and command, family, length."""


class PortTakenError(Exception):
    """Another program of the machine listens on that port."""


@dataclass(frozen=True, slots=True)
class Site:
    """What is served on one port of the machine."""

    port: int
    server: str
    """The `Server` header."""
    pages: Pages
    proxy_protocol: bool = False
    """Whether each connection must begin with a PROXY header."""


class WebServer:
    """One listening server."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._runner = web.Server(self._handle, access_log=None)
        self._listening: asyncio.Server
        self._open: set[_Front] = set()

    @classmethod
    async def start(cls, site: Site) -> WebServer:
        """Listen on a free port of 127.0.0.1."""
        server = cls(site)
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
        front = next((front for front in self._open if front.inner is request.protocol), None)
        client = front.client if front else ""
        return self.respond(Request(request.method, request.path, request.host, client))

    def respond(self, request: Request) -> web.Response:
        """The answer to one request, with the server's own headers."""
        answer = (
            self._site.pages.answer(request) if request.method in ("GET", "HEAD") else error_page(405, "Not Allowed")
        )
        response = web.Response(status=answer.status, body=answer.body.encode("utf-8", "surrogateescape"))
        response.headers["Content-Type"] = answer.content_type
        response.headers["Server"] = self._site.server
        for name, value in answer.headers:
            response.headers[name] = value
        return response

    def bad_request(self) -> bytes:
        """What the server says to bytes that are no HTTP; Python's server says nothing."""
        if not self._site.server.startswith("nginx"):
            return b""
        answer: Answer = error_page(400, "Bad Request")
        head = f"HTTP/1.1 400 Bad Request\r\nServer: {self._site.server}\r\nContent-Type: text/html\r\n"
        return f"{head}Content-Length: {len(answer.body)}\r\nConnection: close\r\n\r\n{answer.body}".encode()


class _Front(asyncio.Protocol):
    """Stands before aiohttp's protocol and deals with PROXY headers, which aiohttp does not know."""

    def __init__(self, server: WebServer) -> None:
        self._server = server
        self.inner = cast(asyncio.Protocol, server._runner())
        self.client = ""
        """The address in the PROXY header."""
        self._transport: asyncio.Transport
        self._begun = False
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server._open.add(self)
        self.inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._open.discard(self)
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
            self.client = ".".join(map(str, header[4:8]))

    def _pass_on(self, data: bytes) -> None:
        self._begun, self._head = True, b""
        if data:
            self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self.inner.eof_received()

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()
