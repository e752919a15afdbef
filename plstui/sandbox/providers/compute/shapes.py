"""Machines as answers show them: by api-version, and with what the client wants to see."""

from __future__ import annotations

from collections.abc import Sequence

from plstui.sandbox.providers.compute import osprofile, statuses
from plstui.sandbox.providers.compute.images import Image, named
from plstui.sandbox.store import Body

PLATFORM_UPDATES = ("2022-03-01", "2024-03-01")
"""From which api-version on, and before which, answers tell whether the platform updates a machine's agent."""
CREATED_SINCE = "2021-11-01"
"""The first api-version that tells when a machine was made (Microsoft's definitions; at 2020-12-01 none does)."""
DELETE_OPTION_SINCE = "2021-03-01"
"""The first api-version that tells what becomes of a disk without its machine, and how patches are looked for."""
ETAG_SINCE = "2024-03-01"
"""The first api-version whose machines have an etag."""
CONTROLLER_SINCE = "2022-08-01"
"""The first api-version that tells how a machine's disks are connected."""


def machine(body: Body, api_version: str, expand: str, extensions: Sequence[Body]) -> Body:
    """A machine; its instance view and user data only when they are asked for."""
    wanted = {word.strip().lower() for word in expand.split(",")}
    properties: Body = dict(body["properties"])
    if "osProfile" in properties:
        told = PLATFORM_UPDATES[0] <= api_version < PLATFORM_UPDATES[1]
        modes = api_version >= DELETE_OPTION_SINCE
        properties["osProfile"] = osprofile.shown(properties["osProfile"], platform_updates=told, assessment=modes)
    if api_version < CONTROLLER_SINCE:
        profile = properties["storageProfile"]
        properties["storageProfile"] = {k: v for k, v in profile.items() if k != "diskControllerType"}
    if api_version < DELETE_OPTION_SINCE:
        profile = properties["storageProfile"]
        disk = {k: v for k, v in profile["osDisk"].items() if k != "deleteOption"}
        properties["storageProfile"] = {**profile, "osDisk": disk}
    if statuses.power_of(body) == statuses.DEALLOCATED:
        properties["storageProfile"] = _of_no_host(properties["storageProfile"])
    if "userdata" not in wanted:
        properties.pop("userData", None)
    created = properties.pop("timeCreated")
    properties.pop("instanceView", None)
    if "instanceview" in wanted:
        properties["instanceView"] = instance_view(body)
    if api_version >= CREATED_SINCE:
        properties["timeCreated"] = created
    shown = {name: value for name, value in body.items() if name not in ("properties", "etag")}
    shown["properties"] = properties
    if extensions:
        shown["resources"] = list(extensions)
    return {**shown, "etag": body["etag"]} if api_version >= ETAG_SINCE else shown


def _of_no_host(profile: Body) -> Body:
    """The disks of a machine that has no host now: the size and the kind of its system disk are not told."""
    disk: Body = {name: value for name, value in profile["osDisk"].items() if name != "diskSizeGB"}
    managed = {name: value for name, value in disk["managedDisk"].items() if name != "storageAccountType"}
    return {**profile, "osDisk": {**disk, "managedDisk": managed}}


def instance_view(body: Body) -> Body:
    """The instance view of a machine."""
    return statuses.instance_view(body["properties"], _image(body))


def _image(body: Body) -> Image | None:
    reference = body["properties"]["storageProfile"].get("imageReference")
    return named(reference["publisher"], reference["offer"], reference["sku"]) if reference else None


def status_only(body: Body) -> Body:
    """A machine of which nothing but its state is told."""
    head = {name: body[name] for name in ("name", "id", "type", "location")}
    properties = body["properties"]
    return {
        **head,
        "properties": {
            "provisioningState": properties["provisioningState"],
            "vmId": properties["vmId"],
            "instanceView": {"statuses": (properties.get("instanceView") or {}).get("statuses") or []},
        },
    }
