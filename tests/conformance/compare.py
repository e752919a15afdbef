"""What is different between a recorded answer and the sandbox's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

VOLATILE = frozenset(
    [
        *("internalDomainNameSuffix", "internalFqdn", "macAddress", "linkIdentifier", "ipAddress"),
        *("templateHash", "vmAgentVersion"),
        *("time", "timeCreated", "timestamp", "duration", "startTime", "endTime"),
    ]
)
"""Properties that no two runs share; the recordings have no placeholders for them."""

HEADERS = ("azure-asyncoperation", "location", "etag")
"""Headers that must be there when they were, and must not when they were not."""

FREE_FORM = re.compile(r"(^|\.)(tags|metadata|parameters)$")
"""Objects with names of their user's choosing: they are compared as one value."""

_UNBOUND = re.compile(r"(\\\{\w+\\\}|(?<=_)[0-9a-f]{32})")
"""What may be anything, in an escaped pattern: an unbound placeholder, the end of a name that Azure makes."""


def differences(recorded: tuple[int, dict[str, str], Any], answered: tuple[int, dict[str, str], Any]) -> Iterator[str]:
    """Each difference as one line: status, headers, then the body's keys, types and values.

    Both are (status, headers by lower-case name, body).
    """
    if recorded[0] != answered[0]:
        yield f"status {recorded[0]} -> {answered[0]}"
    for header in HEADERS:
        if (header in recorded[1]) != (header in answered[1]):
            yield f"header {header} {'missing' if header in recorded[1] else 'extra'}"
    before, after = recorded[2], answered[2]
    if _kind(before) != _kind(after) and (before or after):
        yield f"body {_kind(before)} -> {_kind(after)}"
        return
    ours, theirs = _flat(after), _flat(before)
    for path in sorted(theirs.keys() - ours.keys()):
        yield f"key missing {path}"
    for path in sorted(ours.keys() - theirs.keys()):
        yield f"key extra {path}"
    for path in sorted(theirs.keys() & ours.keys()):
        yield from _values(path, theirs[path], ours[path])


def _values(path: str, theirs: list[Any], ours: list[Any]) -> Iterator[str]:
    kinds = {_kind(value) for value in theirs}, {_kind(value) for value in ours}
    if kinds[0] != kinds[1]:
        yield f"type {path}: {sorted(kinds[0])} -> {sorted(kinds[1])}"
        return
    leaf = path.rpartition(".")[2]
    one, other = (sorted(_text(value) for value in side) for side in (theirs, ours))
    if leaf not in VOLATILE and not _same(one, other):
        yield f"value {path}: {one[:3]} -> {other[:3]}"


def _text(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value, sort_keys=True)).lower()


def _same(recorded: list[str], answered: list[str]) -> bool:
    """Whether each value of one list is one of the other."""
    left = list(answered)
    for value in recorded:
        pattern = re.compile(_UNBOUND.sub(".+", re.escape(value)))
        match = next((other for other in left if pattern.fullmatch(other)), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def _flat(value: Any, path: str = "") -> dict[str, list[Any]]:
    """Every key of a body as a dotted path, without positions in arrays, with all values that stand there."""
    found: dict[str, list[Any]] = {}
    stack = [(path, value)]
    while stack:
        where, node = stack.pop()
        if isinstance(node, dict):
            if where:
                found.setdefault(where, []).append({})
            if FREE_FORM.search(where):
                found[where][-1] = node
            else:
                stack.extend((f"{where}.{name}" if where else name, child) for name, child in node.items())
        elif isinstance(node, list):
            found.setdefault(where, [])
            stack.extend((where, child) for child in node)
        else:
            found.setdefault(where, []).append(node)
    return found


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case dict():
            return "object"
        case _:
            return "array"
