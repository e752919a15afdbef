from __future__ import annotations

from typing import Any

import asyncssh
import pytest

from plstui.sandbox.latency import Latency
from tests.sandbox.providers.machines import COMPUTE, KEY, Place, place, request

DISKS = "2024-03-02"


def region(at: Place, name: str = "westeurope") -> str:
    return f"/subscriptions/{at.isv.subscription}/providers/Microsoft.Compute/locations/{name}"


def names(rows: Any) -> list[str]:
    return [row["name"] for row in rows]


async def test_images_are_found_level_by_level_in_bare_arrays() -> None:
    at = await place()
    publishers = f"{region(at)}/publishers"
    assert "Canonical" in names(await at.isv.get(publishers, api_version=COMPUTE))
    offers = f"{publishers}/canonical/artifacttypes/vmimage/offers"
    assert "ubuntu-24_04-lts" in names(await at.isv.get(offers, api_version=COMPUTE))
    skus = f"{offers}/ubuntu-24_04-lts/skus"
    assert "server" in names(await at.isv.get(skus, api_version=COMPUTE))
    versions = f"{skus}/server/versions"
    found = await at.isv.get(versions, api_version=COMPUTE)
    (newest,) = await at.isv.get(f"{versions}?$top=1&$orderby=name desc", api_version=COMPUTE)
    assert newest["name"] == max(names(found)) != min(names(found))
    assert newest["id"].endswith(
        "/Locations/westeurope/Publishers/Canonical/ArtifactTypes/VMImage/Offers/ubuntu-24_04-lts/Skus/server/Versions/"
        + newest["name"]
    )
    one = await at.isv.get(f"{versions}/{newest['name']}", api_version=COMPUTE)
    assert (one["id"], one["properties"]["hyperVGeneration"]) == (newest["id"], "V2")
    assert one["properties"]["osDiskImage"]["operatingSystem"] == "Linux"
    for missing in (f"{offers}/no/skus", f"{publishers}/no/artifacttypes/vmimage/offers", f"{versions}/latest"):
        assert await at.isv.failure("GET", missing, api_version=COMPUTE) == (404, "NotFound")


@pytest.mark.parametrize(
    ("publisher", "offer", "sku", "system"),
    [
        ("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2", "Linux"),
        ("MicrosoftWindowsServer", "WindowsServer", "2019-Datacenter", "Windows"),
        ("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter-g2", "Windows"),
    ],
)
async def test_the_images_that_the_lab_can_ask_for(publisher: str, offer: str, sku: str, system: str) -> None:
    at = await place()
    path = f"{region(at)}/publishers/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions"
    (newest,) = await at.isv.get(f"{path}?$top=1&$orderby=name desc", api_version=COMPUTE)
    one = await at.isv.get(f"{path}/{newest['name']}", api_version=COMPUTE)
    assert one["properties"]["osDiskImage"]["operatingSystem"] == system


async def test_sizes_tell_where_they_cannot_be_had() -> None:
    at = await place()
    path = f"/subscriptions/{at.isv.subscription}/providers/Microsoft.Compute/skus"
    rows = (await at.isv.get(f"{path}?$filter=location eq 'West Europe'", api_version="2021-07-01"))["value"]
    assert {tuple(row["locations"]) for row in rows} == {("westeurope",)}
    free = [row for row in rows if not row["restrictions"]]
    assert all(row["locationInfo"][0]["zones"] == ["1", "2", "3"] for row in free)
    kinds = {row["restrictions"][0]["type"] for row in rows if row["restrictions"]}
    assert kinds == {"Zone", "Location"}
    for row in rows:
        closed = row["restrictions"] and row["restrictions"][0]["restrictionInfo"].get("zones", ["1"])
        capabilities = {item["name"]: item["value"] for item in row["capabilities"]}
        if closed and capabilities["CpuArchitectureType"] == "x64":
            body = request(
                await at.nic(row["name"]), properties={"hardwareProfile": {"vmSize": row["name"]}}, zones=closed[:1]
            )
            assert await at.isv.failure("PUT", at.vm(), body, api_version=COMPUTE) == (409, "SkuNotAvailable")
    everywhere = (await at.isv.get(path, api_version="2021-07-01"))["value"]
    assert len(everywhere) > 10 * len(rows)
    wrong = f"{path}?$filter=name eq 'x'"
    assert await at.isv.failure("GET", wrong, api_version="2021-07-01") == (400, "InvalidFilterInQueryString")
    assert len((await at.isv.get(f"{region(at)}/vmSizes", api_version=COMPUTE))["value"]) == len(rows)


async def test_what_is_used_of_the_quota() -> None:
    at = await place()
    await at.machine()
    rows = (await at.isv.get(f"{region(at, 'WestEurope')}/usages", api_version=COMPUTE))["value"]
    used = {row["name"]["value"]: row["currentValue"] for row in rows}
    assert (used["virtualMachines"], used["cores"], used["standardBSFamily"]) == (1, 2, 2)


async def test_no_more_machines_than_the_quota_allows() -> None:
    at = await place()
    quotas = at.sandbox.azure.quotas
    quotas.set_limit(at.isv.subscription, "Cores", 3)
    await at.machine()
    second = request(await at.nic("second-nic"))
    path = f"{at.group}/providers/Microsoft.Compute/virtualMachines/second"

    assert await at.isv.failure("PUT", path, second, api_version=COMPUTE) == (409, "OperationNotAllowed")

    rows = (await at.isv.get(f"{region(at)}/usages", api_version=COMPUTE))["value"]
    assert [(row["currentValue"], row["limit"]) for row in rows if row["name"]["value"] == "cores"] == [(2, 3)]
    quotas.set_limit(at.isv.subscription, "cores", 4)
    await at.isv.put(path, second, api_version=COMPUTE)


async def test_a_public_key_is_kept() -> None:
    at = await place()
    path = f"{at.group}/providers/Microsoft.Compute/sshPublicKeys/sshPublicKey"
    body = {"location": "West Europe", "properties": {"publicKey": KEY}}
    created = await at.isv.call("PUT", path, body, api_version=COMPUTE)
    assert (created.status, created.body["location"], created.body["properties"]) == (
        201,
        "westeurope",
        {"publicKey": KEY},
    )
    assert "type" not in created.body
    assert (await at.isv.call("PUT", path, body, api_version=COMPUTE)).status == 200
    patched = await at.isv.call("PATCH", path, {"tags": {"a": "b"}}, api_version=COMPUTE)
    assert (patched.body["tags"], patched.body["properties"]) == ({"a": "b"}, {"publicKey": KEY})
    listed = await at.isv.get(f"{at.group}/providers/Microsoft.Compute/sshPublicKeys", api_version=COMPUTE)
    assert names(listed["value"]) == ["sshPublicKey"]
    bad = {"location": "westeurope", "properties": {"publicKey": "ssh-rsa nonsense"}}
    assert await at.isv.failure("PUT", path, bad, api_version=COMPUTE) == (400, "InvalidParameter")
    assert (await at.isv.call("DELETE", path, api_version=COMPUTE)).status == 200
    assert (await at.isv.call("DELETE", path, api_version=COMPUTE)).status == 204


@pytest.mark.parametrize("kind", [None, "RSA", "Ed25519"])
async def test_a_key_pair_is_made_and_the_private_half_told_once(kind: str | None) -> None:
    at = await place()
    path = f"{at.group}/providers/Microsoft.Compute/sshPublicKeys/made"
    await at.isv.put(path, {"location": "westeurope"}, api_version=COMPUTE)
    wish = {"encryptionType": kind} if kind else None
    made = (await at.isv.call("POST", f"{path}/generateKeyPair", wish, api_version=COMPUTE)).body
    private = asyncssh.import_private_key(made["privateKey"])
    public = asyncssh.import_public_key(made["publicKey"])
    assert private.convert_to_public() == public
    assert (await at.isv.get(path, api_version=COMPUTE))["properties"] == {"publicKey": made["publicKey"]}
    assert made["privateKey"] not in str([dict(body) for body in at.sandbox.azure.store])


async def test_a_disk_of_its_own_is_attached_detached_and_deleted() -> None:
    at = await place(Latency.AZURE)
    await at.machine()
    path = f"{at.group}/providers/Microsoft.Compute/disks/data"
    body: dict[str, Any] = {
        "location": "westeurope",
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8},
    }
    created = await at.isv.call("PUT", path, body, api_version=DISKS)
    assert (created.status, created.headers["Retry-After"]) == (202, "2")
    assert created.body == {
        "name": "data",
        "id": path,
        "type": "Microsoft.Compute/disks",
        "location": "westeurope",
        "sku": {"name": "Standard_LRS"},
        "properties": {**body["properties"], "provisioningState": "Updating"},
    }
    assert "/DiskOperations/" in created.headers["Azure-AsyncOperation"]
    end = await at.isv.end_of(created)
    assert end.body["properties"]["output"]["properties"]["provisioningState"] == "Succeeded"
    assert (await at.isv.call("GET", created.headers["Location"])).body["id"] == path
    attach = {"lun": 0, "createOption": "Attach", "managedDisk": {"id": path}}
    change = {"properties": {"storageProfile": {"dataDisks": [attach]}}}
    await at.isv.done("PATCH", at.vm(), change, api_version=COMPUTE)
    (shown,) = (await at.isv.get(at.vm(), api_version=COMPUTE))["properties"]["storageProfile"]["dataDisks"]
    assert (shown["name"], shown["diskSizeGB"]) == ("data", 8)
    assert await at.isv.failure("DELETE", path, api_version=DISKS) == (409, "OperationNotAllowed")
    await at.machine("web2")
    taken = await at.isv.failure("PATCH", at.vm("web2"), change, api_version=COMPUTE)
    assert taken == (409, "ConflictingUserInput")
    await at.isv.done("PATCH", at.vm(), {"properties": {"storageProfile": {"dataDisks": []}}}, api_version=COMPUTE)
    assert (await at.isv.get(path, api_version=DISKS))["properties"]["diskState"] == "Unattached"
    grown = await at.isv.call("PATCH", path, {"properties": {"diskSizeGB": 16}}, api_version=DISKS)
    assert grown.body["properties"]["diskSizeGB"] == 16
    await at.isv.end_of(grown)
    smaller = await at.isv.failure("PATCH", path, {"properties": {"diskSizeGB": 4}}, api_version=DISKS)
    assert smaller == (400, "InvalidParameter")
    await at.isv.delete(path, api_version=DISKS)
    assert (await at.isv.call("DELETE", path, api_version=DISKS)).status == 204


async def test_a_disk_tells_who_may_fetch_it() -> None:
    at = await place()
    path = f"{at.group}/providers/Microsoft.Compute/disks/data"
    wanted = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8, "networkAccessPolicy": "DenyAll"}
    body = {"location": "westeurope", "properties": wanted}

    made = await at.isv.call("PUT", path, body, api_version=DISKS)
    await at.isv.end_of(made)
    await at.isv.done("PATCH", path, {"properties": {"publicNetworkAccess": "Disabled"}}, api_version=DISKS)
    shown = (await at.isv.get(path, api_version=DISKS))["properties"]

    assert made.body["properties"] == {**wanted, "provisioningState": "Updating"}
    assert (shown["networkAccessPolicy"], shown["publicNetworkAccess"]) == ("DenyAll", "Disabled")


@pytest.mark.parametrize(
    ("sku", "gigabytes", "speed"),
    [
        ("Standard_LRS", 500, (500, 60, None)),
        ("Premium_LRS", 5, (120, 25, "P2")),
        ("Premium_LRS", 30, (120, 25, "P4")),
        ("Premium_ZRS", 128, (500, 100, "P10")),
    ],
)
async def test_a_disk_tells_how_fast_it_is(sku: str, gigabytes: int, speed: tuple[int, int, str | None]) -> None:
    at = await place()
    path = f"{at.group}/providers/Microsoft.Compute/disks/data"
    wanted = {"creationData": {"createOption": "Empty"}, "diskSizeGB": gigabytes}
    await at.isv.done("PUT", path, {"location": "westeurope", "sku": {"name": sku}, "properties": wanted})

    shown = (await at.isv.get(path, api_version=DISKS))["properties"]

    assert (shown["diskIOPSReadWrite"], shown["diskMBpsReadWrite"], shown.get("tier")) == speed


async def test_the_disk_that_a_deleted_machine_left_is_not_overwritten() -> None:
    at = await place()
    image = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
    storage = {"storageProfile": {"imageReference": image, "osDisk": {"name": "web1-os"}}}
    await at.machine(properties=storage)
    await at.isv.delete(at.vm(), api_version=COMPUTE)
    nic = f"{at.group}/providers/Microsoft.Network/networkInterfaces/web1-nic"
    again = await at.isv.failure("PUT", at.vm(), request(nic, properties=storage), api_version=COMPUTE)
    assert again == (409, "ConflictingUserInput")


@pytest.mark.parametrize(
    ("image", "version", "upgraded", "features"),
    [
        ("OpenLogic/CentOS/7.5", "7.5.201808150", True, False),
        ("OpenLogic/CentOS/8_5-gen2", "8.5.2022012401", False, True),
        ("Canonical/UbuntuServer/18.04-LTS", "18.04.202401161", True, True),
        ("Canonical/UbuntuServer/14.04.4-LTS", "14.04.201911070", False, False),
        ("Debian/debian-10/10", "0.20240430.1733", False, True),
    ],
)
async def test_an_image_is_of_its_sku(image: str, version: str, upgraded: bool, features: bool) -> None:
    at = await place()
    publisher, offer, sku = image.split("/")
    path = f"{region(at)}/publishers/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions"

    newest = (await at.isv.get(path, api_version=COMPUTE))[-1]["name"]
    shown = (await at.isv.get(f"{path}/{newest}", api_version=COMPUTE))["properties"]

    assert newest == version
    assert shown["automaticOSUpgradeProperties"] == {"automaticOSUpgradeSupported": upgraded}
    assert ("features" in shown) is features


@pytest.mark.parametrize(
    ("size", "kind"),
    [("Standard_DS3", "Premium_LRS"), ("Standard_DS1_v2", "Premium_LRS"), ("Standard_D2_v2", "Standard_LRS")],
)
async def test_the_size_decides_the_kind_of_the_system_disk(size: str, kind: str) -> None:
    at = await place()
    await at.machine(properties={"hardwareProfile": {"vmSize": size}})

    shown = (await at.isv.get(at.vm(), api_version=COMPUTE))["properties"]

    assert shown["storageProfile"]["osDisk"]["managedDisk"]["storageAccountType"] == kind


async def test_there_are_no_images_of_ones_own() -> None:
    at = await place()
    path = f"{at.group}/providers/Microsoft.Compute/images"
    assert (await at.isv.get(path, api_version=COMPUTE))["value"] == []
    assert await at.isv.failure("GET", f"{path}/mine", api_version=COMPUTE) == (404, "ResourceNotFound")


async def test_an_old_answer_to_a_disk_says_that_it_is_a_resource_and_not_of_which_type() -> None:
    at = await place()
    disk = {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}

    made = await at.isv.call(
        "PUT", f"{at.group}/providers/Microsoft.Compute/disks/data", disk, api_version="2020-09-30"
    )

    assert made.body["properties"]["isArmResource"] is True
    assert "type" not in made.body
