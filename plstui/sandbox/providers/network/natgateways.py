"""NAT gateways: the way out for subnets that have no other."""

from __future__ import annotations

from typing import ClassVar

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.network import publicips
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.store import Body

IDLE_MINUTES = range(4, 121)


class NatGateways(NetworkEndpoint):
    """NAT gateways with their public addresses."""

    type: ClassVar[str] = "Microsoft.Network/natGateways"
    put_pace: ClassVar[Pace] = Pace(5, 10)

    def build(self, call: Call, old: Body | None) -> Body:
        """A gateway."""
        fields = call.fields.fields("properties")
        minutes = fields.number("idleTimeoutInMinutes", 4)
        if minutes not in IDLE_MINUTES:
            raise bad_request(
                "NatGatewayIdleTimeoutNotInRange",
                f"Idle timeout {minutes} of NAT gateway {call.named} is not in the range 4 to 120 minutes.",
            )
        location = self.location(call, old)
        properties: Body = {"idleTimeoutInMinutes": minutes}
        if wanted := fields.references("publicIpAddresses"):
            found = [
                self.require(one, by=call.named, kind=publicips.TYPE, call=call, location=location, shouting=True)
                for one in wanted
            ]
            for address in found:
                publicips.check_free(address, call.named)
                if address["sku"]["name"] != "Standard":
                    raise bad_request(
                        "NatGatewayAndPublicIPSkuDoNotMatch",
                        f"NAT gateway {call.named} cannot reference public IP address {address['id']}, whose sku is "
                        "not Standard.",
                    )
            properties["publicIpAddresses"] = [{"id": address["id"]} for address in found]
        if ranges := fields.references("publicIpPrefixes"):
            properties["publicIpPrefixes"] = [publicips.shown_prefix(one, call.named) for one in ranges]
        name = call.fields.fields("sku").word("name", "Standard", default="Standard")
        zones = {"zones": call.fields.texts("zones")} if "zones" in call.fields else {}
        return self.head(call, old, properties, sku={"name": name, "tier": "Regional"}, **zones)

    def check_unused(self, body: Body) -> None:
        """A gateway of a subnet stays."""
        subnets = body["properties"].get("subnets")
        if subnets:
            users = ", ".join(ResourceId(subnet["id"]).text for subnet in subnets)
            raise bad_request(
                "InUseNatGatewayCannotBeDeleted",
                f"NAT gateway {body['id']} cannot be deleted because it is in use by the following resources: {users}.",
            )
