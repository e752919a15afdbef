"""JSON as ARM reads it beyond the standard: with comments, names without quotes and commas before an end.

az writes templates into its requests as they are, comments and all, under a name without quotes.
"""

from __future__ import annotations

import re

_PART = re.compile(
    r"""
      (?P<text> "[^"\\]*(?:\\.[^"\\]*)*" )
    | (?P<comment> //[^\n]* | /\*.*?\*/ )
    | (?P<blank> \s+ )
    | (?P<word> [\w$.+-]+ )
    | (?P<mark> [{}\[\]:,] )
    """,
    re.VERBOSE | re.DOTALL,
)


def to_json(text: str) -> str:
    """The same in plain JSON, without blanks; raises `ValueError` where it is no JSON of any kind."""
    parts: list[str] = []
    last = ""
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None:
            raise ValueError(f"no JSON at {at}")
        at = match.end()
        kind, part = match.lastgroup, match[0]
        if kind in ("comment", "blank"):
            continue
        if part == ":" and last == "word":
            parts[-1] = f'"{parts[-1]}"'
        elif part in "}]" and last == ",":
            parts.pop()
        parts.append(part)
        last = kind if kind == "word" else part
    return "".join(parts)
