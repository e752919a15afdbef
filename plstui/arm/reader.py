"""Reads one side: one LIST a type, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from plstui.arm import connections, mapping
from plstui.arm.clients import NETWORK_API, Clients
from plstui.arm.lists import NetworkList
from plstui.arm.machines import MachineList
from plstui.arm.transport import SILENCE_SECONDS
from plstui.domain.connection import Connection
from plstui.domain.errors import AzureError, Retrying, ThrottledError
from plstui.domain.ids import ResourceId
from plstui.domain.resources import BalancerHealth, LoadBalancer, LoadBalancingRule, ResourceGroup
from plstui.domain.snapshot import Reading, Tier

HEALTH_PATIENCE = 25.0
"""Seconds that one rule's health may take: three questions when Azure asks to wait ten seconds between them, as it does
for most of this provider's operations."""

HEALTH_AT_ONCE = 8
"""Health queries under way at the same time: ARM may count each as a write, and refills ten writes a second."""

_SERVER_ERROR = 500

Result = TypeVar("Result")


class Reader:
    """Reads one subscription; implements the engine's `CloudReader`."""

    def __init__(self, clients: Clients, *, health_patience: float = HEALTH_PATIENCE) -> None:
        self._clients = clients
        self._health_patience = health_patience
        self._machines = MachineList(clients)
        self._services = NetworkList(clients, "privateLinkServices", mapping.service)
        self._endpoints = NetworkList(clients, "privateEndpoints", mapping.endpoint)
        self._balancers = NetworkList(clients, "loadBalancers", mapping.balancer)
        self._interfaces = NetworkList(clients, "networkInterfaces", mapping.interface)
        self._networks = NetworkList(clients, "virtualNetworks", mapping.network)
        self._security_groups = NetworkList(clients, "networkSecurityGroups", mapping.security_group)

    async def read(self, tiers: Tier) -> Reading:
        """The types of these tiers, one LIST each and no GET of a single resource: at most eight calls, and pages."""
        lists: dict[str, Coroutine[Any, Any, tuple[Any, ...]]] = {}
        if Tier.CONNECTIONS in tiers:
            lists["services"] = self._services.read()
            lists["endpoints"] = self._endpoints.read()
        if Tier.MACHINES in tiers:
            lists["balancers"] = self._balancers.read()
            lists["interfaces"] = self._interfaces.read()
            lists["machines"] = self._machines.read()
        if Tier.NETWORKS in tiers:
            lists["networks"] = self._networks.read()
            lists["security_groups"] = self._security_groups.read()
            lists["groups"] = self._groups()
        async with self._clients.translated():
            found = await _together(*lists.values())
        return Reading(**dict(zip(lists, found, strict=True)))

    async def _groups(self) -> tuple[ResourceGroup, ...]:
        """Every page of the resource groups. Raises what the SDK raises."""
        models = self._clients.resources.resource_groups.list()
        return mapping.every(mapping.group, [model async for model in models])

    async def read_health(self, balancers: Sequence[LoadBalancer]) -> tuple[BalancerHealth, ...]:
        """The health of the members behind every rule that has a probe and any, as far as Azure tells it."""
        rules = [(balancer, rule) for balancer in balancers for rule in balancer.rules if _has_health(balancer, rule)]
        gate = asyncio.Semaphore(HEALTH_AT_ONCE)
        answers = await _together(*(self._rule_health(balancer, rule, gate) for balancer, rule in rules))
        return tuple(health for health in answers if health)

    async def _rule_health(
        self, balancer: LoadBalancer, rule: LoadBalancingRule, gate: asyncio.Semaphore
    ) -> BalancerHealth | None:
        """One rule's health; None when Azure does not tell it: no right, a kind of balancer without it, too slow."""
        rules = self._clients.network.load_balancer_load_balancing_rules
        try:
            async with gate, asyncio.timeout(self._health_patience), self._clients.translated():
                poller = await rules.begin_health(
                    balancer.id.resource_group,
                    balancer.id.name,
                    rule.id.name,
                    api_version=NETWORK_API,
                    # Sent as a POST, it changes nothing: like any question it is asked again.
                    read_timeout=SILENCE_SECONDS,
                )
                answer = await poller.result()
        except TimeoutError:
            return None
        except AzureError as error:
            if isinstance(error, ThrottledError) or error.status >= _SERVER_ERROR:
                raise
            return None
        return mapping.rule_health(answer, balancer.id, rule.id)

    async def read_connection(self, connection_id: ResourceId, *, retrying: Retrying | None = None) -> Connection:
        """One connection as the service reports it now; `retrying` hears of the waits that Azure asks for."""
        _, connection = await connections.get_patiently(self._clients, connection_id, connections.Throttle(retrying))
        return connection

    async def close(self) -> None:
        """Give back sockets and tokens, the writer's too."""
        await self._clients.close()


def _has_health(balancer: LoadBalancer, rule: LoadBalancingRule) -> bool:
    """Whether there is anything to ask: a question about an empty pool costs a write and has no answer."""
    pool = next((pool for pool in balancer.pools if pool.id == rule.pool_id), None)
    # A pool that is not listed may have members.
    return rule.probe_id is not None and rule.pool_id is not None and not (pool and pool.is_empty)


async def _together(*calls: Coroutine[Any, Any, Result]) -> list[Result]:
    """All calls at once; the first that fails ends the others and is raised alone."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failures:
        first = failures.exceptions[0]
        raise first from first.__cause__
    return [task.result() for task in tasks]
