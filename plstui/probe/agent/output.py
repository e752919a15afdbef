"""What a script printed → attempts. It comes from a machine that nobody vouches for, so all of it is checked."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from http import HTTPStatus

from plstui.domain.page import host_of, page_line
from plstui.domain.probe import Attempt, Failure
from plstui.domain.text import clean

_SIMPLE = {
    "b": (Failure.WRONG_PAGE, "An answer that is far too long for the page."),
    "d": (Failure.NOT_FOUND, "The machine finds no address for that name."),
    "l": (Failure.TLS, "TLS is spoken on this port; the page is expected over plain HTTP."),
    "n": (Failure.WRONG_PAGE, "Something that is not HTTP."),
    "r": (Failure.REFUSED, "The machine could not connect: Connection refused."),
    "u": (Failure.NO_ROUTE, "The machine could not connect: No route to host."),
}
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}")


class OutputError(Exception):
    """The output cannot be used at all; the message says why in words that are harmless to show."""


def read(output: str, nonce: str, count: int) -> dict[int, tuple[Attempt, ...]]:
    """The attempts by the target's place in the script. Raises `OutputError` where nothing is this script's.

    A target that is missing was cut off: Azure hands over the end of what is printed.
    """
    found: dict[int, tuple[Attempt, ...]] = {}
    ended, foreign = False, False
    for line in output.splitlines():
        told = _object(line)
        if told is None or told.get("n") != nonce:
            foreign = foreign or bool(line.strip())
        elif "without" in told:
            raise OutputError(f"There is neither {clean(str(told['without']), 40).replace(' and ', ' nor ')}.")
        elif "end" in told:
            ended = True
        elif isinstance(place := told.get("t"), int) and isinstance(text := told.get("a"), str):
            resolved = str(told.get("q", ""))
            address = resolved if _ADDRESS.fullmatch(resolved) else ""
            found[place] = tuple(_attempt(each, address) for each in text.split(";")[:count] if each)
    if found or ended:
        if not ended:
            raise OutputError("The script's output breaks off; it was ended before it was done.")
        return found
    if foreign:
        raise OutputError("The output is not this probe's: another script's, or that of an earlier run.")
    raise OutputError("The script printed nothing.")


def _object(line: str) -> dict[str, object] | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _attempt(text: str, resolved: str) -> Attempt:
    letter, *rest = text.split(",", 3)
    connect, first = (_micros(rest, place) for place in (0, 1))
    connect_ms = connect / 1000 if connect else None
    # Both are counted from the beginning.
    first_byte_ms = (first - connect) / 1000 if connect and first >= connect else None
    what = rest[2] if len(rest) > 2 else ""

    def failed(failure: Failure, error: str) -> Attempt:
        return Attempt(None, failure, error, connect_ms, first_byte_ms, resolved)

    if letter in _SIMPLE:
        return failed(*_SIMPLE[letter])
    if letter == "k" and (host := host_of(f"Host: {what}")):
        return Attempt(host, None, "", connect_ms, first_byte_ms, resolved)
    if letter in ("k", "p"):
        page = page_line(what.replace("|", "\n"))
        return failed(Failure.WRONG_PAGE, f"Another page: “{page}”." if page else "An empty page.")
    if letter == "s":
        redirect = what.startswith("3") and what != "304"
        error = f"A redirect (HTTP {_status(what)}), which is not followed." if redirect else ""
        return failed(Failure.WRONG_PAGE, error or f"HTTP {_status(what)} instead of the page.")
    if letter == "t":
        came = "No connection" if connect_ms is None else "No whole answer"
        return failed(Failure.TIMEOUT, f"{came} in time.")
    if letter == "z":
        return failed(Failure.RESET, "The connection was closed before a whole answer came.")
    return failed(Failure.REFUSED, f"The machine could not fetch it: {clean(text, 40)}.")


def _micros(rest: Sequence[str], place: int) -> int:
    text = rest[place] if place < len(rest) else ""
    return int(text) if re.fullmatch(r"\d{1,12}", text) else 0


def _status(text: str) -> str:
    """A status with its words, like `404 Not Found`."""
    try:
        return f"{int(text)} {HTTPStatus(int(text)).phrase}"
    except ValueError:
        return clean(text, 20)
