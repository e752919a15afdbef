"""Connect, do something, close: what every headless command does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from typing import TypeVar

import click

from plstui.cli.asking import ask_on_terminal, can_ask
from plstui.cli.output import print_left_behind
from plstui.cli.signals import ending_signals
from plstui.compose import Composer, Options
from plstui.domain.errors import PlstuiError, Retrying
from plstui.domain.patience import Throttle, persist
from plstui.domain.sides import Side
from plstui.domain.snapshot import Tier
from plstui.domain.tasks import together
from plstui.domain.world import World
from plstui.engine.runtime import Runtime
from plstui.engine.watcher import Watcher

Result = TypeVar("Result")


def run_session(options: Options, body: Callable[[Runtime], Awaitable[Result]]) -> Result:
    """Run `body` with a connected runtime; everything is given back whatever happens.

    Raises `KeyboardInterrupt` when a signal has ended it.
    """

    composer: Composer | None = None

    async def session() -> Result:
        nonlocal composer
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None, "a coroutine that runs is in a task"
        composer = Composer(options)
        interrupt = partial(_interrupt, task, composer, count(1))
        for number in ending_signals():
            loop.add_signal_handler(number, interrupt)
        if can_ask():
            composer.ask = ask_on_terminal
        try:
            runtime = await composer.connect()
            try:
                return await body(runtime)
            finally:
                await runtime.close()
        finally:
            await composer.close()

    try:
        return asyncio.run(session())
    except asyncio.CancelledError:
        # Interrupted once more while it cleaned up, or Azure would not let it.
        print_left_behind(composer.left_behind() if composer else ())
        raise KeyboardInterrupt from None


def _interrupt(task: asyncio.Task[object], composer: Composer, times: Iterator[int]) -> None:
    """End what runs; the second time, say what is waited for, since the third time nothing is."""
    if next(times) == 2 and composer.left_behind():
        click.echo("plstui: Still removing what the probe has made in a machine; once more leaves it there.", err=True)
    task.cancel()


async def read_world(runtime: Runtime) -> tuple[World, dict[Side, PlstuiError]]:
    """Both sides as they are now, and the sides that could not be read."""
    failures = await read_both(runtime)
    return runtime.world(), failures


async def read_both(runtime: Runtime) -> dict[Side, PlstuiError]:
    """Read every configured side once. Returns the sides that could not be read.

    Raises the first side's error when no side could be read at all: there is nothing to show then.
    """
    await together(watcher.refresh() for watcher in runtime.watchers.values())
    failures = {side: failure for side, watcher in runtime.watchers.items() if (failure := watcher.blind)}
    if len(failures) == len(runtime.watchers):
        raise next(iter(failures.values()))
    return failures


async def refresh_patiently(watcher: Watcher, retrying: Retrying) -> None:
    """Read a side's services and endpoints, again after as long as Azure asks to wait.

    Never raises for what Azure or the network does; the watcher says how it went.
    """

    async def refresh(_: int) -> None:
        await watcher.refresh(Tier.CONNECTIONS)
        if watcher.blind:
            raise watcher.blind

    with suppress(PlstuiError):
        await persist(refresh, Throttle(), retrying=retrying)


async def read_health(runtime: Runtime) -> dict[Side, PlstuiError]:
    """Ask the balancers of the sides that could be read how their members are; the sides where that failed.

    Apart from `read_both`, because it may take Azure half a minute and few commands show it.
    """
    watchers = {side: watcher for side, watcher in runtime.watchers.items() if watcher.failure is None}
    await together(watcher.refresh_health() for watcher in watchers.values())
    return {side: watcher.health_failure for side, watcher in watchers.items() if watcher.health_failure}
