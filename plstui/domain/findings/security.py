"""Network security groups: does the winning rule let in the customers, and the balancer's probe?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from plstui.domain.az import shell_word
from plstui.domain.facts import NETWORK, Body, Facts, id_of, items, properties, word
from plstui.domain.findings.balancer import balancers, members
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side

BALANCER_TAG, NETWORK_TAG = "AzureLoadBalancer", "VirtualNetwork"

_DEFAULTS = (
    ("AllowVnetInBound", 65000, "Allow", NETWORK_TAG, NETWORK_TAG),
    ("AllowAzureLoadBalancerInBound", 65001, "Allow", BALANCER_TAG, "*"),
    ("DenyAllInBound", 65500, "Deny", "*", "*"),
)
"""The inbound rules that every group has: name, priority, access, source, destination."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Connections of one kind that should reach a member of a pool."""

    source: str
    """A service tag, or an address."""
    source_networks: tuple[str, ...]
    """The ranges that stand for the tag VirtualNetwork."""
    destination: str
    groups: frozenset[ResourceId]
    """The application security groups that the destination is in."""
    port: int


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a pool behind a rule."""

    nic: Body
    configuration: Body
    port: int
    probe_port: int | None

    @property
    def address(self) -> str:
        """Its private address."""
        return word(self.configuration, "privateIPAddress")

    @property
    def groups(self) -> frozenset[ResourceId]:
        """The application security groups it is in."""
        return frozenset(map(id_of, items(self.configuration, "applicationSecurityGroups")))


def pool_members(facts: Facts) -> Iterator[Member]:
    """Every member of every pool that a rule sends to, once for each port."""
    seen: set[tuple[ResourceId, int]] = set()
    for balancer in balancers(facts):
        for rule in items(balancer, "loadBalancingRules"):
            pool, probe = (
                facts.get(properties(rule).get("backendAddressPool")),
                facts.get(properties(rule).get("probe")),
            )
            port, probe_port = properties(rule).get("backendPort"), properties(probe).get("port")
            if pool is None or not isinstance(port, int):
                continue
            for nic, configuration in members(facts, pool):
                if (id_of(configuration), port) not in seen:
                    seen.add((id_of(configuration), port))
                    yield Member(nic, configuration, port, probe_port if isinstance(probe_port, int) else None)


def blocked(facts: Facts) -> Iterator[Finding]:
    """A rule that keeps out the customers' connections, or the balancer's probe."""
    told: set[tuple[ResourceId, str]] = set()
    for member in pool_members(facts):
        networks = _networks(facts, member)
        customer = _nat_address(networks, member)
        for what, rule_name, source, port in (
            ("the customers' connections", "nsg-blocks-port", customer, member.port),
            ("the balancer's probe", "nsg-blocks-probe", BALANCER_TAG, member.probe_port),
        ):
            if port is None:
                continue
            flow = Flow(source, networks, member.address, member.groups, port)
            for group in _groups(facts, member):
                winner = winning(group, flow)
                if winner is None or winner.access.lower() != "deny" or (id_of(group), rule_name) in told:
                    continue
                told.add((id_of(group), rule_name))
                yield Finding(
                    rule=rule_name,
                    severity=Severity.ERROR,
                    where=id_of(group),
                    what=f"{id_of(group).name} keeps {what} from port {port}: its rule {winner.name} wins.",
                    remedy=f"Remove the rule {winner.name}, or put one that allows them before it.",
                    evidence={"rule": winner.name, "priority": str(winner.priority), "access": winner.access},
                    az="" if winner.built_in else _delete(id_of(group), winner.name),
                )


def _delete(group: ResourceId, rule: str) -> str:
    return (
        f"az network nsg rule delete --resource-group {shell_word(group.resource_group)} "
        f"--subscription {shell_word(group.subscription)} --nsg-name {shell_word(group.name)} --name {shell_word(rule)}"
    )


@dataclass(frozen=True, slots=True)
class Winner:
    """The security rule that decides on a flow."""

    name: str
    priority: int
    access: str
    built_in: bool = False


def winning(group: Body, flow: Flow) -> Winner | None:
    """The inbound rule that decides on a flow: the first by priority that matches."""
    rules = [rule for rule in items(group, "securityRules") if word(rule, "direction").lower() == "inbound"]
    for rule in sorted(rules, key=_priority):
        if _matches(rule, flow):
            return Winner(str(rule.get("name", "")), _priority(rule), word(rule, "access"))
    for name, priority, access, source, destination in _DEFAULTS:
        if _is_from(source, flow) and (destination == "*" or _inside(flow.destination, flow.source_networks)):
            return Winner(name, priority, access, built_in=True)
    return None


def _priority(rule: Body) -> int:
    value = properties(rule).get("priority")
    return value if isinstance(value, int) else 65_000


def _matches(rule: Body, flow: Flow) -> bool:
    protocol = word(rule, "protocol").lower()
    if protocol not in ("tcp", "*"):
        return False
    if not any(_has_port(port, flow.port) for port in _values(rule, "destinationPortRange")):
        return False
    if any(items(rule, "sourceApplicationSecurityGroups")):
        return False  # The service's own addresses are in none.
    if not any(_is_from(source, flow) for source in _values(rule, "sourceAddressPrefix")):
        return False
    groups = {id_of(group) for group in items(rule, "destinationApplicationSecurityGroups")}
    if groups:
        return bool(groups & flow.groups)
    return any(_is_at(place, flow) for place in _values(rule, "destinationAddressPrefix"))


def _values(rule: Body, name: str) -> list[str]:
    """A property's one value and its many, which stand under two names."""
    plural = f"{name}es" if name.endswith("Prefix") else f"{name}s"
    many = properties(rule).get(plural)
    return [*filter(None, [word(rule, name)]), *(map(str, many) if isinstance(many, list) else ())]


def _has_port(ports: str, port: int) -> bool:
    first, _, last = ports.partition("-")
    if ports == "*":
        return True
    return first.isdigit() and int(first) <= port <= int(last if last.isdigit() else first)


def _is_from(source: str, flow: Flow) -> bool:
    if source in ("*", "0.0.0.0/0") or source.lower() == "any":
        return True
    if flow.source == BALANCER_TAG:
        return source.lower() == BALANCER_TAG.lower() or source.startswith("168.63.129.16")
    if source.lower() == NETWORK_TAG.lower():
        return _inside(flow.source, flow.source_networks)
    return _inside(flow.source, (source,))


def _is_at(place: str, flow: Flow) -> bool:
    if place in ("*", "0.0.0.0/0") or place.lower() == "any":
        return True
    if place.lower() == NETWORK_TAG.lower():
        return _inside(flow.destination, flow.source_networks)
    return _inside(flow.destination, (place,))


def _inside(address: str, prefixes: tuple[str, ...]) -> bool:
    try:
        return any(ip_address(address) in ip_network(prefix, strict=False) for prefix in prefixes)
    except ValueError:
        return False


def _networks(facts: Facts, member: Member) -> tuple[str, ...]:
    """The ranges of the network that a member is in."""
    subnet = properties(member.configuration).get("subnet")
    home = id_of(subnet).parent if isinstance(subnet, dict) else None
    for network in facts.of(Side.ISV, NETWORK):
        if id_of(network) == home:
            space = properties(network).get("addressSpace")
            prefixes = space.get("addressPrefixes") if isinstance(space, dict) else None
            return tuple(map(str, prefixes)) if isinstance(prefixes, list) else ()
    return ()


def _nat_address(networks: tuple[str, ...], member: Member) -> str:
    """Where a customer's connection seems to come from: an address of the service's subnet, in the same network."""
    return member.address if _inside(member.address, networks) else BALANCER_TAG


def _groups(facts: Facts, member: Member) -> Iterator[Body]:
    """The security groups on a member's subnet and on its interface, in the order in which Azure asks them."""
    subnet = facts.get(properties(member.configuration).get("subnet"))
    for owner in (subnet, member.nic):
        group = facts.get(properties(owner).get("networkSecurityGroup"))
        if group:
            yield group


def outside_group(facts: Facts) -> Iterator[Finding]:
    """A member that is not in the application security group that the rule for its port names."""
    for member in pool_members(facts):
        for group in _groups(facts, member):
            for rule in items(group, "securityRules"):
                named = {id_of(one) for one in items(rule, "destinationApplicationSecurityGroups")}
                lets_in = word(rule, "access").lower() == "allow" and word(rule, "direction").lower() == "inbound"
                about = any(_has_port(port, member.port) for port in _values(rule, "destinationPortRange"))
                if not (named and lets_in and about) or named & member.groups:
                    continue
                nic, configuration, asg = id_of(member.nic), id_of(member.configuration), sorted(named, key=str)[0]
                yield Finding(
                    rule="nic-without-asg",
                    severity=Severity.WARNING,
                    where=nic,
                    what=f"{nic.name} is not in {asg.name}, which the rule {rule.get('name', '')} lets HTTP into.",
                    remedy="Put its address configuration into the group.",
                    evidence={"applicationSecurityGroups": ", ".join(one.name for one in member.groups) or "[]"},
                    az=f"az network nic ip-config update --resource-group {shell_word(nic.resource_group)} "
                    f"--subscription {shell_word(nic.subscription)} --nic-name {shell_word(nic.name)} "
                    f"--name {shell_word(configuration.name)} --application-security-groups {shell_word(asg.text)}",
                    fix="step:machines",
                )


RULES = (blocked, outside_group)
