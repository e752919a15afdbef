"""All at once: ended by the first failure, or all to the end."""

from __future__ import annotations

import asyncio
import gc

import pytest

from plstui.domain.tasks import both, end, to_the_end, together


async def test_the_first_failure_ends_the_others_and_is_raised_alone() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waiting")

    async def fail() -> None:
        raise KeyError("first")

    with pytest.raises(KeyError, match="first"):
        await together([wait(), fail()])
    assert ended == ["waiting"]


async def test_to_the_end_raises_when_all_are_over() -> None:
    go = asyncio.Event()
    ended: list[str] = []

    async def wait() -> None:
        await go.wait()
        ended.append("waiting")

    async def fail() -> None:
        go.set()
        raise KeyError("first")

    with pytest.raises(KeyError, match="first"):
        await to_the_end([fail(), wait()])
    assert ended == ["waiting"]


async def test_both_are_of_their_own_kinds() -> None:
    async def number() -> int:
        return 1

    async def word() -> str:
        return "one"

    assert await both(number(), word()) == (1, "one")


async def test_what_is_ended_is_over_and_its_failure_no_news() -> None:
    heard: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["message"]))
    begun = asyncio.Event()

    async def fail_at_the_end() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            raise KeyError("too late")

    tasks = [asyncio.create_task(fail_at_the_end())]
    await begun.wait()
    await end(tasks)
    assert all(task.done() for task in tasks)
    tasks.clear()
    gc.collect()
    assert heard == []


async def test_who_is_cancelled_while_ending_waits_no_longer() -> None:
    begun, over = asyncio.Event(), asyncio.Event()

    async def hold_on() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await over.wait()

    held = asyncio.create_task(hold_on())
    await begun.wait()
    ending = asyncio.create_task(end([held]))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert not held.done()
    over.set()
    await asyncio.wait([held])
