"""OData's `$filter`, as the lists of ARM take it: and, or, not, eq, ne, substringof, startswith, brackets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from plstui.sandbox.gateway.errors import ArmError

Row = Mapping[str, str | None]
"""What is filtered: values by property name in lower case."""
Condition = Callable[[Row], bool]

_TOKEN = re.compile(r"\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<word>[A-Za-z_][\w/.]*)|(?P<mark>[(),]))")
DEEPEST = 32
"""Brackets within brackets that are read."""


def parse(text: str, known: frozenset[str]) -> Condition:
    """Read a filter; `known` are the properties it may name, in lower case. Raises the 400 of ARM."""
    parser = _Parser(text, known)
    condition = parser.either()
    if parser.at < len(parser.tokens):
        raise parser.wrong()
    return condition


class _Parser:
    def __init__(self, text: str, known: frozenset[str]) -> None:
        self._text = text
        self._known = known
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        self._depth = 0
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise self.wrong()
            kind = match.lastgroup or ""
            self.tokens.append((kind, match[kind].replace("''", "'") if kind == "text" else match[kind]))
            position = match.end()

    def wrong(self) -> ArmError:
        return ArmError(
            400,
            "InvalidFilterInQueryString",
            f"Invalid $filter '{self._text[:200]}' specified in the query string.",
        )

    def _next_is(self, kind: str, *values: str) -> bool:
        if self.at >= len(self.tokens):
            return False
        found_kind, found = self.tokens[self.at]
        return found_kind == kind and (not values or found.lower() in values)

    def _take(self, kind: str, *values: str) -> str:
        if not self._next_is(kind, *values):
            raise self.wrong()
        self.at += 1
        return self.tokens[self.at - 1][1]

    def either(self) -> Condition:
        """`a or b or …`."""
        conditions = [self._both()]
        while self._next_is("word", "or"):
            self.at += 1
            conditions.append(self._both())
        return lambda row: any(condition(row) for condition in conditions)

    def _both(self) -> Condition:
        conditions = [self._one()]
        while self._next_is("word", "and"):
            self.at += 1
            conditions.append(self._one())
        return lambda row: all(condition(row) for condition in conditions)

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self.wrong()
        condition = self._term()
        self._depth -= 1
        return condition

    def _term(self) -> Condition:
        if self._next_is("word", "not"):
            self.at += 1
            denied = self._one()
            return lambda row: not denied(row)
        if self._next_is("mark", "("):
            self.at += 1
            condition = self.either()
            self._take("mark", ")")
            return condition
        word = self._take("word").lower()
        if word in ("substringof", "startswith") and self._next_is("mark", "("):
            return self._function(word)
        if word not in self._known:
            raise self.wrong()
        operator = self._take("word", "eq", "ne").lower()
        value = self._take("text").lower()
        if operator == "eq":
            return lambda row: _value(row, word) == value
        return lambda row: _value(row, word) != value

    def _function(self, name: str) -> Condition:
        """`substringof('part', property)`, `startswith(property, 'start')`; both may be followed by `eq true`."""
        self._take("mark", "(")
        text_first = name == "substringof"
        first = self._take("text" if text_first else "word")
        self._take("mark", ",")
        second = self._take("word" if text_first else "text")
        self._take("mark", ")")
        wanted = True
        if self._next_is("word", "eq"):
            self.at += 1
            wanted = self._take("word", "true", "false").lower() == "true"
        part, key = (first.lower(), second.lower()) if text_first else (second.lower(), first.lower())
        if key not in self._known:
            raise self.wrong()
        if text_first:
            return lambda row: (part in (_value(row, key) or "")) is wanted
        return lambda row: (_value(row, key) or "").startswith(part) is wanted


def _value(row: Row, name: str) -> str | None:
    value = row.get(name)
    return None if value is None else value.lower()
