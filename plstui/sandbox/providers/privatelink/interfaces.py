"""The interfaces that private link services and endpoints have: Azure makes them, and nobody else may change them."""

from __future__ import annotations

from typing import Any

from plstui.domain.ids import ResourceId
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.network import links, nics
from plstui.sandbox.store import Body, Store


def interface_id(owner: ResourceId, name: str) -> ResourceId:
    """The id of an interface in its owner's group."""
    return ResourceId(f"{owner.parent}/providers/{nics.TYPE}/{name}")


def configuration(own: ResourceId, subnet: str, address: str, **more: Any) -> Body:
    """One IP configuration; `subnet` is an id."""
    return nics.configuration_body(
        own,
        {
            "privateIPAddress": address,
            "privateIPAllocationMethod": "Dynamic",
            "subnet": {"id": subnet},
            "primary": False,
            "privateIPAddressVersion": "IPv4",
            **more,
        },
    )


def put(store: Store, nic: Body) -> None:
    """Create or replace an interface, and let its subnet know; nothing happens when nothing is different."""
    old = store.get(nic["id"])
    if old is not None:
        links.stamp(nic, old["etag"])
        if nic == old:
            return
    links.stamp(nic, links.new_etag())
    links.replace(store, dict(old) if old else None, nic)


def remove(store: Store, owner: Json) -> None:
    """Remove the interfaces of an owner that is gone."""
    for reference in owner["properties"]["networkInterfaces"]:
        nic = store.get(reference["id"])
        if nic is not None:
            links.replace(store, dict(nic), None)
