"""Probes targets of both sides at once, each side by its own routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from plstui.domain.probe import Attempt, Target, TargetResult
from plstui.domain.sides import Side
from plstui.domain.tasks import end, to_the_end
from plstui.probe.route import Route


class Runner:
    """The prober: gathers what the routes report into results."""

    def __init__(self, routes: dict[Side, Route]) -> None:
        self._routes = routes
        self._running: set[asyncio.Task[None]] = set()

    async def probe(self, targets: Sequence[Target], count: int) -> AsyncGenerator[TargetResult, None]:
        """Yield each target's result as soon as its `count` attempts are over. Failures are results, not errors.

        After `close` nothing more is yielded.
        """
        attempts: dict[Target, list[Attempt]] = {target: [] for target in targets}
        ways: dict[Target, str] = {}
        events: asyncio.Queue[TargetResult | asyncio.Task[None]] = asyncio.Queue()

        def report(target: Target, attempt: Attempt, route: str) -> None:
            attempts[target].append(attempt)
            ways[target] = route
            if len(attempts[target]) == count:
                events.put_nowait(TargetResult(target, route, tuple(attempts[target])))

        by_route: dict[Route, list[Target]] = {}
        for target in attempts:
            by_route.setdefault(self._routes[target.side], []).append(target)
        tasks = {asyncio.create_task(route.fetch(group, count, report)): group for route, group in by_route.items()}
        self._running |= set(tasks)
        for task in tasks:
            task.add_done_callback(events.put_nowait)
        try:
            left = len(tasks)
            while left:
                event = await events.get()
                if isinstance(event, TargetResult):
                    yield event
                    continue
                left -= 1
                if event.cancelled():
                    continue
                event.result()
                for target in tasks[event]:
                    # Some ways have no room for all of them.
                    if 0 < len(attempts[target]) < count:
                        yield TargetResult(target, ways[target], tuple(attempts[target]))
        finally:
            await end(tasks)
            self._running -= set(tasks)

    async def close(self) -> None:
        """End what is running and close every connection to a jump machine, also those that hang."""
        await end(self._running)
        await to_the_end(route.close() for route in set(self._routes.values()))
