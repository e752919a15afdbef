"""Small real servers on the loopback interface for a probe to meet."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from plstui.domain.probe import Target, TargetKind
from plstui.domain.sides import Side

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def page(host: str) -> bytes:
    """A backend's page as nginx serves it."""
    body = f"Host: {host}\n".encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def target(port: int, name: str = "web1", *, address: str = "127.0.0.1", side: Side = Side.ISV) -> Target:
    """A target on the loopback interface."""
    return Target(name=name, kind=TargetKind.BACKEND, side=side, address=address, port=port)


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    """A TCP server that hands each connection to `serve` and closes it afterwards; yields its port."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            with suppress(OSError):
                writer.close()
                await writer.wait_closed()

    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(one(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """A server that answers every request with the same bytes and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        with suppress(ConnectionError):
            await writer.drain()

    async with serving(serve) as port:
        yield port


@contextmanager
def unanswered() -> Iterator[int]:
    """A port at which connections neither come about nor are refused: its queue is full and nobody takes from it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        try:
            for sock in waiting:
                sock.setblocking(False)
                with suppress(BlockingIOError):
                    sock.connect(listener.getsockname())
            yield listener.getsockname()[1]
        finally:
            for sock in waiting:
                sock.close()
