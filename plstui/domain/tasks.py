"""Several things at once: ended by the first failure, all to the end, or ended by whoever has begun them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Iterable
from typing import Any, TypeVar, cast

Result = TypeVar("Result")
Other = TypeVar("Other")


async def together(work: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """All at once; the first that fails ends the others and is raised alone."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except ExceptionGroup as failures:
        first = failures.exceptions[0]
        raise first from first.__cause__
    return [task.result() for task in tasks]


async def both(one: Coroutine[Any, Any, Result], other: Coroutine[Any, Any, Other]) -> tuple[Result, Other]:
    """Two things of different kinds `together`."""
    first, second = await together(cast("tuple[Coroutine[Any, Any, Any], ...]", (one, other)))
    return first, second


async def to_the_end(work: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """All at once and all to the end: when something fails, that is raised once nothing is under way any more."""
    tasks = [asyncio.create_task(each) for each in work]
    # It waits for all of them, and cancels them where it is cancelled; what is raised is raised below.
    await asyncio.gather(*tasks, return_exceptions=True)
    return [task.result() for task in tasks]


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks and see them over. What one raises at its end is no news: nobody wants to know any more.

    Cancelled in this, it waits no longer; `gather` would.
    """
    for task in tasks:
        task.add_done_callback(_is_no_news)
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _is_no_news(task: asyncio.Task[Any]) -> None:
    """Have asyncio not complain that nobody has asked how a task ended."""
    if not task.cancelled():
        task.exception()
