"""The balancers' health probes: real connections to each member, at the interval and threshold the probe says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.fabric import balancing
from plstui.sandbox.fabric.topology import Attachment, Topology, properties, reference
from plstui.sandbox.ports import Json, MemberHealth

UP = "Up_Probe_Success"
UP_WAVERING = "Up_Probe_ApproachingUnhealthyThreshold"
DOWN_WAVERING = "Down_Probe_ApproachingHealthyThreshold"
NO_ANSWER = "Down_Probe_TcpProbeTimeout"
BAD_STATUS = "Down_Probe_HttpStatusCodeError"
NO_HTTP = "Down_Probe_HttpEndpointUnreachable"
"""The reason codes of Azure's documentation on balancer health status."""

NOT_PROBED = NO_ANSWER
"""What a member is called until its first probe has ended: it has not answered."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How a balancer probes its members."""

    id: str
    """In lower case."""
    protocol: str
    """`tcp`, `http` or `https`."""
    port: int
    path: str
    interval: float
    """Seconds."""
    threshold: int
    """Results in a row that change a member's state."""
    proxy_protocol: bool
    """Whether a service in front of the balancer makes it send PROXY headers."""


@dataclass(slots=True)
class Watch:
    """One member under one probe."""

    probe: Probe
    member: Attachment
    up: bool = False
    reason: str = NOT_PROBED
    results: int = 0
    """How many there have been."""
    against: int = 0
    """How many in a row, up to now, contradict the state."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    probed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a probe has ended since the last wake."""
    task: asyncio.Task[None] | None = None

    def note(self, problem: str | None) -> None:
        """Take in a result: None for success, else the reason it failed."""
        good = problem is None
        self.against = self.against + 1 if good != self.up else 0
        self.results += 1
        if self.results == 1 or self.against >= self.probe.threshold:
            self.up, self.against = good, 0
        if self.against:
            self.reason = UP_WAVERING if self.up else DOWN_WAVERING
        else:
            self.reason = problem or UP

    @property
    def settled(self) -> bool:
        """Whether the state follows from results, and the last one does not contradict it."""
        return self.probed.is_set() and not self.against


Check = Callable[[Attachment, Probe], Awaitable[str | None]]
"""One probe of a member: None for success, else the reason it failed."""


class HealthMonitor:
    """Every probe of every balancer that has members."""

    def __init__(self, topology: Topology, check: Check, clock: SandboxClock) -> None:
        self._topology = topology
        self._check = check
        self._clock = clock
        self._watches: dict[str, dict[tuple[str, str], Watch]] = {}

    def is_up(self, probe_id: str, ip_configuration_id: str) -> bool:
        """What the last probes said of a member; a member not yet probed is not up."""
        watch = self._watch_of(probe_id, ip_configuration_id)
        return watch is not None and watch.up

    def _watch_of(self, probe_id: str, ip_configuration_id: str) -> Watch | None:
        balancer_id = probe_id.lower().rpartition("/probes/")[0]
        return self._watches.get(balancer_id, {}).get((probe_id.lower(), ip_configuration_id.lower()))

    def of_rule(self, rule_id: str) -> list[MemberHealth]:
        """The members behind a rule, as its probe sees them. Without a probe each is up by default."""
        balancer_id = rule_id.lower().rpartition("/loadbalancingrules/")[0]
        rule = next((r for r in balancing.rules(self._topology.view.get(balancer_id)) if r.id == rule_id.lower()), None)
        if rule is None:
            return []
        found: list[MemberHealth] = []
        for pool_id in rule.pool_ids:
            for member in self._topology.members(pool_id):
                watch = self._watch_of(rule.probe_id, member.id) if rule.probe_id else None
                up = watch.up if watch else rule.probe_id is None
                reason = watch.reason if watch else (UP if up else NOT_PROBED)
                found.append(MemberHealth(member.address, member.id, up, reason))
        return found

    def balancers(self) -> set[str]:
        """The balancers that have members to probe, by id in lower case."""
        return set(self._watches)

    def balancer_changed(self, balancer_id: str, *, proxy_protocol: bool) -> None:
        """Probe what a balancer's rules and pools ask for now, and nothing else."""
        key = balancer_id.lower()
        wanted = self._wanted(self._topology.view.get(balancer_id), proxy_protocol=proxy_protocol)
        watches = self._watches.setdefault(key, {})
        for pair in [pair for pair in watches if pair not in wanted]:
            self._end(watches.pop(pair))
        for pair, (probe, member) in wanted.items():
            watch = watches.get(pair)
            if watch is None:
                watch = watches[pair] = Watch(probe, member)
                watch.task = asyncio.get_running_loop().create_task(self._run(watch))
            elif (watch.probe, watch.member) != (probe, member):
                watch.probe, watch.member = probe, member
                self._hurry(watch)
        if not watches:
            del self._watches[key]

    def _wanted(
        self, balancer: Json | None, *, proxy_protocol: bool
    ) -> dict[tuple[str, str], tuple[Probe, Attachment]]:
        wanted: dict[tuple[str, str], tuple[Probe, Attachment]] = {}
        for rule in balancing.rules(balancer):
            probe = _probe(self._topology, rule.probe_id, proxy_protocol=proxy_protocol) if rule.probe_id else None
            if probe is None:
                continue
            for pool_id in rule.pool_ids:
                for member in self._topology.members(pool_id):
                    wanted[probe.id, member.id.lower()] = (probe, member)
        return wanted

    def wake(self, nic_ids: frozenset[str] | None = None) -> None:
        """Probe at once: the members on these interfaces, or all."""
        for watch in self._all():
            if nic_ids is None or watch.member.nic_id in nic_ids:
                self._hurry(watch)

    def _hurry(self, watch: Watch) -> None:
        watch.probed.clear()
        watch.wake.set()

    def _all(self) -> list[Watch]:
        return [watch for watches in self._watches.values() for watch in watches.values()]

    async def settled(self) -> None:
        """Return when every member's state follows from probes; those that waver are probed again without waiting."""
        while unsettled := [watch for watch in self._all() if not watch.settled]:
            for watch in unsettled:
                if watch.probed.is_set():
                    self._hurry(watch)
            await asyncio.gather(*(watch.probed.wait() for watch in unsettled))

    async def stop(self) -> None:
        """End every probe."""
        tasks = [watch.task for watch in self._all() if watch.task]
        for watch in self._all():
            self._end(watch)
        self._watches.clear()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, watch: Watch) -> None:
        if watch.task:
            watch.task.cancel()
        # Whoever waits for this member's result waits no longer.
        watch.probed.set()

    async def _run(self, watch: Watch) -> None:
        while True:
            watch.wake.clear()
            watch.note(await self._check(watch.member, watch.probe))
            if watch.wake.is_set():
                # Something changed meanwhile: that result may be old.
                continue
            watch.probed.set()
            await self._pause(watch)

    async def _pause(self, watch: Watch) -> None:
        woken = asyncio.ensure_future(watch.wake.wait())
        slept = asyncio.ensure_future(self._clock.sleep(watch.probe.interval))
        try:
            await asyncio.wait([woken, slept], return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
            slept.cancel()


def _probe(topology: Topology, probe_id: str, *, proxy_protocol: bool) -> Probe | None:
    body = topology.view.get(probe_id)
    if body is None:
        return None
    values = properties(body)
    return Probe(
        id=probe_id.lower(),
        protocol=str(values.get("protocol", "Tcp")).lower(),
        port=int(values.get("port") or 0),
        path=str(values.get("requestPath") or "/"),
        interval=float(values.get("intervalInSeconds") or 15),
        threshold=int(values.get("probeThreshold") or values.get("numberOfProbes") or 1),
        proxy_protocol=proxy_protocol,
    )


def services_before(topology: Topology, balancer_id: str) -> bool:
    """Whether a private link service in front of a balancer has the PROXY protocol on."""
    key = balancer_id.lower()
    for service in topology.view.of_type("Microsoft.Network/privateLinkServices"):
        values = properties(service)
        if not values.get("enableProxyProtocol"):
            continue
        for frontend in values.get("loadBalancerFrontendIpConfigurations") or []:
            if (reference(frontend) or "").rpartition("/frontendipconfigurations/")[0] == key:
                return True
    return False
