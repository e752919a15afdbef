"""The HTTPS face: a server on 127.0.0.1 with a certificate of its own authority."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable

import trustme
from aiohttp import web

from plstui.sandbox.gateway.messages import Drop, Request, Response

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes of a request; ARM takes no more."""

LOOPBACK = "127.0.0.1"
CLOSING_SECONDS = 1.0
"""How long open connections may take to finish when the server stops."""

Handler = Callable[[Request], Awaitable[Response]]


class HttpsServer:
    """Serves one handler until it is stopped."""

    def __init__(self, handler: Handler, authority: trustme.CA | None = None) -> None:
        self._handler = handler
        self._authority = authority or trustme.CA(organization_name="plstui sandbox")
        self._runner: web.AppRunner | None = None
        self._hosts: frozenset[str] = frozenset()
        self.port = 0
        """The port it listens on, once started."""

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one. Raises `OSError` when the port is taken."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert("localhost", LOOPBACK).configure_cert(context)
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSING_SECONDS)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, LOOPBACK, port, ssl_context=context, reuse_address=True).start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = self._runner.addresses[0][1]
        self._hosts = frozenset(f"{host}:{self.port}" for host in (LOOPBACK, "localhost"))

    async def stop(self) -> None:
        """Close every connection and the port."""
        if self._runner:
            await self._runner.cleanup()

    @property
    def authority(self) -> str:
        """The certificate that clients must trust, in PEM."""
        return self._authority.cert_pem.bytes().decode()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.host not in self._hosts:
            # A page in a browser can point a name of its own at 127.0.0.1; it gets nothing.
            return _error(
                421, "MisdirectedRequest", f"This server answers to {' and '.join(sorted(self._hosts))} only."
            )
        try:
            content = await request.read()
        except web.HTTPRequestEntityTooLarge:
            message = f"The request content size exceeds the maximum size of {LARGEST_BODY // 2**20} MB."
            return _error(413, "RequestContentTooLarge", message)
        except (web.RequestPayloadError, ConnectionError):
            return _error(400, "InvalidRequestContent", "The request content cannot be decoded, or ended too early.")
        try:
            response = await self._handler(_take(request, content))
        except Drop:
            if request.transport:
                request.transport.abort()
            return web.Response(status=503)
        return await _send(response)


def _take(request: web.Request, content: bytes) -> Request:
    return Request(
        method=request.method.upper(),
        path=request.path,
        query={name.lower(): value for name, value in request.query.items()},
        headers={name.lower(): value for name, value in request.headers.items()},
        content=content,
        base_url=f"https://{request.host}",
    )


async def _send(response: Response) -> web.StreamResponse:
    if response.body is None:
        return web.Response(status=response.status, headers=dict(response.headers))
    if isinstance(response.body, str):
        return web.Response(
            status=response.status, headers=dict(response.headers), text=response.body, content_type="text/html"
        )
    # A list with a thousand connections takes a while to write out; other requests need not wait for it.
    text = await asyncio.to_thread(json.dumps, response.body) if _is_large(response.body) else json.dumps(response.body)
    return web.Response(
        status=response.status,
        headers=dict(response.headers),
        text=text,
        content_type="application/json",
        charset="utf-8",
    )


def _is_large(body: object) -> bool:
    return isinstance(body, dict) and len(body.get("value") or ()) > 20


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
