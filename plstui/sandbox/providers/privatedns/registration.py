"""What follows by itself from what happens elsewhere: machines get records, and links go with their networks."""

from __future__ import annotations

from plstui.domain.ids import ResourceId
from plstui.sandbox.providers.privatedns import links, records, recordsets
from plstui.sandbox.providers.privatedns.recordtypes import RECORD_TYPES
from plstui.sandbox.providers.privatedns.zones import LINK
from plstui.sandbox.store import Body, Store

TTL = 10
"""Seconds that a record of a machine is good for."""

_NETWORK = "microsoft.network/virtualnetworks"
_NIC = "microsoft.network/networkinterfaces"
_MACHINE = "microsoft.compute/virtualmachines"


class Registration:
    """Keeps the records of machines in the zones that their networks are registered with."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def on_change(self, resource_id: str) -> None:
        """Follow a change of the store."""
        changed = ResourceId(resource_id)
        kind = changed.type.lower()
        if kind == _NETWORK:
            if self._store.get(changed) is None:
                self._unlink(changed)
        elif kind == LINK.lower():
            if zone_id := changed.parent:
                self._register(zone_id)
        elif kind in (_NIC, _MACHINE):
            for zone_id in {zone_id for link in self._links() if (zone_id := ResourceId(link["id"]).parent)}:
                self._register(zone_id)

    def _links(self) -> list[Body]:
        """Links that register machines."""
        return [link for link in self._store.of_type(LINK) if link["properties"]["registrationEnabled"]]

    def _unlink(self, network: ResourceId) -> None:
        for link in self._store.of_type(LINK):
            if ResourceId(link["properties"]["virtualNetwork"]["id"]) == network:
                links.remove(self._store, link)

    def _register(self, zone_id: ResourceId) -> None:
        """Give a zone the records that it should have of machines, and no others."""
        if self._store.get(zone_id) is None:
            return
        wanted = self._machines(zone_id)
        a = RECORD_TYPES["A"]
        present: dict[str, Body] = {}
        for record in records.in_zone(self._store, zone_id):
            if ResourceId(record["id"]).is_type(f"{zone_id.type}/A"):
                present[str(record["name"]).lower()] = record
        for name, record in present.items():
            if record["properties"]["isAutoRegistered"] and name not in wanted:
                recordsets.remove(self._store, ResourceId(record["id"]))
        for name, addresses in wanted.items():
            listed = [{"ipv4Address": address} for address in sorted(addresses)]
            old = present.get(name)
            if old is None or (old["properties"]["isAutoRegistered"] and old["properties"][a.property] != listed):
                properties = {"ttl": TTL, a.property: listed}
                recordsets.write(self._store, records.record_set(zone_id, a, name, properties, auto=True))

    def _machines(self, zone_id: ResourceId) -> dict[str, set[str]]:
        """Names and addresses of the machines in the networks that are registered with a zone."""
        networks = [
            f"{link['properties']['virtualNetwork']['id']}/subnets/".lower()
            for link in self._links()
            if ResourceId(link["id"]).parent == zone_id
        ]
        found: dict[str, set[str]] = {}
        for nic in self._store.of_type(_NIC) if networks else ():
            machine_id = (nic["properties"].get("virtualMachine") or {}).get("id")
            machine = self._store.get(machine_id) if machine_id else None
            if machine is None:
                continue
            name = (machine["properties"].get("osProfile") or {}).get("computerName") or machine["name"]
            for configuration in nic["properties"].get("ipConfigurations") or ():
                properties = configuration["properties"]
                subnet = str((properties.get("subnet") or {}).get("id", "")).lower()
                if subnet.startswith(tuple(networks)) and properties.get("privateIPAddress"):
                    found.setdefault(str(name).lower(), set()).add(properties["privateIPAddress"])
        return found
