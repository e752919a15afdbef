"""Record sets of public zones, spelled as their swagger spells them: `ARecords`, `TTL`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
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
from plstui.sandbox.providers.privatedns.records import LONGEST_TTL, RECORD_NAME
from plstui.sandbox.providers.privatedns.recordtypes import MOST_RECORDS, PAGE, RECORD_TYPES, invalid
from plstui.sandbox.providers.resources import listing
from plstui.sandbox.store import Body

ZONE = "Microsoft.Network/dnsZones"

_HOST_NAME = re.compile(r"^[a-z0-9_-]+(\.[a-z0-9_-]+)+\.?$", re.IGNORECASE)


def _name_server(record: Fields) -> Body:
    name = record.text("nsdname")
    if not _HOST_NAME.match(name):
        raise invalid(f"The value of '{record.where}.nsdname' is missing or invalid.")
    return {"nsdname": name}


def _soa(record: Fields) -> Body:
    known = ("email", "host")
    numbers = ("expireTime", "minimumTTL", "refreshTime", "retryTime", "serialNumber")
    texts = {name: record.text(name, AUTHORITY[name]) for name in known}
    return {**texts, **{name: record.number(name, AUTHORITY[name]) for name in numbers}}


AUTHORITY: Body = {
    "email": "azuredns-hostmaster.microsoft.com",
    "expireTime": 2419200,
    "host": "ns1-01.azure-dns.com.",
    "minimumTTL": 300,
    "refreshTime": 3600,
    "retryTime": 300,
    "serialNumber": 1,
}
"""The SOA record of a new zone."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of record set."""

    name: str
    """As in ids, `A`."""
    property: str
    """The property that holds its records, `ARecords`."""
    read: Callable[[Fields], Body]
    """One record as it is kept; raises the 400 for one that cannot be."""
    single: bool = False
    """Whether the property holds one record and not an array."""
    of_zone: bool = False
    """Whether the one at a zone's apex comes and goes with the zone."""


KINDS = {
    kind.name: kind
    for kind in (
        Kind("A", "ARecords", RECORD_TYPES["A"].read),
        Kind("NS", "NSRecords", _name_server, of_zone=True),
        Kind("SOA", "SOARecord", _soa, single=True, of_zone=True),
    )
}


def authority(zone_id: ResourceId, servers: Sequence[str]) -> list[Body]:
    """The record sets that a new zone has."""
    names = [{"nsdname": server} for server in servers]
    return [
        _body(zone_id, KINDS["NS"], "@", {"TTL": 172800, "NSRecords": names}),
        _body(zone_id, KINDS["SOA"], "@", {"TTL": 3600, "SOARecord": dict(AUTHORITY)}),
    ]


def _body(zone_id: ResourceId, kind: Kind, name: str, properties: Body) -> Body:
    record_id = zone_id.child(kind.name, name)
    return {
        "id": record_id.text,
        "name": name,
        "type": record_id.type,
        "etag": str(uuid4()),
        "properties": {
            "fqdn": f"{zone_id.name}." if name == "@" else f"{name}.{zone_id.name}.",
            **properties,
            "targetResource": {},
            "provisioningState": "Succeeded",
        },
    }


class _Records(ResourceEndpoint):
    def zone(self, call: Call, verb: str) -> ResourceId:
        """The zone that a call is about; raises the 404 that names it."""
        zone_id = call.named if call.listing else call.named.parent
        found = self.azure.store.get(zone_id) if zone_id else None
        if found is None:
            raise errors.parent_not_found(verb, self.type, zone_id or call.named)
        return ResourceId(found["id"])

    def page(self, call: Call, kinds: Iterable[str]) -> Response:
        """One page of a zone's record sets of some types, of those whose names end as asked."""
        start = self.zone(call, "read").key + "/"
        suffix = call.request.query.get("$recordsetnamesuffix", "").lower()
        found = [
            record
            for kind in kinds
            for record in self.azure.store.of_type(f"{ZONE}/{kind}")
            if record["id"].lower().startswith(start) and record["name"].lower().endswith(suffix)
        ]
        return listing.page(call, found, PAGE)


class RecordSets(_Records):
    """The record sets of one type."""

    kind: ClassVar[Kind]

    async def get(self, call: Call) -> Response:
        """GET of one record set."""
        self.zone(call, "read")
        record = self._record(call)
        return Response(200, record, {"ETag": record["etag"]})

    async def list(self, call: Call) -> Response:
        """GET of a zone's record sets of this type."""
        return self.page(call, [self.kind.name])

    async def put(self, call: Call) -> Response:
        """PUT of one record set: the whole of it is replaced."""
        zone_id = self.zone(call, "write")
        old = self.azure.store.get(call.named)
        properties = self._read(call.fields.fields("properties"))
        if "TTL" not in properties:
            raise invalid("The field 'TTL' is required for a record set.")
        preconditions.check(call.request.headers, old, f"Record set {call.named.name}")
        name = call.named.name
        if old is None and (not RECORD_NAME.match(name.lower()) or self.kind.single):
            raise invalid(f"A record set '{name[:100]}' of type '{self.kind.name}' cannot be created.")
        return self._write(zone_id, str(old["name"]) if old else name, properties, created=old is None)

    async def patch(self, call: Call) -> Response:
        """PATCH of one record set: what is sent is replaced, the rest stays."""
        zone_id = self.zone(call, "write")
        old = self._record(call)
        sent = call.fields.fields("properties")
        properties = self._read(sent)
        preconditions.check(call.request.headers, old, f"Record set {call.named.name}")
        if self.kind.property not in sent:
            properties.pop(self.kind.property, None)
        writable = ("metadata", "TTL", self.kind.property)
        kept = {name: value for name, value in old["properties"].items() if name in writable}
        return self._write(zone_id, str(old["name"]), {**kept, **properties}, created=False)

    async def delete(self, call: Call) -> Response:
        """DELETE of one record set: 204 when there is none."""
        zone_id = self.zone(call, "delete")
        old = self.azure.store.get(call.named)
        if old is None:
            return Response(204)
        preconditions.check(call.request.headers, old, f"Record set {call.named.name}")
        if self.kind.of_zone and old["name"] == "@":
            raise invalid(f"The record set of type '{self.kind.name}' at the apex of a zone cannot be deleted.")
        self.azure.store.delete(call.named)
        counts.add(self.azure.store, zone_id, numberOfRecordSets=-1)
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
        if "TTL" in sent:
            properties["TTL"] = sent.number("TTL")
            if not 0 < properties["TTL"] <= LONGEST_TTL:
                raise invalid(f"The value of 'TTL' must be between 1 and {LONGEST_TTL}.")
        properties[self.kind.property] = self._records(sent)
        return properties

    def _records(self, sent: Fields) -> Any:
        if self.kind.single:
            return self.kind.read(sent.fields(self.kind.property))
        records = [self.kind.read(record) for record in sent.objects(self.kind.property)]
        if len(records) > MOST_RECORDS or any(record in records[:at] for at, record in enumerate(records)):
            raise invalid(f"A record set holds at most {MOST_RECORDS} records, and none twice.")
        return records

    def _write(self, zone_id: ResourceId, name: str, properties: Body, *, created: bool) -> Response:
        record = _body(zone_id, self.kind, name, properties)
        self.azure.store.put(record)
        if created:
            counts.add(self.azure.store, zone_id, numberOfRecordSets=1)
        return Response(201 if created else 200, record, {"ETag": record["etag"]})


def record_sets(azure: Azure, kind: Kind) -> RecordSets:
    """The endpoint of one type of record sets."""
    endpoint: type[RecordSets] = type(
        f"{kind.name}RecordSets", (RecordSets,), {"type": f"{ZONE}/{kind.name}", "kind": kind}
    )
    return endpoint(azure)


class AllRecordSets(_Records):
    """The list of a zone's record sets of every type; it stands under two words."""

    @classmethod
    def at(cls, azure: Azure, word: str) -> AllRecordSets:
        """The endpoint under a word."""
        endpoint: type[AllRecordSets] = type(f"AllRecordSets_{word}", (cls,), {"type": f"{ZONE}/{word}"})
        return endpoint(azure)

    async def list(self, call: Call) -> Response:
        """GET of every record set of a zone."""
        return self.page(call, KINDS)

    async def get(self, call: Call) -> Response:
        """Nothing is of this type by itself."""
        raise errors.invalid_resource_type(self.type, call.api_version)
