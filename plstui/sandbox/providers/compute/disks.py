"""Managed disks as far as machines need them."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar
from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.gateway.operations import Operation
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers import locations
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.compute import polling
from plstui.sandbox.providers.compute.errors import invalid, missing, not_allowed
from plstui.sandbox.providers.compute.polling import moment
from plstui.sandbox.providers.compute.storage import DISK, DISK_TYPES, performance
from plstui.sandbox.store import Body

ARM_RESOURCE_UNTIL = "2021-01-01"
"""The first api-version whose answers to a write tell a disk's type, and no longer that it is a resource."""

_ACCESS = {
    "networkAccessPolicy": ("AllowAll", "AllowPrivate", "DenyAll"),
    "publicNetworkAccess": ("Enabled", "Disabled"),
}
"""Who may fetch a disk's content; the first is the default."""

_ECHOED = ("encryption", "networkAccessPolicy", "publicNetworkAccess", "tier")

WRITE, DELETE = Pace(4, 2), Pace(5, 2)


def _asked(call: Call, fields: Fields, body: Body) -> Body:
    """The answer to a write, which says no more than what was asked for."""
    sent, properties = fields.fields("properties"), body["properties"]
    shown = {name: properties[name] for name in ("creationData", "diskSizeGB")}
    shown |= {name: properties[name] for name in _ECHOED if name in sent and name in properties}
    shown["provisioningState"] = properties["provisioningState"]
    untold = {"managedBy"}
    if call.api_version < ARM_RESOURCE_UNTIL:
        shown["isArmResource"] = True
        untold.add("type")
    head = {name: value for name, value in body.items() if name not in untold}
    return {**head, "sku": {"name": body["sku"]["name"]}, "properties": shown}


class Disks(ResourceEndpoint):
    """Disks: those of machines, and empty ones of their own."""

    type: ClassVar[str] = DISK

    async def put(self, call: Call) -> Response:
        """Create an empty disk, or change one."""
        old = self.azure.store.get(call.named)
        fields = call.fields
        properties = fields.fields("properties")
        if old is None:
            option = properties.fields("creationData").word("createOption", "Empty", "FromImage", "Copy", "Import")
            if option != "Empty":
                raise invalid("creationData.createOption", "This sandbox makes empty disks only.")
        return self._write(call, fields, dict(old) if old else None)

    async def patch(self, call: Call) -> Response:
        """Change the size, the kind or the tags."""
        return self._write(call, call.fields, self.find(call.named))

    def _write(self, call: Call, fields: Fields, old: Body | None) -> Response:
        had: Body = old["properties"] if old else {}
        properties = fields.fields("properties")
        gigabytes = properties.number("diskSizeGB", had.get("diskSizeGB", 0))
        if gigabytes <= 0:
            raise missing("diskSizeGB")
        if gigabytes < had.get("diskSizeGB", 0):
            raise invalid("diskSizeGB", "Disk size cannot be made smaller.")
        sku = fields.fields("sku").word(
            "name", *DISK_TYPES, default=(old or {}).get("sku", {}).get("name", "Standard_LRS")
        )
        tags = fields.tags() if "tags" in fields else (old or {}).get("tags")
        zones = fields.texts("zones") or (old or {}).get("zones")
        access = {
            name: properties.word(name, *words, default=had.get(name, words[0])) for name, words in _ACCESS.items()
        }
        body: Body = {
            "name": (old or {}).get("name", call.named.name),
            "id": (old or {}).get("id", call.named.text),
            "type": self.type,
            "location": locations.check(fields.text("location") or (old or {}).get("location", ""), self.type),
            **({"tags": tags} if tags is not None else {}),
            **({"zones": zones} if zones else {}),
            **({"managedBy": old["managedBy"]} if old and "managedBy" in old else {}),
            "sku": {"name": sku, "tier": sku.partition("_")[0].removesuffix("SSD").removesuffix("V2")},
            "properties": {
                "creationData": {"createOption": "Empty"},
                "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
                **access,
                "timeCreated": moment(self.azure.clock.now()),
                "diskState": "Unattached",
                "uniqueId": str(uuid4()),
                **{name: value for name, value in had.items() if name not in ("tier", *access)},
                "diskSizeGB": gigabytes,
                **performance(sku, gigabytes),
                "diskSizeBytes": gigabytes * 2**30,
                "provisioningState": "Updating",
            },
        }
        self.azure.store.put(body)
        operation = self._start(call, body, WRITE, lambda: self._settle(body["id"], "Succeeded"))
        return polling.accepted(self.azure, call, operation, 202, _asked(call, fields, body), kind="DiskOperations")

    def _settle(self, disk_id: str, state: str) -> Body | None:
        """Show how the last change of a disk went; gives the disk, if it is still there."""
        body = self.azure.store.get(disk_id)
        if body is None:
            return None
        new = {**body, "properties": {**body["properties"], "provisioningState": state}}
        self.azure.store.put(new)
        return new

    async def delete(self, call: Call) -> Response:
        """Delete a disk that no machine has."""
        body = self.azure.store.get(call.named)
        if body is None:
            return Response(204)
        if owner := body.get("managedBy"):
            raise not_allowed(f"Disk {body['name']} is attached to VM {owner}.")
        operation = self._start(call, dict(body), DELETE, lambda: self._remove(ResourceId(body["id"])))
        return polling.accepted(self.azure, call, operation, 202, kind="DiskOperations")

    def _start(self, call: Call, body: Body, pace: Pace, finish: Callable[[], Body | None]) -> Operation:
        return self.azure.operations.start(
            finish,
            pace,
            subscription=call.subscription,
            location=body["location"],
            api_version=call.api_version,
            target=body["id"],
            on_failure=lambda: self._fail(body["id"]),
        )

    def _fail(self, disk_id: str) -> None:
        self._settle(disk_id, "Failed")

    def _remove(self, disk_id: ResourceId) -> None:
        self.azure.store.delete(disk_id)
