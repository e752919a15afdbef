"""How attempts are spread over targets."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from plstui.domain.probe import Attempt, Target
from plstui.probe.spread import AT_ONCE, AT_ONCE_PER_TARGET, spread
from tests.probe.servers import target


class Attempts:
    """Attempts that are over when the test says so."""

    def __init__(self) -> None:
        self.active: Counter[str] = Counter()
        self.reported: Counter[str] = Counter()
        self._ends: dict[str, list[asyncio.Future[None]]] = {}

    async def attempt(self, target: Target) -> Attempt:
        """One attempt."""
        end = asyncio.get_running_loop().create_future()
        self._ends.setdefault(target.name, []).append(end)
        self.active[target.name] += 1
        try:
            await end
        finally:
            self.active[target.name] -= 1
        return Attempt(host=target.name)

    def report(self, target: Target, attempt: Attempt) -> None:
        """Count it."""
        self.reported[target.name] += 1

    async def end(self, name: str, count: int) -> None:
        """Let `count` attempts at a target end, and wait until all has happened that follows from it."""
        wanted = self.reported[name] + count
        while self.reported[name] < wanted:
            for end in self._ends.pop(name, [])[: wanted - self.reported[name]]:
                end.set_result(None)
            await settle()


async def settle() -> None:
    """Let everything run that can."""
    loop = asyncio.get_running_loop()
    for _ in range(5):
        turn = loop.create_future()
        loop.call_soon(turn.set_result, None)
        await turn


@pytest.fixture
def attempts() -> Attempts:
    return Attempts()


async def test_few_attempts_are_all_made_at_once(attempts: Attempts) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(spread([target(1, "a"), target(2, "b")], 12, attempts.attempt, attempts.report))
        await settle()
        assert attempts.active == {"a": 12, "b": 12}
        await attempts.end("a", 12)
        await attempts.end("b", 12)
    assert attempts.reported == {"a": 12, "b": 12}


async def test_one_target_is_not_asked_more_often_at_once_than_it_can_bear(attempts: Attempts) -> None:
    count = AT_ONCE_PER_TARGET * 2
    async with asyncio.TaskGroup() as group:
        group.create_task(spread([target(1, "a")], count, attempts.attempt, attempts.report))
        await settle()
        assert attempts.active["a"] == AT_ONCE_PER_TARGET
        await attempts.end("a", AT_ONCE_PER_TARGET)
        assert attempts.active["a"] == AT_ONCE_PER_TARGET
        await attempts.end("a", AT_ONCE_PER_TARGET)


async def test_targets_that_hang_keep_their_own_share_and_get_that_of_others_when_those_are_done(
    attempts: Attempts,
) -> None:
    targets = [target(number, f"t{number}") for number in range(1, 51)]
    share = AT_ONCE // 50
    async with asyncio.TaskGroup() as group:
        group.create_task(spread(targets, 20, attempts.attempt, attempts.report))
        await settle()
        assert set(attempts.active.values()) == {share}
        for each in targets[1:]:
            await attempts.end(each.name, 20)
        assert attempts.active["t1"] == 20
        await attempts.end("t1", 20)


async def test_with_more_targets_than_connections_each_gets_its_turn(attempts: Attempts) -> None:
    targets = [target(number, f"t{number}") for number in range(1, AT_ONCE + 11)]
    async with asyncio.TaskGroup() as group:
        group.create_task(spread(targets, 1, attempts.attempt, attempts.report))
        await settle()
        assert attempts.active.total() == AT_ONCE
        for each in targets:
            await attempts.end(each.name, 1)
    assert len(attempts.reported) == AT_ONCE + 10


async def test_none_is_asked_a_second_time_while_another_waits_for_its_first(attempts: Attempts) -> None:
    targets = [target(number, f"t{number}") for number in range(1, AT_ONCE + 2)]
    last = targets[-1].name
    async with asyncio.TaskGroup() as group:
        spreading = group.create_task(spread(targets, 2, attempts.attempt, attempts.report))
        await settle()
        await attempts.end("t1", 1)
        assert (attempts.active["t1"], attempts.active[last]) == (0, 1)
        await attempts.end("t2", 1)
        assert (attempts.active["t1"], attempts.active["t2"]) == (1, 0)
        while not spreading.done():
            for name in [name for name, active in attempts.active.items() if active]:
                await attempts.end(name, attempts.active[name])
    assert set(attempts.reported.values()) == {2}


async def test_cancelling_ends_every_attempt(attempts: Attempts) -> None:
    task = asyncio.create_task(spread([target(1, "a")], 3, attempts.attempt, attempts.report))
    await settle()
    task.cancel()
    await asyncio.wait([task])
    assert attempts.active["a"] == 0
    assert not attempts.reported
