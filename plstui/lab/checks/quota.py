"""Quota: what a subscription may still have in a region, against what the lab lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from plstui.lab.checks.problem import Problem
from plstui.lab.fragments import Body

NETWORK = {
    "microsoft.network/virtualnetworks": ("VirtualNetworks",),
    "microsoft.network/networkinterfaces": ("NetworkInterfaces",),
    "microsoft.network/networksecuritygroups": ("NetworkSecurityGroups",),
    "microsoft.network/applicationsecuritygroups": ("ApplicationSecurityGroups",),
    "microsoft.network/publicipaddresses": ("PublicIPAddresses", "StandardSkuPublicIpAddresses"),
    "microsoft.network/natgateways": ("NATGateways",),
    "microsoft.network/loadbalancers": ("LoadBalancers", "StandardSkuLoadBalancers"),
    "microsoft.network/privateendpoints": ("PrivateEndpoints",),
    "microsoft.network/privatelinkservices": ("PrivateLinkServices",),
}
"""By type, Azure's words for what one more of it counts towards. What Azure does not list it does not limit."""

_OF_NETWORK = frozenset(word.lower() for words in NETWORK.values() for word in words)

CORES, MACHINES = "cores", "virtualMachines"
"""Azure's words for all cores of a region and for its machines; a family of sizes is called as in the list of sizes."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One line of a subscription's quota in a region."""

    name: str
    title: str
    """As the portal shows it."""
    used: int
    limit: int

    @property
    def left(self) -> int:
        """How much more there may be."""
        return max(0, self.limit - self.used)


def read(usages: Iterable[Body]) -> dict[str, Usage]:
    """Usages by their name in lower case."""
    found: dict[str, Usage] = {}
    for one in usages:
        name = one.get("name") or {}
        word = str(name.get("value"))
        title = str(name.get("localizedValue") or word).rstrip(".")
        found[word.lower()] = Usage(word, title, int(one.get("currentValue") or 0), int(one.get("limit") or 0))
    return found


def of_network(types: Iterable[str]) -> Counter[str]:
    """What resources of these full types need."""
    return Counter(word for kind in types for word in NETWORK.get(kind.lower(), ()))


def of_machines(count: int, cores: int, family: str) -> Counter[str]:
    """What machines of one size need."""
    return Counter({MACHINES: count, CORES: count * cores, family: count * cores} if count else {})


def problems(whose: str, region: str, usages: Mapping[str, Usage], needed: Counter[str]) -> Iterator[Problem]:
    """What a subscription's quota does not allow of what the lab lacks."""
    for word, count in needed.items():
        usage = usages.get(word.lower())
        if usage and count > usage.left:
            yield Problem(
                code="QuotaExceeded",
                message=f"{whose} quota in {region} leaves {usage.left} of {usage.limit} {usage.title}, and the lab "
                f"needs {count} more.",
                hint="Ask for more in the portal under Quotas, remove what is not needed, or set another lab.region"
                f"{' or a smaller lab.size' if word.lower() not in _OF_NETWORK else ''}.",
            )
