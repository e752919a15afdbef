"""Machines as answers show them: by api-version, and with what the client wants to see."""

from __future__ import annotations

from collections.abc import Sequence

from plstui.sandbox.providers import versions
from plstui.sandbox.providers.compute import statuses
from plstui.sandbox.providers.compute.images import Image, named
from plstui.sandbox.store import Body

_CONFIGURATIONS = ("properties.osProfile.linuxConfiguration", "properties.osProfile.windowsConfiguration")

SINCE = {
    "etag": "2024-03-01",
    # Microsoft's definitions; at 2020-12-01 none does.
    "properties.timeCreated": "2021-11-01",
    "properties.storageProfile.diskControllerType": "2022-08-01",
    "properties.storageProfile.osDisk.deleteOption": "2021-03-01",
    **{f"{path}.patchSettings.assessmentMode": "2021-03-01" for path in _CONFIGURATIONS},
    **{f"{path}.enableVMAgentPlatformUpdates": "2022-03-01" for path in _CONFIGURATIONS},
}
"""Paths in a machine and the api-version that shows them first."""

UNTIL = {f"{path}.enableVMAgentPlatformUpdates": "2024-03-01" for path in _CONFIGURATIONS}
"""Paths and the api-version that no longer shows them."""

_SECRET = ("properties", "osProfile", "customData")

_OF_A_HOST = (
    ("properties", "storageProfile", "osDisk", "diskSizeGB"),
    ("properties", "storageProfile", "osDisk", "managedDisk", "storageAccountType"),
)
"""What is not told of a machine that has no host now: the size and the kind of its system disk."""


def machine(body: Body, api_version: str, expand: str, extensions: Sequence[Body]) -> Body:
    """A machine; its instance view and user data only when they are asked for."""
    wanted = {word.strip().lower() for word in expand.split(",")}
    kept: Body = body["properties"]
    properties: Body = {name: value for name, value in kept.items() if name not in ("instanceView", "timeCreated")}
    if "userdata" not in wanted:
        properties.pop("userData", None)
    if "instanceview" in wanted:
        properties["instanceView"] = instance_view(body)
    properties["timeCreated"] = kept["timeCreated"]
    shown: Body = {name: value for name, value in body.items() if name not in ("properties", "etag")}
    shown["properties"] = properties
    if extensions:
        shown["resources"] = list(extensions)
    shown["etag"] = body["etag"]
    hostless = _OF_A_HOST if statuses.power_of(body) == statuses.DEALLOCATED else ()
    for path in (_SECRET, *hostless, *versions.hidden(SINCE, UNTIL, api_version)):
        versions.drop(shown, path)
    return shown


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
