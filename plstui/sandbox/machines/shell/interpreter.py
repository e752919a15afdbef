"""Runs scripts in a machine: control flow, redirections, and a look-up for each command."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from plstui.sandbox.machines.aside import aside
from plstui.sandbox.machines.budget import Budget, Variables
from plstui.sandbox.machines.errors import ShellSyntaxError
from plstui.sandbox.machines.shell.expansion import Expander
from plstui.sandbox.machines.shell.jobs import Jobs
from plstui.sandbox.machines.shell.leaving import LoopControl, ShellExit
from plstui.sandbox.machines.shell.parser import parse
from plstui.sandbox.machines.shell.redirects import redirected
from plstui.sandbox.machines.shell.streams import Sink, Streams, metered, no_flush, text_input
from plstui.sandbox.machines.shell.syntax import (
    Chain,
    Command,
    For,
    Group,
    If,
    Pipeline,
    Script,
    Simple,
    While,
)

if TYPE_CHECKING:
    from plstui.sandbox.machines.guest import Guest

DEEPEST = 60
"""Scripts within scripts that may run; a level takes ten of Python's frames, and there are a thousand."""

LONGEST_LINE = 128 * 1024
"""Characters that the arguments of a command may have, as many as Linux takes in one."""
MOST_ARGUMENTS = 4096
"""Arguments of a command; some do for each what takes a moment."""

CANNOT_RUN = 126
NOT_FOUND = 127
"""The exit codes for a command that cannot be run or is not there, as in every shell."""


Builtin = Callable[["Shell", list[str], Streams], Awaitable[int]]
"""A command: shell, arguments without the name, streams → exit code."""

COMMANDS: dict[str, Builtin] = {}
"""Every command the machines know, by name."""


def command(*names: str) -> Callable[[Builtin], Builtin]:
    """Make a function a command."""

    def register(function: Builtin) -> Builtin:
        COMMANDS.update(dict.fromkeys(names, function))
        return function

    return register


class Shell:
    """One shell in a machine, with its variables."""

    def __init__(self, guest: Guest, user: str, *, arguments: Sequence[str] = (), budget: Budget | None = None) -> None:
        self.guest = guest
        self.user = user
        self.folder = guest.home(user)
        self.status = 0
        self.variables = Variables(
            HOME=guest.home(user),
            USER=user,
            LOGNAME=user,
            HOSTNAME=guest.computer_name,
            PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            SHELL="/bin/bash",
            PWD=guest.home(user),
        )
        self.exit_on_error = False
        self._arguments = list(arguments)
        self.budget = budget or Budget()
        self._within = False
        """Whether another shell has started this one, and so pays attention to what it prints."""
        self._conditions = 0
        self._substituted = 0
        self._depth = 0
        self.jobs = Jobs(guest)

    async def run(self, source: str, streams: Streams) -> int:
        """Run a script; returns its exit code. Errors of the script go to its standard error."""
        async with self.jobs:
            try:
                with self.guest.process():
                    await self._script(await self._parsed(source), self._metered(streams))
            except ShellExit as end:
                self.status = end.code
            except LoopControl:
                self.status = 0
            except ShellSyntaxError as error:
                self._give_up(error, streams)
        return self.status

    def _give_up(self, error: ShellSyntaxError, streams: Streams) -> None:
        """Say why a script ends here, and end all of it."""
        with contextlib.suppress(ShellSyntaxError):
            streams.err(f"sh: {error}\n")
        self.status = 2
        self.jobs.cancel()

    async def run_line(self, source: str, streams: Streams) -> int | None:
        """Run a line typed at a prompt; returns the exit code when it ends the shell, else None."""
        self.budget.refill()
        try:
            await self._script(await self._parsed(source), self._metered(streams))
        except ShellExit as end:
            return end.code
        except LoopControl:
            self.status = 0
        except ShellSyntaxError as error:
            self._give_up(error, streams)
        return None

    async def _parsed(self, source: str) -> Script:
        self.budget.characters(len(source))
        return await aside(len(source), parse, source)

    def _metered(self, streams: Streams) -> Streams:
        return streams if self._within else metered(streams, self.budget.characters)

    async def source(self, text: str, streams: Streams) -> int:
        """Run a script with this shell's own variables."""
        await self._script(await self._parsed(text), streams)
        return self.status

    def child(self, arguments: Sequence[str] | None = None) -> Shell:
        """A shell with a copy of this one's variables, on the same budget of commands."""
        shell = Shell(self.guest, self.user, arguments=self._arguments if arguments is None else arguments)
        shell.variables = self.variables.duplicate()
        shell.folder, shell.status, shell.exit_on_error = self.folder, self.status, self.exit_on_error
        shell.budget, shell._conditions, shell._depth = self.budget, self._conditions, self._depth
        shell._within = True
        return shell

    async def execute(self, argv: Sequence[str], streams: Streams) -> int:
        """Run one command by its name and arguments."""
        name = argv[0]
        if len(argv) > MOST_ARGUMENTS or sum(map(len, argv)) > LONGEST_LINE:
            streams.err(f"sh: {name[:60]}: Argument list too long\n")
            return CANNOT_RUN
        try:
            return await self._executed(argv, streams)
        except RecursionError:
            raise ShellSyntaxError("nested too deeply") from None
        except ConnectionError:
            raise
        except OSError as error:
            streams.err(f"{name}: {error.strerror}\n")
            return 1
        except (ArithmeticError, LookupError, ValueError):
            # What nobody thought of: a number of a thousand digits, an empty word.
            streams.err(f"{name}: such an argument is not in the sandbox\n")
            return 2

    async def _executed(self, argv: Sequence[str], streams: Streams) -> int:
        name = argv[0]
        builtin = COMMANDS.get(name.rpartition("/")[2]) if self._is_program(name) else None
        if builtin is None:
            text = self.read_file(name) if "/" in name else None
            if text and _is_shell_script(text):
                return await self.child(argv[1:]).run(text, streams)
            streams.err(f"{name}: not in the sandbox\n")
            return NOT_FOUND
        return await builtin(self, list(argv[1:]), streams)

    def knows(self, name: str) -> bool:
        """Whether a command of that name can be run here."""
        return name in COMMANDS and self.guest.has_program(name)

    def _is_program(self, name: str) -> bool:
        folder, _, base = name.rpartition("/")
        return folder in ("", "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin") and self.knows(base)

    def path(self, name: str) -> str:
        """A file name as an absolute path."""
        return name if name.startswith("/") else f"{self.folder.rstrip('/')}/{name}"

    def read_file(self, name: str) -> str | None:
        """The content of a file; None when there is none."""
        content = self.guest.disk.read(self.path(name))
        self.budget.characters(len(content or ""))
        return content

    def lookup(self, name: str) -> str:
        """A variable's value; empty when unset."""
        if name == "?":
            return str(self.status)
        if name == "#":
            return str(len(self._arguments))
        if name.startswith("#"):
            return str(len(self.lookup(name[1:])))
        if name == "$":
            return "1000"
        if name in "@*":
            return " ".join(self._arguments)
        if name.isdigit():
            # A number of thousands of digits is none that Python reads, and no argument has it.
            at = int(name[-6:]) if len(name.lstrip("0")) <= 6 else MOST_ARGUMENTS
            return (["sh", *self._arguments][at : at + 1] or [""])[0]
        return self.variables.get(name, "")

    def expander(self, streams: Streams) -> Expander:
        """Expands words as they stand in a command with these streams."""

        async def capture(script: Script) -> str:
            text, self._substituted = await self._captured(script, streams)
            return text

        return Expander(self.lookup, capture, self.guest.disk, self.budget.characters)

    async def _captured(self, script: Script, streams: Streams) -> tuple[str, int]:
        shell = self.child()
        sink = Sink(self.budget.characters)
        async with shell.jobs:
            try:
                await shell._script(script, replace(streams, out=sink.write, flush=no_flush))
            except ShellExit as end:
                shell.status = end.code
        return sink.text, shell.status

    async def _script(self, script: Script, streams: Streams) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ShellSyntaxError("nested too deeply")
        try:
            for chain in script.chains:
                if chain.background:
                    await self.spend()
                    self.jobs.start(partial(self.child()._in_background, chain, streams))
                    self.status = 0
                else:
                    await self._chain(chain, streams)
        finally:
            self._depth -= 1

    async def _in_background(self, chain: Chain, streams: Streams) -> None:
        async with self.jobs:
            try:
                await self._chain(chain, streams)
            except (ShellExit, LoopControl):
                pass
            except ShellSyntaxError as error:
                self._give_up(error, streams)

    async def _chain(self, chain: Chain, streams: Streams) -> None:
        pipelines = [("", chain.first), *chain.rest]
        for index, (operator, pipeline) in enumerate(pipelines):
            if (operator == "&&" and self.status) or (operator == "||" and not self.status):
                continue
            last = index == len(pipelines) - 1
            self._conditions += not last
            try:
                await self._pipeline(pipeline, streams)
            finally:
                self._conditions -= not last
            if last and self.status and self.exit_on_error and not self._conditions and not pipeline.negated:
                raise ShellExit(self.status)

    async def _pipeline(self, pipeline: Pipeline, streams: Streams) -> None:
        *before, last = pipeline.commands
        for piped in before:
            # One after the other: whoever reads a pipe here wants all of it.
            shell, sink = self.child(), Sink(self.budget.characters)
            async with shell.jobs:
                with contextlib.suppress(ShellExit):
                    await shell._command(piped, replace(streams, out=sink.write, flush=no_flush))
            streams = replace(streams, read=text_input(sink.text, self.budget.characters))
        await self._command(last, streams)
        if pipeline.negated:
            self.status = int(not self.status)

    async def _command(self, command: Command, streams: Streams) -> None:
        try:
            streams = await redirected(self, command.redirects, streams)
        except OSError as error:
            streams.err(f"sh: {error.strerror}\n")
            self.status = 1
            return
        match command.what:
            case Simple():
                await self._simple(command.what, streams)
            case If():
                await self._if(command.what, streams)
            case For():
                words = await self.expander(streams).fields(command.what.words)
                self.status = 0
                for word in words:
                    self.variables[command.what.name] = word
                    if not await self._loop(command.what.body, streams):
                        break
            case While():
                await self._while(command.what, streams)
            case Group(body, subshell):
                shell = self.child() if subshell else self
                try:
                    await shell._script(body, streams)
                except ShellExit as end:
                    if not subshell:
                        raise
                    shell.status = end.code
                finally:
                    if subshell:
                        self.jobs.adopt(shell.jobs)
                self.status = shell.status

    async def _if(self, command: If, streams: Streams) -> None:
        for condition, body in command.branches:
            if await self._holds(condition, streams):
                self.status = 0
                return await self._script(body, streams)
        self.status = 0
        if command.otherwise:
            await self._script(command.otherwise, streams)
        return None

    async def _holds(self, condition: Script, streams: Streams) -> bool:
        self._conditions += 1
        try:
            await self._script(condition, streams)
        finally:
            self._conditions -= 1
        return self.status == 0

    async def _while(self, command: While, streams: Streams) -> None:
        status = 0
        while await self._holds(command.condition, streams) != command.until:
            goes_on = await self._loop(command.body, streams)
            status = self.status
            if not goes_on:
                break
        self.status = status

    async def _loop(self, body: Script, streams: Streams) -> bool:
        """One turn of a loop; whether there may be another."""
        await self.spend()
        try:
            await self._script(body, streams)
        except LoopControl as control:
            self.status = 0
            if control.levels > 1:
                raise LoopControl(control.levels - 1, again=control.again) from None
            return control.again
        return True

    async def _simple(self, simple: Simple, streams: Streams) -> None:
        await self.spend()
        await self.guest.answering.wait()
        expander = self.expander(streams)
        self._substituted = 0
        argv = await expander.fields(simple.words)
        assigned = {name: await expander.text(word) for name, word in simple.assignments}
        if not argv:
            self._assign(assigned)
            # `x=$(false)` fails; a plain assignment does not.
            self.status = self._substituted
            return
        kept = {name: self.variables.get(name) for name in assigned}
        self._assign(assigned)
        try:
            self.status = await self.execute(argv, streams)
        finally:
            for name, value in kept.items():
                if value is None:
                    self.variables.forget(name)
                else:
                    self.variables[name] = value
        await streams.flush()

    def _assign(self, values: dict[str, str]) -> None:
        for name, value in values.items():
            self.variables[name] = value

    async def spend(self) -> None:
        """Take one command off the budget, and let everybody else have a turn. Raises `ShellSyntaxError`."""
        self.budget.command()
        # A script of quick commands alone must not keep everything else from running.
        await asyncio.sleep(0)


def _is_shell_script(text: str) -> bool:
    first = text.partition("\n")[0]
    return first.startswith("#!") and first.rstrip().endswith(("sh", "sh -e", "sh -x"))
