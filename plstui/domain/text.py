"""Make text from the other side harmless.

Request messages, names, descriptions, page bodies and SSH banners are written by somebody else. They may hold escape
sequences, newlines, marks that turn the reading direction round, or ten thousand characters.
"""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"
CARRIER = "◌"
"""What a combining mark at the start stands on, so that it does not change whatever is shown before the text."""

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that a terminal may act on or that nobody can see: controls, formats (bidi marks, zero width),
surrogates, private use, unassigned, line and paragraph separators."""

_COMBINING = frozenset({"Mn", "Mc", "Me"})


def clean(text: str | None, limit: int = 200) -> str:
    """`text` on one line, without control or invisible characters, at most `limit` characters long.

    White space of any kind becomes one space; what is cut is marked with an ellipsis. Markup is left as it is:
    it is text, and whoever shows it must not parse it.
    """
    if not text:
        return ""
    # Only the part that can be shown is looked at: cleaning must not cost more because the sender wrote more.
    head = text[: limit * 4]
    if head.isprintable():
        # Python counts as printable what is in none of the categories above, and no white space but the plain one.
        visible = head
    else:
        visible = "".join(" " if char.isspace() else char for char in head if not _is_unsafe(char))
    line = " ".join(visible.split())
    if line and unicodedata.category(line[0]) in _COMBINING:
        line = CARRIER + line
    if len(line) > limit or len(text) > len(head):
        return line[: limit - 1].rstrip() + ELLIPSIS
    return line


def sentence(clause: str) -> str:
    """A clause as a sentence of its own."""
    return f"{clause[:1].upper()}{clause[1:]}."


def _is_unsafe(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char) in _UNSAFE
