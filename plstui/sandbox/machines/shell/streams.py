"""What commands read from and write to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

from plstui.sandbox.machines.errors import ShellSyntaxError

MOST_TEXT = 1024 * 1024
"""Characters a substitution or pipe may hold; a file holds as many."""

Charge = Callable[[int], None]
"""Takes so many characters off what a script may use. Raises `ShellSyntaxError`."""


async def no_input() -> str:
    """Standard input that is closed."""
    return ""


async def no_flush() -> None:
    """Nothing to wait for."""


def nowhere(_text: str) -> None:
    """Output that nobody reads."""


@dataclass(frozen=True, slots=True)
class Streams:
    """Where a command reads and writes."""

    read: Callable[[], Awaitable[str]] = no_input
    """All of standard input."""
    out: Callable[[str], None] = nowhere
    err: Callable[[str], None] = nowhere
    flush: Callable[[], Awaitable[None]] = no_flush
    """Wait until the reader has caught up."""


def free(_characters: int) -> None:
    """What costs nothing."""


class Sink:
    """Collects what a command prints."""

    def __init__(self, charge: Charge = free) -> None:
        self._charge = charge
        self._pieces: list[str] = []
        self._left = MOST_TEXT

    @property
    def text(self) -> str:
        """Everything so far."""
        return "".join(self._pieces)

    def write(self, text: str) -> None:
        """Take some more. Raises `ShellSyntaxError` once, when it is full; what comes then is lost."""
        if self._left < 0:
            return
        self._charge(len(text))
        self._left -= len(text)
        if self._left < 0:
            raise ShellSyntaxError("too much output for the sandbox")
        self._pieces.append(text)


def metered(streams: Streams, charge: Charge) -> Streams:
    """The same streams, with what is printed charged for."""

    def charged(write: Callable[[str], None]) -> Callable[[str], None]:
        def write_charged(text: str) -> None:
            charge(len(text))
            write(text)

        return write_charged

    return replace(streams, out=charged(streams.out), err=charged(streams.err))


def joined(pieces: Iterable[str]) -> str:
    """Pieces as one text. Raises `ShellSyntaxError` as soon as that is too long."""
    taken, left = [], MOST_TEXT
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise ShellSyntaxError("too much text for the sandbox")
        taken.append(piece)
    return "".join(taken)


def text_input(text: str, charge: Charge = free) -> Callable[[], Awaitable[str]]:
    """Standard input that is a text."""

    async def read() -> str:
        charge(len(text))
        return text

    return read


def with_descriptor(streams: Streams, descriptor: int, writer: Callable[[str], None]) -> Streams:
    """The same streams with standard output or standard error elsewhere."""
    return replace(streams, err=writer) if descriptor == 2 else replace(streams, out=writer)
