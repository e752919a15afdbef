"""Public DNS zones. Unlike private ones they are written at once; only their deletion takes a while."""

from __future__ import annotations

from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.dns.records import ZONE, authority
from plstui.sandbox.providers.privatedns import operations, preconditions
from plstui.sandbox.providers.privatedns.recordtypes import PAGE, invalid
from plstui.sandbox.providers.privatedns.zones import ZONE_NAME, check_global
from plstui.sandbox.providers.resources import listing
from plstui.sandbox.store import Body

NAME_SERVERS = ("ns1-01.azure-dns.com.", "ns2-01.azure-dns.net.", "ns3-01.azure-dns.org.", "ns4-01.azure-dns.info.")


class Zones(ResourceEndpoint):
    """Zones, which begin with a SOA and an NS record set at their apex."""

    type = ZONE

    async def get(self, call: Call) -> Response:
        """GET of one zone, with its etag in the header too."""
        zone = self.find(call.named)
        return Response(200, zone, {"ETag": zone["etag"]})

    async def list(self, call: Call) -> Response:
        """GET of the zones of a group or of a subscription."""
        zones = self.azure.store.in_subscription(call.subscription, self.type)
        if call.path.group:
            zones = [zone for zone in zones if ResourceId(zone["id"]).parent == call.group_id]
        return listing.page(call, zones, PAGE)

    async def put(self, call: Call) -> Response:
        """PUT of one zone."""
        check_global(call, self.type)
        tags = call.fields.tags() if "tags" in call.fields else {}
        name = call.named.name
        if not ZONE_NAME.match(name.lower()):
            raise invalid(f"The zone name '{name[:100]}' is not valid. It has 2 to 34 labels of at most 63 characters.")
        if call.fields.fields("properties").word("zoneType", "Public", "Private", default="Public") == "Private":
            raise invalid("Private zones are of the type 'Microsoft.Network/privateDnsZones'.")
        old = self.azure.store.get(call.named)
        preconditions.check(call.request.headers, old, f"Zone {name}")
        return self._write(call, dict(old) if old else None, tags)

    async def patch(self, call: Call) -> Response:
        """PATCH of one zone: tags."""
        old = self.find(call.named)
        preconditions.check(call.request.headers, old, f"Zone {call.named.name}")
        return self._write(call, old, call.fields.tags() if "tags" in call.fields else old["tags"])

    async def delete(self, call: Call) -> Response:
        """DELETE of one zone with its record sets."""
        zone = self.azure.store.get(call.named)
        if zone is None:
            return Response(204)
        preconditions.check(call.request.headers, zone, f"Zone {call.named.name}")
        zone_id = ResourceId(zone["id"])
        store = self.azure.store
        return operations.accept(self.azure, call, lambda: store.delete(zone_id), operations.DELETE, deletes=True)

    def find(self, resource_id: ResourceId) -> Body:
        """A zone by id; raises the 404."""
        found = self.azure.store.get(resource_id)
        if found is None:
            raise errors.resource_not_found(resource_id)
        return dict(found)

    def _write(self, call: Call, old: Body | None, tags: dict[str, str]) -> Response:
        zone_id = ResourceId(old["id"]) if old else call.named
        zone: Body = {
            "id": zone_id.text,
            "name": zone_id.name,
            "type": self.type,
            "etag": str(uuid4()),
            "location": "global",
            "tags": tags,
            "properties": old["properties"] if old else _new_properties(),
        }
        self.azure.store.put(zone)
        for record in [] if old else authority(zone_id, NAME_SERVERS):
            self.azure.store.put(record)
        return Response(200 if old else 201, zone, {"ETag": zone["etag"]})


def _new_properties() -> Body:
    return {
        "maxNumberOfRecordSets": 10000,
        "maxNumberOfRecordsPerRecordSet": None,
        "nameServers": list(NAME_SERVERS),
        "numberOfRecordSets": 2,
        "zoneType": "Public",
    }
