"""Network security groups: which rule decides a flow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network
from typing import Any, Literal

from plstui.sandbox.ports import Json

PROBE_SOURCE = "168.63.129.16"
"""Where health probes come from; the service tag AzureLoadBalancer stands for it."""

Direction = Literal["Inbound", "Outbound"]

_DEFAULTS: tuple[tuple[str, Direction, int, str, str, bool], ...] = (
    ("AllowVnetInBound", "Inbound", 65000, "VirtualNetwork", "VirtualNetwork", True),
    ("AllowAzureLoadBalancerInBound", "Inbound", 65001, "AzureLoadBalancer", "*", True),
    ("DenyAllInBound", "Inbound", 65500, "*", "*", False),
    ("AllowVnetOutBound", "Outbound", 65000, "VirtualNetwork", "VirtualNetwork", True),
    ("AllowInternetOutBound", "Outbound", 65001, "*", "Internet", True),
    ("DenyAllOutBound", "Outbound", 65500, "*", "*", False),
)
"""The six rules every group has: name, direction, priority, source, destination, allow."""


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a flow."""

    address: str
    asgs: frozenset[str] = frozenset()
    """Application security groups, ids in lower case."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A connection as a security rule sees it."""

    source: Party
    source_port: int
    destination: Party
    port: int
    protocol: str = "Tcp"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a group says of a flow."""

    allowed: bool
    rule: str
    """The name of the rule that decided."""


def decide(group: Json, direction: Direction, flow: Flow, space: Sequence[IPv4Network]) -> Verdict:
    """What a security group says; `space` is what the tag VirtualNetwork stands for where it applies."""
    properties = group.get("properties") or {}
    own = [rule for rule in properties.get("securityRules") or [] if _direction(rule) == direction.lower()]
    for rule in sorted(own, key=lambda rule: int(rule["properties"].get("priority", 0))):
        values = rule["properties"]
        if _matches(values, flow, space):
            return Verdict(str(values.get("access")).lower() == "allow", str(rule.get("name")))
    for name, way, _, source, destination, allowed in _DEFAULTS:
        if way != direction:
            continue
        if _in_prefix(source, flow.source.address, space) and _in_prefix(destination, flow.destination.address, space):
            return Verdict(allowed, name)
    raise AssertionError("the last default rule matches everything")


def _direction(rule: Json) -> str:
    return str((rule.get("properties") or {}).get("direction", "")).lower()


def _matches(rule: Json, flow: Flow, space: Sequence[IPv4Network]) -> bool:
    protocol = str(rule.get("protocol", "*")).lower()
    return (
        protocol in ("*", flow.protocol.lower())
        and _port_in(_both(rule, "sourcePortRange", "sourcePortRanges"), flow.source_port)
        and _port_in(_both(rule, "destinationPortRange", "destinationPortRanges"), flow.port)
        and _party_in(rule, "source", flow.source, space)
        and _party_in(rule, "destination", flow.destination, space)
    )


def _both(rule: Json, one: str, many: str) -> list[str]:
    """The value under the singular key and those under the plural one."""
    value = rule.get(one)
    return [*([str(value)] if value not in (None, "") else []), *(str(item) for item in rule.get(many) or [])]


def _party_in(rule: Json, end: str, party: Party, space: Sequence[IPv4Network]) -> bool:
    groups: list[Any] = list(rule.get(f"{end}ApplicationSecurityGroups") or [])
    if groups:
        # Groups say all there is to say of this end; the prefixes are empty then.
        return any(str(group.get("id", "")).lower() in party.asgs for group in groups)
    prefixes = _both(rule, f"{end}AddressPrefix", f"{end}AddressPrefixes")
    return any(_in_prefix(prefix, party.address, space) for prefix in prefixes)


def _port_in(ranges: Iterable[str], port: int) -> bool:
    for text in ranges:
        first, _, last = text.partition("-")
        if text == "*" or int(first) <= port <= int(last or first):
            return True
    return False


def _in_prefix(prefix: str, address: str, space: Sequence[IPv4Network]) -> bool:
    ip = IPv4Address(address)
    inside = any(ip in network for network in space)
    match prefix.lower():
        case "*" | "any" | "0.0.0.0/0":
            return True
        case "virtualnetwork":
            return inside or address == PROBE_SOURCE
        case "azureloadbalancer":
            return address == PROBE_SOURCE
        case "internet":
            return not inside and address != PROBE_SOURCE
    try:
        network = ip_network(prefix, strict=False)
    except ValueError:
        # Another service tag: addresses of Azure's own services, none of which is in the sandbox.
        return False
    return isinstance(network, IPv4Network) and ip in network
