"""LISTs of one side, made into facts as they come; what reads as it did the last time is not made anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic
from urllib.parse import quote

from plstui.arm.fields import Fact, Json, every
from plstui.arm.road import Road


class ResourceList(Generic[Fact]):
    """One LIST of ARM's, read again and again."""

    def __init__(self, road: Road, path: str, convert: Callable[[Json], Fact | None], kind: str, **query: str) -> None:
        """`path` is within the subscription; `kind` is the full type that says the api-version."""
        self._road = road
        self._path = f"/subscriptions/{quote(road.subscription, safe='')}/{path}"
        self._convert = convert
        self._kind = kind
        self._query = query
        self._known: dict[str, tuple[object, tuple[Fact, ...]]] = {}
        """By id: an item as it was answered last, and what was made of it."""

    async def read(self) -> tuple[Fact, ...]:
        """Every page of it. Raises `PlstuiError`."""
        before, self._known = self._known, {}
        facts: list[Fact] = []
        async with self._road.translated():
            async for items in self._road.pages(self._path, self._kind, **self._query):
                for item in items:
                    facts += await self._facts(item, before)
        return tuple(facts)

    async def _facts(self, item: object, before: dict[str, tuple[object, tuple[Fact, ...]]]) -> tuple[Fact, ...]:
        """What an item says: one fact, or none where it makes no sense."""
        key = str(item.get("id")) if isinstance(item, dict) else ""
        known = before.get(key)
        if known is None or known[0] != item:
            await asyncio.sleep(0)  # A service may bring a thousand connections; others have their turn in between.
            known = item, every(self._convert, [item])
        self._known[key] = known
        return known[1]
