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
from plstui.sandbox.providers.compute.errors import invalid, missing, unchangeable
from plstui.sandbox.providers.compute.images import Image
from plstui.sandbox.providers.compute.polling import moment
from plstui.sandbox.store import Body

DISK = "Microsoft.Compute/disks"

_CACHING = ("None", "ReadOnly", "ReadWrite")
DISK_TYPES = ("Standard_LRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Premium_LRS", "Premium_ZRS", "PremiumV2_LRS")


Find = Callable[[ResourceId], Body]
"""Finds what a request refers to; raises when it is not there, or the caller may not refer to it."""


def build(find: Find, fields: Fields, old: Body | None, size: str) -> Body:
    """The storage profile of a machine; raises the 400s, 404s and 409s of Azure."""
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
    profile["osDisk"] = _os_disk(find, fields.fields("osDisk"), (old or {}).get("osDisk"), system, gigabytes, size)
    before = {disk["lun"]: disk for disk in (old or {}).get("dataDisks") or []}
    profile["dataDisks"] = [_data_disk(find, disk, before, size) for disk in fields.objects("dataDisks")]
    return profile


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


def _os_disk(find: Find, fields: Fields, old: Body | None, system: str, gigabytes: int, size: str) -> Body:
    if old and "name" in fields and "name" in old and fields.text("name") != old["name"]:
        raise unchangeable("osDisk.name")
    default = "Attach" if fields.text("createOption").lower() == "attach" else "FromImage"
    disk: Body = {"osType": fields.word("osType", "Linux", "Windows", default=system)}
    if name := _name(fields, old):
        disk["name"] = name
    disk["createOption"] = fields.word("createOption", "FromImage", "Attach", "Empty", default=default)
    disk["caching"] = fields.word("caching", *_CACHING, default=(old or {}).get("caching", "ReadWrite"))
    disk["managedDisk"] = _managed(find, fields.fields("managedDisk"), (old or {}).get("managedDisk"), size)
    disk["deleteOption"] = fields.word(
        "deleteOption", "Detach", "Delete", default=(old or {}).get("deleteOption", "Detach")
    )
    disk["diskSizeGB"] = fields.number("diskSizeGB", (old or {}).get("diskSizeGB", gigabytes))
    if disk["diskSizeGB"] < gigabytes and old is None:
        raise invalid(
            "osDisk.diskSizeGB",
            f"The specified disk size {disk['diskSizeGB']} GB is smaller than the size of the corresponding disk in "
            f"the VM image: {gigabytes} GB. This is not allowed. Please choose equal or greater size or do not specify "
            "an explicit size.",
        )
    return disk


def _data_disk(find: Find, fields: Fields, before: dict[Any, Body], size: str) -> Body:
    if "lun" not in fields:
        raise missing("dataDisk.lun")
    lun = fields.number("lun")
    old = before.get(lun)
    option = fields.word("createOption", "Empty", "Attach", "FromImage", default="Empty")
    disk: Body = {"lun": lun}
    if name := _name(fields, old):
        disk["name"] = name
    managed = _managed(find, fields.fields("managedDisk"), (old or {}).get("managedDisk"), size)
    disk |= {
        "createOption": option,
        "caching": fields.word("caching", *_CACHING, default="None"),
        "managedDisk": managed,
        "deleteOption": fields.word("deleteOption", "Detach", "Delete", default="Detach"),
        "toBeDetached": False,
    }
    if gigabytes := fields.number("diskSizeGB", (old or {}).get("diskSizeGB", 0)):
        disk["diskSizeGB"] = gigabytes
    elif option == "Empty":
        raise missing("dataDisk.diskSizeGB")
    return disk


def _name(fields: Fields, old: Body | None) -> str:
    name = fields.text("name")
    if name and not re.fullmatch(r"[\w.-]{1,80}", name):
        raise invalid("disk.name", f"The disk name '{name[:100]}' is invalid.")
    return name or str((old or {}).get("name", ""))


def _managed(find: Find, fields: Fields, old: Body | None, size: str) -> Body:
    default = "Premium_LRS" if sizes.takes_premium(size) else "Standard_LRS"
    kind = fields.word("storageAccountType", *DISK_TYPES, default=(old or {}).get("storageAccountType", default))
    managed: Body = {"storageAccountType": kind}
    wanted = fields.id()
    if wanted:
        if not wanted.is_type(DISK):
            raise invalid("managedDisk.id", f"Resource {wanted} is no disk.")
        managed["id"] = find(wanted)["id"]
    elif old and "id" in old:
        managed["id"] = old["id"]
    return managed


def provision(azure: Azure, machine: Body, now: datetime) -> Body:
    """Create the disks that a machine lacks; gives its storage profile with their names and ids."""
    profile: Body = dict(machine["properties"]["storageProfile"])
    profile["osDisk"] = _provisioned(azure, machine, profile["osDisk"], "OsDisk_1", now)
    profile["dataDisks"] = [
        _provisioned(azure, machine, disk, f"disk{disk['lun'] + 2}", now) for disk in profile["dataDisks"]
    ]
    return profile


def _provisioned(azure: Azure, machine: Body, disk: Body, part: str, now: datetime) -> Body:
    group = ResourceId(machine["id"]).parent
    name = disk.get("name") or f"{machine['name']}_{part}_{uuid4().hex}"
    disk_id = disk["managedDisk"].get("id") or f"{group}/providers/{DISK}/{name}"
    known = azure.store.get(disk_id)
    if known is None:
        azure.store.put(_body(machine, disk, name, disk_id, now))
    elif known.get("managedBy") != machine["id"]:
        azure.store.put(attached(dict(known), machine["id"]))
    # Azure tells the name right behind the type.
    head: Body = {key: disk[key] for key in ("osType", "lun") if key in disk}
    return {**head, "name": name, **disk, "managedDisk": {**disk["managedDisk"], "id": disk_id}}


def _body(machine: Body, disk: Body, name: str, disk_id: str, now: datetime) -> Body:
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
        start = f"/Subscriptions/{ResourceId(disk_id).subscription}/Providers/Microsoft.Compute/Locations"
        creation["imageReference"] = {"id": f"{start}/{machine['location']}{path}"}
    return {
        "name": name,
        "id": disk_id,
        "type": DISK,
        "location": machine["location"],
        **({"zones": machine["zones"]} if "zones" in machine else {}),
        "managedBy": machine["id"],
        "sku": {"name": sku, "tier": sku.partition("_")[0].removesuffix("SSD")},
        "properties": {
            **system,
            "creationData": creation,
            "diskSizeGB": gigabytes,
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


def attached(disk: Body, machine_id: str | None) -> Body:
    """A copy of a disk that belongs to a machine now, or to none."""
    free = {key: value for key, value in disk.items() if key != "managedBy"}
    state = "Attached" if machine_id else "Unattached"
    head: Body = {key: free.pop(key) for key in ("name", "id", "type", "location", "tags", "zones") if key in free}
    owner = {"managedBy": machine_id} if machine_id else {}
    return {**head, **owner, **free, "properties": {**disk["properties"], "diskState": state}}
