"""How much of a region's quota is used."""

from __future__ import annotations

from typing import ClassVar

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
                        "currentValue": sum(
                            body["location"] == region
                            for body in self.azure.store.in_subscription(call.subscription, f"Microsoft.Network/{kind}")
                        ),
                        "id": f"{where}/{word}",
                        "limit": limit,
                        "name": {"localizedValue": title, "value": word},
                        "unit": "Count",
                    }
                    for kind, word, title, limit in _QUOTAS
                ]
            },
        )
