"""Settings → the prober."""

from __future__ import annotations

from plstui.config.settings import Settings
from plstui.domain.sides import Side
from plstui.probe.direct import DirectRoute
from plstui.probe.route import Ladder, Missing, Route
from plstui.probe.runner import Runner
from plstui.probe.ssh.route import SshRoute


def open_prober(settings: Settings) -> Runner:
    """A prober for these settings. Nothing is connected before the first probe."""
    ladders: dict[object, Ladder] = {}
    routes: dict[Side, Route] = {}
    for side in Side:
        ssh = settings.side(side).ssh
        # Sides that start from the same machine share the connection to it.
        routes[side] = ladders.setdefault(ssh if ssh.jump else side, Ladder(_routes(settings, side)))
    return Runner(routes)


def _routes(settings: Settings, side: Side) -> list[Route]:
    """What can be tried for a side, in the order of the settings."""
    ssh = settings.side(side).ssh
    found: list[Route] = []
    for name in settings.probe.routes:
        if name == "direct":
            found.append(DirectRoute(settings.probe))
        elif name == "ssh":
            found.append(
                SshRoute(ssh, settings.probe)
                if ssh.jump
                else Missing(
                    f"No machine to probe from is set for the {side.label} side: "
                    f"set jump in [{side}.ssh] of the settings, like user@host."
                )
            )
    return found or [Missing("The settings allow no way to probe: see routes in [probe].")]
