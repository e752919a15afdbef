"""The numbers that a zone shows of what is in it."""

from __future__ import annotations

from plstui.domain.ids import ResourceId
from plstui.sandbox.store import Store


def add(store: Store, zone_id: ResourceId, **changes: int) -> None:
    """Add to the numbers of a zone, if it is still there."""
    zone = store.get(zone_id)
    if zone is not None:
        properties = dict(zone["properties"])
        for name, change in changes.items():
            properties[name] += change
        store.put({**zone, "properties": properties})
