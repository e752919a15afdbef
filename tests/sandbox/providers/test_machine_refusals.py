"""Machines that Azure does not make, and the code it says so with."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.providers.machines import COMPUTE, KEY, UBUNTU, WINDOWS, place, request


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
