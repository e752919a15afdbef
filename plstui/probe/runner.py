"""Probes targets of both sides at once, each side by its own route."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from plstui.config.settings import Settings, Ssh
from plstui.domain.probe import Attempt, Target, TargetResult
from plstui.domain.sides import Side
from plstui.probe.route import NoRoute, Route
from plstui.probe.ssh.route import SshRoute


def open_prober(settings: Settings) -> Runner:
    """A prober for these settings. Nothing is connected before the first probe."""
    by_machine: dict[Ssh, Route] = {}
    routes: dict[Side, Route] = {}
    for side in Side:
        ssh = settings.side(side).ssh
        if ssh.jump:
            # Sides that start from the same machine share the connection to it.
            routes[side] = by_machine.setdefault(ssh, SshRoute(ssh, settings.probe))
        else:
            routes[side] = NoRoute(
                f"No machine to probe from is set for the {side.label} side: "
                f"set jump in [{side}.ssh] of the settings, like user@host."
            )
    return Runner(routes)


class Runner:
    """The prober: gathers what the routes report into results."""

    def __init__(self, routes: dict[Side, Route]) -> None:
        self._routes = routes
        self._running: set[asyncio.Task[None]] = set()

    async def probe(self, targets: Sequence[Target], count: int) -> AsyncIterator[TargetResult]:
        """Yield each target's result as soon as its `count` attempts are over. Failures are results, not errors.

        After `close` nothing more is yielded.
        """
        attempts: dict[Target, list[Attempt]] = {target: [] for target in targets}
        events: asyncio.Queue[TargetResult | asyncio.Task[None]] = asyncio.Queue()

        def report(target: Target, attempt: Attempt) -> None:
            attempts[target].append(attempt)
            if len(attempts[target]) == count:
                route = self._routes[target.side].text
                events.put_nowait(TargetResult(target, route, tuple(attempts[target])))

        by_route: dict[Route, list[Target]] = {}
        for target in attempts:
            by_route.setdefault(self._routes[target.side], []).append(target)
        tasks = {asyncio.create_task(route.fetch(group, count, report)) for route, group in by_route.items()}
        self._running |= tasks
        for task in tasks:
            task.add_done_callback(events.put_nowait)
        try:
            left = len(tasks)
            while left:
                event = await events.get()
                if isinstance(event, TargetResult):
                    yield event
                else:
                    left -= 1
                    if not event.cancelled():
                        event.result()
        finally:
            await _cancel(tasks)
            self._running -= tasks

    async def close(self) -> None:
        """End what is running and close every connection to a jump machine, also those that hang."""
        await _cancel(self._running)
        await asyncio.gather(*(route.close() for route in set(self._routes.values())))


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
