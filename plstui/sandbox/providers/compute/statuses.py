"""The states of a machine, and what its instance view tells."""

from __future__ import annotations

from datetime import datetime

from plstui.sandbox.providers.compute.images import Image
from plstui.sandbox.providers.compute.polling import moment
from plstui.sandbox.store import Body

RUNNING, STARTING, STOPPED, STOPPING = "running", "starting", "stopped", "stopping"
DEALLOCATED, DEALLOCATING = "deallocated", "deallocating"

_PROVISIONING = {
    "Creating": "Creating",
    "Updating": "Updating",
    "Deleting": "Deleting",
    "Succeeded": "Provisioning succeeded",
    "Failed": "Provisioning failed",
}


def provisioning(state: str, now: datetime) -> Body:
    """The status that says how the last change of a machine went."""
    level = "Error" if state == "Failed" else "Info"
    body: Body = {"code": f"ProvisioningState/{state.lower()}", "level": level, "displayStatus": _PROVISIONING[state]}
    return {**body, "time": moment(now)} if state in ("Succeeded", "Failed") else body


def power(state: str) -> Body:
    """The status that says whether a machine is on."""
    return {"code": f"PowerState/{state}", "level": "Info", "displayStatus": f"VM {state}"}


def power_of(body: Body) -> str:
    """Whether a machine is on: `running`, `deallocated` …; empty before its first start."""
    for status in (body["properties"].get("instanceView") or {}).get("statuses") or []:
        kind, _, state = str(status["code"]).partition("/")
        if kind == "PowerState":
            return state
    return ""


def with_states(body: Body, state: str, power_state: str, now: datetime) -> Body:
    """A copy of a machine in another state; its own body is not changed."""
    properties = dict(body["properties"])
    properties["provisioningState"] = state
    statuses = [provisioning(state, now), *([power(power_state)] if power_state else [])]
    properties["instanceView"] = {**(properties.get("instanceView") or {}), "statuses": statuses}
    return {**body, "properties": properties}


def instance_view(properties: Body, image: Image | None) -> Body:
    """The whole instance view: what the agent tells, only while the machine runs."""
    told: list[Body] = (properties.get("instanceView") or {}).get("statuses") or []
    view: Body = {}
    if any(status["code"] == f"PowerState/{RUNNING}" for status in told):
        if image and "osProfile" in properties:
            name, version = image.system
            view = {"computerName": properties["osProfile"]["computerName"], "osName": name, "osVersion": version}
        since = next((status["time"] for status in told if "time" in status), properties["timeCreated"])
        view["vmAgent"] = {
            "vmAgentVersion": "2.11.1.12",
            "statuses": [_done("Ready", since) | {"message": "Guest Agent is running"}],
            "extensionHandlers": [],
        }
    disks = [properties["storageProfile"]["osDisk"], *properties["storageProfile"]["dataDisks"]]
    done = _done("Provisioning succeeded", properties["timeCreated"])
    view["disks"] = [{"name": disk["name"], "statuses": [done]} for disk in disks if "name" in disk]
    if image:
        view["hyperVGeneration"] = image.generation
    return {**view, "statuses": told}


def _done(text: str, time: str) -> Body:
    return {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": text, "time": time}
