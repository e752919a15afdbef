"""Settings → the prober."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from plstui.domain.probe import Target, TargetResult
from plstui.domain.sides import Side
from plstui.probe.threads import in_thread

if TYPE_CHECKING:
    from plstui.config.settings import Settings
    from plstui.domain.question import Ask
    from plstui.probe.agent.route import Machines
    from plstui.probe.route import Ladder, Opinion, Route
    from plstui.probe.runner import Runner
    from plstui.probe.ssh.doorkeeper import Doorkeeper


class Prober:
    """A prober that is opened by the first probe: paramiko takes as long to import as all that reads Azure."""

    def __init__(self, open_runner: Callable[[], Runner]) -> None:
        self._open = open_runner
        self._runner: Runner | None = None
        self._closed = False

    async def probe(self, targets: Sequence[Target], count: int) -> AsyncIterator[TargetResult]:
        """Yield each target's result as soon as its `count` attempts are over. Failures are results, not errors."""
        if self._runner is None:
            opened = await in_thread(self._open)
            self._runner = self._runner or opened
        if self._closed:
            return
        async with aclosing(self._runner.probe(targets, count)) as results:
            async for result in results:
                yield result

    async def close(self) -> None:
        """End what is running and close every connection to a jump machine, also those that hang."""
        self._closed = True
        if self._runner:
            await self._runner.close()


def open_prober(
    settings: Settings, machines: Machines | None = None, opinion: Opinion | None = None, ask: Ask | None = None
) -> Prober:
    """A prober for these settings. Nothing is connected before the first probe.

    Without `machines` no script is run in one. `opinion` is for what no way leads to. `ask` asks whoever is there for
    passphrases and about machines that are met for the first time; one question at a time.
    """
    return Prober(lambda: _runner(settings, machines, opinion, ask))


def _runner(settings: Settings, machines: Machines | None, opinion: Opinion | None, ask: Ask | None) -> Runner:
    from plstui.probe.route import Ladder
    from plstui.probe.runner import Runner
    from plstui.probe.ssh.doorkeeper import Doorkeeper

    # What is answered for one side is answered for both.
    doorkeeper = Doorkeeper(ask)
    ladders: dict[object, Ladder] = {}
    routes: dict[Side, Route] = {}
    for side in Side:
        ssh = settings.side(side).ssh
        # Sides that start from the same machine share the connection to it.
        ladder = Ladder(_routes(settings, side, machines, doorkeeper), opinion)
        routes[side] = ladders.setdefault(ssh if ssh.jump else side, ladder)
    return Runner(routes)


def _routes(settings: Settings, side: Side, machines: Machines | None, doorkeeper: Doorkeeper) -> list[Route]:
    """What can be tried for a side, in the order of the settings."""
    from plstui.probe.agent.route import AgentRoute
    from plstui.probe.direct import DirectRoute
    from plstui.probe.route import Missing
    from plstui.probe.ssh.route import SshRoute

    ssh = settings.side(side).ssh
    found: list[Route] = []
    for name in settings.probe.routes:
        if name == "direct":
            found.append(DirectRoute(settings.probe))
        elif name == "ssh":
            found.append(
                SshRoute(ssh, settings.probe, f"[{side}.ssh] jump", doorkeeper)
                if ssh.jump
                else Missing(
                    f"No machine to probe from is set for the {side.label} side: "
                    f"set jump in [{side}.ssh] of the settings, like user@host."
                )
            )
        elif machines:
            found.append(AgentRoute(machines, settings.probe))
    return found or [Missing("The settings allow no way to probe: see routes in [probe].")]
