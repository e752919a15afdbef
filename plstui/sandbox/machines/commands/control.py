"""What steers a script: tests, variables, loops, waiting."""

from __future__ import annotations

import re
from collections.abc import Callable

from plstui.sandbox.machines.shell.expansion import calculate
from plstui.sandbox.machines.shell.interpreter import Shell, command
from plstui.sandbox.machines.shell.leaving import LoopControl, ShellExit
from plstui.sandbox.machines.shell.streams import Streams


@command("true", ":")
async def true(_shell: Shell, _arguments: list[str], _streams: Streams) -> int:
    """Succeed."""
    return 0


@command("false")
async def false(_shell: Shell, _arguments: list[str], _streams: Streams) -> int:
    """Fail."""
    return 1


@command("test", "[")
async def test(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Compare texts and numbers, look for files."""
    if arguments and arguments[-1] == "]":
        arguments = arguments[:-1]
    try:
        return 0 if _true(shell, arguments) else 1
    except ValueError:
        streams.err(f"test: not in the sandbox: {' '.join(arguments)}\n")
        return 2


_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}


def _true(shell: Shell, arguments: list[str]) -> bool:
    disk = shell.guest.disk
    match arguments:
        case []:
            return False
        case ["!", *rest] if len(rest) <= 4:
            return not _true(shell, rest)
        case [text]:
            return text != ""
        case ["-n", text]:
            return text != ""
        case ["-z", text]:
            return text == ""
        case ["-e", path]:
            return disk.exists(shell.path(path))
        case ["-f" | "-r", path]:
            return disk.read(shell.path(path)) is not None
        case ["-s", path]:
            return bool(disk.read(shell.path(path)))
        case ["-d", path]:
            return disk.is_folder(shell.path(path))
        case ["-x", path]:
            file = disk.file(shell.path(path))
            return disk.is_folder(shell.path(path)) or (file is not None and bool(file.mode & 0o111))
        case [left, "=" | "==", right]:
            return left == right
        case [left, "!=", right]:
            return left != right
        case [left, operator, right] if operator in _NUMBERS:
            return _NUMBERS[operator](int(left), int(right))
    raise ValueError("an expression that the sandbox does not know")


@command("export", "readonly", "local")
async def export(shell: Shell, arguments: list[str], _streams: Streams) -> int:
    """Set variables; all of them are exported here."""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals:
            shell.variables[name] = value
    return 0


@command("unset")
async def unset(shell: Shell, arguments: list[str], _streams: Streams) -> int:
    """Forget variables."""
    for name in arguments:
        shell.variables.forget(name)
    return 0


@command("set")
async def set_options(shell: Shell, arguments: list[str], _streams: Streams) -> int:
    """`-e` and `+e`; the other options change nothing that a script here could notice."""
    for argument in arguments:
        if re.fullmatch(r"[-+][a-z]+", argument) and "e" in argument:
            shell.exit_on_error = argument.startswith("-")
    return 0


@command(".", "source")
async def source(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Run a file in this shell, so that what it sets stays."""
    name = arguments[0] if arguments else ""
    text = shell.read_file(name)
    if text is None:
        streams.err(f"sh: .: cannot open {name}: No such file\n")
        return 2
    return await shell.source(text, streams)


@command("exit", "return")
async def leave(shell: Shell, arguments: list[str], _streams: Streams) -> int:
    """End the script."""
    raise ShellExit(int(arguments[0]) % 256 if arguments and arguments[0].isdigit() else shell.status)


@command("wait")
async def wait(shell: Shell, _arguments: list[str], _streams: Streams) -> int:
    """Wait for what was started with `&`: for all of it, also when some of it is named."""
    await shell.jobs.wait()
    return 0


@command("break")
async def leave_loop(_shell: Shell, arguments: list[str], _streams: Streams) -> int:
    """End a loop."""
    raise LoopControl(int(arguments[0]) if arguments and arguments[0].isdigit() else 1, again=False)


@command("continue")
async def next_turn(_shell: Shell, arguments: list[str], _streams: Streams) -> int:
    """Go on with the next turn of a loop."""
    raise LoopControl(int(arguments[0]) if arguments and arguments[0].isdigit() else 1, again=True)


@command("expr")
async def expr(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Calculate."""
    streams.out(f"{calculate(' '.join(arguments), shell.lookup)}\n")
    return 0


@command("sleep")
async def sleep(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Wait, on the sandbox's clock."""
    duration = seconds(arguments[0] if arguments else "")
    if duration is None:
        streams.err("sleep: invalid time interval\n")
        return 1
    await shell.guest.clock.sleep(duration)
    return 0


def seconds(text: str) -> float | None:
    """A duration as `sleep` and `timeout` take it, `5`, `1.5m`, `2h`; None for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]] if match else None


@command("chmod", "chown", "chgrp", "sync", "umask", "ulimit", "trap", "stty", "clear")
async def nothing_to_see(_shell: Shell, _arguments: list[str], _streams: Streams) -> int:
    """Commands whose effect nothing in a machine here depends on."""
    return 0
