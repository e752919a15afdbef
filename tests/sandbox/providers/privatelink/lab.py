"""The two sides of a private link, for tests: the ISV's service behind a balancer, and the customer's subnet."""

from __future__ import annotations

from typing import Any

from plstui.sandbox.azure import Azure
from plstui.sandbox.latency import Latency
from plstui.sandbox.providers import network, privatedns, privatelink
from tests.sandbox.invariants import problems
from tests.sandbox.support import CUSTOMER, ISV, Principal, sandbox

ISV_GROUP = f"/subscriptions/{ISV.id}/resourceGroups/isv-rg"
CUSTOMER_GROUP = f"/subscriptions/{CUSTOMER.id}/resourceGroups/customer-rg"
ISV_NETWORK = f"{ISV_GROUP}/providers/Microsoft.Network"
CUSTOMER_NETWORK = f"{CUSTOMER_GROUP}/providers/Microsoft.Network"

SAAS = f"{ISV_NETWORK}/virtualNetworks/virtualNetwork/subnets/saas"
BALANCER = f"{ISV_NETWORK}/loadBalancers/loadBalancer"
FRONTEND = f"{BALANCER}/frontendIPConfigurations/frontend"
SERVICE = f"{ISV_NETWORK}/privateLinkServices/saasService"

SPOKE = f"{CUSTOMER_NETWORK}/virtualNetworks/spoke"
SUBNET = f"{SPOKE}/subnets/default"
ENDPOINT = f"{CUSTOMER_NETWORK}/privateEndpoints/saasEndpoint"
ZONE = f"{CUSTOMER_NETWORK}/privateDnsZones/tradewinds.internal"

MESSAGE = "Customer: Tradewinds, Order no.: 314159"
WEST, NORTH = {"location": "westeurope"}, {"location": "North Europe"}
DNS = "2020-06-01"


def service(**properties: Any) -> dict[str, Any]:
    """The body of a service in front of the balancer."""
    return {
        **WEST,
        "properties": {
            "ipConfigurations": [{"name": "nat", "properties": {"subnet": {"id": SAAS}}}],
            "loadBalancerFrontendIpConfigurations": [{"id": FRONTEND}],
            **properties,
        },
    }


def endpoint(target: str = SERVICE, *, manual: bool = True, **properties: Any) -> dict[str, Any]:
    """The body of an endpoint in the customer's subnet."""
    kind = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    asked = {"privateLinkServiceId": target, **({"requestMessage": MESSAGE} if manual else {})}
    connection = {"name": "connectionToSaas", "properties": asked}
    return {**NORTH, "properties": {"subnet": {"id": SUBNET}, kind: [connection], **properties}}


def decision(status: str, description: str = "", **more: Any) -> dict[str, Any]:
    """The body that approves or rejects a connection."""
    state = {"status": status, **({"description": description} if description else {}), **more}
    return {"properties": {"privateLinkServiceConnectionState": state}}


class Lab:
    """Both sides, with everything but the service and the endpoint in place."""

    def __init__(self, latency: Latency = Latency.NONE) -> None:
        self.azure = Azure(latency=Latency.NONE)
        providers = (*network.endpoints(self.azure), *privatelink.endpoints(self.azure))
        self.box = sandbox([*providers, *privatedns.endpoints(self.azure)], azure=self.azure)
        self.isv: Principal = self.box.isv
        self.customer: Principal = self.box.customer
        self._latency = latency

    async def start(self) -> Lab:
        await self.isv.call("PUT", ISV_GROUP, WEST)
        await self.customer.call("PUT", CUSTOMER_GROUP, NORTH)
        await self.network(self.isv, SAAS, "10.0.0.0/16", "10.0.1.0/24", privateLinkServiceNetworkPolicies="Disabled")
        await self.network(self.customer, SUBNET, "10.1.0.0/16", "10.1.0.0/24", **NORTH)
        balancer = {
            **WEST,
            "sku": {"name": "Standard"},
            "properties": {
                "frontendIPConfigurations": [{"name": "frontend", "properties": {"subnet": {"id": SAAS}}}],
            },
        }
        await self.isv.put(BALANCER, balancer)
        self.azure.operations.latency = self._latency
        return self

    async def network(
        self, who: Principal, subnet: str, space: str, prefix: str, location: str = "westeurope", **properties: Any
    ) -> None:
        """A network with one subnet."""
        network_id, _, name = subnet.rpartition("/subnets/")
        inner = {"name": name, "properties": {"addressPrefix": prefix, **properties}}
        body = {"addressSpace": {"addressPrefixes": [space]}, "subnets": [inner]}
        await who.put(network_id, {"location": location, "properties": body})

    async def linked(self, *, manual: bool = True, **properties: Any) -> dict[str, Any]:
        """With service and endpoint; gives the connection as the service shows it."""
        await self.isv.put(SERVICE, service(**properties))
        await self.customer.put(ENDPOINT, endpoint(manual=manual))
        return await self.connection()

    async def connection(self) -> dict[str, Any]:
        """The service's only connection."""
        connections = (await self.isv.get(SERVICE))["properties"]["privateEndpointConnections"]
        assert len(connections) == 1, connections
        found: dict[str, Any] = connections[0]
        return found

    async def seen_by_customer(self) -> dict[str, Any]:
        """The state of the connection as the customer's endpoint shows it."""
        properties = (await self.customer.get(ENDPOINT))["properties"]
        kinds = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
        asked = [item for kind in kinds for item in properties[kind]]
        found: dict[str, Any] = asked[0]["properties"]["privateLinkServiceConnectionState"]
        return found

    def check(self) -> None:
        """Raise when the resources contradict each other."""
        assert problems(self.azure.store) == []
