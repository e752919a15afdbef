"""What a script has started with `&`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from plstui.sandbox.machines.guest import Guest


class Jobs:
    """The jobs of one shell. `async with` it they end with what stands there."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin a job. Raises `ShellSyntaxError` when the machine has as many processes as it can have."""
        self._guest.fork()
        task = asyncio.create_task(work())
        task.add_done_callback(lambda _: self._guest.reap())
        self._keep(task)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def adopt(self, others: Jobs) -> None:
        """Take over the jobs of a shell within this one that has ended: they go on."""
        for task in others._tasks:
            self._keep(task)

    async def wait(self) -> None:
        """Wait for all of them."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Whoever reads the output of a script waits until nobody holds it open, jobs included.

        A script that is ended from outside waits for nothing.
        """
        try:
            if error is None:
                await self.wait()
        finally:
            self.cancel()

    def cancel(self) -> None:
        """End them."""
        for task in self._tasks:
            task.cancel()
