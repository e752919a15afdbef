"""The machines: running, set up, able to fetch what they need, and serving the right page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from plstui.domain.az import az, run_command_line
from plstui.domain.findings.finding import Finding, Severity, counted
from plstui.domain.findings.pool import Member, pool_members
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Failure, TargetKind, TargetResult
from plstui.domain.resources import Kind, VirtualMachine
from plstui.domain.sides import Side
from plstui.domain.world import World, once

_UP = frozenset({"", "running", "starting"})
"""Power states in which there is nothing to start; the first is that it is not known."""

_AT_WORK = frozenset({"running", "not run", "not started"})
_FAILED = frozenset({"error"})
"""What `cloud-init status` says of a machine whose setting up has not ended, and of one where it went wrong."""

_WRONG = frozenset({Failure.WRONG_PAGE.value, Failure.TLS.value})
"""The failures in which a machine did answer."""


class _Ailment(TypedDict):
    """What a finding says of a machine beside where and how bad it is."""

    rule: str
    what: str
    remedy: str
    evidence: dict[str, str]
    fix: NotRequired[str]


@dataclass(frozen=True, slots=True)
class _Backend:
    """A machine behind a rule, and what is known of it."""

    member: Member
    machine: VirtualMachine
    up: bool | None
    """What the balancer finds; None when it was not asked."""
    result: TargetResult | None
    """What a probe of this machine alone brought."""
    boot: str
    """What cloud-init says; empty when it was not asked."""

    @property
    def wrong_page(self) -> bool:
        """Whether something else than its page came from it."""
        return self.result is not None and not _WRONG.isdisjoint(self.result.failures)

    @property
    def failures(self) -> dict[str, int]:
        """What went wrong at the machine itself when its page was fetched."""
        found = self.result.failures if self.result else {}
        return {kind: count for kind, count in found.items() if kind != Failure.JUMP.value}

    @property
    def host(self) -> str:
        """The name on its page; empty when it did not come each time, or nobody has looked."""
        return next(iter(self.result.hosts), "") if self.result and not self.result.failures else ""

    @property
    def ill(self) -> bool:
        """Whether something seems to be wrong with it."""
        return self.up is False or bool(self.failures)

    @property
    def silent(self) -> bool:
        """Whether nothing comes from it: so says the balancer, or whoever has tried where the balancer says nothing."""
        tried = self.up is None and self.result is not None and not self.result.hosts and bool(self.failures)
        return (self.up is False or tried) and not self.wrong_page

    @property
    def seen(self) -> dict[str, str]:
        """What shows that it is ill."""
        if self.up is False:
            return {"health": "Down"}
        return {"failures": counted(self.failures)} if self.failures else {}

    @property
    def serves(self) -> bool:
        """Whether its page comes, as far as anybody can tell."""
        return self.machine.power_state in ("running", "") and not self.silent and not self.wrong_page


@once
def _backends(world: World) -> tuple[_Backend, ...]:
    """Every machine behind a rule, once for each port."""
    isv = world.isv
    if isv is None:
        return ()
    up: dict[ResourceId | str, bool] = {}
    for health in isv.health:
        for one in health.members:
            key = one.ip_configuration_id or one.address
            up[key] = up.get(key, True) and one.up
    results = {
        (result.target.address, result.target.port): result
        for result in world.results
        if result.target.kind is TargetKind.BACKEND
    }
    found = []
    for member in pool_members(world):
        machine = isv.machine(member.nic.machine_id)
        if machine:
            result = results.get((member.address, member.port))
            boot = world.boots.get(machine.id, "")
            found.append(_Backend(member, machine, up.get(member.id, up.get(member.address)), result, boot))
    return tuple(found)


def seeming_ill(world: World) -> tuple[ResourceId, ...]:
    """The running Linux machines of the pools that the balancer finds down, or whose own page did not come."""
    found = (one.machine for one in _backends(world) if one.ill and one.machine.power_state == "running")
    return tuple(dict.fromkeys(machine.id for machine in found if not machine.is_windows))


def _severity(backends: Sequence[_Backend]) -> Severity:
    """While one machine serves its page, pages come."""
    return Severity.WARNING if any(one.serves for one in backends) else Severity.ERROR


def stopped(world: World) -> Iterator[Finding]:
    """A machine behind a rule that does not run, or no machine beside an endpoint from which to open the page."""
    backends = _backends(world)
    for machine in _machines(backends):
        if machine.power_state not in _UP:
            yield _start(machine, _severity(backends), "step:machines")
    beside = list(_beside_endpoints(world))
    if beside and all(machine.power_state not in _UP for machine in beside):
        yield _start(beside[0], Severity.WARNING, "step:customer-network")


def _machines(backends: Sequence[_Backend]) -> Iterator[VirtualMachine]:
    """The machines behind rules, each once."""
    yield from {one.machine.id: one.machine for one in backends}.values()


def _start(machine: VirtualMachine, severity: Severity, fix: str) -> Finding:
    power, where = machine.power_state, machine.id
    return Finding(
        rule="machine-stopped",
        severity=severity,
        where=where,
        what=f"{where.name} is {power}.",
        remedy="Start it.",
        evidence={"instanceView.statuses": f"PowerState/{power}"},
        az=az("vm start", {"--ids": where}),
        fix=fix,
    )


def _beside_endpoints(world: World) -> Iterator[VirtualMachine]:
    """The customer's machines in the networks of the endpoints."""
    customer = world.customer
    if customer is None:
        return
    networks = {endpoint.network_id for endpoint in customer.endpoints if endpoint.subnet_id}
    for nic in customer.interfaces:
        machine = customer.machine(nic.machine_id)
        subnets = [one.subnet_id for one in nic.ip_configurations if one.subnet_id]
        if machine and any(subnet.parent in networks for subnet in subnets):
            yield machine


def failed(world: World) -> Iterator[Finding]:
    """A machine behind a rule that Azure could not make or change."""
    backends = _backends(world)
    for machine in _machines(backends):
        if machine.provisioning_state.lower() == "failed":
            where = machine.id
            yield Finding(
                rule="machine-failed",
                severity=_severity(backends),
                where=where,
                what=f"{where.name} could not be made or changed.",
                remedy="Let Azure try again; its activity log says what went wrong.",
                evidence={"provisioningState": machine.provisioning_state},
                az=az("vm reapply", {"--ids": where}),
            )


def unwell(world: World) -> Iterator[Finding]:
    """A machine that runs, and whose page does not come, or that the balancer finds down all the same."""
    backends = _backends(world)
    told: set[ResourceId] = set()
    for one in backends:
        where = one.machine.id
        if where in told or one.machine.power_state not in ("running", ""):
            continue
        if found := _ailment(one, _has_way_out(world, one.member)):
            told.add(where)
            yield Finding(severity=_severity(backends), where=where, az=_look(where), **found)


def _ailment(one: _Backend, way_out: bool | None) -> _Ailment | None:
    """What is wrong with a machine, the cause rather than the effect; None when nothing is."""
    name = one.machine.id.name
    if one.up is False and one.host:
        return {
            "rule": "health-down-page-right",
            "what": f"{name} serves its page, and the balancer finds it down.",
            "remedy": "Look at the health probe's protocol, port and path, and at what keeps it out.",
            "evidence": {**one.seen, "page": f"Host: {one.host}"},
        }
    if one.silent and way_out is False and one.boot != "done":
        return {
            "rule": "no-outbound",
            "what": f"Nothing answers on {name}, whose subnet has no way out to fetch a web server by.",
            "remedy": "Give the subnet a NAT gateway and make the machine again, or one that needs nothing fetched.",
            "evidence": {"natGateway": "null", **one.seen, **({"cloud-init status": one.boot} if one.boot else {})},
            "fix": "step:isv-network",
        }
    if one.boot in _FAILED:
        return {
            "rule": "cloud-init-failed",
            "what": f"cloud-init on {name} has failed.",
            "remedy": "Look at /var/log/cloud-init-output.log, then make the machine again.",
            "evidence": {"cloud-init status": one.boot, **one.seen},
        }
    if one.boot in _AT_WORK:
        return {
            "rule": "cloud-init-running",
            "what": f"cloud-init on {name} is not done yet.",
            "remedy": "Wait for it.",
            "evidence": {"cloud-init status": one.boot, **one.seen},
        }
    if one.wrong_page and one.result is not None:
        return {
            "rule": "page-wrong",
            "what": f"{name} answers, and not with its page.",
            "remedy": "Look at what its web server serves.",
            "evidence": {"page": one.result.error},
        }
    if one.silent:
        return {
            "rule": "page-missing",
            "what": f"Nothing answers on port {one.member.port} of {name}.",
            "remedy": "Look at its web server; while cloud-init is still at work, wait for it.",
            "evidence": one.seen,
        }
    return None


def _look(machine: ResourceId) -> str:
    return run_command_line(
        machine, "cloud-init status --long; tail -n 20 /var/log/cloud-init-output.log; curl -sS http://localhost"
    )


def _has_way_out(world: World, member: Member) -> bool | None:
    """Whether a machine can fetch packages: by NAT gateway, by a route, or by an address of its own.

    Members of a Standard balancer have no other one. None when the subnet could not be read.
    """
    subnet = world.isv.subnet(member.configuration.subnet_id) if world.isv else None
    if subnet is None or not world.knows(Side.ISV, Kind.NETWORKS):
        return None
    return bool(member.configuration.public_ip_address_id or subnet.nat_gateway_id or subnet.route_table_id)


RULES = (stopped, failed, unwell)
