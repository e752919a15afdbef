"""JSON as ARM reads it beyond the standard: with comments, names without quotes and commas before an end.

az writes templates into its requests as they are, comments and all, under a name without quotes.
"""

from __future__ import annotations

import re

_PART = re.compile(
    r"""
      (?P<text> "(?:[^"\\]|\\.)*" )
    | (?P<comment> //[^\n]* | /\*.*?\*/ )
    | (?P<name> [A-Za-z_$][\w$]* (?=\s*:) )
    | (?P<end> , (?= (?: \s | //[^\n]*(?:\n|$) | /\*.*?\*/ )* [}\]] ) )
    """,
    re.VERBOSE | re.DOTALL,
)


def to_json(text: str) -> str:
    """The same in plain JSON, as far as there is such a thing; what is no JSON either way is left to its reader."""
    return _PART.sub(_plain, text)


def _plain(match: re.Match[str]) -> str:
    match match.lastgroup:
        case "text":
            return match[0]
        case "name":
            return f'"{match[0]}"'
        case _:
            return " "
