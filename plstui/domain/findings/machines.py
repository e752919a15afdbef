"""The machines: running, set up, able to fetch what they need, and serving the right page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from plstui.domain.az import run_command_line, shell_word
from plstui.domain.facts import ENDPOINT, INTERFACE, NETWORK, Body, Facts, id_of, items, properties, reference, word
from plstui.domain.findings.finding import Finding, Severity, counted
from plstui.domain.findings.pool import Member, pool_members
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Failure, TargetKind, TargetResult
from plstui.domain.sides import Side

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


def power_of(machine: Body) -> str:
    """A machine's power state, `running`; empty when it is not known."""
    view = properties(machine).get("instanceView")
    statuses = view.get("statuses") if isinstance(view, dict) else None
    listed = statuses if isinstance(statuses, list) else []
    codes = [str(one.get("code", "")) for one in listed if isinstance(one, dict)]
    return next((code.partition("/")[2].lower() for code in codes if code.startswith("PowerState/")), "")


@dataclass(frozen=True, slots=True)
class _Backend:
    """A machine behind a rule, and what is known of it."""

    member: Member
    machine: Body
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
        return power_of(self.machine) in ("running", "") and not self.silent and not self.wrong_page


def _backends(facts: Facts) -> list[_Backend]:
    """Every machine behind a rule, once for each port."""
    up: dict[ResourceId | str, bool] = {}
    for health in facts.health:
        for one in health.members:
            key = one.ip_configuration_id or one.address
            up[key] = up.get(key, True) and one.up
    results = {
        (result.target.address, result.target.port): result
        for result in facts.results
        if result.target.kind is TargetKind.BACKEND
    }
    found = []
    for member in pool_members(facts):
        machine = facts.get(properties(member.nic).get("virtualMachine"))
        if machine:
            result = results.get((member.address, member.port))
            boot = facts.boots.get(id_of(machine), "")
            found.append(_Backend(member, machine, up.get(member.id, up.get(member.address)), result, boot))
    return found


def seeming_ill(facts: Facts) -> tuple[ResourceId, ...]:
    """The running Linux machines of the pools that the balancer finds down, or whose own page did not come."""
    found = (one.machine for one in _backends(facts) if one.ill and power_of(one.machine) == "running")
    return tuple(dict.fromkeys(id_of(machine) for machine in found if not _is_windows(machine)))


def _is_windows(machine: Body) -> bool:
    profile = properties(machine).get("osProfile")
    return isinstance(profile, dict) and "windowsConfiguration" in profile


def _severity(backends: list[_Backend]) -> Severity:
    """While one machine serves its page, pages come."""
    return Severity.WARNING if any(one.serves for one in backends) else Severity.ERROR


def stopped(facts: Facts) -> Iterator[Finding]:
    """A machine behind a rule that does not run, or no machine beside an endpoint from which to open the page."""
    backends = _backends(facts)
    behind = {id_of(one.machine): one.machine for one in backends}
    for machine in behind.values():
        if power_of(machine) not in ("", "running", "starting"):
            yield _start(machine, _severity(backends), "step:machines")
    beside = list(_beside_endpoints(facts))
    if beside and all(power_of(machine) not in ("", "running", "starting") for machine in beside):
        yield _start(beside[0], Severity.WARNING, "step:customer-network")


def _start(machine: Body, severity: Severity, fix: str) -> Finding:
    power, where = power_of(machine), id_of(machine)
    return Finding(
        rule="machine-stopped",
        severity=severity,
        where=where,
        what=f"{where.name} is {power}.",
        remedy="Start it.",
        evidence={"instanceView.statuses": f"PowerState/{power}"},
        az=f"az vm start --ids {shell_word(where.text)}",
        fix=fix,
    )


def _beside_endpoints(facts: Facts) -> Iterator[Body]:
    """The customer's machines in the networks of the endpoints."""
    networks = {
        subnet.parent for endpoint in facts.of(Side.CUSTOMER, ENDPOINT) if (subnet := reference(endpoint, "subnet"))
    }
    for nic in facts.of(Side.CUSTOMER, INTERFACE):
        subnets = [subnet for one in items(nic, "ipConfigurations") if (subnet := reference(one, "subnet"))]
        machine = facts.get(properties(nic).get("virtualMachine"))
        if machine and any(subnet.parent in networks for subnet in subnets):
            yield machine


def failed(facts: Facts) -> Iterator[Finding]:
    """A machine behind a rule that Azure could not make or change."""
    backends = _backends(facts)
    for machine in {id_of(one.machine): one.machine for one in backends}.values():
        if word(machine, "provisioningState").lower() == "failed":
            where = id_of(machine)
            yield Finding(
                rule="machine-failed",
                severity=_severity(backends),
                where=where,
                what=f"{where.name} could not be made or changed.",
                remedy="Let Azure try again; its activity log says what went wrong.",
                evidence={"provisioningState": word(machine, "provisioningState")},
                az=f"az vm reapply --ids {shell_word(where.text)}",
            )


def unwell(facts: Facts) -> Iterator[Finding]:
    """A machine that runs, and whose page does not come, or that the balancer finds down all the same."""
    backends = _backends(facts)
    told: set[ResourceId] = set()
    for one in backends:
        where = id_of(one.machine)
        if where in told or power_of(one.machine) not in ("running", ""):
            continue
        if found := _ailment(one, _has_way_out(facts, one.member)):
            told.add(where)
            yield Finding(severity=_severity(backends), where=where, az=_look(where), **found)


def _ailment(one: _Backend, way_out: bool | None) -> _Ailment | None:
    """What is wrong with a machine, the cause rather than the effect; None when nothing is."""
    name = id_of(one.machine).name
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


def _has_way_out(facts: Facts, member: Member) -> bool | None:
    """Whether a machine can fetch packages: by NAT gateway, by a route, or by an address of its own.

    Members of a Standard balancer have no other one. None when the subnet could not be read.
    """
    subnet = facts.get(properties(member.configuration).get("subnet"))
    if subnet is None or not facts.knows(Side.ISV, NETWORK):
        return None
    own = properties(member.configuration).get("publicIPAddress")
    return bool(own or properties(subnet).get("natGateway") or properties(subnet).get("routeTable"))


RULES = (stopped, failed, unwell)
