"""A connection to the machine that probes start from, perhaps through others."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from functools import partial
from time import monotonic

import paramiko

from plstui.domain.probe import Failure
from plstui.domain.tasks import end
from plstui.domain.text import clean
from plstui.probe.fetch import ConnectError
from plstui.probe.route import RouteError, UnresolvedError
from plstui.probe.ssh.config import Hop
from plstui.probe.ssh.line import LOST, WINDOW, ChannelStream, Line
from plstui.probe.ssh.login import LOGIN_TIMEOUT, Answers, log_in
from plstui.probe.threads import LINGER, Worker, in_thread

ANSWER_TIMEOUT = 3.0
"""Seconds for a sign of life of a connection that was idle; it needs one round trip."""

MOST_NAMES = 4096
"""Bytes of a machine's names and addresses that are read."""

HOP_WINDOW = 2 * 1024 * 1024
"""Bytes on their way from a machine behind a jump machine; OpenSSH's own default."""


class Connection:
    """One SSH connection, with any number of channels to targets.

    Threads: paramiko's own for each machine on the way, which reads, and one worker, which does what may block in
    paramiko (sending, while keys are renewed or the network stands still). A channel costs none: fifty targets that
    hang are fifty entries in a table. All end when the connection is closed.
    """

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._worker = Worker()
        self._check: asyncio.Task[bool] | None = None
        self._naming: asyncio.Task[frozenset[str]] | None = None
        self._heard_at = monotonic()

    @property
    def alive(self) -> bool:
        """Whether the connection stands as far as is known without asking."""
        return bool(self._lines) and all(line.is_active() for line in self._lines)

    async def connect(self, hops: Sequence[Hop], answers: Answers, timeout: float) -> None:
        """Log in to each machine through the one before. Raises `RouteError`; `close` whatever comes of it.

        `timeout` is for each connection to stand, in seconds;
        logging in has its own.
        """
        for number, hop in enumerate(hops):
            sock = await self._reach(hop, timeout) if number else await _dial(hop, timeout)
            line = Line(sock)
            self._lines.append(line)
            try:
                async with asyncio.timeout(LOGIN_TIMEOUT):
                    await in_thread(partial(log_in, line, hop, answers, direct=not number), stop=self._hang_up)
            except TimeoutError:
                raise RouteError(f"{hop.name} did not complete the login within {LOGIN_TIMEOUT:g} s.") from None
        # What the login left unacknowledged would otherwise be part of the first time that is measured.
        if not await self._ask():
            raise RouteError(f"{hops[-1].name} does not answer after the login.")

    async def _reach(self, hop: Hop, timeout: float) -> paramiko.Channel:
        """A channel to the next machine's SSH server."""
        try:
            async with asyncio.timeout(timeout):
                stream = await self.open(hop.host, hop.port, HOP_WINDOW)
        except TimeoutError:
            raise RouteError(f"{hop.where} does not answer within {timeout:g} s.") from None
        except ConnectError as error:
            raise RouteError(f"{hop.where} cannot be reached. {error}") from None
        assert stream.channel is not None, "an open stream has one"
        return stream.channel

    async def open(self, host: str, port: int, window: int = WINDOW) -> ChannelStream:
        """Connect to a target from the last machine. Raises `ConnectError`; cancelling leaves nothing behind."""
        stream = ChannelStream(self._worker)
        try:
            try:
                await self._worker.call(lambda: self._lines[-1].ask(stream, host, port, window))
            except LOST:
                raise ConnectError(Failure.JUMP, "The connection to the jump machine was lost.") from None
            await stream.wait_open()
        except BaseException:
            stream.close()
            raise
        finally:
            if stream.answered:
                self._heard_at = monotonic()
        return stream

    async def answers(self, since: float | None = None) -> bool:
        """Whether the machine answers; it is asked unless it was heard of after `since` (by the monotonic clock)."""
        if not self.alive:
            return False
        if since is not None and self._heard_at > since:
            return True
        if self._check is None or self._check.done():
            # One question for all who want to know.
            self._check = asyncio.create_task(self._ask())
        return await asyncio.shield(self._check)

    async def _ask(self) -> bool:
        line = self._lines[-1]
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                # Servers do not know this request, and say so: that is the sign of life.
                await in_thread(lambda: line.global_request("keepalive@openssh.com", wait=True), stop=self._hang_up)
        except LOST:
            return False
        self._heard_at = monotonic()
        return self.alive

    async def names(self) -> frozenset[str]:
        """What the last machine calls itself, with its addresses, in lower case; empty where it does not say."""
        if self._naming is None:
            # One question for all who want to know, as long as the connection stands.
            self._naming = asyncio.create_task(in_thread(self._ask_names, stop=self._hang_up))
        return await asyncio.shield(self._naming)

    def _ask_names(self) -> frozenset[str]:
        said = b""
        try:
            with self._lines[-1].open_session(timeout=ANSWER_TIMEOUT) as channel:
                channel.settimeout(ANSWER_TIMEOUT)
                channel.exec_command("hostname; hostname -I")
                while len(said) < MOST_NAMES and (piece := channel.recv(MOST_NAMES)):
                    said += piece
        except LOST:
            # It may run no commands for us; that is no trouble.
            return frozenset()
        return frozenset(said.decode(errors="replace").lower().split())

    def _hang_up(self) -> None:
        # The first machine's line first: what goes through it then fails instead of waiting to be sent.
        for line in self._lines:
            line.hang_up()

    async def close(self) -> None:
        """End the connection and its threads, at once, whatever state it is in."""
        await end([asking for asking in (self._check, self._naming) if asking])
        self._hang_up()
        self._worker.stop()
        await in_thread(self._join)

    def _join(self) -> None:
        for line in self._lines:
            line.wait_ended(LINGER)
        self._worker.join(LINGER)


async def _dial(hop: Hop, timeout: float) -> socket.socket:
    """A socket connected to the first machine. Raises `RouteError`."""
    try:
        async with asyncio.timeout(timeout):
            addresses = await in_thread(lambda: socket.getaddrinfo(hop.host, hop.port, type=socket.SOCK_STREAM))
    except TimeoutError:
        raise RouteError(f"The name of {hop.where} was not resolved within {timeout:g} s.") from None
    except (OSError, UnicodeError) as error:
        raise UnresolvedError(f"No address is known for {hop.where}: {_words(error)}.") from None
    reason = ""
    for family, kind, protocol, _, address in addresses:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            # Small packets that wait to be filled up would be part of every time that is measured.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(timeout / len(addresses)):
                await asyncio.get_running_loop().sock_connect(sock, address)
        except TimeoutError:
            sock.close()
            reason = f"no answer within {timeout:g} s"
        except OSError as error:
            sock.close()
            reason = _words(error)
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise RouteError(f"The jump machine {hop.where} cannot be reached: {reason}.")


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno and not isinstance(error, socket.gaierror):
        # asyncio puts words of its own in the place of the system's.
        return os.strerror(error.errno)
    # What is no error of the system's is a name that the rules for names do not allow.
    return clean(error.strerror, 100) if isinstance(error, OSError) and error.strerror else "it is no name of a machine"
