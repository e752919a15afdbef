"""What a later write changes in a machine, what it keeps, and what it may not change."""

from __future__ import annotations

import base64

from tests.sandbox.providers.machines import COMPUTE, UBUNTU, place, power


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


async def test_older_api_versions_tell_less_of_a_machine() -> None:
    at = await place()
    await at.machine()

    old = (await at.isv.get(at.vm(), api_version="2020-12-01"))["properties"]
    new = (await at.isv.get(at.vm(), api_version=COMPUTE))["properties"]

    assert new.keys() - old.keys() == {"timeCreated"}
    assert new["storageProfile"]["osDisk"].keys() - old["storageProfile"]["osDisk"].keys() == {"deleteOption"}
    before, now = (one["osProfile"]["linuxConfiguration"]["patchSettings"] for one in (old, new))
    assert now.keys() - before.keys() == {"assessmentMode"}


async def test_a_machine_without_a_host_does_not_tell_of_its_system_disk() -> None:
    at = await place()
    await at.machine()
    before = (await at.isv.get(at.vm(), api_version=COMPUTE))["properties"]["storageProfile"]["osDisk"]

    await at.isv.done("POST", f"{at.vm()}/deallocate", api_version=COMPUTE)
    off = (await at.isv.get(at.vm(), api_version=COMPUTE))["properties"]["storageProfile"]["osDisk"]
    await at.isv.done("POST", f"{at.vm()}/start", api_version=COMPUTE)
    on = (await at.isv.get(at.vm(), api_version=COMPUTE))["properties"]["storageProfile"]["osDisk"]

    assert off.keys() == before.keys() - {"diskSizeGB"}
    assert off["managedDisk"] == {"id": before["managedDisk"]["id"]}
    assert on == before
