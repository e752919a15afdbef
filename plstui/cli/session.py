"""Connect, do something, close: what every headless command does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from plstui.compose import Composer, Options
from plstui.domain.errors import PlstuiError
from plstui.domain.sides import Side
from plstui.engine.runtime import Runtime

Result = TypeVar("Result")


def run_session(options: Options, body: Callable[[Runtime], Awaitable[Result]]) -> Result:
    """Run `body` with a connected runtime; everything is given back whatever happens."""

    async def session() -> Result:
        composer = Composer(options)
        try:
            runtime = await composer.connect()
            try:
                return await body(runtime)
            finally:
                await runtime.close()
        finally:
            await composer.close()

    return asyncio.run(session())


async def read_both(runtime: Runtime) -> dict[Side, PlstuiError]:
    """Read every configured side once, with its balancers' health. Returns the sides that could not be read.

    Raises the first side's error when no side could be read at all: there is nothing to show then.
    """

    async def read(side: Side) -> None:
        await runtime.watchers[side].refresh()
        if runtime.watchers[side].failure is None:
            await runtime.watchers[side].refresh_health()

    await asyncio.gather(*(read(side) for side in runtime.watchers))
    failures = {side: watcher.failure for side, watcher in runtime.watchers.items() if watcher.failure}
    if len(failures) == len(runtime.watchers):
        raise next(iter(failures.values()))
    return failures
