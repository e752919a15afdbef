"""The network as one machine sees it."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from itertools import count

from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.fabric import names, outbound
from plstui.sandbox.fabric.routing import Delivery, Dropped, Router
from plstui.sandbox.fabric.topology import Topology
from plstui.sandbox.machines.network import (
    CONNECT_TIMEOUT,
    Connection,
    Interface,
    TimedOutError,
    UnknownNameError,
)

FIRST_PORT, LAST_PORT = 32768, 60999
"""Linux's range for the ports of outgoing connections."""

Dial = Callable[[Delivery], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
"""Connects to the machine a connection is delivered to. Raises `ConnectError`."""

DialSelf = Callable[[int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
"""Connects to a port of the machine itself. Raises `ConnectError`."""


class Vantage:
    """A machine's `Network`."""

    def __init__(
        self,
        machine_id: str,
        topology: Topology,
        router: Router,
        clock: SandboxClock,
        dial: Dial,
        dial_self: DialSelf,
    ) -> None:
        self._machine_id = machine_id
        self._topology = topology
        self._router = router
        self._clock = clock
        self._dial = dial
        self._dial_self = dial_self
        # Not the same for every machine, but the same in every run.
        self._ports = count(zlib.crc32(machine_id.encode()) % (LAST_PORT - FIRST_PORT))

    def interfaces(self) -> Sequence[Interface]:
        """The machine's interfaces, the primary first."""
        return [
            Interface(item.address, self._topology.prefix_length(item), item.mac)
            for item in self._topology.attachments(self._machine_id)
        ]

    def resolve(self, name: str) -> Sequence[str]:
        """The IPv4 addresses of a name. Raises `UnknownNameError`."""
        if name == "localhost":
            return ["127.0.0.1"]
        attachments = self._topology.attachments(self._machine_id)
        found = names.resolve(self._topology, attachments[0], name) if attachments else []
        if not found:
            raise UnknownNameError
        return found

    def reaches_internet(self) -> bool:
        """Whether packages could be fetched."""
        return any(
            outbound.reaches_internet(self._topology, item) for item in self._topology.attachments(self._machine_id)
        )

    async def connect(self, host: str, port: int, timeout: float = CONNECT_TIMEOUT) -> Connection:
        """Open a connection. Raises `ConnectError`; a packet that is dropped takes until the time-out."""
        address = self.resolve(host)[0]
        own_port = FIRST_PORT + next(self._ports) % (LAST_PORT - FIRST_PORT + 1)
        attachments = self._topology.attachments(self._machine_id)
        if address.startswith("127.") or any(item.address == address for item in attachments):
            reader, writer = await self._dial_self(port)
            return Connection(reader, writer, address, port, address, own_port)
        if not attachments:
            raise TimedOutError
        origin = attachments[0]
        way = self._router.from_machine(origin, own_port, address, port)
        if isinstance(way, Dropped):
            await self._give_up(timeout)
        else:
            try:
                reader, writer = await self._dial(way)
            except TimedOutError:
                await self._give_up(timeout)
            else:
                return Connection(
                    reader,
                    writer,
                    address,
                    port,
                    origin.address,
                    own_port,
                    idle_limit=way.idle_limit,
                    reset_when_idle=way.reset_when_idle,
                )
        raise TimedOutError

    async def _give_up(self, timeout: float) -> None:
        """Nobody answers: wait as long as a socket would."""
        await self._clock.sleep(timeout)
