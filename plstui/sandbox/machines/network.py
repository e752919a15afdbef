"""What a machine may ask of its network, and how a connection can fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

CONNECT_TIMEOUT = 10.0
"""Seconds of the sandbox's clock until a connection whose packets are dropped fails. Linux itself tries for over two
minutes, longer than any client of ours waits."""


class ConnectError(Exception):
    """A connection was not made; the text is what the operating system says of it."""

    words: ClassVar[str] = "Connection failed"

    def __init__(self) -> None:
        super().__init__(self.words)


class RefusedError(ConnectError):
    """A machine answered that nothing listens there."""

    words = "Connection refused"


class TimedOutError(ConnectError):
    """Nobody answered: the address is not there, or something dropped the packets."""

    words = "Connection timed out"


class OutOfReachError(ConnectError):
    """This computer could not make the connection, for want of files or ports of its own."""

    def __init__(self, why: str | None) -> None:
        Exception.__init__(self, why or self.words)


class UnknownNameError(ConnectError):
    """The name stands for no address."""

    words = "Name or service not known"


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface as the machine sees it."""

    address: str
    """IPv4."""
    prefix_length: int
    mac: str


@dataclass(frozen=True, slots=True)
class Connection:
    """An open TCP connection of a machine."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str
    """Where it was meant to go."""
    port: int
    local_address: str
    local_port: int
    idle_limit: float | None = None
    """Seconds without a byte after which something on the way forgets it; None for never."""
    reset_when_idle: bool = False
    """Whether both ends are told then."""


class Network(Protocol):
    """The network, seen from one machine."""

    def interfaces(self) -> Sequence[Interface]:
        """The machine's interfaces, the primary first."""

    def resolve(self, name: str) -> Sequence[str]:
        """The IPv4 addresses of a name or of a literal address. Raises `UnknownNameError`."""

    async def connect(self, host: str, port: int, timeout: float = CONNECT_TIMEOUT) -> Connection:
        """Open a connection to a name or address. Raises `ConnectError`."""

    def reaches_internet(self) -> bool:
        """Whether packages could be fetched."""
