"""A virtual machine from its creation to its end, and what shows it."""

from __future__ import annotations

import base64

import pytest

from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.gateway.operations import doomed
from plstui.sandbox.latency import Latency
from tests.sandbox.providers.machines import COMPUTE, EXPANDED, UBUNTU, WINDOWS, codes, place, power, request


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


@pytest.mark.parametrize(("expand", "told"), [("", True), ("userData", True), ("instanceView,userData", False)])
async def test_the_etag_is_a_header_too_where_no_instance_view_is(expand: str, told: bool) -> None:
    at = await place()
    await at.machine()

    answer = await at.isv.call("GET", f"{at.vm()}?$expand={expand}" if expand else at.vm(), api_version=COMPUTE)

    assert answer.headers.get("ETag") == (answer.body["etag"] if told else None)


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
