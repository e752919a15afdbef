"""How much of a region's quota is used."""

from __future__ import annotations

from typing import ClassVar

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.providers import locations
from plstui.sandbox.providers.base import ResourceEndpoint

_QUOTAS = (
    ("virtualNetworks", "VirtualNetworks", "Virtual Networks", 1000),
    ("networkInterfaces", "NetworkInterfaces", "Network Interfaces", 65536),
    ("networkSecurityGroups", "NetworkSecurityGroups", "Network Security Groups", 5000),
    ("applicationSecurityGroups", "ApplicationSecurityGroups", "Application Security Groups.", 3000),
    ("publicIPAddresses", "PublicIPAddresses", "Public IP Addresses", 1000),
    ("loadBalancers", "LoadBalancers", "Load Balancers", 1000),
    ("natGateways", "NATGateways", "NAT Gateways", 1000),
    ("privateEndpoints", "PrivateEndpoints", "Private Endpoints", 65536),
    ("privateLinkServices", "PrivateLinkServices", "Private Link Services", 800),
)
"""Type, Azure's word, its title, and the limit per subscription and region."""

QUOTA_NAMES = tuple(word for _, word, _, _ in _QUOTAS)
"""Everything of Microsoft.Network that a subscription has a quota for."""


class Usages(ResourceEndpoint):
    """The list of usages of a region."""

    type: ClassVar[str] = "Microsoft.Network/locations/usages"

    async def list(self, call: Call) -> Response:
        """GET of the whole list."""
        region = locations.check(call.named.name, self.type)
        where = f"/subscriptions/{call.subscription}/providers/Microsoft.Network/locations/{region}/usages"
        return Response(
            200,
            {
                "value": [
                    {
                        "currentValue": _used(self.azure, call.subscription, region, kind),
                        "id": f"{where}/{word}",
                        "limit": self.azure.quotas.limit(call.subscription, word, usual),
                        "name": {"localizedValue": title, "value": word},
                        "unit": "Count",
                    }
                    for kind, word, title, usual in _QUOTAS
                ]
            },
        )


def check(azure: Azure, subscription: str, region: str, resource_type: str) -> None:
    """Raise the 400 for one more resource of a type than the subscription may have in a region."""
    for kind, word, title, usual in _QUOTAS:
        if f"microsoft.network/{kind}".lower() != resource_type.lower():
            continue
        limit = azure.quotas.limit(subscription, word, usual)
        # In a large world most types have fewer resources in all than the limit, and need not be told apart.
        if len(azure.store.of_type(resource_type)) >= limit <= _used(azure, subscription, region, kind):
            raise errors.bad_request(
                f"{word}CountLimitReached",
                f"Cannot create more than {limit} {title.rstrip('.').lower()} for this subscription in this region.",
            )


def _used(azure: Azure, subscription: str, region: str, kind: str) -> int:
    resources = azure.store.in_subscription(subscription, f"Microsoft.Network/{kind}")
    return sum(body["location"] == region for body in resources)
