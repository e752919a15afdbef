"""Who is behind the balancer's rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from plstui.domain.az import all_of, az, in_group
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.resources import (
    BackendAddressPool,
    IpConfiguration,
    LoadBalancer,
    LoadBalancingRule,
    NetworkInterface,
)
from plstui.domain.world import World, once


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a pool behind a rule."""

    nic: NetworkInterface
    configuration: IpConfiguration
    port: int
    """Where the rule sends connections."""
    probe_port: int | None
    """Where the balancer asks for its health; None without a probe."""

    @property
    def id(self) -> ResourceId:
        """The address configuration."""
        return self.configuration.id

    @property
    def address(self) -> str:
        """Its private address."""
        return self.configuration.private_ip_address

    @property
    def groups(self) -> frozenset[ResourceId]:
        """The application security groups it is in."""
        return frozenset(self.configuration.application_group_ids)


def pools(world: World) -> Iterator[tuple[LoadBalancer, LoadBalancingRule, BackendAddressPool]]:
    """Each rule with the pool that it sends to."""
    for balancer, rule in world.balancer_rules():
        if pool := balancer.pool_of(rule):
            yield balancer, rule, pool


@once
def pool_members(world: World) -> tuple[Member, ...]:
    """Every member of every pool that a rule sends to, once for each port."""
    found: dict[tuple[ResourceId, int], Member] = {}
    for balancer, rule, pool in pools(world):
        probe = balancer.probe_of(rule)
        for nic, configuration in members(world, pool):
            member = Member(nic, configuration, rule.backend_port, probe.port if probe else None)
            found.setdefault((configuration.id, rule.backend_port), member)
    return tuple(found.values())


def members(world: World, pool: BackendAddressPool) -> Iterator[tuple[NetworkInterface, IpConfiguration]]:
    """The interfaces in a pool, each with the address configuration that is in it."""
    for member_id in pool.member_ids:
        nic = world.isv.interface(member_id.parent) if world.isv else None
        for configuration in nic.ip_configurations if nic else ():
            if nic and configuration.id == member_id:
                yield nic, configuration


def address_pool(world: World) -> Iterator[Finding]:
    """A private link service does not reach pools whose members are addresses."""
    if world.isv is None or not world.isv.services:
        return
    for _, _, pool in pools(world):
        if pool.bare_addresses and not pool.member_ids:
            yield Finding(
                rule="pool-by-address",
                severity=Severity.ERROR,
                where=pool.id,
                what=f"The members of {pool.id.name} are addresses; through a private link only interfaces work.",
                remedy="Take the addresses out of the pool, and put the machines' interfaces into it.",
                evidence={"loadBalancerBackendAddresses.ipAddress": ", ".join(pool.bare_addresses)},
                az=all_of(*(_remove(pool.id, member.name) for member in pool.addresses)),
            )


def _remove(pool: ResourceId, member: str) -> str:
    place = in_group(pool, "--lb-name", pool.parent.name if pool.parent else "")
    return az("network lb address-pool address remove", {**place, "--pool-name": pool.name, "--name": member})


def empty_pool(world: World) -> Iterator[Finding]:
    """A pool with nobody in it."""
    for _, rule, pool in pools(world):
        if not pool.is_empty:
            continue
        machines = list(_machines(world))
        yield Finding(
            rule="pool-empty",
            severity=Severity.ERROR,
            where=pool.id,
            what=f"Nobody is in {pool.id.name}, where the rule {rule.id.name} sends everything.",
            remedy="Put the machines' interfaces into the pool."
            if machines
            else "Make machines, and put their interfaces into the pool.",
            evidence={"backendIPConfigurations": "[]"},
            az=all_of(*(_join(nic.id, configuration.id, pool.id) for nic, configuration in machines)),
            fix="step:pool" if machines else "step:machines",
        )


def outside(world: World) -> Iterator[Finding]:
    """A machine of the same subnet and application security group as the members of a pool, and in none.

    Other machines may well be there for something else.
    """
    alike: dict[tuple[ResourceId | None, ResourceId], ResourceId] = {}
    for _, _, pool in pools(world):
        for _, configuration in members(world, pool):
            for group in configuration.application_group_ids:
                alike.setdefault((configuration.subnet_id, group), pool.id)
    for nic, configuration in _machines(world):
        subnet, groups = configuration.subnet_id, configuration.application_group_ids
        near = next((other for group in groups if (other := alike.get((subnet, group)))), None)
        if near is None or configuration.pool_ids:
            continue
        yield Finding(
            rule="pool-member-missing",
            severity=Severity.WARNING,
            where=nic.id,
            what=f"{nic.id.name} is in the subnet and group of the members of {near.name}, and is not one.",
            remedy="Put it into the pool.",
            evidence={"loadBalancerBackendAddressPools": "[]"},
            az=_join(nic.id, configuration.id, near),
            fix="step:pool",
        )


def _machines(world: World) -> Iterator[tuple[NetworkInterface, IpConfiguration]]:
    """The interfaces of the ISV's machines, each with its address configurations."""
    for nic in world.isv.interfaces if world.isv else ():
        if nic.machine_id:
            for configuration in nic.ip_configurations:
                yield nic, configuration


def _join(nic: ResourceId, configuration: ResourceId, pool: ResourceId) -> str:
    balancer = pool.parent
    return az(
        "network nic ip-config address-pool add",
        {
            **in_group(nic, "--nic-name"),
            "--ip-config-name": configuration.name,
            "--lb-name": balancer.name if balancer else "",
            "--address-pool": pool.name,
        },
    )


RULES = (address_pool, empty_pool, outside)
