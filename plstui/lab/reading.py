"""Reading much at once, with patience where Azure asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from plstui.domain.ids import ResourceId
from plstui.engine.ports import Clock, CloudBodies
from plstui.lab.fragments import Body
from plstui.lab.retry import pause_after_read, persist

AT_ONCE = 8
"""Reads of a subscription under way at a time; ARM refills 25 a second for each."""

Result = TypeVar("Result")

Say = Callable[[str], None]
"""Hears a sentence about what is asked for again."""


class PatientReader:
    """Reads of one side; a refusal that passes by itself is waited for, and `say` hears of it."""

    def __init__(self, cloud: CloudBodies, clock: Clock, say: Say = lambda _: None) -> None:
        self._cloud = cloud
        self._clock = clock
        self._say = say
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def get(self, resource_id: ResourceId) -> Body | None:
        """A resource as it is now; None when it is not there. Raises `PlstuiError`."""
        return await self._patiently(lambda: self._cloud.get(resource_id))

    async def collect(self, path: str, kind: str, **query: str) -> list[Body]:
        """All items of a list at a path; `kind` is the full type that says the api-version."""
        return await self._patiently(lambda: self._cloud.collect(path, kind, **query))

    async def _patiently(self, read: Callable[[], Awaitable[Result]]) -> Result:
        async def attempt(_: int) -> Result:
            async with self._gate:
                return await read()

        return await persist(attempt, self._clock, self._say, pause_after_read)
