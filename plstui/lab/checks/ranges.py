"""The address ranges of the lab's networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network

from plstui.config.settings import Lab
from plstui.domain.sides import Side
from plstui.lab.checks.problem import Problem
from plstui.lab.fragments import Body

PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
"""RFC 1918 and RFC 6598: what Azure's documentation names for virtual networks."""

RESERVED = 5
"""Addresses of every subnet that Azure keeps for itself: four at the beginning, one at the end."""

NEEDED = {Side.ISV: 5, Side.CUSTOMER: 2}
"""Three machines, the balancer's front and the service's NAT address; the test machine and the endpoint."""


def check(lab: Lab, subscriptions: Mapping[Side, str]) -> Iterator[Problem]:
    """What cannot be with the ranges of the sides that have a subscription."""
    networks: dict[Side, IPv4Network] = {}
    for side in (side for side in Side if side in subscriptions):
        keys = f"lab.{side.value}_prefix", f"lab.{side.value}_subnet_prefix"
        prefix, subnet_prefix = prefixes(lab, side)
        network, reason = _parse(prefix)
        subnet, subnet_reason = _parse(subnet_prefix)
        for key, text, why in zip(keys, (prefix, subnet_prefix), (reason, subnet_reason), strict=True):
            if why:
                yield _problem(f"{key} cannot be {text}: {why}.", f"Set {key} to a range such as 10.0.0.0/16.")
        if network:
            networks[side] = network
            if not any(network.subnet_of(private) for private in PRIVATE):
                allowed = ", ".join(map(str, PRIVATE))
                yield _problem(
                    f"The {side.label}'s network {network} is not private.", f"Set {keys[0]} to a part of {allowed}."
                )
        if network and subnet and not subnet.subnet_of(network):
            yield _problem(
                f"The {side.label}'s subnet {subnet} does not lie in its network {network}.",
                f"Set {keys[1]} to a part of {network}.",
            )
        if subnet and (left := max(0, subnet.num_addresses - RESERVED)) < NEEDED[side]:
            yield _problem(
                f"The {side.label}'s subnet {subnet} is too small: Azure leaves {left} of its addresses, and the lab "
                f"needs {NEEDED[side]}.",
                f"Set {keys[1]} to a larger range, such as a /24.",
            )
    if len(networks) == len(Side) and networks[Side.ISV].overlaps(networks[Side.CUSTOMER]):
        # Azure would bear it, for a link translates; but then an address on the screen does not tell whose it is.
        isv, customer = networks[Side.ISV], networks[Side.CUSTOMER]
        yield _problem(
            f"The two networks overlap, the ISV's {isv} and the customer's {customer}, and in the lab an address must "
            "tell whose it is.",
            "Set lab.isv_prefix and lab.customer_prefix, and the subnets in them, to ranges apart from each other.",
        )


def neighbours(network: Body, subnet: str, prefix: str) -> Iterator[str]:
    """The subnets that a network has already, and whose ranges overlap the one that `subnet` is to have."""
    wanted, _ = _parse(prefix)
    for one in (network.get("properties") or {}).get("subnets") or []:
        properties = one.get("properties") or {}
        ranges = [properties.get("addressPrefix"), *(properties.get("addressPrefixes") or [])]
        parsed = [_parse(str(text))[0] for text in ranges if text]
        taken = wanted and any(other and other.overlaps(wanted) for other in parsed)
        if taken and str(one.get("name", "")).lower() != subnet.lower():
            yield f"{one.get('name')} ({', '.join(dict.fromkeys(map(str, filter(None, parsed))))})"


def prefixes(lab: Lab, side: Side) -> tuple[str, str]:
    """The ranges of a side's network and of the subnet in it."""
    if side is Side.ISV:
        return lab.isv_prefix, lab.isv_subnet_prefix
    return lab.customer_prefix, lab.customer_subnet_prefix


def _parse(text: str) -> tuple[IPv4Network | None, str]:
    """A range, or why it is none."""
    try:
        network = IPv4Network(text, strict=False)
    except ValueError:
        return None, "it is no range of IPv4 addresses"
    if str(network) != text:
        return None, f"it does not begin where such a range begins; {network} does"
    return network, ""


def _problem(message: str, hint: str) -> Problem:
    return Problem(code="AddressRange", message=message, hint=hint, setting=True)
