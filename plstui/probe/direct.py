"""The route from this computer, where its network leads to the targets: a VPN, or a machine in the network itself."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter

from plstui.config.settings import Probe
from plstui.domain.probe import Attempt, Failure, Target
from plstui.domain.text import clean
from plstui.probe.errnos import FAILURES
from plstui.probe.fetch import ConnectError, fetch
from plstui.probe.route import Report, RouteError
from plstui.probe.spread import spread
from plstui.probe.threads import in_thread

TEXT = "this computer"


class DirectRoute:
    """Connects to targets from here. Can be used when one target at least serves its page: a refusal may be another's.

    An address like 10.0.1.4 may be a machine's in whatever network this computer is in.
    """

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    async def fetch(self, targets: Sequence[Target], count: int, report: Report) -> None:
        """Fetch the page from each target over `count` fresh connections."""
        first: dict[Target, Attempt] = {}
        await spread(targets, 1, self._attempt, first.__setitem__)
        if not any(attempt.host for attempt in first.values()):
            raise RouteError(f"From this computer no target serves its page: {first[targets[0]].error}")
        for target, attempt in first.items():
            report(target, attempt, TEXT)
        if count > 1:
            await spread(targets, count - 1, self._attempt, lambda target, attempt: report(target, attempt, TEXT))

    async def _attempt(self, target: Target) -> Attempt:
        return await fetch(_connect, target, self._probe)

    async def close(self) -> None:
        """Nothing is kept."""


class _SocketStream:
    """A connection of this computer's own."""

    def __init__(self, sock: socket.socket, connect_ms: float, address: str) -> None:
        self.connect_ms = connect_ms
        self.first_byte_ms: float | None = None
        self.resolved = address
        self._socket = sock
        self._sent_at = 0.0

    async def send(self, data: bytes) -> None:
        """Send a request; when the connection is gone, `receive` tells."""
        self._sent_at = perf_counter()
        with suppress(OSError):
            await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def receive(self) -> bytes:
        """What has arrived since the last time, waiting for it if need be; empty at the end."""
        try:
            data = await asyncio.get_running_loop().sock_recv(self._socket, 16384)
        except OSError:
            return b""
        if data and self.first_byte_ms is None:
            self.first_byte_ms = (perf_counter() - self._sent_at) * 1000
        return data

    def close(self) -> None:
        """Give the connection up."""
        self._socket.close()


async def _connect(host: str, port: int) -> _SocketStream:
    """Connect to the first address of a host that lets us. Raises `ConnectError`."""
    try:
        found = await in_thread(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        # What is no error of the system's is a name that the rules for names do not allow.
        words = clean(error.strerror if isinstance(error, OSError) else "", 100) or "it is no name of a machine"
        raise ConnectError(
            Failure.NOT_FOUND, f"This computer finds no address for {clean(host, 100)}: {words}."
        ) from None
    trouble: OSError | None = None
    for family, kind, protocol, _, address in found:
        sock: socket.socket | None = None
        try:
            # This one fails where too many files are open.
            sock = socket.socket(family, kind, protocol)
            sock.setblocking(False)
            # Small packets that wait to be filled up would be part of every time that is measured.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            started = perf_counter()
            await asyncio.get_running_loop().sock_connect(sock, address)
            return _SocketStream(sock, (perf_counter() - started) * 1000, str(address[0]))
        except OSError as error:
            if sock:
                sock.close()
            trouble = error
        except BaseException:
            if sock:
                sock.close()
            raise
    number = trouble.errno if trouble else None
    # asyncio puts words of its own in the place of the system's.
    words = os.strerror(number) if number else "there is no answer"
    raise ConnectError(FAILURES.get(number or 0, Failure.REFUSED), f"This computer could not connect: {words}.")
