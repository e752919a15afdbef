"""Reads all that a diagnosis looks at: one LIST per type, and no type that cannot be read stops the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, TypeVar

from plstui.domain import facts
from plstui.domain.az import run_command_line
from plstui.domain.errors import AzureError, NotFoundError, PlstuiError, ThrottledError, UnreachableError
from plstui.domain.facts import Body, Facts, id_of
from plstui.domain.findings.machines import seeming_ill
from plstui.domain.findings.names import unnamed
from plstui.domain.ids import ResourceId
from plstui.domain.probe import TargetResult
from plstui.domain.resources import BalancerHealth
from plstui.domain.sides import Side
from plstui.engine.ports import CloudBodies
from plstui.engine.writes import Writes

Result = TypeVar("Result")

AT_ONCE = 6
"""Reads under way at a time for each side."""

BOOT_PATIENCE = 120.0
"""Seconds for a machine's agent to answer: half a minute is usual, and from one that hangs nothing comes at all."""


class Doctor:
    """Examines the sides that are configured."""

    def __init__(self, subscriptions: Mapping[Side, str], clouds: Mapping[Side, CloudBodies]) -> None:
        self._subscriptions = {side: subscription for side, subscription in subscriptions.items() if side in clouds}
        self._clouds = clouds

    async def examine(self, results: Sequence[TargetResult] = (), *, inside: Writes | None = None) -> Facts:
        """Everything there is to know; with `inside` also what `look_inside` finds out through that gate.

        A side that cannot be read is in `failures`. Raises its `PlstuiError` when no side can be read.
        """
        charts = {side: _Chart(side, self._subscriptions[side], self._clouds[side]) for side in self._subscriptions}
        outcomes = await asyncio.gather(*(chart.fill() for chart in charts.values()), return_exceptions=True)
        failures: dict[Side, PlstuiError] = {}
        for side, outcome in zip(list(charts), outcomes, strict=True):
            if isinstance(outcome, PlstuiError):
                failures[side] = outcome
                del charts[side]
            elif outcome is not None:
                raise outcome
        if failures and not charts:
            raise next(iter(failures.values()))
        found = Facts(
            subscriptions=self._subscriptions,
            bodies={side: chart.bodies for side, chart in charts.items()},
            unread={side: frozenset(chart.unread) for side, chart in charts.items()},
            health=tuple(health for chart in charts.values() for health in chart.health),
            forbidden=tuple(rule for chart in charts.values() for rule in chart.forbidden),
            results=tuple(results),
            providers={side: chart.providers for side, chart in charts.items()},
            permissions={side: chart.permissions for side, chart in charts.items() if chart.permissions is not None},
            failures=failures,
        )
        return await self.look_inside(found, inside) if inside else found

    async def look_inside(self, found: Facts, writes: Writes) -> Facts:
        """The same with what cloud-init says on machines that seem ill, or why one does not say it.

        That takes a script in each of them, which is a write: where the gate is closed nothing is asked. Raises
        `ConfigError` when the journal cannot be written.
        """
        ill = () if writes.why_not() else seeming_ill(found)
        answers = dict(zip(ill, await _all(self._boot(machine, writes) for machine in ill), strict=True))
        return replace(
            found,
            boots={machine: status for machine, (status, _) in answers.items() if status},
            silent={machine: why for machine, (status, why) in answers.items() if not status},
        )

    async def _boot(self, machine: ResourceId, writes: Writes) -> tuple[str, str]:
        """What cloud-init says on a machine, and why it does not; one of them is empty."""
        side = next(side for side, own in self._subscriptions.items() if own.lower() == machine.subscription.lower())
        cloud, script = self._clouds[side], "cloud-init status"
        az = run_command_line(machine, script)
        try:
            async with asyncio.timeout(BOOT_PATIENCE):
                printed = await writes.send(side, "probe", machine, az, lambda: cloud.run_command(machine, script))
        except TimeoutError:
            return "", "no answer"
        except (AzureError, UnreachableError) as error:
            return "", error.message
        status = next((line.partition(":")[2].strip() for line in printed.splitlines() if line[:7] == "status:"), "")
        return status, "" if status else "no cloud-init"


async def _all(work: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """The results of all of it; when something fails, that is raised once nothing is under way any more."""
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    results = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    if len(results) < len(outcomes):
        raise next(outcome for outcome in outcomes if isinstance(outcome, BaseException))
    return results


class _Chart:
    """One side while it is being read."""

    def __init__(self, side: Side, subscription: str, cloud: CloudBodies) -> None:
        self._side = side
        self._root = f"/subscriptions/{subscription}"
        self._cloud = cloud
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.bodies: tuple[Body, ...] = ()
        self.unread: set[str] = set()
        self.health: list[BalancerHealth] = []
        self.forbidden: list[ResourceId] = []
        self.providers: dict[str, str] = {}
        self.permissions: tuple[Body, ...] | None = None

    async def fill(self) -> None:
        """Read it all. Raises `PlstuiError` when nothing could be read."""
        lists = await _all([*(self._list(kind) for kind in facts.TYPES), self._account()])
        found = [body for bodies in lists for body in bodies or ()]
        zones = [id_of(body) for body in found if id_of(body).is_type(facts.ZONE)]
        parts = await _all(
            [
                *(self._list(facts.ZONE_LINK, f"{zone.text}/virtualNetworkLinks") for zone in zones),
                *(self._list(facts.RECORD, f"{zone.text}/A") for zone in zones),
            ]
        )
        self.bodies = (*found, *(body for bodies in parts for body in bodies or ()))
        if unnamed(Facts(bodies={self._side: self.bodies})):
            await self._public_zones()
        await self._ask_balancers()

    async def _public_zones(self) -> None:
        """Names that are not in a private zone may be in a public one, of which there may be many."""
        zones = await self._list(facts.PUBLIC_ZONE) or []
        records = await _all(self._list(facts.PUBLIC_RECORD, f"{id_of(zone).text}/A") for zone in zones)
        self.bodies += (*zones, *(body for bodies in records for body in bodies or ()))

    async def _list(self, kind: str, path: str = "") -> list[dict[str, Any]] | None:
        query = {"$expand": "instanceView"} if kind == facts.MACHINE else {}
        found = await self._told(kind, path or f"{self._root}/providers/{kind}", **query)
        if found is None:
            # Without the right to see one type the others still tell a lot.
            self.unread.add(kind.lower())
        return found

    async def _account(self) -> None:
        """Find out what may be done here, and which providers are registered."""
        rights = "Microsoft.Authorization/permissions"
        registered, allowed = await _all(
            [
                self._told("Microsoft.Resources/providers", f"{self._root}/providers"),
                self._told(rights, f"{self._root}/providers/{rights}"),
            ]
        )
        states = {str(one.get("namespace", "")): str(one.get("registrationState", "")) for one in registered or ()}
        self.providers = {namespace.lower(): state for namespace, state in states.items()}
        self.permissions = None if allowed is None else tuple(allowed)

    async def _told(self, kind: str, path: str, **query: str) -> list[dict[str, Any]] | None:
        """A list at a path; None when it may not be seen, or when its provider is not registered."""
        try:
            async with self._gate:
                return await self._cloud.collect(path, kind, **query)
        except AzureError as error:
            if isinstance(error, ThrottledError) or error.status not in (403, 404, 409):
                raise
            return None

    async def _ask_balancers(self) -> None:
        rules = [
            ResourceId(str(rule["id"]))
            for body in self.bodies
            if id_of(body).is_type(facts.BALANCER)
            for rule in facts.items(body, "loadBalancingRules")
            if facts.properties(rule).get("probe")
        ]
        for answer in await _all(map(self._ask, rules)):
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
            if error.status == HTTPStatus.FORBIDDEN:
                self.forbidden.append(rule_id)
            return None
