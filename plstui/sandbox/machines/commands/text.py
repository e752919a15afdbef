"""Printing, and working on lines of text."""

from __future__ import annotations

import re

from plstui.sandbox.machines.shell.interpreter import Shell, command
from plstui.sandbox.machines.shell.streams import Streams

MOST_NUMBERS = 100_000
MOST_WIDTH = 10_000
"""Limits to what a short command may print."""


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
        streams.out(re.sub(r"%(-?\d{0,6})([sdib%])", lambda match: _formatted(match, values), template))
        if not values or len(values) == before:
            return 0


def _formatted(match: re.Match[str], values: list[str]) -> str:
    if match[2] == "%":
        return "%"
    value = values.pop(0) if values else ("" if match[2] in "sb" else "0")
    value = _unescape(value) if match[2] == "b" else value
    width = max(min(int(match[1] or 0), MOST_WIDTH), -MOST_WIDTH)
    return value.ljust(-width) if width < 0 else value.rjust(width)


def _unescape(text: str) -> str:
    known = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "e": "\x1b", "0": "\0"}
    return re.sub(r"\\(.)", lambda match: known.get(match[1], match[0]), text)


async def _lines(shell: Shell, names: list[str], streams: Streams, who: str) -> list[str] | None:
    """The lines of files or of standard input, without their ends; None when a file is not there."""
    text = await _text(shell, names, streams, who)
    return None if text is None else text.split("\n")[: -1 if text.endswith("\n") or not text else None]


async def _text(shell: Shell, names: list[str], streams: Streams, who: str) -> str | None:
    """The text of files or of standard input; None when a file is not there."""
    if not names:
        return await streams.read()
    pieces: list[str] = []
    for name in names:
        content = shell.guest.disk.read(shell.path(name))
        if content is None:
            streams.err(f"{who}: {name}: No such file or directory\n")
            return None
        pieces.append(content)
    return "".join(pieces)


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
    text = await _text(shell, names, streams, "head" if first else "tail")
    if text is None:
        return 1
    pieces = list(text) if unit == "c" else text.splitlines(keepends=True)
    streams.out("".join(pieces[:count] if first else pieces[max(len(pieces) - count, 0) :]))
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
        text = re.escape(pattern) if "F" in options else pattern if "E" in options else _from_basic(pattern)
        wanted = re.compile(text, re.IGNORECASE if "i" in options else 0)
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


def _from_basic(pattern: str) -> str:
    """A basic regular expression in Python's words: there `|`, `+`, `?` and brackets need a backslash to be special."""
    # Within square brackets nothing is.
    pieces = re.findall(r"\[\^?\]?[^\]]*\]|\\.|.", pattern, re.DOTALL)
    return "".join(_BASIC.get(piece, piece) for piece in pieces)


_BASIC = {**{f"\\{char}": char for char in "|+?(){}"}, **{char: f"\\{char}" for char in "|+?(){}"}}


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


@command("cut")
async def cut(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """A range of each line's characters (`-c1-40`) or of its fields (`-d' ' -f2`)."""
    options: dict[str, str] = {}
    names: list[str] = []
    queue = list(arguments)
    while queue:
        argument = queue.pop(0)
        if argument[:2] in ("-c", "-d", "-f"):
            options[argument[1]] = argument[2:] or (queue.pop(0) if queue else "")
        else:
            names.append(argument)
    by_field = "f" in options
    span = re.fullmatch(r"(\d*)(-?)(\d*)", options.get("f", options.get("c", "")))
    if span is None or not (span[1] or span[3]):
        streams.err("cut: only one range of -c or -f is in the sandbox\n")
        return 1
    first = int(span[1] or 1)
    last = int(span[3]) if span[3] else None if span[2] else first
    lines = await _lines(shell, names, streams, "cut")
    if lines is None:
        return 1
    separator = options.get("d", "\t")
    for line in lines:
        if not by_field:
            streams.out(line[first - 1 : last] + "\n")
        elif separator not in line:
            streams.out(f"{line}\n")
        else:
            streams.out(separator.join(line.split(separator)[first - 1 : last]) + "\n")
    return 0


@command("tr")
async def tr(_shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Exchange characters, or delete them (`-d`); `-c` means all the others."""
    options = "".join(argument[1:] for argument in arguments if re.fullmatch(r"-[cd]+", argument))
    sets = [_unescape(argument) for argument in arguments if not re.fullmatch(r"-[cd]+", argument)]
    if len(sets) != (1 if "d" in options else 2):
        streams.err("tr: one set to delete or two to exchange are in the sandbox\n")
        return 1
    members, text = _members(sets[0]), await streams.read()
    if "d" in options:
        streams.out("".join(char for char in text if (char in members) == ("c" in options)))
    elif "c" in options:
        streams.out("".join(char if char in members else sets[1][-1] for char in text))
    else:
        others = _members(sets[1])
        others += others[-1:] * (len(members) - len(others))
        # Of a character that is named twice the last counts.
        streams.out(text.translate({ord(char): other for char, other in zip(members, others, strict=False)}))
    return 0


def _members(text: str) -> str:
    """The characters that a set means; `a-z` is all between."""
    return re.sub(r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), text, flags=re.DOTALL)


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
    counted = range(first, numbers[-1] + (1 if step > 0 else -1), step)
    if len(counted) > MOST_NUMBERS:
        streams.err("seq: too many numbers for the sandbox\n")
        return 1
    streams.out("".join(f"{number}\n" for number in counted))
    return 0
