"""Virtual networks."""

from __future__ import annotations

from typing import ClassVar

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.network import addresses, links, peerings, prefixes, subnets
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.providers.network.refusals import check_unique, child_name, missing
from plstui.sandbox.store import Body

_PEERINGS = "virtualNetworkPeerings"


class VirtualNetworks(NetworkEndpoint):
    """Virtual networks with the subnets and peerings in them."""

    type: ClassVar[str] = "Microsoft.Network/virtualNetworks"
    put_pace: ClassVar[Pace] = Pace(3.5, 3)

    def build(self, call: Call, old: Body | None) -> Body:
        """A network; a list of subnets or peerings replaces the one that is there, no list leaves it."""
        if old is not None:
            subnets.check_idle(self, call, old)
        fields = call.fields.fields("properties")
        texts = fields.fields("addressSpace").texts("addressPrefixes")
        if not texts:
            raise missing("addressSpace.addressPrefixes", "properties")
        space = [prefixes.network(text, call.named) for text in texts]
        properties: Body = {"addressSpace": {"addressPrefixes": texts, "ipamPoolPrefixAllocations": []}}
        if "dhcpOptions" in fields:
            properties["dhcpOptions"] = {"dnsServers": fields.fields("dhcpOptions").texts("dnsServers")}
        if "encryption" in fields:
            properties["encryption"] = _encryption(call, fields.fields("encryption"))
        if "flowTimeoutInMinutes" in fields:
            properties["flowTimeoutInMinutes"] = fields.number("flowTimeoutInMinutes")
        properties["privateEndpointVNetPolicies"] = fields.word(
            "privateEndpointVNetPolicies", "Disabled", "Basic", default="Disabled"
        )
        properties |= {"subnets": [], _PEERINGS: []}
        properties["enableDdosProtection"] = fields.flag("enableDdosProtection")
        properties["enableVmProtection"] = fields.flag("enableVmProtection")
        body = self.head(call, old, properties)
        body["properties"]["subnets"] = self._subnets(call, body, fields, old)
        subnets.check_fit(body["name"], space, body["properties"]["subnets"])
        body["properties"][_PEERINGS] = self._peerings(call, body, fields, old)
        return body

    def _subnets(self, call: Call, body: Body, fields: Fields, old: Body | None) -> list[Body]:
        present: list[Body] = old["properties"]["subnets"] if old else []
        if "subnets" not in fields:
            return [links.fork(subnet) for subnet in present]
        network_id, built = ResourceId(body["id"]), []
        for sent in fields.objects("subnets"):
            name = child_name(sent, network_id, "subnets")
            former = links.part_of(old, network_id.child("subnets", name)) if old else None
            built.append(subnets.build(self, call, body, name, sent, former))
        check_unique(network_id, (subnet["name"] for subnet in built))
        kept = {subnet["name"].lower() for subnet in built}
        for subnet in present:
            if subnet["name"].lower() not in kept:
                subnets.check_unused(subnet)
        return built

    def _peerings(self, call: Call, body: Body, fields: Fields, old: Body | None) -> list[Body]:
        present: list[Body] = old["properties"][_PEERINGS] if old else []
        if _PEERINGS not in fields:
            return [links.fork(peering) for peering in present]
        network_id, built = ResourceId(body["id"]), []
        for sent in fields.objects(_PEERINGS):
            name = child_name(sent, network_id, _PEERINGS)
            former = next((peering for peering in present if peering["name"].lower() == name.lower()), None)
            built.append(peerings.build(self, call, body, name, sent, former))
        check_unique(network_id, (peering["name"] for peering in built))
        return built

    def written(self, old: Body | None, new: Body) -> None:
        """Tell the other sides of peerings that came or went."""
        network_id = ResourceId(new["id"])
        before = {peerings.remote_of(peering) for peering in (old or {}).get("properties", {}).get(_PEERINGS, [])}
        after = {peerings.remote_of(peering) for peering in new["properties"][_PEERINGS]}
        for remote in before - after:
            peerings.tell_other_side(self.azure.store, network_id, remote, "Disconnected")
        for remote in after - before:
            peerings.tell_other_side(self.azure.store, network_id, remote, "Connected")

    def check_unused(self, body: Body) -> None:
        """A network with a subnet in use stays."""
        for subnet in body["properties"]["subnets"]:
            subnets.check_unused(subnet)

    async def delete(self, call: Call) -> Response:
        """DELETE, one write at a time."""
        body = self.stored(call.named)
        if body is not None and body["properties"]["provisioningState"] != "Deleting":
            subnets.check_idle(self, call, body)
        return await super().delete(call)

    def removed(self, body: Body) -> None:
        """Peerings of the other sides are alone now."""
        for peering in body["properties"][_PEERINGS]:
            peerings.tell_other_side(
                self.azure.store, ResourceId(body["id"]), peerings.remote_of(peering), "Disconnected"
            )

    async def act(self, call: Call) -> Response:
        """The two questions that can be asked of a network."""
        if call.action not in ("usages", "checkipaddressavailability"):
            return await super().act(call)
        if call.method != "GET":
            raise errors.method_not_allowed(call.method)
        body = self.find(call.named)
        if call.action == "usages":
            return Response(200, {"value": [self._usage(subnet) for subnet in body["properties"]["subnets"]]})
        return Response(200, subnets.availability(self, body, call.request.query.get("ipaddress", "")))

    def _usage(self, subnet: Body) -> Body:
        return {
            "currentValue": float(len(addresses.taken(self.azure.store, subnet))),
            "id": subnet["id"],
            "limit": float(addresses.capacity(subnet)),
            "name": {"localizedValue": "Subnet size and usage", "value": "SubnetSpace"},
            "unit": "Count",
        }


def _encryption(call: Call, sent: Fields) -> Body:
    """Whether a network encrypts, and what becomes of traffic that cannot be: who wants the one must say the other."""
    if sent.flag("enabled") and "enforcement" not in sent:
        raise bad_request(
            "MustSpecifyBothEncryptionIntentAndEnforcementPolicy",
            f"Cannot encrypt VirtualNetwork {call.named} unless both encryption intent (Enabled true or false) and "
            "enforcement policy (AllowUnencrypted or DropUnencrypted) are specified.",
        )
    enforcement = sent.word("enforcement", "AllowUnencrypted", "DropUnencrypted", default="AllowUnencrypted")
    return {"enabled": sent.flag("enabled"), "enforcement": enforcement}
