"""Printing, comparing, files."""

from __future__ import annotations

import asyncio
import posixpath
import re

from plstui.sandbox.machines.shell.expansion import calculate
from plstui.sandbox.machines.shell.interpreter import LoopControl, Shell, ShellExit, Streams, command


@command("true", ":")
async def true(_shell: Shell, _arguments: list[str], _streams: Streams) -> int:
    """Succeed."""
    return 0


@command("false")
async def false(_shell: Shell, _arguments: list[str], _streams: Streams) -> int:
    """Fail."""
    return 1


@command("echo")
async def echo(_shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Print the arguments."""
    newline, escapes = "\n", False
    while arguments and re.fullmatch(r"-[neE]+", arguments[0]):
        options = arguments.pop(0)
        newline = "" if "n" in options else newline
        escapes = "e" in options or escapes
    text = " ".join(arguments)
    streams.out((_unescape(text) if escapes else text) + newline)
    return 0


@command("printf")
async def printf(_shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Print by a format, again while there are arguments."""
    if not arguments:
        return 2
    template, values = _unescape(arguments[0]), arguments[1:]
    while True:
        before = len(values)
        streams.out(re.sub(r"%(-?\d*)([sdib%])", lambda match: _formatted(match, values), template))
        if not values or len(values) == before:
            return 0


def _formatted(match: re.Match[str], values: list[str]) -> str:
    if match[2] == "%":
        return "%"
    value = values.pop(0) if values else ("" if match[2] in "sb" else "0")
    value = _unescape(value) if match[2] == "b" else value
    width = int(match[1] or 0)
    return value.ljust(-width) if width < 0 else value.rjust(width)


def _unescape(text: str) -> str:
    known = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "e": "\x1b", "0": "\0"}
    return re.sub(r"\\(.)", lambda match: known.get(match[1], match[0]), text)


@command("cat")
async def cat(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Print files, or standard input."""
    status = 0
    for name in [argument for argument in arguments if argument == "-" or not argument.startswith("-")] or ["-"]:
        content = await streams.read() if name == "-" else shell.guest.disk.read(shell.path(name))
        if content is None:
            folder = shell.guest.disk.is_folder(shell.path(name))
            streams.err(f"cat: {name}: {'Is a directory' if folder else 'No such file or directory'}\n")
            status = 1
        else:
            streams.out(content)
    return status


async def _lines(shell: Shell, names: list[str], streams: Streams, who: str) -> list[str] | None:
    """The lines of files or of standard input; None when a file is not there."""
    if not names:
        return (await streams.read()).splitlines()
    lines: list[str] = []
    for name in names:
        content = shell.guest.disk.read(shell.path(name))
        if content is None:
            streams.err(f"{who}: {name}: No such file or directory\n")
            return None
        lines.extend(content.splitlines())
    return lines


@command("head")
async def head(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """The first lines."""
    return await _ends(shell, arguments, streams, first=True)


@command("tail")
async def tail(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """The last lines."""
    return await _ends(shell, arguments, streams, first=False)


async def _ends(shell: Shell, arguments: list[str], streams: Streams, *, first: bool) -> int:
    count, unit, names = 10, "n", []
    while arguments:
        argument = arguments.pop(0)
        if match := re.fullmatch(r"-([nc])?(\d+)", argument):
            count, unit = int(match[2]), match[1] or "n"
        elif argument in ("-n", "-c") and arguments and arguments[0].lstrip("-").isdigit():
            count, unit = int(arguments.pop(0).lstrip("-")), argument[1]
        elif not argument.startswith("-"):
            names.append(argument)
    lines = await _lines(shell, names, streams, "head" if first else "tail")
    if lines is None:
        return 1
    if unit == "c":
        text = "\n".join(lines) + ("\n" if lines else "")
        streams.out(text[:count] if first else text[max(len(text) - count, 0) :])
        return 0
    chosen = lines[:count] if first else lines[max(len(lines) - count, 0) :]
    streams.out("".join(f"{line}\n" for line in chosen))
    return 0


@command("grep")
async def grep(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """The lines that match a pattern."""
    options = "".join(argument[1:] for argument in arguments if re.fullmatch(r"-[ivcqEFoe]+", argument))
    operands = [argument for argument in arguments if not re.fullmatch(r"-[ivcqEFoe]+", argument)]
    if not operands:
        streams.err("grep: a pattern is needed\n")
        return 2
    pattern, *names = operands
    try:
        wanted = re.compile(re.escape(pattern) if "F" in options else pattern, re.IGNORECASE if "i" in options else 0)
    except re.error as error:
        streams.err(f"grep: {error}\n")
        return 2
    lines = await _lines(shell, names, streams, "grep")
    if lines is None:
        return 2
    found = [line for line in lines if bool(wanted.search(line)) != ("v" in options)]
    if "o" in options:
        found = [match[0] for line in found for match in wanted.finditer(line)]
    if "c" in options:
        streams.out(f"{len(found)}\n")
    elif "q" not in options:
        streams.out("".join(f"{line}\n" for line in found))
    return 0 if found else 1


@command("wc")
async def wc(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Count lines, words, characters."""
    options = "".join(argument[1:] for argument in arguments if argument.startswith("-")) or "lwc"
    names = [argument for argument in arguments if not argument.startswith("-")]
    text = await streams.read() if not names else shell.guest.disk.read(shell.path(names[0]))
    if text is None:
        streams.err(f"wc: {names[0]}: No such file or directory\n")
        return 1
    counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(text.encode("utf-8", "surrogateescape"))}
    streams.out(" ".join([*(str(counts[option]) for option in "lwc" if option in options), *names[:1]]) + "\n")
    return 0


@command("sort")
async def sort(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Lines in order; `-u` each once, `-r` backwards, `-n` by number."""
    options = "".join(argument[1:] for argument in arguments if argument.startswith("-"))
    names = [argument for argument in arguments if not argument.startswith("-")]
    lines = await _lines(shell, names, streams, "sort")
    if lines is None:
        return 2
    lines = sorted(set(lines) if "u" in options else lines, key=_number if "n" in options else None)
    streams.out("".join(f"{line}\n" for line in (reversed(lines) if "r" in options else lines)))
    return 0


def _number(line: str) -> tuple[float, str]:
    match = re.match(r"\s*(-?\d+(\.\d+)?)", line)
    return (float(match[1]) if match else 0.0, line)


@command("uniq")
async def uniq(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Lines that repeat, once; `-c` with how often."""
    names = [argument for argument in arguments if not argument.startswith("-")]
    lines = await _lines(shell, names, streams, "uniq")
    if lines is None:
        return 1
    runs: list[tuple[str, int]] = []
    for line in lines:
        if runs and runs[-1][0] == line:
            runs[-1] = (line, runs[-1][1] + 1)
        else:
            runs.append((line, 1))
    streams.out("".join(f"{count:7d} {line}\n" if "-c" in arguments else f"{line}\n" for line, count in runs))
    return 0


@command("seq")
async def seq(_shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Numbers from one to another."""
    try:
        numbers = [int(argument) for argument in arguments]
    except ValueError:
        streams.err("seq: invalid number\n")
        return 1
    if not 1 <= len(numbers) <= 3 or (len(numbers) == 3 and not numbers[1]):
        streams.err("seq: one to three numbers are needed\n")
        return 1
    first = numbers[0] if len(numbers) > 1 else 1
    step = numbers[1] if len(numbers) == 3 else 1
    streams.out("".join(f"{number}\n" for number in range(first, numbers[-1] + (1 if step > 0 else -1), step)))
    return 0


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


_NUMBERS = {
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
        case ["!", *rest]:
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
            return bool(_NUMBERS[operator](int(left), int(right)))
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
        shell.variables.pop(name, None)
    return 0


@command("set")
async def set_options(shell: Shell, arguments: list[str], _streams: Streams) -> int:
    """`-e` and `+e`; the other options change nothing that a script here could notice."""
    for argument in arguments:
        if re.fullmatch(r"[-+][a-z]+", argument) and "e" in argument:
            shell.exit_on_error = argument.startswith("-")
    return 0


@command("exit", "return")
async def leave(shell: Shell, arguments: list[str], _streams: Streams) -> int:
    """End the script."""
    raise ShellExit(int(arguments[0]) % 256 if arguments and arguments[0].isdigit() else shell.status)


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
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", arguments[0] if arguments else "")
    if not match:
        streams.err("sleep: invalid time interval\n")
        return 1
    await shell.guest.clock.sleep(float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]])
    return 0


@command("mkdir")
async def mkdir(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Make folders."""
    for name in [argument for argument in arguments if not argument.startswith("-")]:
        path = shell.path(name)
        above = posixpath.dirname(path.rstrip("/")) or "/"
        if "-p" not in arguments and not shell.guest.disk.is_folder(above):
            streams.err(f"mkdir: cannot create directory '{name}': No such file or directory\n")
            return 1
        shell.guest.disk.make_folder(path)
    return 0


@command("touch")
async def touch(shell: Shell, arguments: list[str], _streams: Streams) -> int:
    """Make files that are not there."""
    for name in arguments:
        if not name.startswith("-") and not shell.guest.disk.exists(shell.path(name)):
            shell.guest.disk.write(shell.path(name), "")
    return 0


@command("rm", "unlink")
async def rm(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Remove files and folders."""
    options = "".join(argument[1:] for argument in arguments if argument.startswith("-"))
    status = 0
    for name in [argument for argument in arguments if not argument.startswith("-")]:
        path = shell.path(name)
        if shell.guest.disk.is_folder(path) and "r" not in options and "R" not in options:
            streams.err(f"rm: cannot remove '{name}': Is a directory\n")
            status = 1
        elif not shell.guest.disk.remove(path) and "f" not in options:
            streams.err(f"rm: cannot remove '{name}': No such file or directory\n")
            status = 1
    return status


@command("cp")
async def cp(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Copy a file."""
    return _copied(shell, arguments, streams, "cp")


@command("ln")
async def ln(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Link a file; here a copy, as files change only through their first name."""
    return _copied(shell, arguments, streams, "ln")


@command("mv")
async def mv(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Move a file."""
    status = _copied(shell, arguments, streams, "mv")
    if not status:
        shell.guest.disk.remove(shell.path(next(name for name in arguments if not name.startswith("-"))))
    return status


def _copied(shell: Shell, arguments: list[str], streams: Streams, who: str) -> int:
    names = [argument for argument in arguments if not argument.startswith("-")]
    disk = shell.guest.disk
    file = disk.file(shell.path(names[0])) if len(names) == 2 else None
    if file is None:
        streams.err(f"{who}: cannot stat '{names[0] if names else ''}': No such file or directory\n")
        return 1
    target = shell.path(names[1])
    if disk.is_folder(target):
        target = f"{target.rstrip('/')}/{posixpath.basename(names[0])}"
    disk.write(target, file.content, mode=file.mode, owner=file.owner)
    return 0


@command("ls")
async def ls(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """The names in folders."""
    disk, status = shell.guest.disk, 0
    for name in [argument for argument in arguments if not argument.startswith("-")] or ["."]:
        path = posixpath.normpath(shell.path(name))
        if disk.is_folder(path):
            streams.out("".join(f"{entry}\n" for entry in disk.names(path)))
        elif disk.exists(path):
            streams.out(f"{name}\n")
        else:
            streams.err(f"ls: cannot access '{name}': No such file or directory\n")
            status = 2
    return status


@command("cd")
async def cd(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Change the folder."""
    path = posixpath.normpath(shell.path(arguments[0])) if arguments else shell.variables["HOME"]
    if not shell.guest.disk.is_folder(path):
        streams.err(f"sh: cd: can't cd to {arguments[0]}\n")
        return 2
    shell.folder = shell.variables["PWD"] = path
    return 0


@command("pwd")
async def pwd(shell: Shell, _arguments: list[str], streams: Streams) -> int:
    """The folder."""
    streams.out(f"{shell.folder}\n")
    return 0


@command("tee")
async def tee(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Write standard input to files and on."""
    text = await streams.read()
    for name in [argument for argument in arguments if not argument.startswith("-")]:
        path = shell.path(name)
        before = shell.guest.disk.read(path) or "" if "-a" in arguments else ""
        shell.guest.disk.write(path, before + text)
    streams.out(text)
    return 0


@command("chmod", "chown", "chgrp", "sync", "umask", "ulimit", "trap", "stty", "clear")
async def nothing_to_see(_shell: Shell, _arguments: list[str], _streams: Streams) -> int:
    """Commands whose effect nothing in a machine here depends on."""
    await asyncio.sleep(0)
    return 0
