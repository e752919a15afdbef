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
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.privatedns.records import RECORD_NAME
from plstui.sandbox.providers.privatedns.recordsets import RecordSetEndpoint, ZoneRecords
from plstui.sandbox.providers.privatedns.recordtypes import MOST_RECORDS, RECORD_TYPES, invalid
from plstui.sandbox.store import Body, Store

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


def of_kinds(store: Store, zone_id: ResourceId, kinds: Iterable[str]) -> list[Body]:
    """A zone's record sets of some types."""
    start = zone_id.key + "/"
    return [
        record
        for kind in kinds
        for record in store.of_type(f"{ZONE}/{kind}")
        if str(record["id"]).lower().startswith(start)
    ]


class RecordSets(RecordSetEndpoint):
    """The record sets of one type."""

    kind: ClassVar[Kind]
    ttl = "TTL"

    def body(self, zone_id: ResourceId, name: str, properties: Body) -> Body:
        """A record set as ARM shows it."""
        return _body(zone_id, self.kind, name, properties)

    async def list(self, call: Call) -> Response:
        """GET of a zone's record sets of this type."""
        return self.page(call, of_kinds(self.azure.store, self.zone(call, "read"), [self.kind.name]))

    def read_records(self, sent: Fields) -> Any:
        """The records that a request sends."""
        if self.kind.single:
            return self.kind.read(sent.fields(self.kind.property))
        records = [self.kind.read(record) for record in sent.objects(self.kind.property)]
        if len(records) > MOST_RECORDS or any(record in records[:at] for at, record in enumerate(records)):
            raise invalid(f"A record set holds at most {MOST_RECORDS} records, and none twice.")
        return records

    def check_put(self, call: Call, zone_id: ResourceId, old: Json | None, properties: Body) -> None:
        """A new one needs a proper name, and the SOA is there from the beginning."""
        name = call.named.name
        if old is None and (not RECORD_NAME.match(name.lower()) or self.kind.single):
            raise invalid(f"A record set '{name[:100]}' of type '{self.kind.name}' cannot be created.")

    def check_removal(self, old: Json) -> None:
        """What is at the apex from the beginning comes and goes with the zone."""
        if self.kind.of_zone and old["name"] == "@":
            raise invalid(f"The record set of type '{self.kind.name}' at the apex of a zone cannot be deleted.")


def record_sets(azure: Azure, kind: Kind) -> RecordSets:
    """The endpoint of one type of record sets."""
    endpoint: type[RecordSets] = type(
        f"{kind.name}RecordSets",
        (RecordSets,),
        {"type": f"{ZONE}/{kind.name}", "kind": kind, "records": kind.property},
    )
    return endpoint(azure)


class AllRecordSets(ZoneRecords):
    """The list of a zone's record sets of every type; it stands under two words."""

    @classmethod
    def at(cls, azure: Azure, word: str) -> AllRecordSets:
        """The endpoint under a word."""
        endpoint: type[AllRecordSets] = type(f"AllRecordSets_{word}", (cls,), {"type": f"{ZONE}/{word}"})
        return endpoint(azure)

    async def list(self, call: Call) -> Response:
        """GET of every record set of a zone."""
        return self.page(call, of_kinds(self.azure.store, self.zone(call, "read"), KINDS))

    async def get(self, call: Call) -> Response:
        """Nothing is of this type by itself."""
        raise errors.invalid_resource_type(self.type, call.api_version)
