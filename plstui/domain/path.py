"""The way from the client to the page, hop by hop, with what each hop is like now and the first that is broken.

It is told from the two snapshots alone. The balancers' health makes the backends' state exact where it is known, and a
probe what no LIST says: whether the name leads somewhere, and whether the page really comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from plstui.domain.ids import ResourceId
from plstui.domain.probe import Failure, TargetKind, TargetResult
from plstui.domain.resources import (
    BackendAddressPool,
    LoadBalancer,
    LoadBalancingRule,
    PrivateLinkService,
    VirtualMachine,
)
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.states import Tone, tone_of
from plstui.domain.world import Link, World


class HopKind(StrEnum):
    """What a hop is, in the order in which a connection passes them."""

    CLIENT = "client"
    NAME = "name"
    ENDPOINT = "endpoint"
    CONNECTION = "connection"
    SERVICE = "service"
    BALANCER = "balancer"
    RULE = "rule"
    POOL = "pool"
    BACKEND = "backend"


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop of the way."""

    kind: HopKind
    side: Side
    name: str
    """What it is called; empty when nothing is there."""
    state: str
    """In a word or two; empty when nobody can tell."""
    tone: Tone
    id: ResourceId | None = None

    @property
    def broken(self) -> bool:
        """Whether nothing gets past it, or not as it should."""
        return self.tone in (Tone.BAD, Tone.WAITING)


@dataclass(frozen=True, slots=True)
class Path:
    """All hops of one connection."""

    hops: tuple[Hop, ...]

    @property
    def broken_at(self) -> int | None:
        """The place of the first broken hop; None when all are well or unknown."""
        return next((place for place, hop in enumerate(self.hops) if hop.broken), None)


def path_of(world: World, link: Link, results: Sequence[TargetResult] = ()) -> Path:
    """The way that a link opens, from the customer's machine to every backend."""
    # Where the machine a probe starts from could not be used, nobody has asked the target.
    results = [result for result in results if set(result.failures) != {Failure.JUMP}]
    service = world.service_of(link)
    balancer, rule, pool = _balanced(world.isv, service)
    hops = [
        *_client(world.customer, link),
        *_name(link, results),
        _endpoint(link, results),
        _connection(link),
        _service_hop(world.isv, link, service),
    ]
    # Without a service there is nothing that could be said of what stands behind it.
    if world.isv and service:
        hops += [_balancer_hop(balancer), _rule_hop(rule), *_pool_hops(world.isv, balancer, rule, pool, results)]
    return Path(tuple(hops))


def _client(customer: Snapshot | None, link: Link) -> Iterator[Hop]:
    """The machine in the endpoint's network that a person would open the page from."""
    machine = _neighbour(customer, link) if customer else None
    if machine:
        state = machine.power_state
        yield Hop(HopKind.CLIENT, Side.CUSTOMER, machine.name, state, tone_of(state), machine.id)


def _neighbour(customer: Snapshot, link: Link) -> VirtualMachine | None:
    subnet = link.endpoint.subnet_id if link.endpoint else None
    network = subnet.parent if subnet else None
    for machine in customer.machines:
        for nic in customer.machine_interfaces(machine):
            for configuration in nic.ip_configurations:
                if configuration.subnet_id and configuration.subnet_id.parent == network:
                    return machine
    return None


def _name(link: Link, results: Sequence[TargetResult]) -> Iterator[Hop]:
    """The name, once a probe has asked for it: no LIST says what a machine in a network resolves."""
    names = (result for result in results if result.target.kind is TargetKind.NAME)
    result = next((result for result in names if result.target.endpoint_id == link.endpoint_id), None)
    if result and link.endpoint:
        state = "resolves" if result.ok else next(iter(result.failures), "no answer")
        tone = Tone.GOOD if result.ok else Tone.BAD
        yield Hop(HopKind.NAME, Side.CUSTOMER, result.target.name, state, tone, result.target.resource_id)


def _endpoint(link: Link, results: Sequence[TargetResult]) -> Hop:
    if link.endpoint is None:
        return Hop(HopKind.ENDPOINT, Side.CUSTOMER, link.endpoint_name, "", Tone.QUIET, link.endpoint_id)
    state = link.endpoint.provisioning_state
    tone = tone_of(state)
    if tone is Tone.GOOD:
        state, tone = (link.endpoint_address, Tone.GOOD) if link.endpoint_address else ("no address", Tone.BAD)
    result = next((r for r in results if r.target.resource_id == link.endpoint.id), None)
    if tone is Tone.GOOD and link.status.word == "Approved" and result and not result.hosts:
        state, tone = next(iter(result.failures), "no answer"), Tone.BAD
    return Hop(HopKind.ENDPOINT, Side.CUSTOMER, link.endpoint_name, state, tone, link.endpoint.id)


def _connection(link: Link) -> Hop:
    word, tone = link.status.word, tone_of(link.status.word)
    if not link.agrees:
        word, tone = "ends differ", Tone.BAD
    return Hop(HopKind.CONNECTION, Side.ISV, link.name, word, tone, link.id)


def _service_hop(isv: Snapshot | None, link: Link, service: PrivateLinkService | None) -> Hop:
    if service is None:
        gone = isv is not None and isv.reachable and link.service_side is None
        state, tone = ("not there", Tone.BAD) if gone and _is_theirs(isv, link) else ("", Tone.QUIET)
        return Hop(HopKind.SERVICE, Side.ISV, link.service_name, state, tone)
    state = service.provisioning_state
    return Hop(HopKind.SERVICE, Side.ISV, service.name, state, tone_of(state), service.id)


def _is_theirs(isv: Snapshot | None, link: Link) -> bool:
    """Whether what the endpoint asked for would be in the ISV's subscription: it may be somebody else's."""
    target = ResourceId(link.endpoint_side.target) if link.endpoint_side else None
    return bool(isv and target and target.subscription.lower() == isv.subscription.lower())


def _balanced(
    isv: Snapshot | None, service: PrivateLinkService | None
) -> tuple[LoadBalancer | None, LoadBalancingRule | None, BackendAddressPool | None]:
    """The balancer that a service stands on, the rule on its frontend, and the pool behind that."""
    if isv is None or service is None:
        return None, None, None
    frontends = set(service.frontend_ids)
    balancer = next((b for b in isv.balancers if any(f.id in frontends for f in b.frontends)), None)
    if balancer is None:
        return None, None, None
    rule = next((rule for rule in balancer.rules if rule.frontend_id in frontends), None)
    return balancer, rule, balancer.pool_of(rule) if rule else None


def _balancer_hop(balancer: LoadBalancer | None) -> Hop:
    if balancer is None:
        return Hop(HopKind.BALANCER, Side.ISV, "", "not there", Tone.BAD)
    if balancer.is_basic:
        return Hop(HopKind.BALANCER, Side.ISV, balancer.name, "Basic", Tone.BAD, balancer.id)
    state = balancer.provisioning_state
    return Hop(HopKind.BALANCER, Side.ISV, balancer.name, state, tone_of(state), balancer.id)


def _rule_hop(rule: LoadBalancingRule | None) -> Hop:
    if rule is None:
        return Hop(HopKind.RULE, Side.ISV, "", "no rule", Tone.BAD)
    ports = f"{rule.frontend_port}→{rule.backend_port}"
    return Hop(HopKind.RULE, Side.ISV, rule.name, ports, Tone.GOOD if rule.pool_id else Tone.BAD, rule.id)


def _pool_hops(
    isv: Snapshot,
    balancer: LoadBalancer | None,
    rule: LoadBalancingRule | None,
    pool: BackendAddressPool | None,
    results: Sequence[TargetResult],
) -> Iterator[Hop]:
    if balancer is None or rule is None or pool is None:
        yield Hop(HopKind.POOL, Side.ISV, "", "no pool", Tone.BAD)
        return
    backends = list(_backends(isv, balancer, rule, pool, results))
    well = sum(backend.tone is not Tone.BAD for backend in backends)
    # With one machine left the pool still serves; which one is missing, the backends say.
    tone = Tone.GOOD if well else Tone.BAD
    state = f"{well}/{len(backends)}" if backends else "empty"
    yield Hop(HopKind.POOL, Side.ISV, pool.name, state, tone, pool.id)
    yield from backends


def _backends(
    isv: Snapshot,
    balancer: LoadBalancer,
    rule: LoadBalancingRule,
    pool: BackendAddressPool,
    results: Sequence[TargetResult],
) -> Iterator[Hop]:
    members = set(pool.member_ids)
    answers = [health for health in isv.health if health.rule_id == rule.id and health.balancer_id == balancer.id]
    up = {member.address: member.up for answer in answers for member in answer.members}
    by_interface = {nic.id: machine for machine in isv.machines for nic in isv.machine_interfaces(machine)}
    for nic in isv.interfaces:
        for configuration in nic.ip_configurations:
            if configuration.id not in members:
                continue
            machine, address = by_interface.get(nic.id), configuration.private_ip_address
            state, tone = _backend_state(machine, up.get(address))
            result = next((r for r in results if machine and r.target.resource_id == machine.id), None)
            if tone is not Tone.BAD and result and not result.ok:
                state, tone = next(iter(result.failures), "no page"), Tone.BAD
            where = machine.id if machine else nic.id
            yield Hop(HopKind.BACKEND, Side.ISV, machine.name if machine else nic.name, state, tone, where)


def _backend_state(machine: VirtualMachine | None, up: bool | None) -> tuple[str, Tone]:
    """What is known of a backend: stopped beats down beats running."""
    power = machine.power_state if machine else ""
    if power and power != "running":
        return power, tone_of(power)
    if up is not None:
        return ("up", Tone.GOOD) if up else ("down", Tone.BAD)
    return power, tone_of(power)
