"""Many attempts at many targets, so that none waits for another's and the machine in between is not overrun."""

from __future__ import annotations

import asyncio
from collections import deque
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
    waiting: bool = False


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
    runs = [_Run(target, count) for target in targets]
    # Those that may have one more connection, in turn: thousands of targets cannot be gone through at every end.
    queue: deque[_Run] = deque()
    room, unfinished = AT_ONCE, len(runs)
    share = _share(unfinished)

    async with asyncio.TaskGroup() as group:

        async def one(run: _Run) -> None:
            nonlocal room, unfinished, share
            report(run.target, await attempt(run.target))
            run.active -= 1
            room += 1
            wait(run)
            if not run.left and not run.active:
                unfinished -= 1
                # It only grows, and not often: no more than a few dozen times.
                if share != (share := _share(unfinished)):
                    for other in runs:
                        wait(other)
            fill()

        def wait(run: _Run) -> None:
            if run.left and run.active < share and not run.waiting:
                run.waiting = True
                queue.append(run)

        def fill() -> None:
            nonlocal room
            while room and queue:
                run = queue.popleft()
                run.waiting = False
                run.left -= 1
                run.active += 1
                room -= 1
                group.create_task(one(run))
                wait(run)

        for run in runs:
            wait(run)
        fill()


def _share(unfinished: int) -> int:
    """The connections at a time that each of so many targets has."""
    return min(AT_ONCE_PER_TARGET, max(1, AT_ONCE // max(1, unfinished)))
