"""Address prefixes in requests, with Azure's words for what is wrong with them."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.errors import ArmError, bad_request

Network = IPv4Network | IPv6Network

SMALLEST_SUBNET = 29
"""The longest prefix of an IPv4 subnet: eight addresses, of which Azure keeps five."""


def network(prefix: str, of: ResourceId) -> Network:
    """A prefix in CIDR notation; raises the 400 for a text that is none and for one with host bits."""
    try:
        found = ip_network(prefix, strict=False)
    except ValueError:
        found = None
    if found is None or "/" not in prefix:
        raise bad_request(
            "InvalidAddressPrefixFormat",
            f"Address prefix {prefix[:100]} of resource {of} is not formatted correctly. It should follow CIDR "
            "notation, for example 10.0.0.0/24.",
        )
    if str(found.network_address) != prefix.partition("/")[0] and found.version == 4:
        raise bad_request(
            "InvalidCIDRNotation",
            f"The address prefix {prefix} in resource {of} has an invalid CIDR notation. For the given prefix length, "
            f"the address prefix should be {found}.",
        )
    return found


def contains(outer: Iterable[Network], inner: Network) -> bool:
    """Whether a prefix lies in one of several."""
    return any(_within(inner, one) for one in outer)


def _within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def overlap(left: Iterable[Network], right: Iterable[Network]) -> bool:
    """Whether any prefix of one set shares an address with one of the other."""
    others = list(right)
    return any(a.version == b.version and a.overlaps(b) for a in left for b in others)


class Taken:
    """Prefixes that share no address with each other, however many."""

    def __init__(self) -> None:
        self._spans: dict[int, list[tuple[int, int]]] = {4: [], 6: []}

    def take(self, prefix: Network) -> bool:
        """Add a prefix; whether nobody had any of its addresses."""
        spans = self._spans[prefix.version]
        first, last = int(prefix.network_address), int(prefix.broadcast_address)
        at = bisect(spans, (first, last))
        if (at and spans[at - 1][1] >= first) or (at < len(spans) and spans[at][0] <= last):
            return False
        spans.insert(at, (first, last))
        return True


def outside(subnet: str, virtual_network: str) -> ArmError:
    """400 for a subnet that the address space does not hold."""
    return bad_request(
        "NetcfgSubnetRangeOutsideVnet",
        f"Subnet '{subnet}' is not valid because its IP address range is outside the IP address range of virtual "
        f"network '{virtual_network}'.",
    )


def overlapping(subnet: str, virtual_network: str) -> ArmError:
    """400 for a subnet that takes addresses of another one."""
    return bad_request(
        "NetcfgSubnetRangesOverlap",
        f"Subnet '{subnet}' is not valid because its IP address range overlaps with that of an existing subnet in "
        f"virtual network '{virtual_network}'.",
    )


def invalid(subnet: str, virtual_network: str) -> ArmError:
    """400 for a subnet that is too small."""
    return bad_request("NetcfgInvalidSubnet", f"Subnet '{subnet}' is not valid in virtual network '{virtual_network}'.")
