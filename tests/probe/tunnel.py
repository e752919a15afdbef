"""A network between two programs that can go silent: nothing comes through, and nobody is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.probe.servers import serving


@dataclass
class Tunnel:
    """Passes on what comes to its port."""

    port: int = 0
    _silent: set[asyncio.StreamWriter] = field(default_factory=set)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """From now on nothing comes through the connections that there are; new ones work."""
        self._silent |= self._open

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what is read until it ends."""
        self._open.add(writer)
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if writer not in self._silent:
                    writer.write(data)
                    await writer.drain()


@asynccontextmanager
async def tunnel(port: int) -> AsyncIterator[Tunnel]:
    """A way to a port of the loopback interface."""
    way = Tunnel()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        try:
            ends = [asyncio.create_task(way.pass_on(reader, back)), asyncio.create_task(way.pass_on(there, writer))]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()
        finally:
            back.close()
            with suppress(ConnectionError):
                await back.wait_closed()

    async with serving(serve) as way.port:
        yield way
