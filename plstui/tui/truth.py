"""What of an earlier probe still says something about both sides as they are now."""

from __future__ import annotations

from functools import cached_property

from plstui.domain.ids import ResourceId
from plstui.domain.path import path_of
from plstui.domain.probe import Target, TargetKind, TargetResult
from plstui.domain.states import Tone, tone_of
from plstui.domain.world import Link, World
from plstui.tui.state import ProbeRun


def still_true(run: ProbeRun, world: World, link: Link | None = None) -> tuple[TargetResult, ...]:
    """The results for what is now as it was when the probe was started; with a link, those on its way alone.

    A timeout from before an approval says nothing after it.
    """
    asked = (
        result
        for result in run.results
        if link is None or result.target.kind is TargetKind.BACKEND or _endpoint(result.target) == link.endpoint_id
    )
    if world is run.world:
        return tuple(asked)
    before, now = _Situation(run.world), _Situation(world)
    return tuple(result for result in asked if before.of(result.target) == now.of(result.target))


class _Situation:
    """What answers depend on, as far as it can be seen from outside."""

    def __init__(self, world: World) -> None:
        self._world = world
        isv = world.isv
        self._down = (
            {member.address for health in isv.health for member in health.members if not member.up} if isv else set()
        )
        machines = isv.machines if isv else ()
        self._power = {machine.id: tone_of(machine.power_state) for machine in machines}

    def of(self, target: Target) -> object:
        """Equal for two worlds in which a target would answer alike."""
        if target.kind is TargetKind.BACKEND:
            power = self._power.get(target.resource_id) if target.resource_id else None
            return target.address in self._down, power or Tone.QUIET
        if target.kind is TargetKind.BALANCER:
            return self._down, self._power
        endpoint_id = _endpoint(target)
        link = self._by_endpoint.get(endpoint_id) if endpoint_id else None
        return link and tuple((hop.kind, hop.id, hop.broken) for hop in path_of(self._world, link).hops)

    @cached_property
    def _by_endpoint(self) -> dict[ResourceId, Link]:
        return {link.endpoint_id: link for link in self._world.links() if link.endpoint_id}


def _endpoint(target: Target) -> ResourceId | None:
    """The endpoint that a target is, or that it is a name of."""
    return target.endpoint_id or target.resource_id
