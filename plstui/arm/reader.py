"""Reads one side: one LIST a type, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from plstui.arm import connections, mapping
from plstui.arm.clients import NETWORK_API, Clients
from plstui.arm.machines import MachineList
from plstui.domain.connection import Connection
from plstui.domain.errors import AzureError, ThrottledError
from plstui.domain.ids import ResourceId
from plstui.domain.resources import BalancerHealth, LoadBalancer, LoadBalancingRule
from plstui.domain.snapshot import Reading, Tier

HEALTH_PATIENCE = 25.0
"""Seconds that one rule's health may take: three questions when Azure asks to wait ten seconds between them, as it does
for most of this provider's operations."""

HEALTH_AT_ONCE = 8
"""Health queries under way at the same time: ARM may count each as a write, and refills ten writes a second."""

_SERVER_ERROR = 500

Fact = TypeVar("Fact")
Result = TypeVar("Result")


class Reader:
    """Reads one subscription; implements the engine's `CloudReader`."""

    def __init__(self, clients: Clients, *, health_patience: float = HEALTH_PATIENCE) -> None:
        self._clients = clients
        self._health_patience = health_patience
        self._machines = MachineList(clients)

    async def read(self, tiers: Tier) -> Reading:
        """The types of these tiers, one LIST each and no GET of a single resource: at most eight calls, and pages."""
        network = self._clients.network
        lists: dict[str, Coroutine[Any, Any, tuple[Any, ...]]] = {}
        if Tier.CONNECTIONS in tiers:
            services = network.private_link_services.list_by_subscription(api_version=NETWORK_API)
            endpoints = network.private_endpoints.list_by_subscription(api_version=NETWORK_API)
            lists["services"] = _collect(mapping.service, services)
            lists["endpoints"] = _collect(mapping.endpoint, endpoints)
        if Tier.MACHINES in tiers:
            balancers = network.load_balancers.list_all(api_version=NETWORK_API)
            interfaces = network.network_interfaces.list_all(api_version=NETWORK_API)
            lists["balancers"] = _collect(mapping.balancer, balancers)
            lists["interfaces"] = _collect(mapping.interface, interfaces)
            lists["machines"] = self._machines.read()
        if Tier.NETWORKS in tiers:
            networks = network.virtual_networks.list_all(api_version=NETWORK_API)
            security_groups = network.network_security_groups.list_all(api_version=NETWORK_API)
            lists["networks"] = _collect(mapping.network, networks)
            lists["security_groups"] = _collect(mapping.security_group, security_groups)
            lists["groups"] = _collect(mapping.group, self._clients.resources.resource_groups.list())
        async with self._clients.translated():
            found = await _together(*lists.values())
        return Reading(**dict(zip(lists, found, strict=True)))

    async def read_health(self, balancers: Sequence[LoadBalancer]) -> tuple[BalancerHealth, ...]:
        """The health of the members behind every rule that has a probe and a pool, as far as Azure tells it."""
        rules = [
            (balancer, rule) for balancer in balancers for rule in balancer.rules if rule.probe_id and rule.pool_id
        ]
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
                    balancer.id.resource_group, balancer.id.name, rule.id.name, api_version=NETWORK_API
                )
                answer = await poller.result()
        except TimeoutError:
            return None
        except AzureError as error:
            if isinstance(error, ThrottledError) or error.status >= _SERVER_ERROR:
                raise
            return None
        return mapping.rule_health(answer, balancer.id, rule.id)

    async def read_connection(self, connection_id: ResourceId) -> Connection:
        """One connection as the service reports it now."""
        async with self._clients.translated():
            return connections.read(await connections.get(self._clients, connection_id))

    async def close(self) -> None:
        """Give back sockets and tokens, the writer's too."""
        await self._clients.close()


async def _collect(convert: Callable[[mapping.Json], Fact | None], models: AsyncIterable[Any]) -> tuple[Fact, ...]:
    """Every page of a LIST. Raises what the SDK raises."""
    return mapping.every(convert, [model async for model in models])


async def _together(*calls: Coroutine[Any, Any, Result]) -> list[Result]:
    """All calls at once; the first that fails ends the others and is raised alone."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failures:
        first = failures.exceptions[0]
        raise first from first.__cause__
    return [task.result() for task in tasks]
