"""What record sets of private and of public zones have in common; what differs are names, types and rules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.privatedns import counts, preconditions
from plstui.sandbox.providers.privatedns.recordtypes import PAGE, invalid
from plstui.sandbox.providers.resources import listing
from plstui.sandbox.store import Body, Store

LONGEST_TTL = 2**31 - 1


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


class ZoneRecords(ResourceEndpoint):
    """What is asked of a zone about its record sets."""

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


class RecordSetEndpoint(ZoneRecords, ABC):
    """The record sets of one type."""

    ttl: ClassVar[str]
    """How the time to live is spelled."""
    records: ClassVar[str]
    """The property that holds the records."""

    @abstractmethod
    def body(self, zone_id: ResourceId, name: str, properties: Body) -> Body:
        """A record set as ARM shows it; `properties` are its metadata, time to live and records."""

    @abstractmethod
    def read_records(self, sent: Fields) -> Any:
        """The records that a request sends; None when it sends none and need not. Raises the 400."""

    @abstractmethod
    def check_put(self, call: Call, zone_id: ResourceId, old: Json | None, properties: Body) -> None:
        """Raise what refuses a PUT that is well formed."""

    @abstractmethod
    def check_removal(self, old: Json) -> None:
        """Raise what refuses a DELETE."""

    async def get(self, call: Call) -> Response:
        """GET of one record set."""
        self.zone(call, "read")
        record = self._record(call)
        return Response(200, record, {"ETag": record["etag"]})

    async def put(self, call: Call) -> Response:
        """PUT of one record set: the whole of it is replaced."""
        zone_id = self.zone(call, "write")
        old = self.azure.store.get(call.named)
        properties = self._read(call.fields.fields("properties"))
        if self.ttl not in properties:
            raise invalid(f"The field '{self.ttl}' is required for a record set.")
        preconditions.check(call.request.headers, old, f"Record set {call.named.name}")
        self.check_put(call, zone_id, old, properties)
        return self._write(call, zone_id, properties, created=old is None)

    async def patch(self, call: Call) -> Response:
        """PATCH of one record set: what is sent is replaced, the rest stays."""
        zone_id = self.zone(call, "write")
        old = self._record(call)
        sent = call.fields.fields("properties")
        properties = self._read(sent)
        preconditions.check(call.request.headers, old, f"Record set {call.named.name}")
        if self.records not in sent:
            properties.pop(self.records, None)
        writable = ("metadata", self.ttl, self.records)
        kept = {name: value for name, value in old["properties"].items() if name in writable}
        return self._write(call, zone_id, {**kept, **properties}, created=False)

    async def delete(self, call: Call) -> Response:
        """DELETE of one record set: 204 when there is none."""
        self.zone(call, "delete")
        old = self.azure.store.get(call.named)
        if old is None:
            return Response(204)
        preconditions.check(call.request.headers, old, f"Record set {call.named.name}")
        self.check_removal(old)
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
        if self.ttl in sent:
            properties[self.ttl] = sent.number(self.ttl)
            if not 0 <= properties[self.ttl] <= LONGEST_TTL:
                raise invalid(f"The value of '{self.ttl}' must be between 0 and {LONGEST_TTL}.")
        records = self.read_records(sent)
        if records is not None:
            properties[self.records] = records
        return properties

    def _write(self, call: Call, zone_id: ResourceId, properties: Body, *, created: bool) -> Response:
        old = self.azure.store.get(call.named)
        name = str(old["name"]) if old else call.named.name
        record = self.body(zone_id, name, properties)
        write(self.azure.store, record)
        return Response(201 if created else 200, record, {"ETag": record["etag"]})
