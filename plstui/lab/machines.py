"""The lab's machines: what they are made of, and that they run."""

from __future__ import annotations

import base64
from secrets import token_urlsafe

from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.lab.fragments import Body
from plstui.lab.parts import Survey, Wait

IMAGE = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
WINDOWS = {
    "publisher": "MicrosoftWindowsServer",
    "offer": "WindowsServer",
    "sku": "2022-datacenter-azure-edition",
    "version": "latest",
}


def linux_body(name: str, nic: ResourceId, size: str, user: str, public_key: str, user_data: str) -> Body:
    """A Ubuntu machine that is signed in to by key."""
    return {
        "properties": {
            "hardwareProfile": {"vmSize": size},
            "storageProfile": {
                "imageReference": IMAGE,
                "osDisk": {
                    "name": f"{name}-os",
                    "createOption": "FromImage",
                    "deleteOption": "Delete",
                    "managedDisk": {"storageAccountType": "Standard_LRS"},
                },
            },
            "osProfile": {
                "computerName": name,
                "adminUsername": user,
                "customData": base64.b64encode(user_data.encode()).decode(),
                "linuxConfiguration": {
                    "disablePasswordAuthentication": True,
                    "ssh": {
                        "publicKeys": [{"path": f"/home/{user}/.ssh/authorized_keys", "keyData": public_key}],
                    },
                },
            },
            "networkProfile": {"networkInterfaces": [{"id": nic.text, "properties": {"primary": True}}]},
        }
    }


def attached(nic: ResourceId, user: str) -> Body:
    """What a machine of the lab was made with and cannot change: its interface, and who signs in to it."""
    interfaces = {"networkInterfaces": [{"id": nic.text}]}
    return {"properties": {"networkProfile": interfaces, "osProfile": {"adminUsername": user}}}


def running(key: str, side: Side, machine: ResourceId) -> Wait:
    """A machine that runs; one that was stopped is started."""

    def lacking(survey: Survey) -> str | None:
        body = survey.body(machine)
        if body is None:
            return f"there is no machine {machine.name} yet"
        power = _power(body)
        return None if power in ("running", "") else f"{machine.name} is {power}"

    return Wait(
        key=f"{key}-running",
        side=side,
        what=f"machine {machine.name} runs",
        needs=(key,),
        reads=lambda _: ((side, machine),),
        lacking=lacking,
        ripe=lambda survey: _power(survey.body(machine) or {}) in ("stopped", "deallocated"),
        start=machine,
    )


def _power(machine: Body) -> str:
    view = (machine.get("properties") or {}).get("instanceView") or {}
    codes = [str(status.get("code", "")) for status in view.get("statuses") or []]
    return next((code.partition("/")[2].lower() for code in codes if code.startswith("PowerState/")), "")


def windows_body(name: str, nic: ResourceId, size: str, user: str, password: str) -> Body:
    """A Windows machine, for a browser; signed in to by password."""
    return {
        "properties": {
            "hardwareProfile": {"vmSize": size},
            "storageProfile": {
                "imageReference": WINDOWS,
                "osDisk": {"name": f"{name}-os", "createOption": "FromImage", "deleteOption": "Delete"},
            },
            "osProfile": {"computerName": name, "adminUsername": user, "adminPassword": password},
            "networkProfile": {"networkInterfaces": [{"id": nic.text, "properties": {"primary": True}}]},
        }
    }


def address_in(interface: Body | None) -> str:
    """An interface's first private address; empty when it has none."""
    configurations = ((interface or {}).get("properties") or {}).get("ipConfigurations") or []
    addresses = [str((one.get("properties") or {}).get("privateIPAddress") or "") for one in configurations]
    return next(filter(None, addresses), "")


def new_password() -> str:
    """A password that Windows and Azure take: letters of both kinds, digits and a sign."""
    return f"{token_urlsafe(15)}-aA1"
