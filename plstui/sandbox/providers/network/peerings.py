"""Peerings of virtual networks: each side has its own, and they are connected when both are there."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.network import links, prefixes, subnets
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.providers.network.bodies import child_body
from plstui.sandbox.providers.network.children import NetworkChild
from plstui.sandbox.providers.network.refusals import missing
from plstui.sandbox.store import Body, Store

TYPE = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
NETWORK = "Microsoft.Network/virtualNetworks"


def build(endpoint: NetworkEndpoint, call: Call, network: Body, name: str, sent: Fields, old: Body | None) -> Body:
    """A peering of `network` as `sent` asks for it."""
    network_id = ResourceId(network["id"])
    peering_id = ResourceId(old["id"]) if old else network_id.child("virtualNetworkPeerings", name)
    fields = sent.fields("properties")
    wanted = fields.reference("remoteVirtualNetwork")
    if wanted is None:
        raise missing("remoteVirtualNetwork", fields.where)
    remote = endpoint.require(wanted, by=peering_id, kind=NETWORK, call=call)
    if wanted == network_id:
        raise bad_request("VnetCannotPeerWithItself", f"Virtual network {network_id} cannot be peered with itself.")
    _check_overlap(peering_id, network, remote)
    back = reverse_of(remote, network_id)
    space = {
        "addressPrefixes": list(remote["properties"]["addressSpace"]["addressPrefixes"]),
        "ipamPoolPrefixAllocations": [],
    }
    known = old or back
    return child_body(
        network_id,
        TYPE,
        peering_id.name,
        {
            "resourceGuid": known["properties"]["resourceGuid"] if known else str(uuid4()),
            "peeringState": "Connected" if back else "Initiated",
            "peeringSyncLevel": "FullyInSync" if back else "RemoteNotInSync",
            "remoteVirtualNetwork": {"id": remote["id"]},
            "allowVirtualNetworkAccess": fields.flag("allowVirtualNetworkAccess", True),
            "allowForwardedTraffic": fields.flag("allowForwardedTraffic"),
            "allowGatewayTransit": fields.flag("allowGatewayTransit"),
            "useRemoteGateways": fields.flag("useRemoteGateways"),
            "doNotVerifyRemoteGateways": fields.flag("doNotVerifyRemoteGateways"),
            "peerCompleteVnets": fields.flag("peerCompleteVnets", True),
            "remoteAddressSpace": space,
            "remoteVirtualNetworkAddressSpace": space,
            "routeServiceVips": {},
        },
    )


def reverse_of(remote: Body, network_id: ResourceId) -> Body | None:
    """The other side's peering with a network."""
    found: list[Body] = remote["properties"]["virtualNetworkPeerings"]
    return next((peering for peering in found if remote_of(peering) == network_id), None)


def remote_of(peering: Body) -> ResourceId:
    """The network on the other side."""
    return ResourceId(peering["properties"]["remoteVirtualNetwork"]["id"])


def _check_overlap(peering_id: ResourceId, network: Body, remote: Body) -> None:
    spaces = [
        [prefixes.network(text, peering_id) for text in body["properties"]["addressSpace"]["addressPrefixes"]]
        for body in (network, remote)
    ]
    if prefixes.overlap(*spaces):
        raise bad_request(
            "VnetAddressSpacesOverlap",
            f"Cannot create or update peering {peering_id}. Virtual networks {network['id']} and {remote['id']} cannot "
            f"be peered because their address spaces overlap. Overlapping address prefixes: "
            f"{', '.join(map(str, spaces[0]))}.",
        )


def tell_other_side(store: Store, network_id: ResourceId, remote_id: ResourceId, state: str) -> None:
    """Let the other side's peering show what became of this one."""
    stored = store.get(remote_id)
    if stored is None or reverse_of(dict(stored), network_id) is None:
        return
    remote = links.fork(dict(stored))
    peering = reverse_of(remote, network_id)
    if peering is None or peering["properties"]["peeringState"] == state:
        return
    peering["properties"]["peeringState"] = state
    peering["properties"]["peeringSyncLevel"] = "FullyInSync" if state == "Connected" else "RemoteNotInSync"
    links.stamp(remote, links.new_etag())
    store.put(remote)


class Peerings(NetworkChild):
    """Peerings with PUT and DELETE of their own."""

    type: ClassVar[str] = TYPE
    put_pace: ClassVar[Pace] = Pace(10, 10)
    always_updates: ClassVar[bool] = True

    def check_parent(self, call: Call, parent: Body) -> None:
        """Neither a network that goes nor one that is busy."""
        self.check_not_deleting(parent)
        subnets.check_idle(self, call, parent)

    def build_child(self, call: Call, parent: Body, old: Body | None) -> Body:
        """One peering."""
        return build(self, call, parent, call.named.name, call.fields, old)

    def child_put(self, parent: Body, child: Body) -> None:
        """The other side is connected now, if it has asked for that too."""
        tell_other_side(self.azure.store, ResourceId(parent["id"]), remote_of(child), "Connected")

    def child_removed(self, parent: Body, child: Body) -> None:
        """The other side is alone again."""
        tell_other_side(self.azure.store, ResourceId(parent["id"]), remote_of(child), "Disconnected")
