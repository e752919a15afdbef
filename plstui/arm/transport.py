"""How the SDK reaches its endpoints: time limits, the certificate authority, proxies; and nothing is sent twice."""

from __future__ import annotations

import json
import ssl
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from plstui.config.locations import expand
from plstui.config.settings import Settings
from plstui.domain.errors import ConfigError
from plstui.domain.files import read_text

CONNECT_SECONDS = 5.0
"""Seconds for a connection to stand: name, TCP and TLS."""

ANSWER_SECONDS = 20.0
"""Seconds for a whole answer: much for a page of a LIST, and a watcher must not hang on more."""

REPEATABLE = frozenset({"GET", "HEAD"})
"""Methods that change nothing, and so may be sent again when an answer is lost."""

_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
"""What says that no connection came about, so that the request cannot have been sent."""

SILENCE_SECONDS = 8.0
"""Seconds without a single byte after which a question counts as lost. Whoever reads asks again soon; a write, whose
answer is worth more, is waited for as long as any answer."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class LostAnswerError(aiohttp.ClientError):
    """A write was sent, at least in part, and no whole answer came: it may have been taken, or be taken later."""


async def send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """A middleware that keeps aiohttp from sending a write again, and says when its answer is lost.

    By itself aiohttp repeats PUT and DELETE on a connection that is cut, even where the server has taken the request:
    what somebody else has done in between would be undone. It repeats for the errors that it knows, not for this one.
    """
    if request.method in REPEATABLE:
        return await handler(request)
    try:
        response = await handler(request)
        # Half of an answer is none; what has been read here is not asked for again.
        body = await response.read()
    except _NOT_SENT:
        raise
    except (aiohttp.ClientError, OSError) as error:
        raise LostAnswerError("no whole answer came") from error
    if response.ok and body and not _is_json(body, response.headers.get("Content-Encoding", "")):
        # Whoever answers so is not Azure, and does not know what Azure has got.
        raise LostAnswerError("what came back is not JSON")
    return response


def _is_json(body: bytes, encoding: str) -> bool:
    try:
        json.loads(body if encoding in ("", "identity") else zlib.decompress(body, zlib.MAX_WBITS | 32))
    except (ValueError, RecursionError, zlib.error):
        return False
    return True


def open_session(options: Mapping[str, Any]) -> aiohttp.ClientSession:
    """A session for a transport with these `sdk_options` that sends every write once; else as the SDK would make it."""
    return aiohttp.ClientSession(
        trust_env=options.get("use_env_settings", True),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        middlewares=(send_once,),
    )


def sdk_options(settings: Settings) -> dict[str, Any]:
    """Arguments of the SDK's transports. Raises `ConfigError` when the certificate authority's file is no good."""
    options: dict[str, Any] = {"connection_timeout": CONNECT_SECONDS, "read_timeout": ANSWER_SECONDS}
    if settings.azure.ca:
        options["connection_verify"] = str(_ca(settings))
    if urlsplit(settings.azure.arm).hostname in _LOOPBACK:
        # A proxy cannot reach this machine's loopback, whatever the environment says.
        options["use_env_settings"] = False
    return options


def trust(settings: Settings) -> ssl.SSLContext | None:
    """The certificate authority of the settings, ready to use; None for the system's own. Raises `ConfigError`."""
    if not settings.azure.ca:
        return None
    try:
        # Certificates are ASCII; what is not is a comment.
        bundle = read_text(_ca(settings)).encode("ascii", "replace").decode()
        return ssl.create_default_context(cadata=bundle)
    except (ssl.SSLError, ValueError):
        reason = "it holds no certificate"
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    raise ConfigError(f"The certificate authority {settings.azure.ca} cannot be used: {reason}.")


def _ca(settings: Settings) -> Path:
    return expand(settings.azure.ca)
