"""From a request to the machine that is kept: every part checked, defaults filled in."""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.providers import locations
from plstui.sandbox.providers.compute import interfaces, osprofile, sizes, storage
from plstui.sandbox.providers.compute.errors import invalid, missing, unchangeable
from plstui.sandbox.providers.compute.polling import moment
from plstui.sandbox.providers.compute.references import find
from plstui.sandbox.store import Body

TYPE = "Microsoft.Compute/virtualMachines"

_BUILT = frozenset({"hardwareprofile", "storageprofile", "osprofile", "networkprofile"})
_READ_ONLY = frozenset({"provisioningstate", "vmid", "timecreated", "instanceview"})
_NAME = re.compile(r"^[^_\W][\w\-._]{0,79}(?<![-.])$")
_ELSEWHERE = frozenset({"availabilityset", "virtualmachinescaleset", "proximityplacementgroup", "host", "hostgroup"})
_ORDER = (
    *("hardwareProfile", "provisioningState", "vmId", "additionalCapabilities", "storageProfile", "osProfile"),
    *("securityProfile", "networkProfile", "diagnosticsProfile"),
)


def build(azure: Azure, call: Call, fields: Fields, old: Body | None) -> Body:
    """The machine that a PUT asks for; `old` is the one that is there. Raises the 400s, 404s and 409s of Azure."""
    resource_id = ResourceId(old["id"]) if old else call.named
    if not _NAME.match(resource_id.name):
        raise invalid(
            "vmName",
            f"The entity name 'vmName' is invalid according to its validation rule: {_NAME.pattern}.",
        )
    location = _location(fields, old)
    zones = _zones(fields, old)
    if "identity" in fields:
        raise invalid("identity", "This sandbox has no managed identities.")
    properties = fields.fields("properties")
    for name in properties.raw:
        if name.lower() in _ELSEWHERE and name in properties:
            raise invalid(name, f"This sandbox has no resources that '{name}' could refer to.")
    before: Body = old["properties"] if old else {}
    size = _size(properties, before, location, zones, resource_id)
    if old is None:
        sizes.check_quota(azure, resource_id.subscription, location, size)
    look = partial(find, azure, call)
    builder = storage.Builder(azure, look, resource_id, size)
    disks = builder.build(properties.fields("storageProfile"), before.get("storageProfile"))
    windows = disks["osDisk"]["osType"] == "Windows"
    built: Body = {
        "hardwareProfile": _hardware(properties.fields("hardwareProfile"), size),
        "provisioningState": "Creating",
        "vmId": before.get("vmId") or str(uuid4()),
        "storageProfile": disks,
    }
    if "osProfile" in properties or "osProfile" in before:
        profile = properties.fields("osProfile")
        built["osProfile"] = osprofile.build(
            profile, before.get("osProfile"), windows=windows, vm_name=resource_id.name
        )
    elif disks["osDisk"]["createOption"] != "Attach":
        raise missing("osProfile")
    built["networkProfile"] = interfaces.build(
        look, properties.fields("networkProfile"), old, resource_id, location=location
    )
    known = {name.lower() for name in (*_BUILT, *_READ_ONLY)}
    rest = {name: _clean(value) for name, value in properties.raw.items() if name.lower() not in known}
    built |= {name: value for name, value in rest.items() if value is not None}
    if "instanceView" in before:
        built["instanceView"] = before["instanceView"]
    built["timeCreated"] = before.get("timeCreated") or moment(azure.clock.now())
    ordered = {name: built.pop(name) for name in _ORDER if name in built}
    return {
        "name": resource_id.name,
        "id": resource_id.text,
        "type": TYPE,
        "location": location,
        **({"tags": fields.tags()} if "tags" in fields else {}),
        **({"zones": zones} if zones else {}),
        **({"plan": _clean(fields.fields("plan").raw)} if "plan" in fields else {}),
        "properties": {**ordered, **built},
        "etag": f'"{int(str((old or {}).get("etag", "0")).strip(chr(34))) + 1}"',
    }


def _size(properties: Fields, before: Body, location: str, zones: list[str], resource_id: ResourceId) -> str:
    asked = properties.fields("hardwareProfile").text("vmSize")
    had = str(before.get("hardwareProfile", {}).get("vmSize", ""))
    if had and asked.lower() in ("", had.lower()):
        return had
    if not asked:
        raise missing("hardwareProfile.vmSize")
    return sizes.check(asked, location, zones, resource_id.text)


def _location(fields: Fields, old: Body | None) -> str:
    asked = fields.text("location")
    if old and asked in ("", old["location"]):
        return str(old["location"])
    name = locations.check(asked, TYPE)
    if old and name != old["location"]:
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{old['name']}' already exists in location '{old['location']}' in resource group "
            f"'{ResourceId(old['id']).resource_group}'. A resource with the same name cannot be created in location "
            f"'{name}'. Please select a new resource name.",
        )
    return name


def _hardware(fields: Fields, size: str) -> Body:
    more = {name: _clean(value) for name, value in fields.raw.items() if name.lower() != "vmsize" and value is not None}
    return {"vmSize": size, **more}


def _zones(fields: Fields, old: Body | None) -> list[str]:
    zones = fields.texts("zones")
    if old is not None:
        had: list[str] = old.get("zones", [])
        if zones and zones != had:
            raise unchangeable("zones")
        return had
    if len(zones) > 1:
        raise invalid("zones", "A virtual machine can be in one zone only.")
    return zones


def _clean(value: Any) -> Any:
    """What was sent, without the nulls that clients send for what they do not mean."""
    if isinstance(value, dict):
        return {name: _clean(item) for name, item in value.items() if item is not None}
    return [_clean(item) for item in value] if isinstance(value, list) else value


def patched(old: Body, changes: Body) -> Body:
    """The request that a PATCH amounts to: what the machine has, with the changes laid over it."""
    kept = {name: old[name] for name in ("location", "tags", "zones", "plan", "properties") if name in old}
    merged: Body = _merged(kept, changes)
    return merged


def _merged(old: Any, new: Any) -> Any:
    """An object with another one laid over it; names match in any case."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    names = {name.lower(): name for name in old}
    merged = dict(old)
    for name, value in new.items():
        key = names.get(name.lower(), name)
        merged[key] = _merged(old.get(key), value) if key != "tags" else value
    return merged
