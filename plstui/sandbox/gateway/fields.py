"""Read a request's JSON with the types checked: what is wrong is a 400 that names the place, never a fault of ours.

ARM reads property names in any case and answers with its own spelling, so names are looked up in any case here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.errors import invalid_content, invalid_property_id
from plstui.sandbox.gateway.jsonc import to_json

MOST_ITEMS = 1_000
"""Items of an array, as many as Azure takes of most things; some are held against each other, pair by pair."""
DEEPEST = 64
"""Levels of nesting that are read; ARM's own reader stops there too."""


LARGEST_LENIENT = 1024 * 1024
"""Bytes of a body that is no plain JSON; what az sends with comments is a template, and far smaller."""


class Fields:
    """One JSON object."""

    def __init__(self, value: Any, where: str = "") -> None:
        if not isinstance(value, dict):
            raise invalid_content(f"Expected an object at '{where or '$'}'")
        self.raw: dict[str, Any] = value
        """As it was sent."""
        self.where = where
        self._names = {name.lower(): name for name in value}

    def __contains__(self, name: str) -> bool:
        """Whether a value that is not null was sent."""
        return self.value(name) is not None

    def value(self, name: str) -> Any:
        """Whatever was sent; None when nothing or null was."""
        key = self._names.get(name.lower())
        return None if key is None else self.raw[key]

    def _at(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def _typed(self, name: str, kind: type, word: str) -> Any:
        value = self.value(name)
        if value is None or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
            return value
        raise invalid_content(f"Expected {word} at '{self._at(name)}'")

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        value = self._typed(name, str, "a string")
        return default if value is None else value

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean; az sends some of them as strings."""
        value = self.value(name)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        value = self._typed(name, bool, "a boolean")
        return default if value is None else value

    def number(self, name: str, default: int = 0) -> int:
        """A whole number; deployments send some of them as strings."""
        value = self.value(name)
        if isinstance(value, str) and value.isdecimal() and len(value) < 18:
            return int(value)
        value = self._typed(name, int, "an integer")
        return default if value is None else value

    def word(self, name: str, *allowed: str, default: str = "") -> str:
        """One of the words of an enum, in any case; comes back in Azure's spelling."""
        text = self.text(name)
        if not text:
            return default
        for word in allowed:
            if word.lower() == text.lower():
                return word
        raise invalid_content(
            f"Error converting value \"{text[:60]}\" at '{self._at(name)}'; allowed: {', '.join(allowed)}"
        )

    def fields(self, name: str) -> Fields:
        """An object; an empty one when nothing was sent."""
        value = self.value(name)
        return Fields({} if value is None else value, self._at(name))

    def items(self, name: str, most: int = MOST_ITEMS) -> list[Any]:
        """An array of so many items at most."""
        value = self._typed(name, list, "an array")
        if value and len(value) > most:
            raise invalid_content(f"Expected no more than {most} items at '{self._at(name)}'")
        return [] if value is None else value

    def objects(self, name: str, most: int = MOST_ITEMS) -> list[Fields]:
        """An array of so many objects at most."""
        return [Fields(item, f"{self._at(name)}[{i}]") for i, item in enumerate(self.items(name, most))]

    def texts(self, name: str, most: int = MOST_ITEMS) -> list[str]:
        """An array of so many strings at most."""
        items = self.items(name, most)
        for i, item in enumerate(items):
            if not isinstance(item, str):
                raise invalid_content(f"Expected a string at '{self._at(name)}[{i}]'")
        return items

    def tags(self) -> dict[str, str]:
        """The tags; numbers and booleans become text, as ARM does it."""
        tags = self.fields("tags")
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in tags.raw.items()}

    def id(self, name: str = "id") -> ResourceId | None:
        """A string that is a resource id; None when none was sent."""
        text = self.text(name)
        if not text:
            return None
        try:
            return ResourceId.parse(text)
        except ValueError:
            raise invalid_property_id(text, self._at(name)) from None

    def reference(self, name: str) -> ResourceId | None:
        """An object that holds an id, `{"id": …}`; None when none was sent."""
        return self.fields(name).id() if name in self else None

    def references(self, name: str) -> list[ResourceId]:
        """An array of objects that hold an id."""
        found = (item.id() for item in self.objects(name))
        return [resource_id for resource_id in found if resource_id]


def read(content: bytes) -> Any:
    """The JSON of a request; None when there is no content. Raises the 400 of ARM."""
    if not content.strip():
        return None
    try:
        value = _loaded(content)
        if b"\\ud" in content.lower():
            # Half of a surrogate pair is no text: it could be written nowhere.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise invalid_content("The body is not valid JSON") from None
    if any(depth > DEEPEST for depth in _depths(value)):
        raise invalid_content("The body is nested too deeply")
    return value


def _loaded(content: bytes) -> Any:
    """The value of some JSON, or of what ARM takes for JSON; raises `ValueError` or `RecursionError`."""
    try:
        return json.loads(content, parse_constant=_no_number, parse_float=_finite)
    except ValueError:
        if len(content) > LARGEST_LENIENT:
            raise
        text = to_json(content.decode())
        return json.loads(text, strict=False, parse_constant=_no_number, parse_float=_finite)


def _no_number(text: str) -> float:
    """NaN and Infinity, which Python takes and JSON does not have."""
    raise ValueError(f"{text} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _no_number(text)


def _depths(value: Any) -> Iterator[int]:
    """The depth of every container, found without recursion."""
    stack = [(value, 1)]
    while stack:
        node, depth = stack.pop()
        yield depth
        if depth <= DEEPEST and isinstance(node, dict | list):
            children = node.values() if isinstance(node, dict) else node
            stack.extend((child, depth + 1) for child in children if isinstance(child, dict | list))
