"""An Azure in memory behind the engine's ports, and machines whose pages can be fetched.

It stands for ARM and the wire alone: watchers, actions and journal on top of it are the real ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

from plstui.config.settings import Lab
from plstui.domain.connection import APPROVED, DISCONNECTED, Connection, ConnectionStatus, Seen, unheard
from plstui.domain.errors import NotFoundError, PlstuiError, RefusedError, Retrying
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Attempt, Failure, Target, TargetKind, TargetResult
from plstui.domain.resources import BalancerHealth, LoadBalancer, PrivateEndpoint
from plstui.domain.sides import Side
from plstui.domain.snapshot import HealthReading, Reading, Snapshot, Tier
from plstui.domain.world import World
from plstui.engine.gate import Gate
from plstui.engine.journal import Journal
from plstui.engine.ports import Clock, CloudBodies, CloudReader, CloudWriter
from plstui.engine.runtime import Runtime
from plstui.engine.watcher import Watcher


class Cloud:
    """Two subscriptions that change when they are written to."""

    def __init__(self, world: World) -> None:
        self.sides = {side: snapshot for side in Side if (snapshot := world.side(side))}
        self.faults: dict[Side, PlstuiError] = {}
        """What reading a side raises for now."""
        self.read_told = {side: asyncio.Event() for side in Side}
        """Cleared while reading a side stays without an answer."""
        for told in self.read_told.values():
            told.set()
        self.health_fault: PlstuiError | None = None
        """What asking for health raises for now."""
        self.health_told = asyncio.Event()
        """Cleared while questions about health stay without an answer."""
        self.health_told.set()
        self.write_fault: PlstuiError | None = None
        """What the next writes are answered with."""
        self.after_write: Callable[[], None] = lambda: None
        """What happens elsewhere as soon as a write is done."""
        self.answering = asyncio.Event()
        """Cleared while writes stay without an answer."""
        self.answering.set()
        self.showing = asyncio.Event()
        """Cleared while a single connection cannot be read."""
        self.showing.set()
        self.reads = 0

    def become(self, world: World) -> None:
        """Put this world in the place of the old one, as if somebody else had been at work."""
        self.sides = {side: snapshot for side in Side if (snapshot := world.side(side))}

    @property
    def world(self) -> World:
        """What a reader would see now."""
        return World(self.sides.get(Side.ISV), self.sides.get(Side.CUSTOMER))

    def connection(self, connection_id: ResourceId) -> Connection:
        """A connection at the service; raises `NotFoundError`."""
        found = next((c for c in self.sides[Side.ISV].connections() if c.id == connection_id), None)
        if found is None:
            raise NotFoundError(f"The connection {connection_id.name} is not there.", status=404)
        return found

    def put(self, connection: Connection | None, connection_id: ResourceId) -> None:
        """Store a connection, or remove it; the customer's endpoint shows the effect at once, as in Azure."""
        before = self.connection(connection_id)
        isv = self.sides[Side.ISV]
        services = tuple(
            replace(service, connections=_replaced(service.connections, connection_id, connection))
            for service in isv.services
        )
        self.sides[Side.ISV] = replace(isv, services=services)
        customer = self.sides.get(Side.CUSTOMER)
        if customer:
            status = connection.status if connection else DISCONNECTED
            description = connection.description if connection else ""
            self.sides[Side.CUSTOMER] = replace(
                customer,
                endpoints=tuple(
                    _with_status(endpoint, status, description) if endpoint.id == before.endpoint_id else endpoint
                    for endpoint in customer.endpoints
                ),
            )


def _replaced(
    connections: tuple[Connection, ...], connection_id: ResourceId, by: Connection | None
) -> tuple[Connection, ...]:
    changed = (by if connection.id == connection_id else connection for connection in connections)
    return tuple(connection for connection in changed if connection)


def _with_status(endpoint: PrivateEndpoint, status: ConnectionStatus, description: str) -> PrivateEndpoint:
    own = tuple(replace(c, status=status, description=description) for c in endpoint.connections)
    return replace(endpoint, connections=own)


class Reader:
    """Reads one side of a cloud."""

    def __init__(self, cloud: Cloud, side: Side) -> None:
        self._cloud = cloud
        self._side = side

    def _snapshot(self) -> Snapshot:
        self._cloud.reads += 1
        if fault := self._cloud.faults.get(self._side):
            raise fault
        return self._cloud.sides[self._side]

    async def read(self, tiers: Tier) -> Reading:
        """The types of these tiers."""
        await self._cloud.read_told[self._side].wait()
        seen = self._snapshot()
        return Reading(resources={kind: getattr(seen, kind.field) for kind in tiers.kinds})

    async def read_health(self, balancers: Sequence[LoadBalancer]) -> HealthReading:
        """The health of these balancers' members."""
        await self._cloud.health_told.wait()
        if self._cloud.health_fault:
            raise self._cloud.health_fault
        asked = {balancer.id for balancer in balancers}
        return HealthReading(tuple(health for health in self._snapshot().health if health.balancer_id in asked))

    async def read_connection(self, connection_id: ResourceId, *, retrying: Retrying | None = None) -> Connection:
        """One connection as it is now."""
        await self._cloud.showing.wait()
        self._snapshot()
        return self._cloud.connection(connection_id)

    async def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True)
class Prepared:
    """A decision that the cloud takes when it is sent."""

    cloud: Cloud
    connection_id: ResourceId
    wanted: ConnectionStatus | None
    description: str

    async def send(self) -> Connection | None:
        """Replace the state, or take the connection away; the endpoint is disconnected then."""
        await self.cloud.answering.wait()
        if self.cloud.write_fault:
            raise self.cloud.write_fault
        after = None
        if self.wanted:
            before = self.cloud.connection(self.connection_id)
            after = replace(before, status=self.wanted, description=self.description, actions_required="")
        self.cloud.put(after, self.connection_id)
        self.cloud.after_write()
        return after


class Bodies:
    """Resources as JSON, of which a cloud has none: whoever needs them has a sandbox."""

    async def get(self, resource_id: ResourceId) -> dict[str, Any] | None:
        """Nothing is there."""
        return None

    async def collect(self, path: str, kind: str, **query: str) -> list[dict[str, Any]]:
        """Nothing is there."""
        return []

    async def health(self, rule_id: ResourceId) -> BalancerHealth:
        """Nothing is known."""
        raise NotFoundError(f"The rule {rule_id.name} is not there.", status=404)


class Writer:
    """Writes to the service's side of a cloud, and is asked in vain for what needs JSON."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def _answer(self) -> None:
        await self._cloud.answering.wait()
        if self._cloud.write_fault:
            raise self._cloud.write_fault
        self._cloud.after_write()

    async def get_ready(self) -> None:
        """It is."""

    async def put(self, resource_id: ResourceId, body: dict[str, Any], *, etag: str | None = None) -> dict[str, Any]:
        """What was sent is there."""
        await self._answer()
        return body

    async def delete(self, resource_id: ResourceId) -> None:
        """It is gone."""
        await self._answer()

    async def discard(self, resource_id: ResourceId) -> None:
        """It will be gone."""
        await self._answer()

    async def start(self, machine_id: ResourceId) -> None:
        """It runs."""
        await self._answer()

    async def run_command(self, machine_id: ResourceId, script: str, *, windows: bool = False) -> str:
        """It printed nothing."""
        await self._answer()
        return ""

    async def prepare(
        self,
        connection_id: ResourceId,
        wanted: ConnectionStatus | None,
        description: str,
        *,
        expected: ConnectionStatus,
        seen: Seen = unheard,
        retrying: Retrying | None = None,
    ) -> Prepared:
        """Be ready to replace the state, unless somebody else has."""
        before = self._cloud.connection(connection_id)
        seen(before)
        if before.status != expected:
            raise RefusedError(f"The connection is {before.status} now; look again.")
        return Prepared(self._cloud, connection_id, wanted, description)


@dataclass(frozen=True)
class Arm:
    """One side of a cloud, as the gate is given it."""

    reader: CloudReader
    bodies: CloudBodies
    writer: CloudWriter


class Prober:
    """Fetches pages from the machines of a cloud: what its network lets through, spread over what is healthy."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._held: dict[str, asyncio.Event] = {}
        self.untold = ""
        """Why asking a balancer from one of its own members tells nothing, for as long as nothing comes back to it."""

    def hold(self, *names: str) -> None:
        """Let these targets stay without an answer."""
        self._held.update({name: asyncio.Event() for name in names})

    def release(self, *names: str) -> None:
        """Let these targets answer."""
        for name in names:
            self._held[name].set()

    async def probe(self, targets: Sequence[Target], count: int) -> AsyncIterator[TargetResult]:
        """Each target's result as soon as it is there."""
        asks = [asyncio.ensure_future(self._ask(target, count)) for target in targets]
        try:
            for ask in asyncio.as_completed(asks):
                yield await ask
        finally:
            for waiting in asks:
                waiting.cancel()

    async def _ask(self, target: Target, count: int) -> TargetResult:
        if target.name in self._held:
            await self._held[target.name].wait()
        jump = "web1" if target.side is Side.ISV else "testVM"
        if target.kind is TargetKind.BACKEND:
            attempts = tuple(self._page(target.name, number) for number in range(count))
        else:
            attempts = tuple(self._through(target, number) for number in range(count))
        return TargetResult(target, f"ssh {jump}", attempts)

    def _page(self, machine: str, number: int) -> Attempt:
        isv = self._cloud.sides[Side.ISV]
        down = any(not member.up for vm in isv.machines if vm.name == machine for member in isv.member_health(vm))
        if down:
            return Attempt(failure=Failure.REFUSED, error=f"{machine} refused the connection on port 80.")
        return Attempt(host=machine, connect_ms=1.1 + number % 4 / 10, first_byte_ms=2.4 + number % 5 / 10)

    def _through(self, target: Target, number: int) -> Attempt:
        if target.kind is TargetKind.BALANCER and self.untold:
            return Attempt(error=self.untold)
        isv, customer = self._cloud.sides[Side.ISV], self._cloud.sides.get(Side.CUSTOMER)
        endpoint = next((e for e in customer.endpoints if e.id == target.resource_id), None) if customer else None
        if endpoint and endpoint.connections[0].status != APPROVED:
            return Attempt(failure=Failure.TIMEOUT, error=f"No answer from {target.address} within 5 s.")
        healthy = [vm.name for vm in isv.machines if all(member.up for member in isv.member_health(vm))]
        host = healthy[crc32(f"{target.address}:{number}".encode()) % len(healthy)]
        return Attempt(host=host, connect_ms=2.3 + number % 3 / 10, first_byte_ms=3.1 + number % 7 / 10)

    async def close(self) -> None:
        """Nothing is held open."""


def runtime(
    cloud: Cloud, prober: Prober, clock: Clock, journal: Path, *, read_only: bool = False, probe_count: int = 12
) -> Runtime:
    """The real engine on top of a cloud in memory."""
    watchers = {
        side: Watcher(
            side,
            snapshot.subscription,
            Reader(cloud, side),
            tenant=snapshot.tenant,
            clock=clock,
            jitter=lambda: 1.0,
        )
        for side, snapshot in cloud.sides.items()
    }
    written = Journal(journal)
    sides = {side: Arm(watcher.reader, Bodies(), Writer(cloud)) for side, watcher in watchers.items()}
    gate = Gate(sides, written, watchers.values(), read_only=read_only)
    return Runtime(watchers, {}, gate, Lab(), prober, written, probe_count, _nothing_to_close)


async def _nothing_to_close() -> None:
    return None
