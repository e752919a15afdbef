"""What there is to probe: the addresses that a world's page should come from."""

from __future__ import annotations

from dataclasses import dataclass

from plstui.domain.ids import ResourceId
from plstui.domain.probe import Target, TargetKind
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.world import World


def targets(world: World) -> tuple[Target, ...]:
    """Every backend, from the ISV's side, and every endpoint that leads to a service, from the customer's."""
    return (*_backends(world.isv), *_endpoints(world))


def addresses(world: World) -> tuple[Target, ...]:
    """All that has an address: the backends, the balancers in front of them, the endpoints that lead there."""
    return (*_backends(world.isv), *frontends(world), *_endpoints(world))


def frontends(world: World) -> tuple[Target, ...]:
    """Every balancer's frontend that a rule listens on, from inside the ISV's network."""
    isv = world.isv
    if isv is None:
        return ()
    members = _members(isv)
    found: dict[tuple[str, int], Target] = {}
    for balancer in isv.balancers:
        by_id = {frontend.id: frontend for frontend in balancer.frontends}
        for rule in balancer.rules:
            frontend = by_id.get(rule.frontend_id) if rule.frontend_id else None
            if frontend is None or not frontend.private_ip_address:
                continue
            pool = balancer.pool_of(rule)
            behind = {one.ip_address for one in pool.addresses} if pool else set()
            for member in (members[each] for each in (pool.member_ids if pool else ()) if each in members):
                behind |= {member.address, member.name}
            key = (frontend.private_ip_address, rule.frontend_port)
            found[key] = Target(
                name=f"{balancer.name}/{frontend.name}" if len(by_id) > 1 else balancer.name,
                kind=TargetKind.BALANCER,
                side=Side.ISV,
                address=frontend.private_ip_address,
                port=rule.frontend_port,
                resource_id=balancer.id,
                behind=frozenset(name.lower() for name in behind if name),
            )
    return tuple(sorted(found.values(), key=lambda target: (target.name.lower(), target.port)))


@dataclass(frozen=True, slots=True)
class _Member:
    """An address of an interface, and the machine that has it."""

    address: str
    name: str
    """The machine's; the interface's where no machine is known."""
    resource_id: ResourceId


def _members(isv: Snapshot) -> dict[ResourceId, _Member]:
    """By the id of the IP configuration."""
    machines = {machine.id: machine for machine in isv.machines}
    machine_of = {nic.id: machine for machine in isv.machines for nic in isv.machine_interfaces(machine)}
    found = {}
    for nic in isv.interfaces:
        machine = machine_of.get(nic.id) or (machines.get(nic.machine_id) if nic.machine_id else None)
        owner = machine or nic
        for configuration in nic.ip_configurations:
            found[configuration.id] = _Member(configuration.private_ip_address, owner.name, owner.id)
    return found


def _backends(isv: Snapshot | None) -> list[Target]:
    if isv is None:
        return []
    members = _members(isv)
    found: dict[tuple[str, int], Target] = {}
    for balancer in isv.balancers:
        for rule in balancer.rules:
            pool = balancer.pool_of(rule)
            for member_id in pool.member_ids if pool else ():
                member = members.get(member_id)
                if member and member.address:
                    found[member.address, rule.backend_port] = Target(
                        name=member.name,
                        kind=TargetKind.BACKEND,
                        side=Side.ISV,
                        address=member.address,
                        port=rule.backend_port,
                        resource_id=member.resource_id,
                    )
    return sorted(found.values(), key=lambda target: (target.name.lower(), target.port))


def _endpoints(world: World) -> list[Target]:
    found: list[Target] = []
    ports = _service_ports(world.isv)
    for link in world.links():
        if link.endpoint and link.endpoint_address:
            for port in sorted(ports.get(world.service_key(link), ())) or [80]:
                found.append(
                    Target(
                        name=link.endpoint_name,
                        kind=TargetKind.ENDPOINT,
                        side=Side.CUSTOMER,
                        address=link.endpoint_address,
                        port=port,
                        resource_id=link.endpoint.id,
                    )
                )
    return found


def _service_ports(isv: Snapshot | None) -> dict[str, set[int]]:
    """The ports that each service's balancer listens on, by the service's id in lower case.

    Nothing while the ISV's side cannot be read: port 80 is taken then.
    """
    by_frontend: dict[ResourceId, set[int]] = {}
    for rule in (rule for balancer in (isv.balancers if isv else ()) for rule in balancer.rules):
        if rule.frontend_id:
            by_frontend.setdefault(rule.frontend_id, set()).add(rule.frontend_port)
    found: dict[str, set[int]] = {}
    for service in isv.services if isv else ():
        ports = {port for frontend_id in service.frontend_ids for port in by_frontend.get(frontend_id, ())}
        found[service.id.key] = ports
    return found
