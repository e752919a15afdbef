"""One attempt: connect to a target, ask for the page, and say what came of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Protocol

from plstui import __version__
from plstui.config.settings import Probe
from plstui.domain.probe import Attempt, Failure, Target
from plstui.probe.answer import Answer, Verdict

_ADDRESS = re.compile(r"[A-Za-z0-9._:%-]+")
"""What may stand in an address or a name; anything else could end the request's line and start another."""


class ConnectError(Exception):
    """A connection did not come about; the message says why in words that are harmless to show."""

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(message)
        self.failure = failure


class Stream(Protocol):
    """A connection to a target, however it got there. Reading and writing never raise: a lost one has ended."""

    @property
    def connect_ms(self) -> float:
        """Milliseconds until the connection stood."""

    @property
    def first_byte_ms(self) -> float | None:
        """Milliseconds from sending to the first byte that came; None while none did."""

    @property
    def resolved(self) -> str:
        """The address that the target's name was found to have; empty where only the other end knows."""

    async def send(self, data: bytes) -> None:
        """Send a request that fits into one packet."""

    async def receive(self) -> bytes:
        """What has arrived since the last time, waiting for it if need be; empty at the end."""

    def close(self) -> None:
        """Give the connection up, without waiting for anything."""


Connect = Callable[[str, int], Awaitable[Stream]]
"""Connects to an address and port. Raises `ConnectError`. Cancelling it leaves nothing behind."""


async def fetch(connect: Connect, target: Target, probe: Probe) -> Attempt:
    """Fetch the page over a fresh connection."""
    where = f"{target.address}:{target.port}"
    if not _ADDRESS.fullmatch(target.address):
        return Attempt(failure=Failure.NOT_FOUND, error="The target has no usable address.")
    try:
        async with asyncio.timeout(probe.connect_timeout):
            stream = await connect(target.address, target.port)
    except ConnectError as error:
        return Attempt(failure=error.failure, error=str(error))
    except TimeoutError:
        error_text = f"No connection to {where} within {probe.connect_timeout:g} s."
        return Attempt(failure=Failure.TIMEOUT, error=error_text)
    try:
        verdict = await _ask(stream, target, probe.read_timeout)
    finally:
        stream.close()
    return Attempt(
        host=verdict.host,
        failure=verdict.failure,
        error=verdict.error,
        connect_ms=stream.connect_ms,
        first_byte_ms=stream.first_byte_ms,
        resolved=stream.resolved,
    )


async def _ask(stream: Stream, target: Target, timeout: float) -> Verdict:
    answer = Answer()
    verdict: Verdict | None = None
    try:
        async with asyncio.timeout(timeout):
            await stream.send(_request(target))
            while verdict is None:
                data = await stream.receive()
                verdict = answer.feed(data) if data else answer.ended()
    except TimeoutError:
        came = "The answer did not end" if stream.first_byte_ms is not None else "No answer came"
        return Verdict(failure=Failure.TIMEOUT, error=f"{came} within {timeout:g} s.")
    return verdict


def _request(target: Target) -> bytes:
    host = f"[{target.address}]" if ":" in target.address else target.address
    lines = (
        "GET / HTTP/1.1",
        f"Host: {host}" + ("" if target.port == 80 else f":{target.port}"),
        f"User-Agent: plstui/{__version__}",
        "Accept: text/plain, */*",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()
