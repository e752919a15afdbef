"""Record sets. Unlike zones and links they are written at once, and their errors have no envelope."""

from __future__ import annotations

import re
from typing import Any, ClassVar
from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.privatedns.recordsets import RecordSetEndpoint, ZoneRecords
from plstui.sandbox.providers.privatedns.recordtypes import RECORD_TYPES, RecordType, invalid
from plstui.sandbox.store import Body, Store

_ZONE = "Microsoft.Network/privateDnsZones"
_TYPES = frozenset(f"{_ZONE}/{name}".lower() for name in RECORD_TYPES)

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


def in_zone(store: Store, zone_id: ResourceId) -> list[Body]:
    """Every record set of a zone, the SOA first."""
    start = zone_id.key + "/"
    group = zone_id.parent
    return [
        body
        for body in (store.in_group(group) if group else ())
        if str(body["id"]).lower().startswith(start) and str(body["type"]).lower() in _TYPES
    ]


class RecordSets(RecordSetEndpoint):
    """The record sets of one type."""

    record_type: ClassVar[RecordType]
    ttl = "ttl"

    def body(self, zone_id: ResourceId, name: str, properties: Body) -> Body:
        """A record set as ARM shows it."""
        return record_set(zone_id, self.record_type, name, properties)

    def read_records(self, sent: Fields) -> Any:
        """The records that a request sends; None where a type with a single record sends none."""
        return self.record_type.records(sent)

    async def list(self, call: Call) -> Response:
        """GET of a zone's record sets of this type."""
        zone_id = self.zone(call, "read")
        start = zone_id.key + "/"
        of_type = self.azure.store.of_type(self.type)
        return self.page(call, [record for record in of_type if str(record["id"]).lower().startswith(start)])

    def check_put(self, call: Call, zone_id: ResourceId, old: Json | None, properties: Body) -> None:
        """A new one needs a name that is free, and the SOA its record."""
        if old is None:
            self._check_new(call, zone_id)
        if self.record_type.name == "SOA" and "soaRecord" not in properties:
            raise invalid("The field 'soaRecord' is required for a record set of type SOA.")

    def check_removal(self, old: Json) -> None:
        """The SOA comes and goes with the zone."""
        if self.record_type.name == "SOA":
            raise invalid("The record set of type 'SOA' cannot be deleted.")

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


def record_sets(azure: Azure, record_type: RecordType) -> RecordSets:
    """The endpoint of one type of record sets."""
    members = {
        "type": f"{_ZONE}/{record_type.name}",
        "record_type": record_type,
        "records": record_type.property,
    }
    endpoint: type[RecordSets] = type(f"{record_type.name}RecordSets", (RecordSets,), members)
    return endpoint(azure)


class AllRecordSets(ZoneRecords):
    """The list of a zone's record sets of every type."""

    type = f"{_ZONE}/ALL"

    async def list(self, call: Call) -> Response:
        """GET of every record set of a zone."""
        return self.page(call, in_zone(self.azure.store, self.zone(call, "read")))

    async def get(self, call: Call) -> Response:
        """Nothing is of this type by itself."""
        raise errors.invalid_resource_type(self.type, call.api_version)
