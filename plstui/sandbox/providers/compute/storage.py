"""The disks of a machine: what a request asks for, and the disks that come of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.providers.compute import images, sizes
from plstui.sandbox.providers.compute.errors import ComputeError, invalid, missing, unchangeable
from plstui.sandbox.providers.compute.images import Image
from plstui.sandbox.providers.compute.polling import moment
from plstui.sandbox.store import Body

DISK = "Microsoft.Compute/disks"

_CACHING = ("None", "ReadOnly", "ReadWrite")
DISK_TYPES = ("Standard_LRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Premium_LRS", "Premium_ZRS", "PremiumV2_LRS")


_PREMIUM = (
    (4, "P1", 120, 25),
    (8, "P2", 120, 25),
    (16, "P3", 120, 25),
    (32, "P4", 120, 25),
    (64, "P6", 240, 50),
    (128, "P10", 500, 100),
    (256, "P15", 1100, 125),
    (512, "P20", 2300, 150),
    (1024, "P30", 5000, 200),
    (2048, "P40", 7500, 250),
    (4096, "P50", 7500, 250),
    (8192, "P60", 16000, 500),
    (16384, "P70", 18000, 750),
    (32767, "P80", 20000, 900),
)
"""Up to how many gigabytes a premium disk is of a tier, which gives operations and megabytes a second; from Microsoft's
documents, the first four as recorded."""

Find = Callable[[ResourceId], Body]
"""Finds what a request refers to; raises when it is not there, or the caller may not refer to it."""


class Builder:
    """Builds the storage profile of one machine; raises the 400s, 404s and 409s of Azure."""

    def __init__(self, azure: Azure, find: Find, machine_id: ResourceId, size: str) -> None:
        self._azure = azure
        self._find = find
        self._machine_id = machine_id
        self._size = size

    def build(self, fields: Fields, old: Body | None) -> Body:
        """The profile that a request asks for; `old` is the one that the machine has."""
        profile: Body = {}
        system, gigabytes = "Linux", 30
        if "imageReference" in fields or (old and "imageReference" in old):
            image, reference = _image(fields.fields("imageReference"), (old or {}).get("imageReference"))
            system, gigabytes = "Windows" if image.windows else "Linux", image.gigabytes
            profile["imageReference"] = reference
            if image.generation == "V2":
                profile["diskControllerType"] = fields.word("diskControllerType", "SCSI", "NVMe", default="SCSI")
        elif fields.fields("osDisk").text("createOption").lower() != "attach":
            raise missing("imageReference")
        profile["osDisk"] = self._os_disk(fields.fields("osDisk"), (old or {}).get("osDisk"), system, gigabytes)
        if "dataDisks" not in fields:
            return {**profile, "dataDisks": (old or {}).get("dataDisks", [])}
        before = {disk["lun"]: disk for disk in (old or {}).get("dataDisks") or []}
        wanted = [disk for disk in fields.objects("dataDisks") if not disk.flag("toBeDetached")]
        profile["dataDisks"] = [self._data_disk(disk, before) for disk in wanted]
        luns = [disk["lun"] for disk in profile["dataDisks"]]
        if len(set(luns)) < len(luns):
            raise invalid("dataDisk.lun", "A lun is given to more than one data disk.")
        return profile

    def _os_disk(self, fields: Fields, old: Body | None, system: str, gigabytes: int) -> Body:
        if old and "name" in fields and "name" in old and fields.text("name") != old["name"]:
            raise unchangeable("osDisk.name")
        default = "Attach" if fields.text("createOption").lower() == "attach" else "FromImage"
        option = fields.word("createOption", "FromImage", "Attach", "Empty", default=default)
        managed, attached_disk = self._managed(fields.fields("managedDisk"), (old or {}).get("managedDisk"))
        disk: Body = {"osType": fields.word("osType", "Linux", "Windows", default=system)}
        if name := self._name(fields, old, attached_disk, option):
            disk["name"] = name
        disk |= {
            "createOption": option,
            "caching": fields.word("caching", *_CACHING, default=(old or {}).get("caching", "ReadWrite")),
            "managedDisk": managed,
            "deleteOption": fields.word(
                "deleteOption", "Detach", "Delete", default=(old or {}).get("deleteOption", "Detach")
            ),
            "diskSizeGB": fields.number("diskSizeGB", (old or {}).get("diskSizeGB", gigabytes)),
        }
        if disk["diskSizeGB"] < gigabytes and old is None:
            raise invalid(
                "osDisk.diskSizeGB",
                f"The specified disk size {disk['diskSizeGB']} GB is smaller than the size of the corresponding disk "
                f"in the VM image: {gigabytes} GB. This is not allowed. Please choose equal or greater size or do not "
                "specify an explicit size.",
            )
        return disk

    def _data_disk(self, fields: Fields, before: dict[Any, Body]) -> Body:
        if "lun" not in fields:
            raise missing("dataDisk.lun")
        lun = fields.number("lun")
        old = before.get(lun)
        option = fields.word("createOption", "Empty", "Attach", "FromImage", default="Empty")
        managed, attached_disk = self._managed(fields.fields("managedDisk"), (old or {}).get("managedDisk"))
        if option == "Attach" and "id" not in managed:
            raise missing("dataDisk.managedDisk.id")
        disk: Body = {"lun": lun}
        if name := self._name(fields, old, attached_disk, option):
            disk["name"] = name
        disk |= {
            "createOption": option,
            "caching": fields.word("caching", *_CACHING, default="None"),
            "managedDisk": managed,
            "deleteOption": fields.word("deleteOption", "Detach", "Delete", default="Detach"),
            "diskSizeGB": fields.number("diskSizeGB", _size(old, attached_disk)),
            "toBeDetached": False,
        }
        if disk["diskSizeGB"] <= 0:
            raise missing("dataDisk.diskSizeGB")
        return disk

    def _managed(self, fields: Fields, old: Body | None) -> tuple[Body, Body | None]:
        """What is said of a managed disk, and the disk itself where it is one that is there already."""
        default = "Premium_LRS" if sizes.takes_premium(self._size) else "Standard_LRS"
        wanted = fields.id()
        known = self._find(wanted) if wanted else None
        if known is not None:
            default = known["sku"]["name"] if ResourceId(known["id"]).is_type(DISK) else default
            self._check_free(known)
        elif old:
            default = old.get("storageAccountType", default)
        managed: Body = {"storageAccountType": fields.word("storageAccountType", *DISK_TYPES, default=default)}
        if known is not None:
            managed["id"] = known["id"]
        elif old and "id" in old:
            managed["id"] = old["id"]
        return managed, known

    def _check_free(self, disk: Body) -> None:
        if not ResourceId(disk["id"]).is_type(DISK):
            raise invalid("managedDisk.id", f"Resource {disk['id']} is no disk.")
        owner = disk.get("managedBy", self._machine_id.text)
        if owner.lower() != self._machine_id.key:
            raise ComputeError(
                409,
                "ConflictingUserInput",
                f"Disk '{disk['id']}' cannot be attached as the disk is already owned by VM '{owner}'.",
            )

    def _name(self, fields: Fields, old: Body | None, attached_disk: Body | None, option: str) -> str:
        if attached_disk is not None:
            return str(attached_disk["name"])
        name = fields.text("name")
        if name and not re.fullmatch(r"[\w.-]{1,80}", name):
            raise invalid("disk.name", f"The disk name '{name[:100]}' is invalid.")
        if name and old is None and option != "Attach" and self._azure.store.get(disk_id(self._machine_id, name)):
            raise ComputeError(
                409,
                "ConflictingUserInput",
                f"Disk {name} already exists in resource group {self._machine_id.resource_group.upper()}. Only "
                "CreateOption.Attach is supported.",
            )
        return name or str((old or {}).get("name", ""))


def _size(old: Body | None, attached_disk: Body | None) -> int:
    if attached_disk is not None:
        return int(attached_disk["properties"]["diskSizeGB"])
    return int((old or {}).get("diskSizeGB", 0))


def disk_id(machine_id: ResourceId, name: str) -> str:
    """The id of a disk that is made together with a machine."""
    return f"{machine_id.parent}/providers/{DISK}/{name}"


def _image(fields: Fields, old: Body | None) -> tuple[Image, Body]:
    if old is None:
        image, version = images.of_reference(fields)
        sent = {name: fields.text(name) for name in ("publisher", "offer", "sku")}
        return image, {**sent, "version": fields.text("version") or "latest", "exactVersion": version}
    for name in ("publisher", "offer", "sku", "version"):
        if name in fields and fields.text(name).lower() != str(old[name]).lower():
            raise unchangeable("imageReference")
    image, _ = images.of_reference(Fields(old))
    return image, old


def provision(azure: Azure, machine: Body, now: datetime) -> Body:
    """Create the disks that a machine lacks and free those it has no more.

    Gives its storage profile with their names and ids.
    """
    profile: Body = dict(machine["properties"]["storageProfile"])
    profile["osDisk"] = _provisioned(azure, machine, profile["osDisk"], "OsDisk_1", now)
    profile["dataDisks"] = [
        _provisioned(azure, machine, disk, f"disk{disk['lun'] + 2}", now) for disk in profile["dataDisks"]
    ]
    kept = {disk["managedDisk"]["id"].lower() for disk in (profile["osDisk"], *profile["dataDisks"])}
    for disk in azure.store.of_type(DISK):
        if disk.get("managedBy") == machine["id"] and disk["id"].lower() not in kept:
            azure.store.put(attached(disk, None))
    return profile


def _provisioned(azure: Azure, machine: Body, disk: Body, part: str, now: datetime) -> Body:
    name = disk.get("name") or f"{machine['name']}_{part}_{uuid4().hex}"
    own_id = disk["managedDisk"].get("id") or disk_id(ResourceId(machine["id"]), name)
    known = azure.store.get(own_id)
    if known is None:
        azure.store.put(_body(machine, disk, name, own_id, now))
    elif known.get("managedBy") != machine["id"]:
        azure.store.put(attached(dict(known), machine["id"]))
    # Azure tells the name right behind the type.
    head: Body = {key: disk[key] for key in ("osType", "lun") if key in disk}
    return {**head, "name": name, **disk, "managedDisk": {**disk["managedDisk"], "id": own_id}}


def _body(machine: Body, disk: Body, name: str, own_id: str, now: datetime) -> Body:
    sku = disk["managedDisk"]["storageAccountType"]
    gigabytes = disk.get("diskSizeGB", 30)
    system = {"osType": disk["osType"]} if "osType" in disk else {}
    image = machine["properties"]["storageProfile"].get("imageReference") if system else None
    creation: Body = {"createOption": "FromImage" if image else "Empty"}
    if image:
        names = ("Publishers", "publisher"), ("Offers", "offer"), ("Skus", "sku"), ("Versions", "exactVersion")
        path = "".join(
            f"/{word}/{image[key]}{'/ArtifactTypes/VMImage' if key == 'publisher' else ''}" for word, key in names
        )
        start = f"/Subscriptions/{ResourceId(own_id).subscription}/Providers/Microsoft.Compute/Locations"
        creation["imageReference"] = {"id": f"{start}/{machine['location']}{path}"}
    return {
        "name": name,
        "id": own_id,
        "type": DISK,
        "location": machine["location"],
        **({"zones": machine["zones"]} if "zones" in machine else {}),
        "managedBy": machine["id"],
        "sku": {"name": sku, "tier": sku.partition("_")[0].removesuffix("SSD")},
        "properties": {
            **system,
            "creationData": creation,
            "diskSizeGB": gigabytes,
            **performance(sku, gigabytes),
            "diskSizeBytes": gigabytes * 2**30,
            "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
            "timeCreated": moment(now),
            "provisioningState": "Succeeded",
            "diskState": "Attached",
            "uniqueId": str(uuid4()),
        },
    }


def performance(sku: str, gigabytes: int) -> Body:
    """How fast a disk is, as its answers show it."""
    if not sku.startswith("Premium_"):
        return {"diskIOPSReadWrite": 500, "diskMBpsReadWrite": 60}
    _, tier, operations, megabytes = next((row for row in _PREMIUM if gigabytes <= row[0]), _PREMIUM[-1])
    return {"diskIOPSReadWrite": operations, "diskMBpsReadWrite": megabytes, "tier": tier}


def attached(disk: Body, machine_id: str | None) -> Body:
    """A copy of a disk that belongs to a machine now, or to none."""
    free = {key: value for key, value in disk.items() if key != "managedBy"}
    state = "Attached" if machine_id else "Unattached"
    head: Body = {key: free.pop(key) for key in ("name", "id", "type", "location", "tags", "zones") if key in free}
    owner = {"managedBy": machine_id} if machine_id else {}
    return {**head, **owner, **free, "properties": {**disk["properties"], "diskState": state}}
