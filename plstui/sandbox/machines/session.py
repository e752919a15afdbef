"""What a person or program does in a machine over SSH: one command, a script, or a shell with a prompt."""

from __future__ import annotations

import asyncio
from functools import partial

import asyncssh

from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.machines.errors import ShellSyntaxError
from plstui.sandbox.machines.guest import Guest
from plstui.sandbox.machines.relay import drained
from plstui.sandbox.machines.shell.interpreter import Shell
from plstui.sandbox.machines.shell.streams import MOST_TEXT, Streams

_CHUNK = 64 * 1024


class SessionFactory:
    """What a session needs of its machine."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest

    @property
    def clock(self) -> SandboxClock:
        """The sandbox's clock."""
        return self.guest.clock

    def shell(self) -> Shell:
        """A new shell of the user who logged in."""
        return Shell(self.guest, self.guest.admin)


async def serve_session(process: asyncssh.SSHServerProcess[str], sessions: SessionFactory) -> None:
    """Serve one session to its end; the client's going ends whatever runs."""
    shell = sessions.shell()
    if process.subsystem:
        process.stderr.write(f"{process.subsystem}: not in the sandbox\n")
        process.exit(127)
        return
    work = asyncio.ensure_future(_serve(process, shell))
    gone = asyncio.ensure_future(process.channel.wait_closed())
    await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
    if work.done():
        gone.cancel()
        code = work.result()
        if not process.channel.is_closing():
            process.exit(code)
        return
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def _serve(process: asyncssh.SSHServerProcess[str], shell: Shell) -> int:
    streams = _streams(process)
    if process.command is not None:
        return await shell.run(process.command, streams)
    if process.term_type is None:
        try:
            script = await streams.read()
        except ShellSyntaxError as error:
            streams.err(f"sh: {error}\n")
            return 2
        return await shell.run(script, streams)
    return await _prompt(process, shell, streams)


async def _prompt(process: asyncssh.SSHServerProcess[str], shell: Shell, streams: Streams) -> int:
    """A shell with a prompt, until `exit` or Ctrl-D."""
    guest = shell.guest
    process.stdout.write(f"Welcome to {guest.image.pretty} in the plstui sandbox\n\n")
    # What is typed while a command runs belongs to the prompt, so commands get no input of their own.
    streams = Streams(out=streams.out, err=streams.err, flush=streams.flush)
    reading = asyncio.ensure_future(_line(process))
    try:
        while True:
            folder = shell.folder.replace(guest.home(shell.user), "~", 1)
            process.stdout.write(f"{shell.user}@{guest.computer_name}:{folder}$ ")
            line = await reading
            if line == "":
                process.stdout.write("logout\n")
                return shell.status
            reading = asyncio.ensure_future(_line(process))
            if not line:
                continue
            work = asyncio.ensure_future(shell.run_line(line, streams))
            try:
                await asyncio.wait([work, reading], return_when=asyncio.FIRST_COMPLETED)
                if not work.done() and reading.result() is None:
                    work.cancel()
                    reading = asyncio.ensure_future(_line(process))
                    continue
                if (code := await work) is not None:
                    return code
            finally:
                work.cancel()
    finally:
        reading.cancel()
        # Who hangs up ends them, as in every shell.
        shell.jobs.cancel()


async def _line(process: asyncssh.SSHServerProcess[str]) -> str | None:
    """The next line that is typed; None for Ctrl-C, empty for Ctrl-D."""
    while True:
        try:
            return await process.stdin.readline()
        except (asyncssh.BreakReceived, asyncssh.SignalReceived):
            process.stdout.write("^C\n")
            return None
        except asyncssh.TerminalSizeChanged:
            continue


def _streams(process: asyncssh.SSHServerProcess[str]) -> Streams:
    # A terminal has no second output.
    errors = process.stderr if process.term_type is None else process.stdout
    return Streams(
        read=partial(_everything, process.stdin),
        out=process.stdout.write,
        err=errors.write,
        flush=partial(drained, process.stdout),
    )


async def _everything(reader: asyncssh.SSHReader[str]) -> str:
    """All that comes in, which no client may make as much as it likes. Raises `ShellSyntaxError`."""
    pieces, size = [], 0
    while text := await reader.read(_CHUNK):
        pieces.append(text)
        size += len(text)
        if size > MOST_TEXT:
            raise ShellSyntaxError("too much input for the sandbox")
    return "".join(pieces)
