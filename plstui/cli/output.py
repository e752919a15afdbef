"""What goes to standard output and standard error, and the exit codes."""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import Any, TextIO
from unicodedata import combining, east_asian_width

import click

from plstui.domain.errors import ConfigError, CredentialsError, NotFoundError, PlstuiError
from plstui.domain.sides import Side
from plstui.domain.text import clean

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CREDENTIALS = 3
EXIT_NOT_FOUND = 4
EXIT_INTERRUPTED = 130

SEVEN_BITS = "plstui_seven_bits"

JSON_TEXT = 1000
"""Characters of a text from the other side that JSON carries; as on the screen, without control characters."""

HINT_TEXT = 5000
"""Characters of a next step: a command in it has to be whole."""


def exit_code_of(error: PlstuiError) -> int:
    """The exit code for an error that ended a command."""
    match error:
        case ConfigError():
            return EXIT_USAGE
        case CredentialsError():
            return EXIT_CREDENTIALS
        case NotFoundError():
            return EXIT_NOT_FOUND
        case _:
            return EXIT_FAILED


def exit_code_of_all(errors: Iterable[PlstuiError]) -> int:
    """The exit code for a command that went on after errors: theirs when they agree, 0 when there are none."""
    codes = {exit_code_of(error) for error in errors}
    return EXIT_OK if not codes else codes.pop() if len(codes) == 1 else EXIT_FAILED


def replace_unwritable() -> None:
    """Let the standard streams replace what their encoding cannot hold, instead of ending the program."""
    codecs.register(_seven_bits)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # None where it was closed before Python started.
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=SEVEN_BITS if is_ascii else None, errors="replace")


def _seven_bits(name: str) -> codecs.CodecInfo | None:
    """ASCII under another name: click takes a stream of ASCII for one that was set up wrongly, and writes UTF-8."""
    ascii_ = codecs.lookup("ascii")
    if name != SEVEN_BITS:
        return None
    return codecs.CodecInfo(
        ascii_.encode,
        ascii_.decode,
        ascii_.streamreader,
        ascii_.streamwriter,
        ascii_.incrementalencoder,
        ascii_.incrementaldecoder,
        name=SEVEN_BITS,
    )


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person is at a standard stream; Python has None for one that was closed before it started."""
    return stream is not None and stream.isatty()


def print_json(document: Any) -> None:
    """Exactly one JSON document on one line; everything beyond ASCII is escaped, so a terminal shows it harmlessly."""
    click.echo(json.dumps(document))


def print_error(message: str, hint: str, code: str, *, as_json: bool) -> None:
    """One clear sentence and the next step: to stderr, or as the JSON document."""
    message, hint = clean(message, JSON_TEXT), clean(hint, HINT_TEXT)
    if as_json:
        print_json({"error": {"code": code, "message": message, "hint": hint}})
    else:
        click.echo(f"plstui: {message}", err=True)
        if hint:
            click.echo(f"        {hint}", err=True)


def print_failures(failures: Mapping[Side, PlstuiError], what: str = "side") -> None:
    """What of which side is missing from what was printed, on standard error."""
    for side, error in failures.items():
        print_error(
            f"The {side.label}'s {what} could not be read: {error.message}", error.hint, error.code, as_json=False
        )


def print_left_behind(left: Iterable[PlstuiError]) -> None:
    """What stays in machines for now, on standard error: whoever leaves in a hurry has been told nothing of it."""
    for error in left:
        print_error(error.message, error.hint, error.code, as_json=False)


def error_json(error: PlstuiError) -> dict[str, str]:
    """An error inside a larger document."""
    return {"code": error.code, "message": clean(error.message, JSON_TEXT), "hint": clean(error.hint, HINT_TEXT)}


def time_json(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC; None stays None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now_json() -> str | None:
    """This moment, for `generated_at`."""
    return time_json(datetime.now(UTC))


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their content, for people. Cells are harmless text already."""
    widths = [max(_columns(row[i]) for row in (titles, *rows)) for i in range(len(titles))]
    for row in (titles, *rows):
        padded = (cell + " " * (width - _columns(cell)) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _columns(text: str) -> int:
    """Columns of a terminal that a text takes: wide letters take two, what is written over a letter none."""
    return sum(0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text)
