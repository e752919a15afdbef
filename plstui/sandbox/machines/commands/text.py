"""Printing, and working on lines of text."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Iterator
from itertools import groupby

from plstui.sandbox.machines import patterns
from plstui.sandbox.machines.aside import aside
from plstui.sandbox.machines.patterns import Pattern, PatternError
from plstui.sandbox.machines.shell.interpreter import Shell, command
from plstui.sandbox.machines.shell.streams import MOST_TEXT, Streams, joined

MOST_NUMBERS = 100_000
MOST_WIDTH = 10_000
"""Limits to what a short command may print."""
_LINE = 20
"""Characters that a line counts, however short: each is looked at by itself."""


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
    # Text, width and kind in turn, the text at the end alone.
    parts = re.split(r"%(-?\d{0,6})([sdib%])", _unescape(arguments[0]))
    values = deque(arguments[1:])
    while True:
        before = len(values)
        streams.out(await aside(len(parts), lambda: joined(_formatted(parts, values))))
        if not values or len(values) == before:
            return 0
        await asyncio.sleep(0)


def _formatted(parts: list[str], values: deque[str]) -> Iterator[str]:
    for text, width, kind in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
        yield text
        yield "%" if kind == "%" else _padded(kind, width, values)
    yield parts[-1]


def _padded(kind: str, wanted: str, values: deque[str]) -> str:
    value = values.popleft() if values else ("" if kind in "sb" else "0")
    value = _unescape(value) if kind == "b" else value
    width = max(min(int(wanted.replace("-", "-0", 1) or 0), MOST_WIDTH), -MOST_WIDTH)
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
        content = shell.read_file(name)
        if content is None:
            streams.err(f"{who}: {name}: No such file or directory\n")
            return None
        pieces.append(content)
    return joined(pieces)


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
    pieces = text if unit == "c" else text.splitlines(keepends=True)
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
        text = patterns.literal(pattern) if "F" in options else pattern if "E" in options else _from_basic(pattern)
        wanted = Pattern(text, ignore_case="i" in options)
    except PatternError as error:
        streams.err(f"grep: {error}\n")
        return 2
    lines = await _lines(shell, names, streams, "grep")
    if lines is None:
        return 2
    size = sum(map(len, lines))
    # The automaton of a large expression takes its time with every character.
    shell.budget.characters(size * wanted.cost)
    found = await aside(size * wanted.cost + len(lines) * _LINE, _selected, lines, wanted, options)
    if "c" in options:
        streams.out(f"{len(found)}\n")
    elif "q" not in options:
        streams.out(joined(f"{line}\n" for line in found))
    return 0 if found else 1


def _selected(lines: list[str], wanted: Pattern, options: str) -> list[str]:
    found = [line for line in lines if wanted.found_in(line) != ("v" in options)]
    return [match for line in found for match in wanted.all(line)] if "o" in options else found


def _from_basic(pattern: str) -> str:
    """A basic regular expression in Python's words: there `|`, `+`, `?` and brackets need a backslash to be special."""
    # Within square brackets nothing is.
    pieces = re.findall(r"\[\^?\]?[^\]]*\]|\\.|.", pattern[: patterns.LONGEST + 1], re.DOTALL)
    return "".join(_BASIC.get(piece, piece) for piece in pieces)


_BASIC = {**{f"\\{char}": char for char in "|+?(){}"}, **{char: f"\\{char}" for char in "|+?(){}"}}


@command("wc")
async def wc(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Count lines, words, characters."""
    options = "".join(argument[1:] for argument in arguments if argument.startswith("-")) or "lwc"
    names = [argument for argument in arguments if not argument.startswith("-")]
    text = await streams.read() if not names else shell.read_file(names[0])
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
    streams.out(await aside(len(lines) * _LINE, _sorted, lines, options))
    return 0


def _sorted(lines: list[str], options: str) -> str:
    lines = sorted(
        set(lines) if "u" in options else lines, key=_number if "n" in options else None, reverse="r" in options
    )
    return joined(f"{line}\n" for line in lines)


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

    def cut_out() -> Iterator[str]:
        for line in lines:
            if not by_field:
                yield line[first - 1 : last] + "\n"
            elif separator not in line:
                yield f"{line}\n"
            else:
                yield separator.join(line.split(separator)[first - 1 : last]) + "\n"

    streams.out(await aside(len(lines) * _LINE, lambda: joined(cut_out())))
    return 0


@command("tr")
async def tr(_shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Exchange characters, or delete them (`-d`); `-c` means all the others."""
    options = "".join(argument[1:] for argument in arguments if re.fullmatch(r"-[cd]+", argument))
    sets = [_unescape(argument) for argument in arguments if not re.fullmatch(r"-[cd]+", argument)]
    if len(sets) != (1 if "d" in options else 2):
        streams.err("tr: one set to delete or two to exchange are in the sandbox\n")
        return 1
    text = await streams.read()
    streams.out(await aside(len(text) + sum(map(len, sets)), _exchanged, text, sets, options))
    return 0


def _exchanged(text: str, sets: list[str], options: str) -> str:
    members = _members(sets[0])
    if "d" in options:
        kept = set(members)
        return "".join(char for char in text if (char in kept) == ("c" in options))
    if "c" in options:
        kept = set(members)
        return "".join(char if char in kept else sets[1][-1] for char in text)
    others = _members(sets[1])
    others += others[-1:] * (len(members) - len(others))
    # Of a character that is named twice the last counts.
    return text.translate({ord(char): other for char, other in zip(members, others, strict=False)})


def _members(text: str) -> str:
    """The characters that a set means; `a-z` is all between."""
    parts = re.split(r"(.-.)", text, flags=re.DOTALL)
    return joined(part if index % 2 == 0 else _range(part) for index, part in enumerate(parts))


def _range(text: str) -> str:
    first, last = ord(text[0]), ord(text[2])
    if last - first > MOST_TEXT:
        raise ValueError("too many characters")
    return "".join(map(chr, range(first, last + 1)))


@command("uniq")
async def uniq(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Lines that repeat, once; `-c` with how often."""
    names = [argument for argument in arguments if not argument.startswith("-")]
    lines = await _lines(shell, names, streams, "uniq")
    if lines is None:
        return 1
    streams.out(await aside(len(lines) * _LINE, _runs, lines, counted="-c" in arguments))
    return 0


def _runs(lines: list[str], *, counted: bool) -> str:
    runs = ((line, sum(1 for _ in same)) for line, same in groupby(lines))
    return joined(f"{count:7d} {line}\n" if counted else f"{line}\n" for line, count in runs)


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
    # Of more than a machine word holds, Python cannot tell the length.
    if abs(numbers[-1] - first) // abs(step) > MOST_NUMBERS:
        streams.err("seq: too many numbers for the sandbox\n")
        return 1
    streams.out("".join(f"{number}\n" for number in counted))
    return 0
