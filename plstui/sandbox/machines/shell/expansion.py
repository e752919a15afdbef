"""From words as written to the arguments a command gets."""

from __future__ import annotations

import ast
import fnmatch
import operator
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from plstui.sandbox.machines.disk import Disk
from plstui.sandbox.machines.shell.streams import MOST_TEXT
from plstui.sandbox.machines.shell.syntax import Arithmetic, Literal, Script, ShellSyntaxError, Substitution, Word

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


class Expander:
    """Expands variables, substitutions, arithmetic and file patterns."""

    def __init__(self, lookup: Lookup, capture: Capture, disk: Disk) -> None:
        self._lookup = lookup
        self._capture = capture
        self._disk = disk

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
        text = "".join([value for value, _ in [await self._value(part) for part in word]])
        _limit(len(text))
        return text

    async def _value(self, part: Any) -> tuple[str, bool]:
        """What a part stands for, and whether it must not be split."""
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
        current: str | None = None
        pattern = False
        for index, part in enumerate(word):
            value, whole = await self._value(part)
            if whole:
                if isinstance(part, Literal) and not part.quoted:
                    pattern = pattern or any(char in value for char in "*?[")
                    if index == 0 and (value == "~" or value.startswith("~/")):
                        value = self._lookup("HOME") + value[1:]
                current = (current or "") + value
                continue
            pieces = value.split()
            if not pieces:
                continue
            if current is not None and value[0].isspace():
                fields.append(current)
                current = None
            *done, last = [(current or "") + pieces[0], *pieces[1:]]
            fields.extend(done)
            current = last
            if value[-1].isspace():
                fields.append(current)
                current = None
        if current is not None:
            fields.append(current)
        return [name for field in fields for name in (self._matches(field) if pattern else [field])]

    def _matches(self, pattern: str) -> list[str]:
        """The files a pattern means, or the pattern itself when it means none, as shells do."""
        if not pattern.startswith("/"):
            return [pattern]
        names = ["/"]
        for piece in pattern.strip("/").split("/"):
            names = [
                f"{folder.rstrip('/')}/{name}"
                for folder in names
                for name in self._disk.names(folder)
                if fnmatch.fnmatchcase(name, piece)
            ]
        return names or [pattern]


def _limit(size: int) -> None:
    """A text that a script keeps doubling would otherwise take all memory."""
    if size > MOST_TEXT:
        raise ShellSyntaxError("too much text for the sandbox")


def calculate(text: str, lookup: Lookup) -> int:
    """The value of an arithmetic expression over integers and variables. Raises `ShellSyntaxError`."""
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
