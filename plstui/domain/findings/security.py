"""Network security groups: does the winning rule let in the customers, and the balancer's probe?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network

from plstui.domain.az import az, in_group
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.findings.pool import Member, pool_members
from plstui.domain.ids import ResourceId
from plstui.domain.resources import NetworkSecurityGroup, SecurityRule
from plstui.domain.world import World

PROBE_SOURCE = "168.63.129.16"
"""Where a balancer's probes come from, in every network."""

SOME_PORT = 49152
"""The port that a connection seems to come from: a service gives out any from 1024 on."""

_BALANCER, _NETWORK = "azureloadbalancer", "virtualnetwork"
_DEFAULTS = (
    ("AllowVnetInBound", 65000, "Allow", _NETWORK, _NETWORK),
    ("AllowAzureLoadBalancerInBound", 65001, "Allow", _BALANCER, "*"),
    ("DenyAllInBound", 65500, "Deny", "*", "*"),
)
"""The inbound rules that every group has: name, priority, access, source, destination."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A TCP connection that should reach a member of a pool."""

    source: str
    destination: str
    port: int
    groups: frozenset[ResourceId] = frozenset()
    """The application security groups that the destination is in; a source of ours is in none."""
    networks: tuple[str, ...] = ()
    """The ranges that the tag VirtualNetwork stands for."""
    source_port: int = SOME_PORT


@dataclass(frozen=True, slots=True)
class Winner:
    """The security rule that decides on a flow."""

    name: str
    priority: int
    access: str
    built_in: bool = False

    @property
    def allows(self) -> bool:
        """Whether it lets the flow in."""
        return self.access.lower() == "allow"


def winning(group: NetworkSecurityGroup, flow: Flow) -> Winner:
    """The inbound rule that decides on a flow: the first by priority that matches."""
    for rule in sorted((rule for rule in group.rules if rule.is_inbound), key=lambda rule: rule.priority):
        if _matches(rule, flow):
            return Winner(rule.name, rule.priority, rule.access)
    for name, priority, access, source, destination in _DEFAULTS:
        if _covers(source, flow.source, flow.networks) and _covers(destination, flow.destination, flow.networks):
            return Winner(name, priority, access, built_in=True)
    raise AssertionError("the last of the built-in rules matches everything")


def _matches(rule: SecurityRule, flow: Flow) -> bool:
    if rule.protocol.lower() not in ("tcp", "*"):
        return False
    if not any(_has_port(ports, flow.port) for ports in rule.ports):
        return False
    if not any(_has_port(ports, flow.source_port) for ports in rule.source_ports):
        return False
    if rule.source_group_ids:
        return False
    if not any(_covers(place, flow.source, flow.networks) for place in rule.sources):
        return False
    if rule.destination_group_ids:
        return not flow.groups.isdisjoint(rule.destination_group_ids)
    return any(_covers(place, flow.destination, flow.networks) for place in rule.destinations)


def _has_port(ports: str, port: int) -> bool:
    first, _, last = ports.partition("-")
    return ports == "*" or (_is_port(first) and int(first) <= port <= int(last if _is_port(last) else first))


def _is_port(text: str) -> bool:
    """Whether a text is a number that a port may have; `isdigit` alone also takes a superscript, which is none."""
    return text.isascii() and text.isdecimal() and len(text) <= 5


def _covers(place: str, address: str, networks: tuple[str, ...]) -> bool:
    """Whether a tag or range that a rule names holds an address."""
    inside = any(_inside(address, network) for network in networks)
    match place.lower():
        case "*" | "any":
            return True
        case "virtualnetwork":
            return inside or address == PROBE_SOURCE
        case "azureloadbalancer":
            return address == PROBE_SOURCE
        case "internet":
            return not inside and address != PROBE_SOURCE
    return _inside(address, place)


def _inside(address: str, prefix: str) -> bool:
    try:
        return ip_address(address) in ip_network(prefix, strict=False)
    except ValueError:
        return False  # A tag of one of Azure's own services: nothing of ours is in it.


@dataclass(frozen=True, slots=True)
class _Stop:
    """A security group that keeps a flow from a member."""

    member: Member
    group: NetworkSecurityGroup
    winner: Winner
    port: int
    about_probe: bool
    lacking: ResourceId | None
    """The application security group that would let it in, if the member were in it."""


def _stops(world: World, members: Sequence[Member]) -> Iterator[_Stop]:
    for member in members:
        networks = _networks(world, member)
        flows = [(Flow(source, member.address, member.port), False) for source in _nat_addresses(world, networks)]
        if member.probe_port is not None:
            flows.append((Flow(PROBE_SOURCE, member.address, member.probe_port), True))
        for flow, about_probe in flows:
            whole = replace(flow, groups=member.groups, networks=networks)
            for group in _groups(world, member):
                winner = winning(group, whole)
                if not winner.allows:
                    yield _Stop(member, group, winner, flow.port, about_probe, _lacking(group, whole))
                    break  # What the first one keeps out, the second never sees.


def _lacking(group: NetworkSecurityGroup, flow: Flow) -> ResourceId | None:
    named = {one for rule in group.rules for one in rule.destination_group_ids} - flow.groups
    found = (one for one in sorted(named, key=str) if winning(group, replace(flow, groups=flow.groups | {one})).allows)
    return next(found, None)


def blocked(world: World) -> Iterator[Finding]:
    """A rule that keeps out the customers' connections, or the balancer's probe."""
    members = pool_members(world)
    stops = [stop for stop in _stops(world, members) if stop.lacking is None]
    told: set[tuple[ResourceId, bool]] = set()
    for stop in stops:
        group, winner, key = stop.group.id, stop.winner, (stop.group.id, stop.about_probe)
        if key in told:
            continue
        told.add(key)
        kept_out = {other.member.id for other in stops if other.about_probe is stop.about_probe}
        what = "the balancer's probe" if stop.about_probe else "the customers' connections"
        yield Finding(
            rule="nsg-blocks-probe" if stop.about_probe else "nsg-blocks-port",
            severity=_severity(kept_out, members),
            where=group,
            what=f"{group.name} keeps {what} from port {stop.port}: its rule {winner.name} wins.",
            remedy="Put a rule that allows them before it."
            if winner.built_in
            else f"Remove the rule {winner.name}, or put one that allows them before it.",
            evidence={"rule": winner.name, "priority": str(winner.priority), "access": winner.access},
            az=""
            if winner.built_in
            else az("network nsg rule delete", {**in_group(group, "--nsg-name"), "--name": winner.name}),
        )


def _severity(kept_out: set[ResourceId], members: Sequence[Member]) -> Severity:
    """While one member can be reached, pages come, and sometimes not."""
    return Severity.ERROR if all(member.id in kept_out for member in members) else Severity.WARNING


def _networks(world: World, member: Member) -> tuple[str, ...]:
    """The ranges of the network that a member is in."""
    subnet = member.configuration.subnet_id
    network = world.isv.network(subnet.parent) if world.isv and subnet else None
    return network.address_prefixes if network else ()


def _nat_addresses(world: World, networks: tuple[str, ...]) -> list[str]:
    """Where customers' connections seem to come from: the addresses that the services in a network have.

    While there is no service, any address of the network stands for them.
    """
    found: dict[str, None] = {}
    for service in world.asked_services() if world.isv else ():
        for nic in (world.isv.interface(nic_id) for nic_id in service.interface_ids if world.isv):
            for configuration in nic.ip_configurations if nic else ():
                address = configuration.private_ip_address
                if any(_inside(address, network) for network in networks):
                    found[address] = None
    return list(found) or [network.partition("/")[0] for network in networks[:1]]


def _groups(world: World, member: Member) -> Iterator[NetworkSecurityGroup]:
    """The security groups on a member's subnet and on its interface, in the order in which Azure asks them."""
    isv = world.isv
    subnet = isv.subnet(member.configuration.subnet_id) if isv else None
    for owner in (subnet, member.nic):
        group = isv.security_group(owner.security_group_id) if isv and owner else None
        if group:
            yield group


def outside_group(world: World) -> Iterator[Finding]:
    """A member that is not in the application security group that the rule for its port names.

    Bad where nothing else lets connections in; else the built-in rules do, until somebody closes those.
    """
    members = pool_members(world)
    stopped = {stop.member.id: stop for stop in _stops(world, members) if stop.lacking}
    told: set[ResourceId] = set()
    for member in members:
        stop = stopped.get(member.id)
        for group in _groups(world, member):
            rule, asg = (stop.winner.name, stop.lacking) if stop and stop.lacking else _unused(group, member)
            if asg is None or member.id in told:
                continue
            told.add(member.id)
            nic = member.nic.id
            yield Finding(
                rule="nic-without-asg",
                severity=_severity(set(stopped), members) if stop else Severity.WARNING,
                where=nic,
                what=f"{nic.name} is not in {asg.name}, "
                + (f"so the rule {rule} keeps it from being reached." if stop else f"which the rule {rule} is for."),
                remedy="Put its address configuration into the group.",
                evidence={"applicationSecurityGroups": ", ".join(sorted(one.name for one in member.groups)) or "[]"},
                az=az(
                    "network nic ip-config update",
                    {
                        **in_group(nic, "--nic-name"),
                        "--name": member.id.name,
                        "--application-security-groups": sorted({*member.groups, asg}, key=str),
                    },
                ),
                fix="step:machines",
            )


def _unused(group: NetworkSecurityGroup, member: Member) -> tuple[str, ResourceId | None]:
    """A rule that lets connections to a member's port into groups that the member is in none of."""
    for rule in group.rules:
        named = rule.destination_group_ids
        about = any(_has_port(ports, member.port) for ports in rule.ports)
        if named and rule.allows and rule.is_inbound and about and member.groups.isdisjoint(named):
            return rule.name, min(named, key=str)
    return "", None


RULES = (blocked, outside_group)
