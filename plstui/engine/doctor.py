"""Reads all that a diagnosis looks at: one LIST per type, and no type that cannot be read stops the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from plstui.domain import facts
from plstui.domain.errors import AzureError, NotFoundError, ThrottledError
from plstui.domain.facts import Body, Facts, id_of
from plstui.domain.ids import ResourceId
from plstui.domain.probe import TargetResult
from plstui.domain.resources import BalancerHealth
from plstui.domain.sides import Side
from plstui.engine.ports import CloudBodies

TYPES = (
    facts.NETWORK,
    facts.SECURITY_GROUP,
    facts.APPLICATION_GROUP,
    facts.INTERFACE,
    facts.BALANCER,
    facts.NAT_GATEWAY,
    facts.SERVICE,
    facts.ENDPOINT,
    facts.ZONE,
    facts.MACHINE,
)
AT_ONCE = 6
"""Reads under way at a time for each side."""


class Doctor:
    """Examines the sides that are configured."""

    def __init__(self, subscriptions: Mapping[Side, str], clouds: Mapping[Side, CloudBodies]) -> None:
        self._subscriptions = {side: subscription for side, subscription in subscriptions.items() if side in clouds}
        self._clouds = clouds

    async def examine(self, results: Sequence[TargetResult] = ()) -> Facts:
        """Everything there is to know. Raises `PlstuiError` when a side cannot be read at all."""
        sides = list(self._subscriptions)
        charts = await asyncio.gather(*(self._chart(side) for side in sides))
        by_side = dict(zip(sides, charts, strict=True))
        return Facts(
            subscriptions=self._subscriptions,
            bodies={side: chart.bodies for side, chart in by_side.items()},
            unread={side: frozenset(chart.unread) for side, chart in by_side.items()},
            health=tuple(health for chart in charts for health in chart.health),
            results=tuple(results),
            providers={side: chart.providers for side, chart in by_side.items()},
            permissions={side: chart.permissions for side, chart in by_side.items() if chart.permissions is not None},
        )

    async def _chart(self, side: Side) -> _Chart:
        chart = _Chart(self._subscriptions[side], self._clouds[side])
        await chart.fill()
        return chart


class _Chart:
    """One side while it is being read."""

    def __init__(self, subscription: str, cloud: CloudBodies) -> None:
        self._root = f"/subscriptions/{subscription}"
        self._cloud = cloud
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.bodies: tuple[Body, ...] = ()
        self.unread: set[str] = set()
        self.health: list[BalancerHealth] = []
        self.providers: dict[str, str] = {}
        self.permissions: tuple[Body, ...] | None = None

    async def fill(self) -> None:
        """Read it all. Raises `PlstuiError` when nothing could be read."""
        lists = await asyncio.gather(*(self._list(kind) for kind in TYPES), self._account())
        found = [body for bodies in lists[:-1] for body in bodies or ()]
        zones = [id_of(body) for body in found if id_of(body).is_type(facts.ZONE)]
        parts = await asyncio.gather(
            *(self._list(facts.ZONE_LINK, f"{zone.text}/virtualNetworkLinks") for zone in zones),
            *(self._list(facts.RECORD, f"{zone.text}/A") for zone in zones),
        )
        self.bodies = (*found, *(body for bodies in parts for body in bodies or ()))
        await self._ask_balancers()

    async def _list(self, kind: str, path: str = "") -> list[dict[str, Any]] | None:
        query = {"$expand": "instanceView"} if kind == facts.MACHINE else {}
        namespace = kind.partition("/")
        try:
            async with self._gate:
                return await self._cloud.collect(
                    path or f"{self._root}/providers/{namespace[0]}/{namespace[2]}", kind, **query
                )
        except AzureError as error:
            # Without the right to see one type the others still tell a lot.
            if isinstance(error, ThrottledError) or error.status not in (403, 404, 409):
                raise
            self.unread.add(kind.lower())
            return None

    async def _account(self) -> None:
        """What may be done here, and which providers are registered."""
        try:
            found = await self._cloud.collect(f"{self._root}/providers", "Microsoft.Resources/providers")
            self.providers = {
                str(one.get("namespace", "")).lower(): str(one.get("registrationState", "")) for one in found
            }
            self.permissions = tuple(
                await self._cloud.collect(
                    f"{self._root}/providers/Microsoft.Authorization/permissions",
                    "Microsoft.Authorization/permissions",
                )
            )
        except AzureError as error:
            if isinstance(error, ThrottledError) or error.status not in (403, 404):
                raise

    async def _ask_balancers(self) -> None:
        rules = [
            ResourceId(str(rule["id"]))
            for body in self.bodies
            if id_of(body).is_type(facts.BALANCER)
            for rule in facts.items(body, "loadBalancingRules")
            if facts.properties(rule).get("probe")
        ]
        for answer in await asyncio.gather(*map(self._ask, rules)):
            if answer:
                self.health.append(answer)

    async def _ask(self, rule_id: ResourceId) -> BalancerHealth | None:
        try:
            async with self._gate:
                return await self._cloud.health(rule_id)
        except NotFoundError:
            return None
        except AzureError as error:
            if isinstance(error, ThrottledError) or error.status >= 500:
                raise
            return None
