"""Private DNS zones."""

from __future__ import annotations

import re
from base64 import b64encode
from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.privatedns import operations, preconditions
from plstui.sandbox.providers.privatedns.records import record_set
from plstui.sandbox.providers.privatedns.recordtypes import AUTHORITY, PAGE, RECORD_TYPES, invalid
from plstui.sandbox.providers.resources import listing
from plstui.sandbox.store import Body

ZONE = "Microsoft.Network/privateDnsZones"
LINK = f"{ZONE}/virtualNetworkLinks"

INTERNAL_ID_SINCE = "2024-06-01"
"""The api-version that shows a zone's `internalId` first."""

ZONE_NAME = re.compile(
    r"^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.){1,33}[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$"
)


def check_global(call: Call, resource_type: str) -> None:
    """Raise the 400s of ARM for a location other than `global`, the only one that private DNS has."""
    location = call.fields.text("location")
    if not location:
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if location.lower() != "global":
        raise ArmError(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location '{location[:60]}' is not available for resource type '{resource_type}'. List of "
            "available regions for the resource type is 'global'.",
        )


class Zones(ResourceEndpoint):
    """Zones. What a write asks for is there when its operation has ended, and so is what is wrong with it."""

    type = ZONE

    async def get(self, call: Call) -> Response:
        """GET of one zone, with its etag in the header too."""
        zone = self.zone(call)
        return Response(200, self.shape(call, zone), {"ETag": zone["etag"]})

    async def list(self, call: Call) -> Response:
        """GET of the zones of a group or of a subscription."""
        zones = self.azure.store.in_subscription(call.subscription, self.type)
        if call.path.group:
            zones = [zone for zone in zones if ResourceId(zone["id"]).parent == call.group_id]
        return listing.page(call, [self.shape(call, zone) for zone in zones], PAGE)

    async def put(self, call: Call) -> Response:
        """PUT of one zone."""
        check_global(call, self.type)
        call.fields.fields("properties")
        tags = call.fields.tags() if "tags" in call.fields else None
        name = call.named.name
        if not ZONE_NAME.match(name.lower()):
            raise invalid(f"The zone name '{name[:100]}' is not valid. It has 2 to 34 labels of at most 63 characters.")
        return operations.accept(self.azure, call, lambda: self._write(call, tags), operations.WRITE)

    async def patch(self, call: Call) -> Response:
        """PATCH of one zone: tags."""
        zone = self.zone(call)
        tags = call.fields.tags() if "tags" in call.fields else zone.get("tags")
        return operations.accept(self.azure, call, lambda: self._write(call, tags), operations.WRITE)

    async def delete(self, call: Call) -> Response:
        """DELETE of one zone with its record sets; its links must have gone before."""
        if self.azure.store.get(call.named) is None:
            return Response(204)
        self._check_no_links(call.named)
        return operations.accept(self.azure, call, lambda: self._remove(call), operations.DELETE, deletes=True)

    def shape(self, call: Call, body: Body) -> Body:
        """A zone as this api-version shows it."""
        if call.api_version[:10] >= INTERNAL_ID_SINCE:
            return body
        return {**body, "properties": {k: v for k, v in body["properties"].items() if k != "internalId"}}

    def zone(self, call: Call) -> Body:
        """The zone that a call names; raises the 404."""
        found = self.azure.store.get(call.named)
        if found is None:
            raise errors.resource_not_found(call.named)
        return dict(found)

    def _write(self, call: Call, tags: dict[str, str] | None) -> None:
        store = self.azure.store
        if store.get(call.group_id) is None:
            raise errors.group_not_found(call.path.group)
        old = store.get(call.named)
        preconditions.check(call.request.headers, old, f"Zone {call.named.name}")
        zone_id = ResourceId(old["id"]) if old else call.named
        zone = {
            "id": zone_id.text,
            "name": zone_id.name,
            "type": self.type,
            "etag": str(uuid4()),
            "location": "global",
            **({} if tags is None else {"tags": tags}),
            "properties": old["properties"] if old else _new_properties(),
        }
        store.put(zone)
        if old is None:
            authority = RECORD_TYPES["SOA"]
            store.put(record_set(zone_id, authority, "@", {"ttl": 3600, authority.property: dict(AUTHORITY)}))

    def _remove(self, call: Call) -> None:
        zone = self.azure.store.get(call.named)
        if zone is not None:
            preconditions.check(call.request.headers, zone, f"Zone {call.named.name}")
            self._check_no_links(call.named)
            self.azure.store.delete(call.named)

    def _check_no_links(self, zone_id: ResourceId) -> None:
        links = [ResourceId(link["id"]) for link in self.azure.store.of_type(LINK)]
        nested = [link.text.partition("/providers/")[2] for link in links if link.parent == zone_id]
        if nested:
            raise ArmError(
                409,
                "CannotDeleteResource",
                "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: "
                f"'{', '.join(nested[:5])}'. Please delete all nested resources before deleting this resource.",
            )


def _new_properties() -> Body:
    return {
        "internalId": b64encode(f"ImmutableZoneIdentity;{uuid4()};0".encode()).decode(),
        "maxNumberOfRecordSets": 25000,
        "maxNumberOfVirtualNetworkLinks": 1000,
        "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
        "numberOfRecordSets": 1,
        "numberOfVirtualNetworkLinks": 0,
        "numberOfVirtualNetworkLinksWithRegistration": 0,
        "provisioningState": "Succeeded",
    }
