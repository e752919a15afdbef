"""A recording as it would be if its people had chosen other names, places, addresses and tags.

What a sandbox answers well only because it has seen the recordings shows when it is asked the same in other words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from plstui.sandbox.providers.locations import REGIONS
from plstui.sandbox.providers.network.nics import SILENT
from tests.conformance.recordings import DISK, Exchange

KEPT = re.compile(r"^(privatelink\..*|[@*]?|.*\{.*)$", re.IGNORECASE)
"""Names that stay: zones of private links, the top of a zone and all that is in it, what Azure makes, and none."""

NAMED = frozenset({"name", "fqdn", "alias", "domainNameLabel", "resourceName", "error", "message"})
"""Keys whose values may be, or contain, a resource's name alone; elsewhere names are looked for in ids and texts."""

_OWN = re.compile(r"^Microsoft\.(Network|Compute|Resources)/(?!locations)", re.IGNORECASE)
"""Types whose resources' names are their people's."""

_ADDRESS = re.compile(r"(?<![\d.])10(?=(\.\d+){3}(?![\d.]))")
_PLACE = re.compile(
    r"(?<![a-z\d])(" + "|".join(sorted(REGIONS, key=len, reverse=True)) + r")(?![a-z\d])", re.IGNORECASE
)


@dataclass(frozen=True)
class Renaming:
    """New words for old ones."""

    names: dict[str, str]
    """By the old name in lower case."""

    @classmethod
    def of(cls, exchanges: list[Exchange]) -> Renaming:
        """A new name for every resource that a recording asks for."""
        found = {name for exchange in exchanges for name in _names(exchange)}
        return cls({name.lower(): ".".join(map(_other, name.split("."))) for name in found if not _stays(name)})

    def exchange(self, exchange: Exchange) -> Exchange:
        """The same request and answer in new words; the keys of what is sent stand in another order."""
        return replace(
            exchange,
            path=self._text(exchange.path),
            query=self._text(exchange.query),
            content=_turned(self._value("", exchange.content)),
            headers={name: self._text(value) for name, value in exchange.headers.items()},
            body=self._value("", exchange.body),
        )

    def _value(self, key: str, value: Any) -> Any:
        match value:
            case dict() if key == "tags":
                return {f"{name}-other": f"{text} but ünlike" for name, text in value.items()}
            case dict():
                return {name: self._value(name, inner) for name, inner in value.items()}
            case list():
                return [self._value(key, inner) for inner in value]
            case str() if key in NAMED or "/" in value or "'" in value:
                return self._text(value)
            case str():
                return _elsewhere(value)
        return value

    def _text(self, text: str) -> str:
        return _elsewhere(self._pattern.sub(lambda match: self._cased(match[0]), text))

    @property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self.names, key=len, reverse=True)
        words = "|".join(map(re.escape, longest_first)) or "(?!)"
        return re.compile(rf"(?<![A-Za-z\d-])({words})(?![A-Za-z\d-])", re.IGNORECASE)

    def _cased(self, old: str) -> str:
        """The new name, shouted where the old one is."""
        new = self.names[old.lower()]
        return new.upper() if old == old.upper() != old.lower() else new


def _names(exchange: Exchange) -> Iterator[str]:
    """The names in a path: behind the provider, every other word."""
    if not _OWN.match(exchange.kind):
        return
    words = exchange.path.rpartition("/providers/")[2].split("/")
    yield from words[2::2]


def _stays(name: str) -> bool:
    return bool(KEPT.match(name) or DISK.fullmatch(name))


def _other(label: str) -> str:
    """Another label with the same letters; a wildcard stays one."""
    return label if label == "*" else "x" + label.rstrip("-_")[::-1]


def _elsewhere(text: str) -> str:
    """A text with regions and private addresses that are others, and like them in what they offer."""
    return _ADDRESS.sub("30", _PLACE.sub(lambda match: _neighbour(match[1].lower()), text))


def _neighbour(name: str) -> str:
    own = REGIONS[name].zones, name in SILENT
    alike = [region.name for region in REGIONS.values() if (region.zones, region.name in SILENT) == own]
    return alike[(alike.index(name) + 1) % len(alike)]


def _turned(value: Any) -> Any:
    """The same JSON with the keys of every object in reverse."""
    if isinstance(value, dict):
        return {name: _turned(inner) for name, inner in reversed(value.items())}
    return [_turned(inner) for inner in value] if isinstance(value, list) else value
