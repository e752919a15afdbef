"""Regular expressions that users and scripts send, matched without backtracking: no expression takes for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import re2

LONGEST = 2_000
"""Characters of an expression."""

_MEMORY = 1024 * 1024
"""Bytes that one expression may take; it bounds how many steps a character may cost."""


class PatternError(ValueError):
    """The text is no regular expression, or one that the sandbox does not have: back-references, look-around."""


class Pattern:
    """One expression, ready to be looked for. Bytes that are no UTF-8 stand in texts as surrogate escapes."""

    def __init__(self, text: str, *, ignore_case: bool = False) -> None:
        """Raises `PatternError`."""
        if len(text) > LONGEST:
            raise PatternError("regular expression too big")
        options = re2.Options()
        options.max_mem = _MEMORY
        options.log_errors = False
        options.case_sensitive = not ignore_case
        try:
            self._compiled = re2.compile(_bytes(text), options)
        except re2.error as error:
            raise PatternError(_words(error)) from None
        self.cost: int = 1 + self._compiled.programsize // 8
        """How much longer than for the plainest expression each character may take."""

    def found_in(self, text: str) -> bool:
        """Whether it matches somewhere in a text."""
        return self._compiled.search(_bytes(text)) is not None

    def fits(self, text: str) -> bool:
        """Whether it matches a text as a whole."""
        return self._compiled.fullmatch(_bytes(text)) is not None

    def first(self, text: str) -> Mapping[str, str] | None:
        """The named groups of the first match; None for no match."""
        match = self._compiled.search(_bytes(text))
        return None if match is None else {_text(name): _text(value) for name, value in match.groupdict().items()}

    def all(self, text: str) -> Iterator[str]:
        """Every match that is not empty."""
        return (_text(match[0]) for match in self._compiled.finditer(_bytes(text)) if match[0])

    def tokens(self, text: str) -> Iterator[tuple[str, str]]:
        """Of every match the name of the group that took part in it, and what that matched."""
        for match in self._compiled.finditer(_bytes(text)):
            if match.lastgroup:
                yield _text(match.lastgroup), _text(match[match.lastgroup])


def literal(text: str) -> str:
    """The expression that matches a text as it stands."""
    escaped: str = re2.escape(text)
    return escaped


@lru_cache(maxsize=256)
def glob(text: str) -> Pattern:
    """A file name pattern: `*`, `?` and `[…]`. Raises `PatternError`."""
    expression, at = "(?s)", 0
    while at < len(text):
        char = text[at]
        end = text.find("]", at + 3 if text[at + 1 : at + 2] == "!" else at + 2) if char == "[" else -1
        at += 1
        if end > 0:
            inside = text[at:end].replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace("^", "\\^")
            expression += f"[{'^' if inside.startswith('!') else ''}{inside.removeprefix('!')}]"
            at = end + 1
        else:
            expression += {"*": r"\C*", "?": "."}.get(char) or literal(char)
    return Pattern(expression)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "surrogateescape")


def _words(error: Exception) -> str:
    """What the matcher says of an expression, in the words of this place."""
    said = error.args[0] if error.args else ""
    words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    if "invalid escape sequence" in words and words[-1:].isdigit():
        return "back-references: not in the sandbox"
    if "invalid perl operator" in words:
        return f"{words.rpartition(' ')[2]}: not in the sandbox"
    return words
