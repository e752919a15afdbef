"""Carries bytes between an SSH channel and a connection of the machine."""

from __future__ import annotations

import asyncio
from typing import AnyStr

import asyncssh

from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.machines.guest import Guest
from plstui.sandbox.machines.network import Connection

_CHUNK = 64 * 1024
MOST_WAITING = 32 * 1024 * 1024
"""Bytes that wait for one client to read them."""


async def relay(
    reader: asyncssh.SSHReader[bytes],
    writer: asyncssh.SSHWriter[bytes],
    connection: Connection,
    guest: Guest,
) -> None:
    """Relay both ways until both ends have said all, one of them is gone, or the way between has forgotten it."""
    clock = guest.clock
    last = [clock.time()]

    async def outward() -> None:
        while data := await reader.read(_CHUNK):
            await guest.answering.wait()
            last[0] = clock.time()
            connection.writer.write(data)
            await connection.writer.drain()
        connection.writer.write_eof()

    async def inward() -> None:
        while data := await connection.reader.read(_CHUNK):
            await guest.answering.wait()
            last[0] = clock.time()
            writer.write(data)
            await drained(writer)
        writer.write_eof()

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(outward())
            group.create_task(inward())

    work = asyncio.ensure_future(both())
    watch = asyncio.ensure_future(_idle(last, connection.idle_limit, clock))
    try:
        await asyncio.wait([work, watch], return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            _forget_broken(work)
        elif connection.reset_when_idle:
            writer.channel.abort()
        else:
            # Both ends believe that the connection is there; what they send is dropped.
            work.cancel()
            await writer.channel.wait_closed()
    finally:
        work.cancel()
        watch.cancel()
        await asyncio.gather(work, watch, return_exceptions=True)
        connection.writer.transport.abort()
        writer.close()


async def drained(writer: asyncssh.SSHWriter[AnyStr]) -> None:
    """Wait until a client has taken what is written; one that opens a wide window and then reads nothing is cut off."""
    await writer.drain()
    connection = writer.channel.get_connection()
    # asyncssh waits for the window alone; what the socket does not take piles up in its transport, which it hides.
    transport = getattr(connection, "_transport", None)
    if transport and transport.get_write_buffer_size() > MOST_WAITING:
        connection.abort()


async def _idle(last: list[float], limit: float | None, clock: SandboxClock) -> None:
    """Return once nothing has passed for `limit` seconds."""
    if limit is None:
        await asyncio.Event().wait()
        return
    while (left := last[0] + limit - clock.time()) > 0:
        await clock.sleep(left)


def _forget_broken(work: asyncio.Future[None]) -> None:
    """An end that is gone is an end of the connection like any other; everything else is a mistake of ours."""
    error = work.exception()
    if isinstance(error, BaseExceptionGroup):
        _, error = error.split((OSError, EOFError, asyncssh.Error))
    if error:
        raise error
