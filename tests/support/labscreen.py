"""The lab screen on a served sandbox: all that is between the key and the sandbox is real."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from plstui.compose import Composer, Options
from plstui.engine.ports import Clock
from plstui.tui.app import PlstuiApp
from tests.support.served import Served
from tests.support.stage import Play

WIDE = (160, 48)
NARROW = (80, 24)


@asynccontextmanager
async def panes(
    served: Served,
    *,
    size: tuple[int, int] = WIDE,
    override: dict[str, dict[str, Any]] | None = None,
    clock: Clock | None = None,
    keys: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Play]:
    """The two panes, once they are filled."""
    composer = Composer(Options(config=served.config, override=override or {}))
    app = PlstuiApp(composer.connect, where="sandbox", clock=clock, keys=keys)
    async with app.run_test(size=size, notifications=True) as pilot:
        play = Play(app, pilot)
        await play.shows("● live", gone=("reading", "Reading"))
        yield play


@asynccontextmanager
async def lab_screen(
    served: Served,
    *,
    size: tuple[int, int] = WIDE,
    override: dict[str, dict[str, Any]] | None = None,
    clock: Clock | None = None,
    keys: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Play]:
    """The lab screen, once it says where the steps stand."""
    async with panes(served, size=size, override=override, clock=clock, keys=keys) as play:
        await play.press(keys.get("lab", "l"))
        await play.shows("steps done")
        yield play


def writes(served: Served) -> dict[str, int]:
    """How often each kind of resource was written since the sandbox was started."""
    counters: dict[str, int] = served.control("GET", "/counters")
    return {what: count for what, count in counters.items() if what.startswith(("PUT ", "PATCH ", "DELETE "))}
