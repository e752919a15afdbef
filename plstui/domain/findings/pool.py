"""Who is behind the balancer's rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plstui.domain.az import shell_word
from plstui.domain.facts import INTERFACE, SERVICE, Body, Facts, id_of, items, properties, reference, word
from plstui.domain.findings.balancer import rules_of
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a pool behind a rule."""

    nic: Body
    configuration: Body
    port: int
    """Where the rule sends connections."""
    probe_port: int | None
    """Where the balancer asks for its health; None without a probe."""

    @property
    def id(self) -> ResourceId:
        """The address configuration."""
        return id_of(self.configuration)

    @property
    def address(self) -> str:
        """Its private address."""
        return word(self.configuration, "privateIPAddress")

    @property
    def groups(self) -> frozenset[ResourceId]:
        """The application security groups it is in."""
        return groups_of(self.configuration)


def groups_of(configuration: Body) -> frozenset[ResourceId]:
    """The application security groups that an address configuration is in."""
    return frozenset(map(id_of, items(configuration, "applicationSecurityGroups")))


def pools(facts: Facts) -> Iterator[tuple[Body, Body]]:
    """Each rule with the pool that it sends to."""
    for _, rule in rules_of(facts):
        pool = facts.get(properties(rule).get("backendAddressPool"))
        if pool:
            yield rule, pool


def pool_members(facts: Facts) -> Iterator[Member]:
    """Every member of every pool that a rule sends to, once for each port."""
    seen: set[tuple[ResourceId, int]] = set()
    for rule, pool in pools(facts):
        probe = facts.get(properties(rule).get("probe"))
        port, probe_port = properties(rule).get("backendPort"), properties(probe).get("port")
        if not isinstance(port, int):
            continue
        for nic, configuration in members(facts, pool):
            if (id_of(configuration), port) not in seen:
                seen.add((id_of(configuration), port))
                yield Member(nic, configuration, port, probe_port if isinstance(probe_port, int) else None)


def members(facts: Facts, pool: Body) -> Iterator[tuple[Body, Body]]:
    """The interfaces in a pool, each with the address configuration that is in it."""
    for inside in map(id_of, items(pool, "backendIPConfigurations")):
        nic, configuration = facts.get(inside.parent), facts.get(inside)
        if nic and configuration:
            yield nic, configuration


def _by_address(pool: Body) -> list[str]:
    """The addresses of members that are an address and no interface."""
    return [
        word(member, "ipAddress")
        for member in items(pool, "loadBalancerBackendAddresses")
        if word(member, "ipAddress") and not properties(member).get("networkInterfaceIPConfiguration")
    ]


def address_pool(facts: Facts) -> Iterator[Finding]:
    """A private link service does not reach pools whose members are addresses."""
    if not facts.of(Side.ISV, SERVICE):
        return
    for _, pool in pools(facts):
        if _by_address(pool) and not any(items(pool, "backendIPConfigurations")):
            where = id_of(pool)
            yield Finding(
                rule="pool-by-address",
                severity=Severity.ERROR,
                where=where,
                what=f"The members of {where.name} are addresses; through a private link only interfaces work.",
                remedy="Take the addresses out of the pool, and put the machines' interfaces into it.",
                evidence={"loadBalancerBackendAddresses.ipAddress": ", ".join(_by_address(pool))},
                az=" && ".join(
                    f"az network lb address-pool address remove {_of(where)} --pool-name {shell_word(where.name)} "
                    f"--name {shell_word(str(member.get('name', '')))}"
                    for member in items(pool, "loadBalancerBackendAddresses")
                ),
            )


def _of(pool: ResourceId) -> str:
    balancer = pool.parent
    return (
        f"--resource-group {shell_word(pool.resource_group)} --subscription {shell_word(pool.subscription)} "
        f"--lb-name {shell_word(balancer.name if balancer else '')}"
    )


def empty_pool(facts: Facts) -> Iterator[Finding]:
    """A pool with nobody in it."""
    for rule, pool in pools(facts):
        if not any(items(pool, "backendIPConfigurations")) and not _by_address(pool):
            where, machines = id_of(pool), list(_machines(facts))
            yield Finding(
                rule="pool-empty",
                severity=Severity.ERROR,
                where=where,
                what=f"Nobody is in {where.name}, where the rule {id_of(rule).name} sends everything.",
                remedy="Put the machines' interfaces into the pool."
                if machines
                else "Make machines, and put their interfaces into the pool.",
                evidence={"backendIPConfigurations": "[]"},
                az=" && ".join(_join(id_of(nic), configuration, where) for nic, configuration in machines),
                fix="step:pool" if machines else "step:machines",
            )


def outside(facts: Facts) -> Iterator[Finding]:
    """A machine of the same subnet and application security group as the members of a pool, and in none.

    Other machines may well be there for something else.
    """
    alike: dict[tuple[ResourceId | None, ResourceId], ResourceId] = {}
    for _, pool in pools(facts):
        for _, configuration in members(facts, pool):
            for group in groups_of(configuration):
                alike.setdefault((reference(configuration, "subnet"), group), id_of(pool))
    for nic, configuration in _machines(facts):
        subnet = reference(configuration, "subnet")
        near = next((other for group in groups_of(configuration) if (other := alike.get((subnet, group)))), None)
        if near is None or any(items(configuration, "loadBalancerBackendAddressPools")):
            continue
        where = id_of(nic)
        yield Finding(
            rule="pool-member-missing",
            severity=Severity.WARNING,
            where=where,
            what=f"{where.name} is in the subnet and group of the members of {near.name}, and is not one.",
            remedy="Put it into the pool.",
            evidence={"loadBalancerBackendAddressPools": "[]"},
            az=_join(where, configuration, near),
            fix="step:pool",
        )


def _machines(facts: Facts) -> Iterator[tuple[Body, Body]]:
    """The interfaces of the ISV's machines, each with its address configurations."""
    for nic in facts.of(Side.ISV, INTERFACE):
        if properties(nic).get("virtualMachine"):
            for configuration in items(nic, "ipConfigurations"):
                yield nic, configuration


def _join(nic: ResourceId, configuration: Body, pool: ResourceId) -> str:
    balancer = pool.parent
    return (
        f"az network nic ip-config address-pool add --resource-group {shell_word(nic.resource_group)} "
        f"--subscription {shell_word(nic.subscription)} --nic-name {shell_word(nic.name)} "
        f"--ip-config-name {shell_word(id_of(configuration).name)} "
        f"--lb-name {shell_word(balancer.name if balancer else '')} --address-pool {shell_word(pool.name)}"
    )


RULES = (address_pool, empty_pool, outside)
