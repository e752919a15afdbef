"""The load balancer: that there is one, its rules and its probes."""

from __future__ import annotations

from collections.abc import Iterator

from plstui.domain.az import Options, all_of, az, delete_line, in_group
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.resources import Kind
from plstui.domain.world import World


def missing(world: World) -> Iterator[Finding]:
    """Nothing is there that a private link service could stand on."""
    isv = world.isv
    if isv is None or not isv.knows(Kind.BALANCERS, Kind.SERVICES) or isv.services or isv.balancers:
        return
    networks = isv.networks
    yield Finding(
        rule="balancer-missing",
        severity=Severity.ERROR,
        where=networks[0].id if networks else ResourceId(f"/subscriptions/{isv.subscription}"),
        what="The ISV has no load balancer, so there is nothing to offer.",
        remedy="Make a Standard internal one, with machines behind it, as the lab does.",
        evidence={"loadBalancers": "[]"},
        fix="step:balancer" if networks else "",
    )


def basic_sku(world: World) -> Iterator[Finding]:
    """A private link service stands on Standard balancers only."""
    for balancer in world.balancers():
        if balancer.is_basic:
            yield Finding(
                rule="balancer-basic-sku",
                severity=Severity.ERROR,
                where=balancer.id,
                what=f"{balancer.id.name} is a Basic balancer; a private link service needs a Standard one.",
                remedy="Delete it and make a Standard balancer in its place.",
                evidence={"sku.name": "Basic"},
                az=delete_line(balancer.id),
            )


def _line(command: str, balancer: ResourceId, options: Options) -> str:
    """A line about a part of a balancer."""
    return az(f"network lb {command}", {**in_group(balancer, "--lb-name"), **options})


def no_rule(world: World) -> Iterator[Finding]:
    """Nothing joins the frontend with the pool."""
    for balancer in world.balancers():
        if balancer.rules:
            continue
        frontend, pool, probe = (
            named[0].name if named else "" for named in (balancer.frontends, balancer.pools, balancer.probes)
        )
        yield Finding(
            rule="balancer-no-rule",
            severity=Severity.ERROR,
            where=balancer.id,
            what=f"{balancer.id.name} has no load-balancing rule, so it sends nothing anywhere.",
            remedy="Add a rule from the frontend to the pool.",
            evidence={"loadBalancingRules": "[]"},
            az=_line(
                "rule create",
                balancer.id,
                {
                    "--name": "http",
                    "--protocol": "tcp",
                    "--frontend-port": 80,
                    "--backend-port": 80,
                    "--frontend-ip-name": frontend,
                    "--backend-pool-name": pool,
                    "--probe-name": probe or False,
                },
            ),
            fix="step:rule" if probe else "step:probe",
        )


def probe_port(world: World) -> Iterator[Finding]:
    """A probe that knocks at another door than the rule sends to, and that nobody opens."""
    answers = world.isv.health if world.isv else ()
    health = {answer.rule_id: [member.up for member in answer.members] for answer in answers}
    for balancer, rule in world.balancer_rules():
        probe = balancer.probe_of(rule)
        up = health.get(rule.id)
        if probe is None or rule.backend_port == probe.port or (up is not None and all(up)):
            continue  # A port of its own for health is nobody's mistake while it answers.
        port = rule.backend_port
        yield Finding(
            rule="probe-wrong-port",
            severity=Severity.WARNING if up is None or any(up) else Severity.ERROR,
            where=probe.id,
            what=f"The probe {probe.id.name} asks port {probe.port}, and the rule {rule.id.name} sends to {port}.",
            remedy="Let it ask the port that the page is served on.",
            evidence={"port": str(probe.port), "backendPort": str(port)},
            az=_line("probe update", balancer.id, {"--name": probe.id.name, "--port": port}),
            fix="step:probe",
        )


def no_probe(world: World) -> Iterator[Finding]:
    """Without a probe, connections go to machines that are down as well."""
    for balancer, rule in world.balancer_rules():
        if rule.probe_id:
            continue
        probes = balancer.probes
        name = probes[0].name if probes else "http"
        make = _line("probe create", balancer.id, {"--name": name, "--protocol": "tcp", "--port": 80})
        use = _line("rule update", balancer.id, {"--name": rule.id.name, "--probe-name": name})
        yield Finding(
            rule="rule-without-probe",
            severity=Severity.WARNING,
            where=rule.id,
            what=f"The rule {rule.id.name} has no probe: machines that are down get connections too.",
            remedy="Give it the balancer's probe." if probes else "Make a probe, and give it to the rule.",
            evidence={"probe": "null"},
            az=use if probes else all_of(make, use),
            fix="step:rule" if probes else "step:probe",
        )


def wrong_frontend(world: World) -> Iterator[Finding]:
    """The service stands on a frontend that no rule listens on."""
    isv = world.isv
    for service in world.asked_services() if isv else ():
        for frontend in service.frontend_ids:
            balancer = isv.balancer(frontend.parent) if isv else None
            used = [(rule, rule.frontend_id) for rule in balancer.rules if rule.frontend_id] if balancer else []
            if balancer is None or not used or frontend in (place for _, place in used):
                continue
            rule, place = used[0]
            yield Finding(
                rule="service-wrong-frontend",
                severity=Severity.ERROR,
                where=service.id,
                what=f"{service.id.name} stands on {frontend.name}, where no rule listens.",
                remedy=f"Put it on {place.name}, which the rule {rule.id.name} listens on.",
                evidence={"loadBalancerFrontendIpConfigurations": frontend.text},
                az=az(
                    "network private-link-service update",
                    {"--ids": service.id, "--lb-name": balancer.id.name, "--lb-frontend-ip-configs": place.name},
                ),
            )


RULES = (wrong_frontend, probe_port, no_probe)
FIRST = (missing, basic_sku, no_rule)
"""What stands before the service."""
