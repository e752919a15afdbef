"""The network interfaces of a machine: named in its profile, and tied to it on their own side."""

from __future__ import annotations

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.errors import ArmError, invalid_reference
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.providers.compute.errors import ComputeError, invalid, missing
from plstui.sandbox.providers.compute.statuses import DEALLOCATED, STOPPED, power_of
from plstui.sandbox.providers.compute.storage import Find
from plstui.sandbox.providers.network import nics
from plstui.sandbox.store import Body

API_VERSION = "2024-05-01"
"""With which an interface is deleted together with its machine."""


def build(find: Find, fields: Fields, old: Body | None, machine_id: ResourceId, *, location: str) -> Body:
    """The network profile of a machine; raises the 400s and 409s of Azure."""
    if "networkInterfaceConfigurations" in fields:
        raise invalid("networkInterfaceConfigurations", "This sandbox makes no interfaces together with a machine.")
    had: Body = old["properties"]["networkProfile"] if old else {}
    if old and "networkInterfaces" not in fields:
        return had
    items = [_interface(find, item, machine_id, location) for item in fields.objects("networkInterfaces")]
    if not items:
        raise missing("networkProfile")
    ids = [item["id"].lower() for item in items]
    if len(set(ids)) < len(ids):
        raise invalid("networkInterfaces", "A network interface is named more than once.")
    primaries = [item for item in items if (item.get("properties") or {}).get("primary")]
    if len(items) > 1 and len(primaries) != 1:
        raise ComputeError(
            400,
            "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary",
            f"Virtual machine {machine_id.name} must have one network interface set as the primary.",
        )
    changed = old is not None and set(ids) != {item["id"].lower() for item in had["networkInterfaces"]}
    if old and changed and power_of(old) not in (DEALLOCATED, STOPPED, ""):
        raise ComputeError(
            409,
            "AddingOrDeletingNetworkInterfacesOnARunningVirtualMachineNotSupported",
            "Secondary network interfaces cannot be added or deleted from a running virtual machine. Virtual machine "
            f"{machine_id} must be deallocated first.",
        )
    return {"networkInterfaces": items}


def _interface(find: Find, item: Fields, machine_id: ResourceId, location: str) -> Body:
    wanted = item.id()
    if wanted is None:
        raise missing("networkInterface.id")
    if not wanted.is_type(nics.TYPE):
        raise invalid("networkInterface.id", f"Resource {wanted} is no network interface.")
    try:
        nic = find(wanted)
    except ComputeError:
        raise invalid_reference(wanted, machine_id) from None
    if nic["location"] != location:
        raise invalid_reference(wanted, machine_id)
    _check_free(nic, machine_id)
    properties = item.fields("properties")
    options: Body = {}
    if "primary" in properties:
        options["primary"] = properties.flag("primary")
    if option := properties.word("deleteOption", "Detach", "Delete"):
        options["deleteOption"] = option
    return {"id": nic["id"], "properties": options} if options else {"id": nic["id"]}


def _check_free(nic: Body, machine_id: ResourceId) -> None:
    properties = nic["properties"]
    for name in ("virtualMachine", "privateEndpoint", "privateLinkService"):
        user = (properties.get(name) or {}).get("id")
        if user and user.lower() != machine_id.key:
            raise ArmError(
                400, "NicInUse", f"Network Interface {nic['id']} is used by existing resource {user}.", details=()
            )


def tie(azure: Azure, old: Body | None, new: Body | None) -> None:
    """Let the interfaces of a machine show it, and those it no longer has not."""
    before, after = (_named(body) for body in (old, new))
    for nic_id in before:
        if nic_id not in after:
            nics.detach(azure, nic_id)
    for nic_id, primary in after.items():
        if before.get(nic_id) != primary:
            assert new is not None
            nics.attach(azure, nic_id, new["id"], primary=primary)


def _named(body: Body | None) -> dict[ResourceId, bool]:
    """The interfaces of a machine, and whether each is the primary one."""
    items = body["properties"]["networkProfile"]["networkInterfaces"] if body else []
    return {
        ResourceId(item["id"]): len(items) == 1 or bool((item.get("properties") or {}).get("primary")) for item in items
    }
