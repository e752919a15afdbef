"""Small real servers on the loopback interface for a probe to meet."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress

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


@asynccontextmanager
async def odd_servers() -> AsyncIterator[dict[str, int]]:
    """Servers by what is odd about them, and their ports."""

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nHost: ")
        with suppress(ConnectionError):
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    ok = b"HTTP/1.1 200 OK\r\n"
    answers = {
        "chunked": ok + b"Transfer-Encoding: chunked\r\n\r\n6\r\nHost: \r\n4\r\nweb1\r\n0\r\n\r\n",
        "old": b"HTTP/1.0 200 OK\r\n\r\nHost: web1\n",
        "other": ok + b'Content-Length: 25\r\n\r\nWelcome"; \x1b[2J to; nginx!\n',
        "two": ok + b"Content-Length: 22\r\n\r\nHost: web1\nHost: web2\n",
        "empty": ok + b"Content-Length: 0\r\n\r\n",
        "binary": ok + b"Content-Length: 4\r\n\r\n\x00\x01\xff\xfe",
        "gzip": ok + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"Host: web1", mtime=0),
        "redirect": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        "gone": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "control": ok + b"Content-Length: 16\r\n\r\nHost: \x1b[31mweb1\n\n",
        "cut": ok + b"Content-Length: 100\r\n\r\nHost: we",
        "long": ok + b"Content-Length: 10485760\r\n\r\n" + b"Host: web1\n" * 953250 + b"xxxx",
        "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    }
    async with AsyncExitStack() as stack:
        ports = {name: await stack.enter_async_context(answering(answer)) for name, answer in answers.items()}
        for name, serve in {"flood": flood, "hang": hang, "hang up": hang_up}.items():
            ports[name] = await stack.enter_async_context(serving(serve))
        yield ports
