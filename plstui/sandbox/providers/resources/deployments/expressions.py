"""The expressions of templates: `[concat(parameters('name'), '-nic')]`.

Values are worked out anew each time they are used, within a budget: a template cannot make this program's memory grow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from plstui.sandbox.gateway.errors import ArmError

_TOKEN = re.compile(
    r"\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<number>-?\d{1,18})|(?P<word>[A-Za-z_]\w*)|(?P<mark>[(),.\[\]]))"
)

LONGEST_EXPRESSION = 24_576
"""Characters of one expression; ARM's own limit."""
LONGEST_TEXT = 1_048_576
"""Characters that an expression may produce."""
LARGEST = 2**63 - 1
"""The largest number that an expression may produce."""
DEEPEST = 32
"""Calls within calls, and variables that lead to variables."""
BUDGET = 100_000
"""Steps that working out one template may take, all in all: a moment, in which nobody else is served."""
STEP = 50
"""Characters or items that are read or produced in a step."""


def invalid_template(message: str) -> ArmError:
    """400 for a template that cannot be used."""
    return ArmError(400, "InvalidTemplate", f"Deployment template validation failed: '{message}'.")


@dataclass(frozen=True, slots=True)
class Literal:
    """A string or a number."""

    value: str | int


@dataclass(frozen=True, slots=True)
class CallOf:
    """A function with its arguments, not worked out yet."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """`of.name` or `of[index]`."""

    of: Node
    key: Node


Node = Literal | CallOf | Member

Function = Callable[["Evaluator", tuple[Node, ...]], Any]


def is_expression(value: Any) -> bool:
    """Whether a value of a template is to be worked out."""
    return isinstance(value, str) and value.startswith("[") and value.endswith("]") and not value.startswith("[[")


@dataclass(slots=True)
class Budget:
    """How much working out one template has taken."""

    steps: int = 0


class Evaluator:
    """Works out what a template says, with `functions` by name in lower case."""

    def __init__(self, functions: Mapping[str, Function], budget: Budget) -> None:
        self._functions = functions
        self._budget = budget
        self._depth = 0

    def value(self, value: Any) -> Any:
        """A value of the template with every expression in it worked out; raises `InvalidTemplate`."""
        self._step()
        if isinstance(value, dict):
            return {self._key(name): self.value(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if is_expression(value):
            return self.node(self._parsed(value))
        if isinstance(value, str) and value.startswith("[["):
            return value[1:]
        return value

    def _key(self, name: str) -> str:
        key = self.value(name) if is_expression(name) else name
        return key if isinstance(key, str) else str(key)

    def _parsed(self, text: str) -> Node:
        self._step(len(text))
        return _Parser(text[1:-1]).whole()

    def _step(self, size: int = 0) -> None:
        """Take one step, and more for something large."""
        self._budget.steps += 1 + size // STEP
        if self._budget.steps > BUDGET:
            raise invalid_template("The template takes too long to evaluate")

    def node(self, node: Node) -> Any:
        """What a part of an expression amounts to."""
        self._step()
        self._depth += 1
        try:
            if self._depth > DEEPEST:
                raise invalid_template("The expressions of the template lead too deep, or in a circle")
            match node:
                case Literal(value):
                    return value
                case CallOf(name, arguments):
                    return self._limited(self._function(name)(self, arguments))
                case Member(of, key):
                    return _member(self.node(of), self.node(key))
        finally:
            self._depth -= 1

    def _function(self, name: str) -> Function:
        function = self._functions.get(name.lower())
        if function is None:
            raise invalid_template(
                f"The template function '{name}' is not valid. Please see https://aka.ms/arm-functions for usage "
                "details."
            )
        return function

    def calls(self, value: Any, function: str) -> list[CallOf]:
        """Every call of one function in the expressions of a value, without working anything out."""
        found: list[CallOf] = []
        stack = [value]
        while stack:
            self._step()
            item = stack.pop()
            if isinstance(item, dict | list):
                stack.extend(item.values() if isinstance(item, dict) else item)
            elif is_expression(item):
                stack.append(self._parsed(item))
            elif isinstance(item, Member):
                stack += [item.of, item.key]
            elif isinstance(item, CallOf):
                stack += item.arguments
                found += [item] if item.name.lower() == function else []
        return found

    def charged(self, value: Any) -> Any:
        """A value that comes from elsewhere, with its size taken off the budget."""
        stack = [value]
        while stack:
            item = stack.pop()
            self._step(len(item) if isinstance(item, str) else 0)
            if isinstance(item, dict | list):
                stack.extend(item.values() if isinstance(item, dict) else item)
        return value

    def _limited(self, value: Any) -> Any:
        size = len(value) if isinstance(value, str | list | dict) else 0
        self._step(size)
        if size > LONGEST_TEXT or (isinstance(value, int) and not -LARGEST <= value <= LARGEST):
            raise invalid_template("An expression of the template produces too much")
        return value


def _member(value: Any, key: Any) -> Any:
    if isinstance(value, dict) and isinstance(key, str):
        for name, item in value.items():
            if name.lower() == key.lower():
                return item
        known = ", ".join(list(value)[:20])
        raise invalid_template(
            f"The language expression property '{key[:60]}' doesn't exist, available properties are '{known}'"
        )
    if isinstance(value, list) and isinstance(key, int) and not isinstance(key, bool):
        if 0 <= key < len(value):
            return value[key]
        raise invalid_template(f"The language expression property array index '{key}' is out of bounds")
    raise invalid_template(f"The language expression property '{str(key)[:60]}' can't be evaluated")


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > LONGEST_EXPRESSION:
            raise invalid_template(f"An expression is longer than {LONGEST_EXPRESSION} characters")
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        self._depth = 0
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                raise self._wrong()
            kind = match.lastgroup or ""
            self._tokens.append((kind, match[kind]))
            position = match.end()

    def _wrong(self) -> ArmError:
        return invalid_template(f"The language expression '{self._text[:200]}' is not valid")

    def _next_is(self, mark: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at] == ("mark", mark)

    def _skip(self, mark: str) -> bool:
        found = self._next_is(mark)
        self._at += found
        return found

    def whole(self) -> Node:
        node = self._node()
        if self._at < len(self._tokens):
            raise self._wrong()
        return node

    def _node(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST or self._at >= len(self._tokens):
            raise self._wrong()
        kind, text = self._tokens[self._at]
        self._at += 1
        node: Node
        if kind == "text":
            node = Literal(text.replace("''", "'"))
        elif kind == "number":
            node = Literal(int(text))
        elif kind == "word" and self._skip("("):
            node = CallOf(text, self._arguments())
        else:
            raise self._wrong()
        while self._next_is(".") or self._next_is("["):
            node = Member(node, self._key())
        self._depth -= 1
        return node

    def _arguments(self) -> tuple[Node, ...]:
        arguments: list[Node] = []
        if self._skip(")"):
            return ()
        while True:
            arguments.append(self._node())
            if self._skip(")"):
                return tuple(arguments)
            if not self._skip(","):
                raise self._wrong()

    def _key(self) -> Node:
        if self._skip("["):
            key = self._node()
            if not self._skip("]"):
                raise self._wrong()
            return key
        self._at += 1
        if self._at >= len(self._tokens) or self._tokens[self._at][0] != "word":
            raise self._wrong()
        self._at += 1
        return Literal(self._tokens[self._at - 1][1])
