"""Record sets. Unlike zones and links they are written at once, and their errors have no envelope."""

from __future__ import annotations

import re
from typing import ClassVar
from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.privatedns import counts, preconditions
from plstui.sandbox.providers.privatedns.recordtypes import PAGE, RECORD_TYPES, RecordType, invalid
from plstui.sandbox.providers.resources import listing
from plstui.sandbox.store import Body, Store

_ZONE = "Microsoft.Network/privateDnsZones"
_TYPES = frozenset(f"{_ZONE}/{name}".lower() for name in RECORD_TYPES)
LONGEST_TTL = 2**31 - 1

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
RECORD_NAME = re.compile(rf"^(@|\*|(\*\.)?{_LABEL}(\.{_LABEL})*)$")


def record_set(
    zone_id: ResourceId, record_type: RecordType, name: str, properties: Body, *, auto: bool = False
) -> Body:
    """A record set as ARM shows it; `properties` are its metadata, ttl and records."""
    record_id = zone_id.child(record_type.name, name)
    metadata = {"metadata": properties["metadata"]} if "metadata" in properties else {}
    return {
        "id": record_id.text,
        "name": name,
        "type": record_id.type,
        "etag": str(uuid4()),
        "properties": {
            **metadata,
            "fqdn": f"{zone_id.name}." if name == "@" else f"{name}.{zone_id.name}.",
            **{key: value for key, value in properties.items() if key != "metadata"},
            "isAutoRegistered": auto,
        },
    }


def write(store: Store, record: Body) -> None:
    """Create or replace a record set, and let the zone count it."""
    record_id = ResourceId(record["id"])
    is_new = store.get(record_id) is None
    store.put(record)
    if is_new and (zone_id := record_id.parent):
        counts.add(store, zone_id, numberOfRecordSets=1)


def remove(store: Store, record_id: ResourceId) -> None:
    """Remove a record set if it is there, and let the zone count it."""
    if store.get(record_id) is not None:
        store.delete(record_id)
        if zone_id := record_id.parent:
            counts.add(store, zone_id, numberOfRecordSets=-1)


def in_zone(store: Store, zone_id: ResourceId) -> list[Body]:
    """Every record set of a zone, the SOA first."""
    start = zone_id.key + "/"
    group = zone_id.parent
    return [
        body
        for body in (store.in_group(group) if group else ())
        if str(body["id"]).lower().startswith(start) and str(body["type"]).lower() in _TYPES
    ]


class _Records(ResourceEndpoint):
    def zone(self, call: Call, verb: str) -> ResourceId:
        """The zone that a call is about; raises the 404 that names it."""
        zone_id = call.named if call.listing else call.named.parent
        found = self.azure.store.get(zone_id) if zone_id else None
        if found is None:
            raise errors.parent_not_found(verb, self.type, zone_id or call.named)
        return ResourceId(found["id"])

    def page(self, call: Call, records: list[Body]) -> Response:
        """One page of record sets, of those whose names end as asked."""
        suffix = call.request.query.get("$recordsetnamesuffix", "").lower()
        return listing.page(call, [record for record in records if str(record["name"]).lower().endswith(suffix)], PAGE)


class RecordSets(_Records):
    """The record sets of one type."""

    record_type: ClassVar[RecordType]

    async def get(self, call: Call) -> Response:
        """GET of one record set."""
        self.zone(call, "read")
        record = self._record(call)
        return Response(200, record, {"ETag": record["etag"]})

    async def list(self, call: Call) -> Response:
        """GET of a zone's record sets of this type."""
        zone_id = self.zone(call, "read")
        start = zone_id.key + "/"
        of_type = self.azure.store.of_type(self.type)
        return self.page(call, [record for record in of_type if str(record["id"]).lower().startswith(start)])

    async def put(self, call: Call) -> Response:
        """PUT of one record set: the whole of it is replaced."""
        zone_id = self.zone(call, "write")
        old = self.azure.store.get(call.named)
        properties = self._read(call.fields.fields("properties"))
        if "ttl" not in properties:
            raise invalid("The field 'ttl' is required for a record set.")
        preconditions.check(call.request.headers, old, f"Record set {call.named.name}")
        if old is None:
            self._check_new(call, zone_id)
        if self.record_type.name == "SOA" and "soaRecord" not in properties:
            raise invalid("The field 'soaRecord' is required for a record set of type SOA.")
        return self._write(call, zone_id, properties, created=old is None)

    async def patch(self, call: Call) -> Response:
        """PATCH of one record set: what is sent is replaced, the rest stays."""
        zone_id = self.zone(call, "write")
        old = self._record(call)
        sent = call.fields.fields("properties")
        properties = self._read(sent)
        preconditions.check(call.request.headers, old, f"Record set {call.named.name}")
        kept = {"ttl": old["properties"]["ttl"]}
        for name in ("metadata", self.record_type.property):
            if name in old["properties"]:
                kept[name] = old["properties"][name]
        if self.record_type.property not in sent:
            properties.pop(self.record_type.property, None)
        return self._write(call, zone_id, {**kept, **properties}, created=False)

    async def delete(self, call: Call) -> Response:
        """DELETE of one record set: 204 when there is none."""
        self.zone(call, "delete")
        old = self.azure.store.get(call.named)
        if old is None:
            return Response(204)
        preconditions.check(call.request.headers, old, f"Record set {call.named.name}")
        if self.record_type.name == "SOA":
            raise invalid("The record set of type 'SOA' cannot be deleted.")
        remove(self.azure.store, call.named)
        return Response(200)

    def _record(self, call: Call) -> Body:
        found = self.azure.store.get(call.named)
        if found is None:
            raise ArmError(
                404,
                "NotFound",
                f"The resource record '{call.named.name}' does not exist in resource group '{call.path.group}' of "
                f"subscription '{call.subscription}'.",
                envelope=False,
            )
        return dict(found)

    def _read(self, sent: Fields) -> Body:
        """What a request says of a record set, in ARM's order."""
        properties: Body = {}
        if "metadata" in sent:
            metadata = sent.fields("metadata")
            properties["metadata"] = {name: metadata.text(name) for name in metadata.raw}
        if "ttl" in sent:
            properties["ttl"] = sent.number("ttl")
            if not 0 < properties["ttl"] <= LONGEST_TTL:
                raise invalid(f"The value of 'ttl' must be between 1 and {LONGEST_TTL}.")
        records = self.record_type.records(sent)
        if records is not None:
            properties[self.record_type.property] = records
        return properties

    def _check_new(self, call: Call, zone_id: ResourceId) -> None:
        name = call.named.name
        if not RECORD_NAME.match(name.lower()) or len(name) + len(zone_id.name) > 252:
            raise invalid(f"The record set name '{name[:100]}' is not valid.")
        if self.record_type.name == "SOA":
            raise invalid("A zone has one record set of type 'SOA', and its name is '@'.")
        alone = self.record_type.name == "CNAME"
        if alone and name == "@":
            raise invalid("A record set of type 'CNAME' cannot be at the apex of a zone.")
        others = RECORD_TYPES if alone else ("CNAME",)
        for other in others:
            if self.azure.store.get(zone_id.child(other, name)) is not None:
                raise ArmError(
                    409,
                    "Conflict",
                    f"The record set '{name}' of type '{self.record_type.name}' cannot be created, because a record "
                    f"set of type '{other}' with this name exists.",
                    envelope=False,
                )
        zone = self.azure.store.get(zone_id)
        if zone and zone["properties"]["numberOfRecordSets"] >= zone["properties"]["maxNumberOfRecordSets"]:
            raise invalid(f"The zone '{zone_id.name}' has as many record sets as it can have.")

    def _write(self, call: Call, zone_id: ResourceId, properties: Body, *, created: bool) -> Response:
        old = self.azure.store.get(call.named)
        name = str(old["name"]) if old else call.named.name
        record = record_set(zone_id, self.record_type, name, properties)
        write(self.azure.store, record)
        return Response(201 if created else 200, record, {"ETag": record["etag"]})


def record_sets(azure: Azure, record_type: RecordType) -> RecordSets:
    """The endpoint of one type of record sets."""
    members = {"type": f"{_ZONE}/{record_type.name}", "record_type": record_type}
    endpoint: type[RecordSets] = type(f"{record_type.name}RecordSets", (RecordSets,), members)
    return endpoint(azure)


class AllRecordSets(_Records):
    """The list of a zone's record sets of every type."""

    type = f"{_ZONE}/ALL"

    async def list(self, call: Call) -> Response:
        """GET of every record set of a zone."""
        return self.page(call, in_zone(self.azure.store, self.zone(call, "read")))

    async def get(self, call: Call) -> Response:
        """Nothing is of this type by itself."""
        raise errors.invalid_resource_type(self.type, call.api_version)
