"""The health query of a load-balancing rule."""

from __future__ import annotations

from plstui.arm import mapping
from plstui.arm.road import Road, path_of
from plstui.arm.transport import SILENCE_SECONDS
from plstui.domain.ids import ResourceId
from plstui.domain.resources import BalancerHealth


async def of_rule(road: Road, rule_id: ResourceId) -> BalancerHealth:
    """How the members behind a load-balancing rule are. Raises `PlstuiError`."""
    balancer = rule_id.parent
    assert balancer is not None, f"a rule is a child of a balancer: {rule_id}"
    # Sent as a POST, it changes nothing: like any question it is asked again.
    silence = {"read_timeout": SILENCE_SECONDS}
    begun = await road.send("POST", f"{path_of(rule_id)}/health", rule_id.type, **silence)
    async with road.translated():
        return mapping.rule_health(await road.wait(begun, **silence), balancer, rule_id)
