"""What is probed, and what came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.world import Link, World


class TargetKind(StrEnum):
    """What stands at an address."""

    BACKEND = "backend"
    BALANCER = "balancer"
    """A balancer's frontend, asked from inside its network."""
    ENDPOINT = "endpoint"
    NAME = "name"
    """A name that the machine at the other end resolves."""


class Failure(StrEnum):
    """Why an attempt brought no page."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    RESET = "reset"
    NO_ROUTE = "no route"
    NOT_FOUND = "name not found"
    WRONG_PAGE = "wrong page"
    TLS = "TLS on a plain port"
    JUMP = "jump machine"
    """The machine the probe starts from could not be used; the target itself was not asked."""


@dataclass(frozen=True, slots=True)
class Target:
    """One address to fetch the page from, and the side it is reached from."""

    name: str
    kind: TargetKind
    side: Side
    address: str
    port: int
    resource_id: ResourceId | None = None
    endpoint_id: ResourceId | None = None
    """For a name: the endpoint that it is to lead to."""
    behind: frozenset[str] = frozenset()
    """Names and addresses of the machines behind a balancer, in lower case."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One fresh connection to a target. With neither host nor failure it tells nothing of the target."""

    host: str | None = None
    """The hostname on the page; None when there was no such page."""
    failure: Failure | None = None
    error: str = ""
    """What went wrong, in words; harmless to show."""
    connect_ms: float | None = None
    """Milliseconds until the connection stood."""
    first_byte_ms: float | None = None
    """Milliseconds from there to the first byte of the answer."""
    resolved: str = ""
    """The address that the name of the target was found to have; empty where that is not known."""


@dataclass(frozen=True, slots=True)
class TargetResult:
    """All attempts at one target."""

    target: Target
    route: str
    """How it was reached, like `ssh testVM`."""
    attempts: tuple[Attempt, ...]

    @property
    def ok(self) -> bool:
        """Whether every attempt that tells anything brought a backend's page, and one did."""
        return bool(self.hosts) and not self.failures

    @property
    def silent(self) -> bool:
        """Whether no attempt tells anything of the target: it is neither well nor failing."""
        return bool(self.attempts) and not self.hosts and not self.failures

    @property
    def hosts(self) -> dict[str, int]:
        """How often each backend answered, by name."""
        return dict(sorted(Counter(a.host for a in self.attempts if a.host).items()))

    @property
    def failures(self) -> dict[str, int]:
        """How often each kind of failure happened."""
        return dict(sorted(Counter(a.failure.value for a in self.attempts if a.failure).items()))

    @property
    def error(self) -> str:
        """What went wrong first, in words; empty when nothing did."""
        return next((attempt.error for attempt in self.attempts if attempt.failure), "")

    @property
    def untold(self) -> str:
        """Why attempts tell nothing of the target, in words; empty when all of them do."""
        return next((a.error for a in self.attempts if a.host is None and a.failure is None), "")

    @property
    def resolved(self) -> tuple[str, ...]:
        """The addresses that the target's name was found to have."""
        return tuple(sorted({a.resolved for a in self.attempts if a.resolved}))

    def error_of(self, failure: str) -> str:
        """What was said of the first failure of this kind."""
        return next((attempt.error for attempt in self.attempts if attempt.failure == failure), "")

    @property
    def connect_ms(self) -> tuple[float, float] | None:
        """Milliseconds to connect, p50 and p95; None when no attempt connected."""
        return _p50_p95([a.connect_ms for a in self.attempts if a.connect_ms is not None])

    @property
    def first_byte_ms(self) -> tuple[float, float] | None:
        """Milliseconds from connect to the first byte, p50 and p95; None when none came."""
        return _p50_p95([a.first_byte_ms for a in self.attempts if a.first_byte_ms is not None])


def _p50_p95(values: list[float]) -> tuple[float, float] | None:
    """Nearest-rank percentiles: with few samples, a value that was really measured."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[(len(ranked) - 1) // 2], ranked[min(len(ranked) - 1, -(-len(ranked) * 95 // 100) - 1)]


def all_well(results: Sequence[TargetResult]) -> bool:
    """Whether every target that anything is told of answered every time, and one did."""
    told = [result for result in results if not result.silent]
    return bool(told) and all(result.ok for result in told)


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
            pool = next((pool for pool in balancer.pools if pool.id == rule.pool_id), None)
            behind = set(pool.addresses) if pool else set()
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
            pool = next((pool for pool in balancer.pools if pool.id == rule.pool_id), None)
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
            for port in sorted(ports.get(_service_key(link), ())) or [80]:
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


def _service_key(link: Link) -> str:
    """The service's id, or what the request named it by: its id or alias. In lower case; a name alone may be two's."""
    if link.service_side:
        return link.service_side.service_id.key
    return link.endpoint_side.target.lower() if link.endpoint_side else ""


def _service_ports(isv: Snapshot | None) -> dict[str, set[int]]:
    """The ports that each service's balancer listens on, by the service's id and by its alias, in lower case.

    Nothing while the ISV's side cannot be read: port 80 is taken then.
    """
    by_frontend: dict[ResourceId, set[int]] = {}
    for rule in (rule for balancer in (isv.balancers if isv else ()) for rule in balancer.rules):
        if rule.frontend_id:
            by_frontend.setdefault(rule.frontend_id, set()).add(rule.frontend_port)
    found: dict[str, set[int]] = {}
    for service in isv.services if isv else ():
        ports = {port for frontend_id in service.frontend_ids for port in by_frontend.get(frontend_id, ())}
        found[service.id.key] = found[service.alias.lower()] = ports
    return found
