from __future__ import annotations

import base64
from typing import Any

import pytest

from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.gateway.operations import doomed
from plstui.sandbox.latency import Latency
from tests.sandbox.providers.machines import COMPUTE, KEY, UBUNTU, Place, place, request

EXPANDED = "?$expand=instanceView"


def codes(view: Any) -> list[str]:
    return [status["code"] for status in view["statuses"]]


async def power(at: Place, name: str = "web1") -> str:
    body = await at.isv.get(at.vm(name) + EXPANDED, api_version=COMPUTE)
    return codes(body["properties"]["instanceView"])[-1].partition("/")[2]


async def test_a_machine_from_creation_to_the_end() -> None:
    at = await place(Latency.AZURE)
    nic = await at.nic("web1-nic")
    created = await at.isv.call("PUT", at.vm(), request(nic, zones=["1"], tags={}), api_version=COMPUTE)
    assert created.status == 201
    assert created.headers["Retry-After"] == "10"
    assert "Location" not in created.headers
    assert list(created.body) == ["name", "id", "type", "location", "tags", "zones", "properties", "etag"]
    properties = created.body["properties"]
    assert properties["provisioningState"] == "Creating"
    assert properties["storageProfile"]["osDisk"] == {
        "osType": "Linux",
        "createOption": "FromImage",
        "caching": "ReadWrite",
        "managedDisk": {"storageAccountType": "Premium_LRS"},
        "deleteOption": "Detach",
        "diskSizeGB": 30,
    }
    assert properties["storageProfile"]["imageReference"]["exactVersion"].startswith("24.04.")
    assert properties["networkProfile"] == {"networkInterfaces": [{"id": nic}]}
    poll = await at.isv.get(created.headers["Azure-AsyncOperation"])
    assert poll.keys() == {"startTime", "status", "name"}
    view = await at.isv.get(at.vm() + "/instanceView", api_version=COMPUTE)
    assert codes(view) == ["ProvisioningState/creating"]
    end = await at.isv.end_of(created)
    assert (end.body["status"], "endTime" in end.body) == ("Succeeded", True)
    body = await at.isv.get(at.vm(), api_version=COMPUTE)
    assert "instanceView" not in body["properties"]
    assert body["properties"]["vmId"] == properties["vmId"]
    disk = await at.isv.get(body["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"])
    assert (await at.isv.call("HEAD", disk["id"])).status == 204
    assert (disk["managedBy"], disk["zones"], disk["properties"]["diskState"]) == (at.vm(), ["1"], "Attached")
    interface = (await at.isv.get(nic))["properties"]
    assert (interface["virtualMachine"], interface["primary"]) == ({"id": at.vm()}, True)
    assert interface["macAddress"]
    deleted = await at.isv.call("DELETE", at.vm(), api_version=COMPUTE)
    assert (deleted.status, deleted.headers["Retry-After"]) == (202, "10")
    assert "monitor=true" in deleted.headers["Location"]
    assert (await at.isv.get(at.vm(), api_version=COMPUTE))["properties"]["provisioningState"] == "Deleting"
    await at.isv.end_of(deleted)
    assert await at.isv.failure("GET", at.vm(), api_version=COMPUTE) == (404, "NotFound")
    at.sandbox.azure.clock.advance(100)
    assert await at.isv.failure("GET", at.vm(), api_version=COMPUTE) == (404, "ResourceNotFound")
    assert (await at.isv.call("DELETE", at.vm(), api_version=COMPUTE)).status == 204
    assert "virtualMachine" not in (await at.isv.get(nic))["properties"]
    freed = await at.isv.get(disk["id"])
    assert ("managedBy" in freed, freed["properties"]["diskState"]) == (False, "Unattached")


async def test_the_instance_view_is_kept_and_shown_when_it_is_asked_for() -> None:
    at = await place()
    await at.machine()
    body = await at.isv.get(at.vm() + EXPANDED, api_version=COMPUTE)
    view = body["properties"]["instanceView"]
    assert codes(view) == ["ProvisioningState/succeeded", "PowerState/running"]
    assert (view["computerName"], view["osName"], view["osVersion"], view["hyperVGeneration"]) == (
        "web1",
        "ubuntu",
        "24.04",
        "V2",
    )
    assert view["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
    stored = at.sandbox.azure.store.get(at.vm())
    assert stored is not None
    assert codes(stored["properties"]["instanceView"]) == codes(view)
    listed = await at.isv.get(f"{at.group}/providers/Microsoft.Compute/virtualMachines{EXPANDED}", api_version=COMPUTE)
    assert [codes(row["properties"]["instanceView"]) for row in listed["value"]] == [codes(view)]
    everywhere = f"/subscriptions/{at.isv.subscription}/providers/Microsoft.Compute/virtualMachines"
    (short,) = (await at.isv.get(f"{everywhere}?statusOnly=true", api_version=COMPUTE))["value"]
    assert short["properties"].keys() == {"provisioningState", "vmId", "instanceView"}
    (plain,) = (await at.isv.get(everywhere, api_version=COMPUTE))["value"]
    assert "instanceView" not in plain["properties"]
    regional = everywhere.replace("virtualMachines", "locations/WestEurope/virtualMachines")
    assert [row["name"] for row in (await at.isv.get(regional, api_version=COMPUTE))["value"]] == ["web1"]


async def test_power() -> None:
    at = await place(Latency.AZURE)
    await at.machine()
    steps = [
        ("powerOff", "stopping", "stopped"),
        ("start", "starting", "running"),
        ("restart", "starting", "running"),
        ("deallocate", "deallocating", "deallocated"),
        ("powerOff", "deallocated", "deallocated"),
        ("start", "starting", "running"),
        ("start", "running", "running"),
    ]
    for action, passing, final in steps:
        accepted = await at.isv.call("POST", f"{at.vm()}/{action}", api_version=COMPUTE)
        assert (accepted.status, accepted.body) == (202, None)
        assert {"Azure-AsyncOperation", "Location"} <= accepted.headers.keys()
        assert await power(at) == passing
        assert (await at.isv.get(at.vm(), api_version=COMPUTE))["properties"]["provisioningState"] == "Updating"
        await at.isv.end_of(accepted)
        assert (await at.isv.call("GET", accepted.headers["Location"])).status == 200
        assert await power(at) == final
    await at.isv.done("POST", f"{at.vm()}/deallocate", api_version=COMPUTE)
    assert await at.isv.failure("POST", f"{at.vm()}/restart", api_version=COMPUTE) == (409, "OperationNotAllowed")
    view = await at.isv.get(at.vm() + "/instanceView", api_version=COMPUTE)
    assert "vmAgent" not in view
    assert await at.isv.failure("POST", f"{at.vm()}/explode", api_version=COMPUTE) == (404, "InvalidResourceType")
    assert await at.isv.failure("POST", f"{at.vm('no')}/start", api_version=COMPUTE) == (404, "ResourceNotFound")


async def test_secrets_are_never_answered_and_user_data_is_kept_for_the_machine_alone() -> None:
    at = await place()
    data = base64.b64encode(b"#cloud-config\n").decode()
    profile = {"adminUsername": "azureuser", "adminPassword": "Very-secret-1", "customData": data}
    made = await at.machine(properties={"osProfile": profile, "userData": data})
    seen = str(made) + str(await at.isv.get(at.vm() + EXPANDED, api_version=COMPUTE))
    assert data not in seen
    assert "Very-secret-1" not in seen + str([dict(body) for body in at.sandbox.azure.store])
    stored = at.sandbox.azure.store.get(at.vm())
    assert stored is not None
    assert stored["properties"]["osProfile"]["customData"] == data
    assert stored["properties"]["osProfile"]["computerName"] == "web1"
    asked = await at.isv.get(at.vm() + "?$expand=userData", api_version=COMPUTE)
    assert asked["properties"]["userData"] == data


async def test_a_change_keeps_what_is_not_sent_back() -> None:
    at = await place()
    data = base64.b64encode(b"#cloud-config\n").decode()
    profile = {"adminUsername": "azureuser", "adminPassword": "Very-secret-1", "customData": data}
    before = await at.machine(properties={"osProfile": profile}, zones=["2"])
    changed = await at.isv.call("PUT", at.vm(), before | {"tags": {"a": "b"}}, api_version=COMPUTE)
    assert (changed.status, changed.body["properties"]["provisioningState"]) == (200, "Updating")
    assert "Retry-After" not in changed.headers
    await at.isv.end_of(changed)
    after = await at.isv.get(at.vm(), api_version=COMPUTE)
    assert after["tags"] == {"a": "b"}
    assert after["zones"] == ["2"]
    assert after["properties"] == before["properties"]
    assert after["etag"] != before["etag"]
    patch = {"properties": {"hardwareProfile": {"vmSize": "Standard_D2s_v5"}, "diagnosticsProfile": {"x": {"y": 1}}}}
    patched = await at.isv.call("PATCH", at.vm(), patch, api_version=COMPUTE)
    assert (patched.status, patched.body["tags"]) == (200, {"a": "b"})
    assert patched.body["properties"]["hardwareProfile"] == {"vmSize": "Standard_D2s_v5"}
    assert patched.body["properties"]["diagnosticsProfile"] == {"x": {"y": 1}}
    stored = at.sandbox.azure.store.get(at.vm())
    assert stored is not None
    assert stored["properties"]["osProfile"]["customData"] == data
    assert await power(at) == "running"


async def test_what_cannot_be_changed() -> None:
    at = await place()
    await at.machine(zones=["1"])
    for change in (
        {"zones": ["2"]},
        {"location": "eastus"},
        {"properties": {"osProfile": {"adminUsername": "other"}}},
        {"properties": {"osProfile": {"customData": "AAAA"}}},
        {"properties": {"storageProfile": {"imageReference": {**UBUNTU, "sku": "minimal"}}}},
        {"properties": {"storageProfile": {"osDisk": {"name": "other"}}}},
        {"properties": {"networkProfile": {"networkInterfaces": [{"id": await at.nic("another")}]}}},
    ):
        status, code = await at.isv.failure("PATCH", at.vm(), change, api_version=COMPUTE)
        assert status == 409, (change, code)


WINDOWS = {
    "publisher": "MicrosoftWindowsServer",
    "offer": "WindowsServer",
    "sku": "2019-Datacenter",
    "version": "latest",
}


async def test_a_windows_machine_is_taken_like_any() -> None:
    at = await place()
    made = await at.machine(
        "testVM",
        properties={
            "storageProfile": {"imageReference": WINDOWS},
            "osProfile": {"adminUsername": "azureuser", "adminPassword": "Very-secret-1"},
        },
    )
    properties = made["properties"]
    assert properties["storageProfile"]["osDisk"]["osType"] == "Windows"
    assert properties["storageProfile"]["osDisk"]["diskSizeGB"] == 127
    assert properties["osProfile"]["windowsConfiguration"]["patchSettings"]["patchMode"] == "AutomaticByOS"
    assert await power(at, "testVM") == "running"


def linux(**configuration: Any) -> dict[str, Any]:
    return {"osProfile": {"adminUsername": "azureuser", "linuxConfiguration": configuration}}


def key(data: str, **more: Any) -> dict[str, Any]:
    return linux(disablePasswordAuthentication=True, ssh={"publicKeys": [{"keyData": data, **more}]})


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"hardwareProfile": {}}, 400, "InvalidParameter"),
    ({"hardwareProfile": {"vmSize": "Standard_Nonsense"}}, 400, "InvalidParameter"),
    ({"hardwareProfile": {"vmSize": "Standard_D2sv3"}}, 400, "InvalidParameter"),
    ({"hardwareProfile": {"vmSize": "Standard_D4s_v3"}}, 409, "SkuNotAvailable"),
    ({"hardwareProfile": 7}, 400, "InvalidRequestContent"),
    ({"storageProfile": {"imageReference": {**UBUNTU, "sku": "serverr"}}}, 404, "PlatformImageNotFound"),
    ({"storageProfile": {"imageReference": {**UBUNTU, "version": "newest"}}}, 404, "PlatformImageNotFound"),
    ({"storageProfile": {"imageReference": {"id": "/a/b"}}}, 404, "NotFound"),
    ({"storageProfile": {}}, 400, "InvalidParameter"),
    ({"storageProfile": {"imageReference": UBUNTU, "osDisk": {"diskSizeGB": 5}}}, 400, "InvalidParameter"),
    ({"storageProfile": {"imageReference": UBUNTU, "osDisk": {"name": "a/b"}}}, 400, "InvalidParameter"),
    ({"storageProfile": {"imageReference": UBUNTU, "dataDisks": [{"lun": 0}]}}, 400, "InvalidParameter"),
    ({"osProfile": None}, 400, "InvalidParameter"),
    (linux(disablePasswordAuthentication=True), 400, "InvalidParameter"),
    (linux(disablePasswordAuthentication=False), 400, "InvalidParameter"),
    (key(""), 400, "InvalidParameter"),
    (key("ssh-rsa AAAA"), 400, "InvalidParameter"),
    (key("ecdsa-sha2-nistp256 AAAA"), 400, "InvalidParameter"),
    (key("-----BEGIN OPENSSH PRIVATE KEY-----"), 400, "InvalidParameter"),
    (key(KEY, path="/root/.ssh/authorized_keys"), 400, "InvalidParameter"),
    ({"osProfile": {"adminUsername": "admin", "adminPassword": "Very-secret-1"}}, 400, "InvalidParameter"),
    ({"osProfile": {"adminPassword": "Very-secret-1"}}, 400, "InvalidParameter"),
    ({"osProfile": {"adminUsername": "me", "adminPassword": "x"}}, 400, "InvalidParameter"),
    (
        {"osProfile": {"adminUsername": "me", "adminPassword": "Very-secret-1", "customData": "%"}},
        400,
        "InvalidParameter",
    ),
    (
        {
            "osProfile": {
                "adminUsername": "me",
                "adminPassword": "Very-secret-1",
                "linuxConfiguration": {
                    "disablePasswordAuthentication": True,
                    "ssh": {"publicKeys": [{"keyData": KEY}]},
                },
            }
        },
        400,
        "InvalidParameter",
    ),
    (
        {
            "storageProfile": {"imageReference": WINDOWS},
            "osProfile": {
                "computerName": "much-too-long-for-windows",
                "adminUsername": "me",
                "adminPassword": "Very-1ong",
            },
        },
        400,
        "InvalidParameter",
    ),
    ({"networkProfile": {}}, 400, "InvalidParameter"),
    ({"networkProfile": {"networkInterfaces": [{"id": "/nowhere"}]}}, 400, "LinkedInvalidPropertyId"),
    ({"availabilitySet": {"id": "/a"}}, 400, "InvalidParameter"),
]


@pytest.mark.parametrize(("properties", "status", "code"), REFUSED)
async def test_what_a_machine_may_not_be(properties: dict[str, Any], status: int, code: str) -> None:
    at = await place()
    nic = await at.nic("nic")
    answer = await at.isv.call("PUT", at.vm(), request(nic, properties=properties), api_version=COMPUTE)
    assert (answer.status, answer.body["error"]["code"]) == (status, code)
    assert await at.isv.failure("GET", at.vm(), api_version=COMPUTE) == (404, "ResourceNotFound")
    assert "virtualMachine" not in (await at.isv.get(nic))["properties"]


async def test_zones_and_sizes_that_cannot_be_had_there() -> None:
    at = await place()
    nic = await at.nic("nic")
    small = {"hardwareProfile": {"vmSize": "Standard_B1ms"}}
    for zones, more, status, code in (
        (["4"], {}, 400, "InvalidAvailabilityZone"),
        (["1", "2"], {}, 400, "InvalidParameter"),
        (["3"], small, 409, "SkuNotAvailable"),
    ):
        body = request(nic, properties=more, zones=zones)
        assert await at.isv.failure("PUT", at.vm(), body, api_version=COMPUTE) == (status, code)
    await at.isv.put(at.vm(), request(nic, properties=small, zones=["1"]), api_version=COMPUTE)


async def test_interfaces_that_are_not_there_or_not_free() -> None:
    at = await place()
    await at.machine()
    taken = f"{at.group}/providers/Microsoft.Network/networkInterfaces/web1-nic"
    assert await at.isv.failure("PUT", at.vm("web2"), request(taken), api_version=COMPUTE) == (400, "NicInUse")
    assert await at.isv.failure("DELETE", taken) == (400, "NicInUse")
    missing = taken.replace("web1-nic", "no-nic")
    answer = await at.isv.failure("PUT", at.vm("web2"), request(missing), api_version=COMPUTE)
    assert answer == (400, "InvalidResourceReference")
    group = at.sandbox.customer.group("theirs")
    foreign = f"{group}/providers/Microsoft.Network/networkInterfaces/nic"
    answer = await at.isv.failure("PUT", at.vm("web2"), request(foreign), api_version=COMPUTE)
    assert answer == (403, "LinkedAuthorizationFailed")
    wrong = f"{at.group}/providers/Microsoft.Network/virtualNetworks/net"
    answer = await at.isv.failure("PUT", at.vm("web2"), request(wrong), api_version=COMPUTE)
    assert answer == (400, "InvalidParameter")


async def test_what_was_to_go_with_a_machine_goes_with_it() -> None:
    at = await place()
    nic = await at.nic("nic")
    storage = {
        "imageReference": UBUNTU,
        "osDisk": {"name": "web1-os", "deleteOption": "Delete"},
        "dataDisks": [{"lun": 0, "diskSizeGB": 4}, {"lun": 1, "diskSizeGB": 8, "deleteOption": "Delete"}],
    }
    properties = {
        "storageProfile": storage,
        "networkProfile": {"networkInterfaces": [{"id": nic, "properties": {"deleteOption": "delete"}}]},
    }
    made = await at.isv.put(at.vm(), request(nic, properties=properties), api_version=COMPUTE)
    assert made["properties"]["storageProfile"]["osDisk"]["name"] == "web1-os"
    assert made["properties"]["networkProfile"]["networkInterfaces"][0]["properties"] == {"deleteOption": "Delete"}
    await at.isv.delete(at.vm(), api_version=COMPUTE)
    assert await at.isv.failure("GET", nic) == (404, "ResourceNotFound")
    listed = await at.isv.get(f"{at.group}/providers/Microsoft.Compute/disks", api_version="2024-03-02")
    assert [row["properties"]["diskSizeGB"] for row in listed["value"]] == [4]


async def test_a_group_with_machines_can_be_deleted() -> None:
    at = await place()
    await at.machine("web1")
    await at.machine("web2")
    await at.isv.delete(at.group)
    assert len(at.sandbox.azure.store) == 0


async def test_a_machine_whose_creation_fails_says_so_and_can_be_tried_again() -> None:
    at = await place()
    nic = await at.nic("nic")
    with doomed(bad_request("AllocationFailed", "There is no room.")):
        created = await at.isv.call("PUT", at.vm(), request(nic), api_version=COMPUTE)
    end = await at.isv.end_of(created)
    assert (end.status, end.body["status"], end.body["error"]["code"]) == (200, "Failed", "AllocationFailed")
    assert (await at.isv.get(at.vm(), api_version=COMPUTE))["properties"]["provisioningState"] == "Failed"
    made = await at.isv.put(at.vm(), request(nic), api_version=COMPUTE)
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert await power(at) == "running"


@pytest.mark.parametrize(
    ("api_version", "platform_updates", "controller", "etag"),
    [("2020-12-01", False, False, False), ("2022-03-01", True, False, False), ("2024-07-01", False, True, True)],
)
async def test_the_shape_depends_on_the_api_version(
    api_version: str, platform_updates: bool, controller: bool, etag: bool
) -> None:
    at = await place()
    await at.machine()
    body = await at.isv.get(at.vm(), api_version=api_version)
    assert ("enableVMAgentPlatformUpdates" in body["properties"]["osProfile"]["linuxConfiguration"]) is platform_updates
    assert ("diskControllerType" in body["properties"]["storageProfile"]) is controller
    assert ("etag" in body) is etag


async def test_extensions_are_kept_and_their_secrets_are_not() -> None:
    at = await place()
    await at.machine()
    path = f"{at.vm()}/extensions/custom"
    body = {
        "location": "westeurope",
        "properties": {
            "publisher": "Microsoft.ManagedServices",
            "type": "ApplicationHealthLinux",
            "typeHandlerVersion": "1.0",
            "protectedSettings": {"key": "Very-secret-1"},
        },
    }
    created = await at.isv.call("PUT", path, body, api_version=COMPUTE)
    assert (created.status, created.body["properties"]["provisioningState"]) == (201, "Creating")
    await at.isv.end_of(created)
    kept = await at.isv.get(path, api_version=COMPUTE)
    assert kept["properties"] == {
        "autoUpgradeMinorVersion": False,
        "provisioningState": "Succeeded",
        "publisher": "Microsoft.ManagedServices",
        "type": "ApplicationHealthLinux",
        "typeHandlerVersion": "1.0",
        "settings": {},
    }
    assert "Very-secret-1" not in str([dict(stored) for stored in at.sandbox.azure.store])
    machine = await at.isv.get(at.vm(), api_version=COMPUTE)
    assert [extension["name"] for extension in machine["resources"]] == ["custom"]
    await at.isv.done("PATCH", path, {"properties": {"settings": {"a": 1}}}, api_version=COMPUTE)
    viewed = await at.isv.get(path + EXPANDED, api_version=COMPUTE)
    assert (viewed["properties"]["settings"], codes(viewed["properties"]["instanceView"])) == (
        {"a": 1},
        ["ProvisioningState/succeeded"],
    )
    assert [row["name"] for row in (await at.isv.get(f"{at.vm()}/extensions", api_version=COMPUTE))["value"]] == [
        "custom"
    ]
    await at.isv.delete(path, api_version=COMPUTE)
    assert await at.isv.failure("GET", path, api_version=COMPUTE) == (404, "ResourceNotFound")
    orphan = f"{at.vm('no')}/extensions/custom"
    assert await at.isv.failure("PUT", orphan, body, api_version=COMPUTE) == (404, "ParentResourceNotFound")
