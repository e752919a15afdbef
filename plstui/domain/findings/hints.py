"""Good to know: nothing is broken, and something may surprise."""

from __future__ import annotations

from collections.abc import Iterator

from plstui.domain.findings.finding import Finding, Severity, counted
from plstui.domain.probe import Failure, TargetKind
from plstui.domain.sides import Side
from plstui.domain.world import World

IDLE_MINUTES = 4
"""After four to five minutes of silence a connection through a private link ends, whatever the balancer's rule says."""


def idle_timeout(world: World) -> Iterator[Finding]:
    """A rule that promises more than a private link keeps."""
    if world.isv is None or not world.isv.services:
        return
    for _, rule in world.balancer_rules():
        if rule.idle_timeout > IDLE_MINUTES:
            yield Finding(
                rule="idle-timeout",
                severity=Severity.INFO,
                where=rule.id,
                what="Silent connections end after 4 to 5 minutes through a private link, not after "
                f"{rule.idle_timeout}.",
                remedy="Let clients keep their connections alive, or expect them to end.",
                evidence={"idleTimeoutInMinutes": str(rule.idle_timeout)},
            )


def few_ports(world: World) -> Iterator[Finding]:
    """Some connections through the endpoint time out while every machine is well: the service may be out of ports."""
    through = [result for result in world.results if result.target.side is Side.CUSTOMER]
    direct = [result for result in world.results if result.target.side is Side.ISV]
    some = any(result.hosts and Failure.TIMEOUT.value in result.failures for result in through)
    if not some or not any(result.hosts for result in direct) or any(result.failures for result in direct):
        return
    for service in world.asked_services():
        addresses = len(service.ip_configurations)
        yield Finding(
            rule="snat-exhaustion",
            severity=Severity.WARNING,
            where=service.id,
            what=f"Some connections through {service.id.name} time out and the machines are well: it may be out of "
            "ports.",
            remedy=f"Give it more than {addresses} NAT address{'' if addresses == 1 else 'es'}; it can have eight.",
            evidence={"ipConfigurations": str(addresses)},
        )


def unexplained(world: World) -> Iterator[Finding]:
    """The machines serve their page, no rule has found anything, and through the endpoint nothing comes."""
    well = any(result.hosts for result in world.results if result.target.side is Side.ISV)
    through = {result.target.resource_id for result in world.results if result.hosts}
    for result in world.results:
        where = result.target.resource_id
        if well and where and result.target.side is Side.CUSTOMER and not result.hosts:
            if not result.failures or Failure.JUMP.value in result.failures:
                continue  # Nobody has asked the endpoint.
            named = result.target.kind is TargetKind.NAME
            if named and result.target.endpoint_id not in through:
                continue  # The name is not what keeps the page away.
            yield Finding(
                rule="page-not-through",
                severity=Severity.ERROR,
                where=where,
                what=f"The page comes from the endpoint's address, and from {result.target.address} it does not."
                if named
                else f"The machines serve their page, and through {where.name} it does not come.",
                remedy="Look at whom the customer's network asks for names: it must be Azure, or one who asks Azure."
                if named
                else "Look at what the customer's network lets out, and at who else is between the two.",
                evidence={"failures": counted(result.failures)},
            )


RULES = (few_ports, idle_timeout)
