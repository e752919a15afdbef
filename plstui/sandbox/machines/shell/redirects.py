"""Where a command reads and writes instead: `>file`, `2>&1`, `<file`, `<<END`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from plstui.sandbox.machines.budget import Budget
from plstui.sandbox.machines.errors import ShellSyntaxError
from plstui.sandbox.machines.guest import Guest
from plstui.sandbox.machines.shell.expansion import Expander
from plstui.sandbox.machines.shell.streams import Streams, text_input, with_descriptor
from plstui.sandbox.machines.shell.syntax import Redirect


class Redirecting(Protocol):
    """What redirections need of the shell that runs the command."""

    guest: Guest
    budget: Budget

    def expander(self, streams: Streams) -> Expander:
        """Expands words as they stand in a command with these streams."""

    def path(self, name: str) -> str:
        """A file name as an absolute path."""


async def redirected(shell: Redirecting, redirects: Sequence[Redirect], streams: Streams) -> Streams:
    """The streams of a command with its redirections. Raises `OSError` for a file that is not there."""
    expander, charge = shell.expander(streams), shell.budget.characters
    for redirect in redirects:
        target = await expander.text(redirect.target)
        if redirect.operator == "<<":
            streams = replace(streams, read=text_input(target, charge))
        elif redirect.operator == "<":
            content = "" if target == "/dev/null" else shell.guest.disk.read(shell.path(target))
            if content is None:
                raise OSError(2, f"cannot open {target}: No such file")
            streams = replace(streams, read=text_input(content, charge))
        elif redirect.operator == ">&":
            streams = with_descriptor(streams, redirect.descriptor, streams.err if target == "2" else streams.out)
        else:
            writer = _file_writer(shell, target, append=redirect.operator == ">>")
            streams = with_descriptor(streams, redirect.descriptor, writer)
    return streams


def _file_writer(shell: Redirecting, target: str, *, append: bool) -> Callable[[str], None]:
    if target == "/dev/null":
        return lambda text: shell.budget.characters(len(text))
    disk, path = shell.guest.disk, shell.path(target)
    if disk.is_folder(path):
        raise OSError(21, f"cannot create {target}: Is a directory")
    if not disk.is_folder(path.rpartition("/")[0] or "/"):
        raise OSError(2, f"cannot create {target}: Directory nonexistent")
    if not append or disk.read(path) is None:
        disk.write(path, "")

    def write(text: str) -> None:
        shell.budget.characters(len(text))
        try:
            disk.append(path, text)
        except OSError as error:
            raise ShellSyntaxError(f"{target}: {error.strerror}") from None

    return write
