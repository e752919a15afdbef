"""The load balancer: rules, probes, and who is in the pool."""

from __future__ import annotations

from collections.abc import Iterator

from plstui.domain.az import shell_word
from plstui.domain.facts import BALANCER, INTERFACE, SERVICE, Body, Facts, id_of, items, properties
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side


def balancers(facts: Facts) -> list[Body]:
    """The balancers that services stand on; all of them where there is no service yet."""
    used = {
        reference.parent
        for service in facts.of(Side.ISV, SERVICE)
        for reference in map(id_of, items(service, "loadBalancerFrontendIpConfigurations"))
    }
    found = facts.of(Side.ISV, BALANCER)
    return [body for body in found if not used or id_of(body) in used]


def _where(balancer: ResourceId) -> str:
    return (
        f"--resource-group {shell_word(balancer.resource_group)} --lb-name {shell_word(balancer.name)} "
        f"--subscription {shell_word(balancer.subscription)}"
    )


def basic_sku(facts: Facts) -> Iterator[Finding]:
    """A private link service stands on Standard balancers only."""
    for balancer in balancers(facts):
        sku = balancer.get("sku")
        name = str(sku.get("name", "")) if isinstance(sku, dict) else ""
        if name.lower() == "basic":
            yield Finding(
                rule="balancer-basic-sku",
                severity=Severity.ERROR,
                where=id_of(balancer),
                what=f"{id_of(balancer).name} is a Basic balancer; a private link service needs a Standard one.",
                remedy="Make a Standard balancer in its place.",
                evidence={"sku.name": name},
            )


def no_rule(facts: Facts) -> Iterator[Finding]:
    """Nothing joins the frontend with the pool."""
    for balancer in balancers(facts):
        if not any(items(balancer, "loadBalancingRules")):
            where = id_of(balancer)
            frontend = next(items(balancer, "frontendIPConfigurations"), {}).get("name", "")
            pool = next(items(balancer, "backendAddressPools"), {}).get("name", "")
            yield Finding(
                rule="balancer-no-rule",
                severity=Severity.ERROR,
                where=where,
                what=f"{where.name} has no load-balancing rule, so it sends nothing anywhere.",
                remedy="Add a rule from the frontend to the pool.",
                evidence={"loadBalancingRules": "[]"},
                az=f"az network lb rule create {_where(where)} --name http --protocol tcp --frontend-port 80 "
                f"--backend-port 80 --frontend-ip-name {shell_word(str(frontend))} "
                f"--backend-pool-name {shell_word(str(pool))} --probe-name http",
                fix="step:rule",
            )


def _rules(facts: Facts) -> Iterator[tuple[Body, Body]]:
    """Each balancer with each of its rules."""
    for balancer in balancers(facts):
        for rule in items(balancer, "loadBalancingRules"):
            yield balancer, rule


def probe_port(facts: Facts) -> Iterator[Finding]:
    """A probe that knocks at another door than the rule sends to."""
    for balancer, rule in _rules(facts):
        probe = facts.get(properties(rule).get("probe"))
        port, knocked = properties(rule).get("backendPort"), properties(probe).get("port")
        if probe and port != knocked:
            where = id_of(probe)
            yield Finding(
                rule="probe-wrong-port",
                severity=Severity.ERROR,
                where=where,
                what=f"The probe {where.name} asks port {knocked}, and the rule {id_of(rule).name} sends to {port}.",
                remedy="Let it ask the port that the page is served on.",
                evidence={"port": str(knocked), "backendPort": str(port)},
                az=f"az network lb probe update {_where(id_of(balancer))} --name {shell_word(where.name)} "
                f"--port {port}",
                fix="step:probe",
            )


def no_probe(facts: Facts) -> Iterator[Finding]:
    """Without a probe, connections go to machines that are down as well."""
    for balancer, rule in _rules(facts):
        if not properties(rule).get("probe"):
            where = id_of(rule)
            yield Finding(
                rule="rule-without-probe",
                severity=Severity.WARNING,
                where=where,
                what=f"The rule {where.name} has no probe: machines that are down get connections too.",
                remedy="Give it the balancer's probe.",
                evidence={"probe": "null"},
                az=f"az network lb rule update {_where(id_of(balancer))} --name {shell_word(where.name)} "
                "--probe-name http",
                fix="step:rule",
            )


def _pools(facts: Facts) -> Iterator[tuple[Body, Body]]:
    """Each rule with the pool that it sends to."""
    for _, rule in _rules(facts):
        pool = facts.get(properties(rule).get("backendAddressPool"))
        if pool:
            yield rule, pool


def _by_address(pool: Body) -> list[Body]:
    """Members that are an address and no interface."""
    return [
        member
        for member in items(pool, "loadBalancerBackendAddresses")
        if properties(member).get("ipAddress") and not properties(member).get("networkInterfaceIPConfiguration")
    ]


def address_pool(facts: Facts) -> Iterator[Finding]:
    """A private link service does not reach pools whose members are addresses."""
    if not facts.of(Side.ISV, SERVICE):
        return
    for _, pool in _pools(facts):
        if _by_address(pool) and not any(items(pool, "backendIPConfigurations")):
            yield Finding(
                rule="pool-by-address",
                severity=Severity.ERROR,
                where=id_of(pool),
                what=f"The members of {id_of(pool).name} are addresses; through a private link only interfaces work.",
                remedy="Put the machines' interfaces into the pool instead.",
                evidence={"loadBalancerBackendAddresses.ipAddress": _addresses(pool)},
                fix="step:pool",
            )


def _addresses(pool: Body) -> str:
    return ", ".join(str(properties(member).get("ipAddress")) for member in _by_address(pool))


def empty_pool(facts: Facts) -> Iterator[Finding]:
    """A pool with nobody in it."""
    for rule, pool in _pools(facts):
        if not any(items(pool, "backendIPConfigurations")) and not _by_address(pool):
            where = id_of(pool)
            yield Finding(
                rule="pool-empty",
                severity=Severity.ERROR,
                where=where,
                what=f"Nobody is in {where.name}, where the rule {id_of(rule).name} sends everything.",
                remedy="Put the machines' interfaces into the pool.",
                evidence={"backendIPConfigurations": "[]"},
                az=_join(facts, where),
                fix="step:pool",
            )


def members(facts: Facts, pool: Body) -> Iterator[tuple[Body, Body]]:
    """The interfaces in a pool, each with the address configuration that is in it."""
    inside = {id_of(reference) for reference in items(pool, "backendIPConfigurations")}
    for nic in facts.of(Side.ISV, INTERFACE):
        for configuration in items(nic, "ipConfigurations"):
            if id_of(configuration) in inside:
                yield nic, configuration


def outside(facts: Facts) -> Iterator[Finding]:
    """A machine next to the pool's members that is in no pool."""
    for _, pool in _pools(facts):
        inside = list(members(facts, pool))
        subnets = {id_of(subnet) for _, c in inside if isinstance(subnet := properties(c).get("subnet"), dict)}
        for nic, configuration in _machines(facts):
            subnet = properties(configuration).get("subnet")
            near = isinstance(subnet, dict) and id_of(subnet) in subnets
            if near and not properties(configuration).get("loadBalancerBackendAddressPools"):
                where = id_of(nic)
                yield Finding(
                    rule="pool-member-missing",
                    severity=Severity.WARNING,
                    where=where,
                    what=f"{where.name} is beside the members of {id_of(pool).name}, and is not one.",
                    remedy="Put it into the pool.",
                    evidence={"loadBalancerBackendAddressPools": "[]"},
                    az=_join_one(where, configuration, id_of(pool)),
                    fix="step:pool",
                )


def _machines(facts: Facts) -> Iterator[tuple[Body, Body]]:
    """The interfaces of the ISV's machines, each with its address configurations."""
    for nic in facts.of(Side.ISV, INTERFACE):
        if properties(nic).get("virtualMachine"):
            for configuration in items(nic, "ipConfigurations"):
                yield nic, configuration


def _join(facts: Facts, pool: ResourceId) -> str:
    found = [_join_one(id_of(nic), configuration, pool) for nic, configuration in _machines(facts)]
    return " && ".join(found)


def _join_one(nic: ResourceId, configuration: Body, pool: ResourceId) -> str:
    balancer = pool.parent
    return (
        f"az network nic ip-config address-pool add --resource-group {shell_word(nic.resource_group)} "
        f"--subscription {shell_word(nic.subscription)} --nic-name {shell_word(nic.name)} "
        f"--ip-config-name {shell_word(id_of(configuration).name)} "
        f"--lb-name {shell_word(balancer.name if balancer else '')} --address-pool {shell_word(pool.name)}"
    )


RULES = (basic_sku, no_rule, address_pool, empty_pool, probe_port, no_probe, outside)
