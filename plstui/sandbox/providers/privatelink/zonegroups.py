"""Private DNS zone groups: which zones an endpoint's names are kept in."""

from __future__ import annotations

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.network.bodies import UPDATING, child_body
from plstui.sandbox.providers.network.children import NetworkChild
from plstui.sandbox.providers.network.refusals import check_unique, child_name, missing
from plstui.sandbox.providers.privatelink import zonerecords
from plstui.sandbox.providers.privatelink.lookup import ZONE_GROUP
from plstui.sandbox.store import Body

MOST_ZONES = 5
"""Zones in a group, a limit of Azure's."""

_CONFIG = f"{ZONE_GROUP}/privateDnsZoneConfigs"
_ZONE = "Microsoft.Network/privateDnsZones"


class PrivateDnsZoneGroups(NetworkChild):
    """Zone groups. An endpoint has one at most, and shares its etag with it."""

    type = ZONE_GROUP
    put_pace = Pace(11, 10)
    delete_pace = Pace(11, 10)

    def build_child(self, call: Call, parent: Body, old: Body | None) -> Body:
        """The zone group that a PUT asks for."""
        others = [
            g for g in parent["properties"]["privateDnsZoneGroups"] if g["name"].lower() != call.named.name.lower()
        ]
        if others:
            raise bad_request(
                "PrivateEndpointCannotHaveMoreThanOnePrivateDnsZoneGroup",
                f"Private endpoint {parent['id']} has the private DNS zone group {others[0]['name']} already.",
            )
        items = call.fields.fields("properties").objects("privateDnsZoneConfigs")
        if not 1 <= len(items) <= MOST_ZONES:
            raise bad_request(
                "InvalidPrivateDnsZoneConfigCount",
                f"Private DNS zone group {call.named} has {len(items)} zones. It must have between 1 and {MOST_ZONES}.",
            )
        group_id = ResourceId(parent["id"]).child(self.collection, old["name"] if old else call.named.name)
        configs = [self._config(call, parent, group_id, item) for item in items]
        check_unique(group_id, [config["name"] for config in configs])
        return child_body(ResourceId(parent["id"]), self.type, group_id.name, {"privateDnsZoneConfigs": configs})

    def _config(self, call: Call, parent: Body, group_id: ResourceId, item: Fields) -> Body:
        wanted = item.fields("properties").id("privateDnsZoneId")
        if wanted is None:
            raise missing("privateDnsZoneId", item.where)
        zone = ResourceId(self.require(wanted, by=group_id, kind=_ZONE, call=call)["id"])
        properties = {
            "provisioningState": UPDATING,
            "privateDnsZoneId": zone.text,
            "recordSets": zonerecords.record_sets(parent, zone.name, UPDATING),
        }
        return child_body(group_id, _CONFIG, child_name(item, group_id, "privateDnsZoneConfigs"), properties)

    def difference(self, call: Call, old: Body | None, new: Body) -> tuple[bool, str]:
        """Azure works on every PUT, whether anything changes or not."""
        return True, UPDATING

    async def put(self, call: Call) -> Response:
        """PUT of a zone group; records in zones that are no longer in it go."""
        before = self.parent(call)
        response = await super().put(call)
        zonerecords.forget(self.azure.store, before, self.parent(call))
        return response

    def completed(self, body: Body) -> Body:
        """The records are there when the operation ends. `body` is the endpoint."""
        zonerecords.refresh(self.azure.store, body)
        return body

    def child_removed(self, parent: Body, child: Body) -> None:
        """The records go with their zone group. `parent` is the endpoint without it."""
        before = {**parent, "properties": {**parent["properties"], self.collection: [child]}}
        zonerecords.forget(self.azure.store, before, parent)
