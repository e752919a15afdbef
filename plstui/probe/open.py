"""Settings → the prober."""

from __future__ import annotations

from collections.abc import Callable

from plstui.config.settings import Settings
from plstui.domain.question import Ask
from plstui.domain.sides import Side
from plstui.probe.agent.route import AgentRoute, Machines
from plstui.probe.direct import DirectRoute
from plstui.probe.route import Ladder, Missing, Opinion, Route
from plstui.probe.runner import Runner
from plstui.probe.ssh.doorkeeper import Doorkeeper
from plstui.probe.ssh.route import SshRoute

OpenProber = Callable[[Settings, Machines | None, Opinion | None, Ask | None], Runner]
"""What `open_prober` is to whoever imports it late."""


def open_prober(
    settings: Settings, machines: Machines | None = None, opinion: Opinion | None = None, ask: Ask | None = None
) -> Runner:
    """A prober for these settings. Nothing is connected before the first probe.

    Without `machines` no script is run in one. `opinion` is for what no way leads to. `ask` asks whoever is there for
    passphrases and about machines that are met for the first time; one question at a time.
    """
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
