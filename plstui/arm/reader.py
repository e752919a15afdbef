"""Reads one side: one LIST a type, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

from plstui.arm import connections, health, mapping
from plstui.arm.fields import Json
from plstui.arm.lists import ResourceList
from plstui.arm.machines import MachineList
from plstui.arm.road import Road
from plstui.domain.connection import Connection
from plstui.domain.errors import AzureError, CredentialsError, PlstuiError, Retrying, ThrottledError
from plstui.domain.ids import ResourceId
from plstui.domain.patience import Throttle
from plstui.domain.resources import BalancerHealth, DnsZone, Kind, LoadBalancer
from plstui.domain.snapshot import HealthReading, Reading, Tier
from plstui.domain.tasks import together

HEALTH_PATIENCE = 25.0
"""Seconds that one rule's health may take: three questions when Azure asks to wait ten seconds between them, as it does
for most of this provider's operations."""

HEALTH_AT_ONCE = 8
"""Health queries under way at the same time: ARM may count each as a write, and refills ten writes a second."""

ZONES_AT_ONCE = 6
"""Lists of zones' contents under way at the same time: a subscription may have a hundred zones."""

CONVERTERS: dict[Kind, Callable[[Json], Any]] = {
    Kind.SERVICES: mapping.service,
    Kind.ENDPOINTS: mapping.endpoint,
    Kind.BALANCERS: mapping.balancer,
    Kind.INTERFACES: mapping.interface,
    Kind.NETWORKS: mapping.network,
    Kind.SECURITY_GROUPS: mapping.security_group,
    Kind.MACHINES: mapping.machine,
    Kind.GROUPS: mapping.group,
    Kind.ZONES: mapping.zone,
    Kind.PUBLIC_ZONES: mapping.zone,
    Kind.ZONE_LINKS: mapping.zone_link,
    Kind.RECORDS: mapping.address_record,
    Kind.PUBLIC_RECORDS: mapping.address_record,
    Kind.PROVIDERS: mapping.provider,
    Kind.PERMISSIONS: mapping.permission,
}
"""What makes a resource of each type of what ARM answers."""

_ZONE_OF = {
    Kind.ZONE_LINKS: Kind.ZONES,
    Kind.RECORDS: Kind.ZONES,
    Kind.PUBLIC_RECORDS: Kind.PUBLIC_ZONES,
}
"""What is listed in each zone, by the type of the zone."""


class Reader:
    """Reads one subscription; implements the engine's `CloudReader`."""

    def __init__(self, road: Road, *, health_patience: float = HEALTH_PATIENCE) -> None:
        self._road = road
        self._health_patience = health_patience
        lists: dict[Kind, Callable[[], Awaitable[tuple[Any, ...]]]] = {
            kind: ResourceList(road, f"providers/{kind}", convert, kind).read
            for kind, convert in CONVERTERS.items()
            if kind not in _ZONE_OF
        }
        lists[Kind.PROVIDERS] = ResourceList(road, "providers", mapping.provider, Kind.PROVIDERS).read
        lists[Kind.MACHINES] = MachineList(road).read
        lists[Kind.GROUPS] = ResourceList(road, "resourcegroups", mapping.group, Kind.GROUPS).read
        self._lists = lists

    async def read(self, tiers: Tier) -> Reading:
        """The types of these tiers, one LIST each and no GET of a single resource: for the panes eight calls and pages.

        A type that cannot be read takes nothing else away. Raises `CredentialsError`, and what the first type raised
        when none could be read.
        """
        own = [kind for kind in tiers.kinds if kind not in _ZONE_OF]
        found = dict(zip(own, await together(self._outcome(self._lists[kind]) for kind in own), strict=True))
        gate = asyncio.Semaphore(ZONES_AT_ONCE)
        zones = {
            kind: listed
            for kind in tiers.kinds
            if kind in _ZONE_OF and not isinstance(listed := found[_ZONE_OF[kind]], PlstuiError)
        }
        inside = await together(self._in_zones(kind, listed, gate) for kind, listed in zones.items())
        found |= zip(zones, inside, strict=True)
        reading = Reading(
            resources={kind: outcome for kind, outcome in found.items() if not isinstance(outcome, PlstuiError)},
            failures={kind: outcome for kind, outcome in found.items() if isinstance(outcome, PlstuiError)},
        )
        if reading.failure:
            raise reading.failure
        return reading

    async def _outcome(self, read: Callable[[], Awaitable[tuple[Any, ...]]]) -> tuple[Any, ...] | PlstuiError:
        """What a LIST brings, or why it brings nothing. Raises `CredentialsError`: no other list would do better."""
        try:
            return await read()
        except CredentialsError:
            raise
        except PlstuiError as error:
            return error

    async def _in_zones(
        self, kind: Kind, zones: tuple[DnsZone, ...], gate: asyncio.Semaphore
    ) -> tuple[Any, ...] | PlstuiError:
        """What is in all zones, or why one of them cannot be looked into."""

        async def read(zone: str) -> tuple[Any, ...] | PlstuiError:
            path = zone.split("/", 3)[3]
            async with gate:
                last = kind.rpartition("/")[2]
                return await self._outcome(ResourceList(self._road, f"{path}/{last}", CONVERTERS[kind], kind).read)

        parts = await together(read(zone.id.text) for zone in zones)
        failure = next((part for part in parts if isinstance(part, PlstuiError)), None)
        return failure or tuple(item for part in parts if isinstance(part, tuple) for item in part)

    async def read_health(self, balancers: Sequence[LoadBalancer]) -> HealthReading:
        """The health of the members behind every rule that has a probe and any, as far as Azure tells it."""
        rules = [rule.id for balancer in balancers for rule in balancer.rules if balancer.has_health(rule)]
        gate = asyncio.Semaphore(HEALTH_AT_ONCE)
        answers = await together(self._rule_health(rule_id, gate) for rule_id in rules)
        return HealthReading(
            health=tuple(answer for answer in answers if isinstance(answer, BalancerHealth)),
            refused=tuple(answer for answer in answers if isinstance(answer, ResourceId)),
        )

    async def _rule_health(self, rule_id: ResourceId, gate: asyncio.Semaphore) -> BalancerHealth | ResourceId | None:
        """One rule's health; its id where there is no right to ask, and None where Azure does not tell it: a kind of
        balancer without it, too slow."""
        try:
            async with gate, asyncio.timeout(self._health_patience):
                return await health.of_rule(self._road, rule_id)
        except TimeoutError:
            return None
        except AzureError as error:
            if isinstance(error, ThrottledError) or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            return rule_id if error.status == HTTPStatus.FORBIDDEN else None

    async def read_connection(self, connection_id: ResourceId, *, retrying: Retrying | None = None) -> Connection:
        """One connection as the service reports it now; `retrying` hears of the waits that Azure asks for."""
        _, connection = await connections.get_patiently(self._road, connection_id, Throttle(), retrying)
        return connection

    async def close(self) -> None:
        """Give back sockets and tokens, the writer's too."""
        await self._road.close()
