"""The load balancer: that there is one, its rules and its probes."""

from __future__ import annotations

from collections.abc import Iterator

from plstui.domain.az import shell_word
from plstui.domain.facts import BALANCER, NETWORK, SERVICE, Body, Facts, id_of, items, properties, reference
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.findings.links import services
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side


def balancers(facts: Facts) -> list[Body]:
    """The balancers that services stand on; all of them where there is no service yet."""
    used = {
        frontend.parent
        for service in services(facts)
        for frontend in map(id_of, items(service, "loadBalancerFrontendIpConfigurations"))
    }
    found = facts.of(Side.ISV, BALANCER)
    return [body for body in found if not facts.of(Side.ISV, SERVICE) or id_of(body) in used]


def is_basic(balancer: Body) -> bool:
    """Whether it is of the SKU that a private link service cannot stand on."""
    sku = balancer.get("sku")
    return isinstance(sku, dict) and str(sku.get("name", "")).lower() == "basic"


def rules_of(facts: Facts) -> Iterator[tuple[Body, Body]]:
    """Each balancer with each of its rules."""
    for balancer in balancers(facts):
        for rule in items(balancer, "loadBalancingRules"):
            yield balancer, rule


def missing(facts: Facts) -> Iterator[Finding]:
    """Nothing is there that a private link service could stand on."""
    if not (facts.knows(Side.ISV, BALANCER) and facts.knows(Side.ISV, SERVICE)):
        return
    if facts.of(Side.ISV, SERVICE) or facts.of(Side.ISV, BALANCER):
        return
    networks = facts.of(Side.ISV, NETWORK)
    yield Finding(
        rule="balancer-missing",
        severity=Severity.ERROR,
        where=id_of(networks[0]) if networks else ResourceId(f"/subscriptions/{facts.subscriptions[Side.ISV]}"),
        what="The ISV has no load balancer, so there is nothing to offer.",
        remedy="Make a Standard internal one, with machines behind it, as the lab does.",
        evidence={"loadBalancers": "[]"},
        fix="step:balancer" if networks else "",
    )


def basic_sku(facts: Facts) -> Iterator[Finding]:
    """A private link service stands on Standard balancers only."""
    for balancer in filter(is_basic, balancers(facts)):
        where = id_of(balancer)
        yield Finding(
            rule="balancer-basic-sku",
            severity=Severity.ERROR,
            where=where,
            what=f"{where.name} is a Basic balancer; a private link service needs a Standard one.",
            remedy="Delete it and make a Standard balancer in its place.",
            evidence={"sku.name": "Basic"},
            az=f"az network lb delete --ids {shell_word(where.text)}",
        )


def _at(balancer: ResourceId) -> str:
    return (
        f"--resource-group {shell_word(balancer.resource_group)} --lb-name {shell_word(balancer.name)} "
        f"--subscription {shell_word(balancer.subscription)}"
    )


def no_rule(facts: Facts) -> Iterator[Finding]:
    """Nothing joins the frontend with the pool."""
    for balancer in balancers(facts):
        if any(items(balancer, "loadBalancingRules")):
            continue
        where = id_of(balancer)
        frontend, pool, probe = (
            str(next(items(balancer, name), {}).get("name", ""))
            for name in ("frontendIPConfigurations", "backendAddressPools", "probes")
        )
        with_probe = f" --probe-name {shell_word(probe)}" if probe else ""
        yield Finding(
            rule="balancer-no-rule",
            severity=Severity.ERROR,
            where=where,
            what=f"{where.name} has no load-balancing rule, so it sends nothing anywhere.",
            remedy="Add a rule from the frontend to the pool.",
            evidence={"loadBalancingRules": "[]"},
            az=f"az network lb rule create {_at(where)} --name http --protocol tcp --frontend-port 80 "
            f"--backend-port 80 --frontend-ip-name {shell_word(frontend)} "
            f"--backend-pool-name {shell_word(pool)}{with_probe}",
            fix="step:rule" if probe else "step:probe",
        )


def probe_port(facts: Facts) -> Iterator[Finding]:
    """A probe that knocks at another door than the rule sends to, and that nobody opens."""
    health = {answer.rule_id: [member.up for member in answer.members] for answer in facts.health}
    for balancer, rule in rules_of(facts):
        probe = facts.get(properties(rule).get("probe"))
        port, knocked = properties(rule).get("backendPort"), properties(probe).get("port")
        up = health.get(id_of(rule))
        if probe is None or port == knocked or (up is not None and all(up)):
            continue  # A port of its own for health is nobody's mistake while it answers.
        where = id_of(probe)
        yield Finding(
            rule="probe-wrong-port",
            severity=Severity.WARNING if up is None or any(up) else Severity.ERROR,
            where=where,
            what=f"The probe {where.name} asks port {knocked}, and the rule {id_of(rule).name} sends to {port}.",
            remedy="Let it ask the port that the page is served on.",
            evidence={"port": str(knocked), "backendPort": str(port)},
            az=f"az network lb probe update {_at(id_of(balancer))} --name {shell_word(where.name)} --port {port}",
            fix="step:probe",
        )


def no_probe(facts: Facts) -> Iterator[Finding]:
    """Without a probe, connections go to machines that are down as well."""
    for balancer, rule in rules_of(facts):
        if properties(rule).get("probe"):
            continue
        where, probes = id_of(rule), list(items(balancer, "probes"))
        name = str(probes[0].get("name", "")) if probes else "http"
        make = f"az network lb probe create {_at(id_of(balancer))} --name http --protocol tcp --port 80 && "
        yield Finding(
            rule="rule-without-probe",
            severity=Severity.WARNING,
            where=where,
            what=f"The rule {where.name} has no probe: machines that are down get connections too.",
            remedy="Give it the balancer's probe." if probes else "Make a probe, and give it to the rule.",
            evidence={"probe": "null"},
            az=f"{'' if probes else make}az network lb rule update {_at(id_of(balancer))} "
            f"--name {shell_word(where.name)} --probe-name {shell_word(name)}",
            fix="step:rule" if probes else "step:probe",
        )


def wrong_frontend(facts: Facts) -> Iterator[Finding]:
    """The service stands on a frontend that no rule listens on."""
    for service in services(facts):
        for frontend in map(id_of, items(service, "loadBalancerFrontendIpConfigurations")):
            balancer = facts.get(frontend.parent)
            rules = list(items(balancer, "loadBalancingRules"))
            used = [place for rule in rules if (place := reference(rule, "frontendIPConfiguration"))]
            if not used or frontend in used:
                continue
            yield Finding(
                rule="service-wrong-frontend",
                severity=Severity.ERROR,
                where=id_of(service),
                what=f"{id_of(service).name} stands on {frontend.name}, where no rule listens.",
                remedy=f"Put it on {used[0].name}, which the rule {id_of(rules[0]).name} listens on.",
                evidence={"loadBalancerFrontendIpConfigurations": frontend.text},
                az=f"az network private-link-service update --ids {shell_word(id_of(service).text)} "
                f"--lb-name {shell_word(id_of(balancer or {}).name)} --lb-frontend-ip-configs "
                f"{shell_word(used[0].name)}",
            )


RULES = (wrong_frontend, probe_port, no_probe)
FIRST = (missing, basic_sku, no_rule)
"""What stands before the service."""
