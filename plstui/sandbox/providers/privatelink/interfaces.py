"""The interfaces that private link services and endpoints have: Azure makes them, and nobody else may change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plstui.domain.ids import ResourceId
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.network import links, nics
from plstui.sandbox.providers.network.addresses import Allocator
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


def allocate(
    store: Store, nic_id: ResourceId, owner_id: ResourceId, wanted: Mapping[str, tuple[str, str | None]]
) -> dict[str, str]:
    """An address for each configuration: the one it chose, the one it had, or the next free one.

    `wanted` holds subnet and chosen address by name. What the interface has is free for it, and so is what its owner
    says of that. Raises the 400 for an address that cannot be had.
    """
    old = store.get(nic_id)
    present = {c["name"]: c["properties"] for c in old["properties"]["ipConfigurations"]} if old else {}
    names = present.keys() | wanted.keys()
    own = [holder.child("ipConfigurations", name) for holder in (nic_id, owner_id) for name in names]
    allocator = Allocator(store, leaving=own)
    found: dict[str, str] = {}
    for name, (subnet_id, chosen) in wanted.items():
        former = present.get(name)
        same = former is not None and ResourceId(former["subnet"]["id"]) == ResourceId(subnet_id)
        if former and same and chosen in (None, former["privateIPAddress"]):
            subnet, address = dict(store.get(subnet_id) or {}), str(former["privateIPAddress"])
            found[name] = allocator.keep(subnet, address, nic_id.child("ipConfigurations", name))
    for name, (subnet_id, chosen) in wanted.items():
        if name not in found:
            subnet, own_id = dict(store.get(subnet_id) or {}), nic_id.child("ipConfigurations", name)
            found[name] = allocator.next(subnet, own_id) if chosen is None else allocator.static(subnet, chosen, own_id)
    return found


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
