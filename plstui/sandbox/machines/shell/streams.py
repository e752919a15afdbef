"""What commands read from and write to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from plstui.sandbox.machines.shell.syntax import ShellSyntaxError

MOST_TEXT = 8 * 1024 * 1024
"""Characters a substitution, pipe or file may hold."""


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


class Sink:
    """Collects what a command prints."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0

    @property
    def text(self) -> str:
        """Everything so far."""
        return "".join(self._pieces)

    def write(self, text: str) -> None:
        """Take some more."""
        self._size += len(text)
        if self._size > MOST_TEXT:
            raise ShellSyntaxError("too much output for the sandbox")
        self._pieces.append(text)


def text_input(text: str) -> Callable[[], Awaitable[str]]:
    """Standard input that is a text."""

    async def read() -> str:
        return text

    return read


def with_descriptor(streams: Streams, descriptor: int, writer: Callable[[str], None]) -> Streams:
    """The same streams with standard output or standard error elsewhere."""
    return replace(streams, err=writer) if descriptor == 2 else replace(streams, out=writer)
