"""From words as written to the arguments a command gets."""

from __future__ import annotations

import ast
import asyncio
import operator
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from plstui.sandbox.machines.disk import LONGEST_PATH, Disk
from plstui.sandbox.machines.errors import ShellSyntaxError
from plstui.sandbox.machines.patterns import Pattern, PatternError, glob
from plstui.sandbox.machines.shell.streams import MOST_TEXT, Charge
from plstui.sandbox.machines.shell.syntax import Arithmetic, Literal, Script, Substitution, Word

Lookup = Callable[[str], str]
"""The value of a variable; empty when unset."""
Capture = Callable[[Script], Awaitable[str]]
"""What a script prints."""

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_WORD_SIZE = 2**64
"""Shells calculate in 64 bits."""

_SUM = Pattern(r"(?:[-+*/%()$\s]|0[xX][0-9a-fA-F]+\b|[0-9]+\b|[A-Za-z_]\w*\b)*")
"""What Python reads as shells do, and warns of nothing in it."""
PARTS = 500
"""Parts of words after which everybody else gets a turn."""
LONGEST_SUM = 1_000
"""Characters of an arithmetic expression."""
_LOOK = 100
"""Characters that a file name counts which a pattern is held against."""


class Expander:
    """Expands variables, substitutions, arithmetic and file patterns."""

    def __init__(self, lookup: Lookup, capture: Capture, disk: Disk, charge: Charge) -> None:
        self._lookup = lookup
        self._capture = capture
        self._disk = disk
        self._charge = charge
        self._parts = 0

    async def fields(self, words: Iterable[Word]) -> list[str]:
        """The arguments that words become: unquoted values are split at blanks, patterns become file names."""
        fields: list[str] = []
        size = 0
        for word in words:
            split = await self._split(word)
            size += sum(map(len, split))
            _limit(size)
            fields.extend(split)
        return fields

    async def text(self, word: Word) -> str:
        """One word as one text, not split: for assignments and file names."""
        values: list[str] = []
        size = 0
        for part in word:
            values.append((await self._value(part))[0])
            size += len(values[-1])
            _limit(size)
        return "".join(values)

    async def _value(self, part: Any) -> tuple[str, bool]:
        """What a part stands for, and whether it must not be split."""
        self._parts += 1
        if not self._parts % PARTS:
            await asyncio.sleep(0)
        value, whole = await self._worth(part)
        self._charge(len(value))
        return value, whole

    async def _worth(self, part: Any) -> tuple[str, bool]:
        if isinstance(part, Literal):
            return part.text, True
        if isinstance(part, Substitution):
            return (await self._capture(part.script)).rstrip("\n"), part.quoted
        if isinstance(part, Arithmetic):
            return str(calculate(part.text, self._lookup)), True
        value = self._lookup(part.name)
        if not value and part.default is not None:
            value = await self.text(part.default)
        return value, part.quoted

    async def _split(self, word: Word) -> list[str]:
        fields: list[str] = []
        current: list[str] | None = None
        pattern, size = False, 0
        for index, part in enumerate(word):
            value, whole = await self._value(part)
            size += len(value)
            _limit(size)
            if whole:
                if isinstance(part, Literal) and not part.quoted:
                    pattern = pattern or any(char in value for char in "*?[")
                    if index == 0 and (value == "~" or value.startswith("~/")):
                        value = self._lookup("HOME") + value[1:]
                current = current or []
                current.append(value)
                continue
            pieces = value.split()
            if not pieces:
                continue
            if current is not None and value[0].isspace():
                fields.append("".join(current))
                current = None
            current = current or []
            current.append(pieces[0])
            if len(pieces) > 1:
                fields += ["".join(current), *pieces[1:-1]]
                current = [pieces[-1]]
            if value[-1].isspace():
                fields.append("".join(current))
                current = None
        if current is not None:
            fields.append("".join(current))
        if not pattern:
            return fields
        await asyncio.sleep(0)
        return [name for field in fields for name in self._matches(field)]

    def _matches(self, pattern: str) -> list[str]:
        """The files a pattern means, or the pattern itself when it means none, as shells do."""
        if not pattern.startswith("/") or len(pattern) > LONGEST_PATH:
            return [pattern]
        names = ["/"]
        for piece in pattern.strip("/").split("/"):
            try:
                wanted = glob(piece)
            except PatternError:
                return [pattern]
            found: list[str] = []
            for folder in names:
                inside = self._disk.names(folder)
                self._charge(len(inside) * _LOOK)
                found += (f"{folder.rstrip('/')}/{name}" for name in inside if wanted.fits(name))
            names = found
        return names or [pattern]


def _limit(size: int) -> None:
    """A text that a script keeps doubling would otherwise take all memory."""
    if size > MOST_TEXT:
        raise ShellSyntaxError("too much text for the sandbox")


def calculate(text: str, lookup: Lookup) -> int:
    """The value of an arithmetic expression over integers and variables. Raises `ShellSyntaxError`."""
    if len(text) > LONGEST_SUM:
        raise ShellSyntaxError("such a long arithmetic expression is not in the sandbox")
    if not _SUM.fits(text):
        raise ShellSyntaxError(f"arithmetic expression: '{text}' is not in the sandbox")
    try:
        return _calculate(ast.parse(text.replace("$", "").strip() or "0", mode="eval").body, lookup)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ShellSyntaxError(f"arithmetic expression: '{text}' is not in the sandbox") from None
    except ZeroDivisionError:
        raise ShellSyntaxError("division by zero") from None


def _calculate(node: ast.expr, lookup: Lookup) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return _wrap(node.value)
    if isinstance(node, ast.Name):
        return _wrap(int(lookup(node.id) or 0))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _wrap(-_calculate(node.operand, lookup))
    if isinstance(node, ast.BinOp):
        left, right = _calculate(node.left, lookup), _calculate(node.right, lookup)
        if isinstance(node.op, ast.Div | ast.Mod):
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            return _wrap(quotient if isinstance(node.op, ast.Div) else left - quotient * right)
        if calculation := _OPERATORS.get(type(node.op)):
            return _wrap(calculation(left, right))
    raise ValueError("not an expression that shells know")


def _wrap(number: int) -> int:
    return (number + _WORD_SIZE // 2) % _WORD_SIZE - _WORD_SIZE // 2
