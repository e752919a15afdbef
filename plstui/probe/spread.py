"""Many attempts at many targets, so that none waits for another's and the machine in between is not overrun."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from plstui.domain.probe import Attempt, Target

AT_ONCE = 600
"""Connections at a time through one machine: fifty targets with the usual twelve each. Every one is an open file of the
machine's sshd, which often may have 1,024."""

AT_ONCE_PER_TARGET = 32
"""Connections at a time to one target, which may be a small web server."""


@dataclass(slots=True, eq=False)
class _Run:
    target: Target
    left: int
    active: int = 0


async def spread(
    targets: Sequence[Target],
    count: int,
    attempt: Callable[[Target], Awaitable[Attempt]],
    report: Callable[[Target, Attempt], None],
) -> None:
    """Make `count` attempts at each target and report each as it ends.

    Every target that is not done has an equal share of the connections to itself. One that hangs keeps its own share
    busy and never that of another; it gets more when others are done.
    """
    unfinished = [_Run(target, count) for target in targets]

    async with asyncio.TaskGroup() as group:

        async def one(run: _Run) -> None:
            report(run.target, await attempt(run.target))
            run.active -= 1
            if not run.left and not run.active:
                unfinished.remove(run)
            fill()

        def fill() -> None:
            room = AT_ONCE - sum(run.active for run in unfinished)
            share = min(AT_ONCE_PER_TARGET, max(1, AT_ONCE // len(unfinished))) if unfinished else 0
            for run in unfinished:
                starting = max(0, min(run.left, share - run.active, room))
                run.left -= starting
                run.active += starting
                room -= starting
                for _ in range(starting):
                    group.create_task(one(run))

        fill()
