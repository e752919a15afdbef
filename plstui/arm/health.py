"""The health query of a load-balancing rule."""

from __future__ import annotations

from plstui.arm import mapping
from plstui.arm.clients import Clients
from plstui.arm.transport import SILENCE_SECONDS
from plstui.arm.versions import NETWORK_API
from plstui.domain.ids import ResourceId
from plstui.domain.resources import BalancerHealth


async def of_rule(clients: Clients, rule_id: ResourceId) -> BalancerHealth:
    """How the members behind a load-balancing rule are. Raises `PlstuiError`."""
    balancer = rule_id.parent
    assert balancer is not None, f"a rule is a child of a balancer: {rule_id}"
    async with clients.translated():
        poller = await clients.network.load_balancer_load_balancing_rules.begin_health(
            rule_id.resource_group,
            balancer.name,
            rule_id.name,
            api_version=NETWORK_API,
            # Sent as a POST, it changes nothing: like any question it is asked again.
            read_timeout=SILENCE_SECONDS,
        )
        return mapping.rule_health(await poller.result(), balancer, rule_id)
