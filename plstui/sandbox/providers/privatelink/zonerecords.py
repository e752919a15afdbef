"""The records that an endpoint's zone groups keep in private DNS zones: one for each name of the endpoint."""

from __future__ import annotations

from collections.abc import Iterable

from plstui.domain.ids import ResourceId
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.network.bodies import SUCCEEDED
from plstui.sandbox.providers.privatedns import records, recordsets
from plstui.sandbox.providers.privatedns.recordtypes import RECORD_TYPES
from plstui.sandbox.providers.privatelink.names import record_name
from plstui.sandbox.store import Body, Store

TTL = 10
"""Seconds that a record of an endpoint is good for."""

_A = RECORD_TYPES["A"]


def record_sets(endpoint: Json, zone: str, provisioning: str) -> list[Body]:
    """What a zone group says of the records of an endpoint in a zone."""
    found: list[Body] = []
    for config in endpoint["properties"]["customDnsConfigs"]:
        if name := record_name(config["fqdn"], zone):
            found.append(
                {
                    "recordType": "A",
                    "recordSetName": name,
                    "fqdn": f"{name}.{zone}",
                    "ttl": TTL,
                    "provisioningState": provisioning,
                    "ipAddresses": config["ipAddresses"],
                }
            )
    return found


def refresh(store: Store, endpoint: Body) -> None:
    """Bring the records, and what the zone groups say of them, in step with the endpoint's names.

    `endpoint` is a copy and is changed.
    """
    before = _kept(endpoint)
    for group in endpoint["properties"]["privateDnsZoneGroups"]:
        for config in group["properties"]["privateDnsZoneConfigs"]:
            zone_id = ResourceId(config["properties"]["privateDnsZoneId"])
            config["properties"]["recordSets"] = record_sets(endpoint, zone_id.name, SUCCEEDED)
    after = _kept(endpoint)
    _remove(store, endpoint, before.keys() - after.keys())
    for (zone, name), addresses in after.items():
        found = store.get(zone)
        if found is None:
            continue
        properties = {
            "metadata": {"creator": _creator(endpoint)},
            "ttl": TTL,
            _A.property: [{"ipv4Address": address} for address in addresses],
        }
        record = records.record_set(ResourceId(found["id"]), _A, name, properties)
        present = store.get(record["id"])
        if present is None or present["properties"] != record["properties"]:
            recordsets.write(store, record)


def remove(store: Store, endpoint: Json) -> None:
    """Remove the records of an endpoint that is gone."""
    _remove(store, endpoint, _kept(endpoint).keys())


def forget(store: Store, before: Json, after: Json) -> None:
    """Remove the records that the zone groups of an endpoint no longer speak of."""
    _remove(store, before, _kept(before).keys() - _kept(after).keys())


def _remove(store: Store, endpoint: Json, which: Iterable[tuple[str, str]]) -> None:
    """Remove some records; those that somebody else has written in the meantime stay."""
    for zone, name in which:
        record_id = ResourceId(zone).child("A", name)
        record = store.get(record_id)
        if record and (record["properties"].get("metadata") or {}).get("creator") == _creator(endpoint):
            recordsets.remove(store, record_id)


def _creator(endpoint: Json) -> str:
    guid = endpoint["properties"]["resourceGuid"]
    return f"created by private endpoint {endpoint['name']} with resource guid {guid}"


def _kept(endpoint: Json) -> dict[tuple[str, str], list[str]]:
    """The records that the zone groups say they keep, by zone and name, with their addresses."""
    return {
        (config["properties"]["privateDnsZoneId"], record["recordSetName"]): record["ipAddresses"]
        for group in endpoint["properties"]["privateDnsZoneGroups"]
        for config in group["properties"]["privateDnsZoneConfigs"]
        for record in config["properties"]["recordSets"]
    }
