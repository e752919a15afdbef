"""The machines: running, set up, able to fetch what they need, and serving the right page."""

from __future__ import annotations

from collections.abc import Iterator

from plstui.domain.az import shell_word
from plstui.domain.facts import MACHINE, Body, Facts, id_of, properties, word
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.findings.security import Member, pool_members
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Failure, TargetKind
from plstui.domain.sides import Side


def power_of(machine: Body) -> str:
    """A machine's power state, `running`; empty when it is not known."""
    view = properties(machine).get("instanceView")
    statuses = view.get("statuses") if isinstance(view, dict) else None
    codes = [str(one.get("code", "")) for one in statuses or [] if isinstance(one, dict)]
    return next((code.partition("/")[2].lower() for code in codes if code.startswith("PowerState/")), "")


def _machine_of(facts: Facts, member: Member) -> Body | None:
    return facts.get(properties(member.nic).get("virtualMachine"))


def _up(facts: Facts) -> dict[str, bool]:
    """Each member's address and whether the balancer finds it up, for every rule it is behind."""
    found: dict[str, bool] = {}
    for health in facts.health:
        for member in health.members:
            found[member.address] = found.get(member.address, True) and member.up
    return found


def stopped(facts: Facts) -> Iterator[Finding]:
    """A machine that does not run."""
    up = _up(facts)
    for side in (Side.ISV, Side.CUSTOMER):
        for machine in facts.of(side, MACHINE):
            power = power_of(machine)
            if power in ("", "running", "starting"):
                continue
            where = id_of(machine)
            alone = side is Side.ISV and not any(up.values())
            yield Finding(
                rule="machine-stopped",
                severity=Severity.ERROR if alone else Severity.WARNING,
                where=where,
                what=f"{where.name} is {power}.",
                remedy="Start it.",
                evidence={"instanceView.statuses": f"PowerState/{power}"},
                az=f"az vm start --ids {shell_word(where.text)}",
                fix="step:machines" if side is Side.ISV else "step:customer-network",
            )


def setting_up(facts: Facts) -> Iterator[Finding]:
    """cloud-init that is still at work, or has failed."""
    for machine_id, status in facts.boots.items():
        if status in ("running", "not started", "error", "degraded"):
            failed = status in ("error", "degraded")
            yield Finding(
                rule="cloud-init-failed" if failed else "cloud-init-running",
                severity=Severity.ERROR if failed else Severity.WARNING,
                where=machine_id,
                what=f"cloud-init on {machine_id.name} {'has failed' if failed else 'is not done yet'}.",
                remedy="Look at /var/log/cloud-init-output.log." if failed else "Wait for it.",
                evidence={"cloud-init status": status},
                az=f"az vm run-command invoke --ids {shell_word(machine_id.text)} --command-id RunShellScript "
                "--scripts 'cloud-init status --long; tail -n 20 /var/log/cloud-init-output.log'",
            )


def down(facts: Facts) -> Iterator[Finding]:
    """A machine that runs and that the balancer finds down: nothing answers there."""
    up = _up(facts)
    served = _served(facts)
    for member in pool_members(facts):
        machine = _machine_of(facts, member)
        if up.get(member.address, True) or machine is None or power_of(machine) not in ("running", ""):
            continue
        where, severity = id_of(machine), Severity.WARNING if any(up.values()) else Severity.ERROR
        if served.get(member.address):
            yield Finding(
                rule="health-down-page-right",
                severity=severity,
                where=where,
                what=f"{where.name} serves its page, and the balancer finds it down.",
                remedy="Look at the port of the health probe and at what keeps it out.",
                evidence={"health": "Down", "page": f"Host: {served[member.address]}"},
            )
        elif _has_way_out(facts, member):
            yield Finding(
                rule="page-missing",
                severity=severity,
                where=where,
                what=f"Nothing answers on port {member.port} of {where.name}.",
                remedy="Look at its web server; when cloud-init is still at work, wait for it.",
                evidence={"health": "Down"},
                az=_look(where),
            )
        else:
            yield Finding(
                rule="no-outbound",
                severity=severity,
                where=where,
                what=f"Nothing answers on {where.name}, whose subnet has no way out to fetch a web server by.",
                remedy="Give the subnet a NAT gateway and make the machine again, or one that needs nothing fetched.",
                evidence={"natGateway": "null", "health": "Down"},
                az=_look(where),
                fix="step:isv-network",
            )


def _look(machine: ResourceId) -> str:
    return (
        f"az vm run-command invoke --ids {shell_word(machine.text)} --command-id RunShellScript "
        "--scripts 'cloud-init status --long; curl -sS http://localhost'"
    )


def _served(facts: Facts) -> dict[str, str]:
    """The host name on the page of each backend that a probe got it from, by address."""
    return {
        result.target.address: next(iter(result.hosts))
        for result in facts.results
        if result.target.kind is TargetKind.BACKEND and result.hosts
    }


def _has_way_out(facts: Facts, member: Member) -> bool:
    """Whether a machine can fetch packages: by NAT gateway, an own public address, or a subnet that is not isolated.

    Membership of an internal Standard balancer takes the default way out, so that alone is none for a member.
    """
    subnet = facts.get(properties(member.configuration).get("subnet"))
    return bool(properties(subnet).get("natGateway") or properties(member.configuration).get("publicIPAddress"))


def wrong_page(facts: Facts) -> Iterator[Finding]:
    """The balancer is content, and what is served is not the lab's page."""
    for result in facts.results:
        if result.target.kind is TargetKind.BACKEND and Failure.WRONG_PAGE.value in result.failures:
            where = result.target.resource_id
            if where:
                yield Finding(
                    rule="page-wrong",
                    severity=Severity.ERROR,
                    where=where,
                    what=f"{where.name} answers, and not with its page.",
                    remedy="Look at what its web server serves.",
                    evidence={"page": result.error_of(Failure.WRONG_PAGE.value)},
                    az=_look(where),
                )


def nobody_at_home(facts: Facts) -> Iterator[Finding]:
    """Machines that the balancer has been told nothing of: their names say more than an empty pool."""
    for machine in facts.of(Side.ISV, MACHINE):
        if word(machine, "provisioningState").lower() == "failed":
            yield Finding(
                rule="machine-failed",
                severity=Severity.ERROR,
                where=id_of(machine),
                what=f"{id_of(machine).name} could not be made or changed.",
                remedy="Look at its activity log, then make it again.",
                evidence={"provisioningState": word(machine, "provisioningState")},
                fix="step:machines",
            )


RULES = (stopped, nobody_at_home, setting_up, down, wrong_page)
