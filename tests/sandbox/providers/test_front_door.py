from __future__ import annotations

from typing import Any

import pytest

from plstui.sandbox.latency import Latency
from tests.sandbox.providers.boxes import with_boxes
from tests.sandbox.support import ISV, Sandbox, sandbox


def names(listed: Any) -> list[str]:
    return [row["name"] for row in listed["value"]]


async def test_subscriptions_tenants_and_locations_as_a_client_looks_them_up() -> None:
    box = sandbox()
    listed = await box.isv.get("/subscriptions")
    assert [(row["subscriptionId"], row["displayName"]) for row in listed["value"]] == [(ISV.id, "isv")]
    assert (await box.isv.get(f"/subscriptions/{ISV.id}"))["tenantId"] == ISV.tenant
    assert [row["tenantId"] for row in (await box.isv.get("/tenants"))["value"]] == [ISV.tenant]
    locations = await box.isv.get(f"/Subscriptions/{ISV.id}//Locations", api_version="2022-12-01")
    west = next(row for row in locations["value"] if row["displayName"] == "West Europe")
    assert west["name"] == "westeurope"
    assert [zone["logicalZone"] for zone in west["availabilityZoneMappings"]] == ["1", "2", "3"]
    older = await box.isv.get(f"/subscriptions/{ISV.id}/locations", api_version="2019-11-01")
    assert not any("availabilityZoneMappings" in row for row in older["value"])


async def test_a_group_from_creation_to_the_end() -> None:
    box = sandbox()
    path = box.isv.group("web")
    assert (await box.isv.call("HEAD", path)).status == 404
    assert await box.isv.failure("GET", path) == (404, "ResourceGroupNotFound")
    created = await box.isv.call("PUT", path, {"location": "West Europe", "tags": {"n": 1}})
    assert created.status == 201
    assert created.body == {
        "id": path,
        "name": "web",
        "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope",
        "tags": {"n": "1"},
        "properties": {"provisioningState": "Succeeded"},
    }
    again = await box.isv.call("PUT", path.replace("web", "WEB"), {"location": "westeurope"})
    assert (again.status, again.body["name"], "tags" in again.body) == (200, "web", False)
    patched = await box.isv.call("PATCH", path, {"tags": {"a": "b"}})
    assert (patched.status, patched.body["tags"]) == (200, {"a": "b"})
    assert (await box.isv.call("HEAD", path)).status == 204
    deleted = await box.isv.call("DELETE", path)
    assert (deleted.status, deleted.body) == (202, None)
    assert "Azure-AsyncOperation" not in deleted.headers
    end = await box.isv.end_of(deleted)
    assert (end.status, end.body) == (200, None)
    assert await box.isv.failure("DELETE", path) == (404, "ResourceGroupNotFound")


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("web", {}, 400, "LocationRequired"),
        ("web", {"location": "BadLocation"}, 400, "LocationNotAvailableForResourceGroup"),
        ("web", {"location": 7}, 400, "InvalidRequestContent"),
        ("web", [], 400, "InvalidRequestContent"),
        ("web", None, 400, "InvalidRequestContent"),
        ("we b!", {"location": "westeurope"}, 400, "InvalidResourceGroup"),
        ("web.", {"location": "westeurope"}, 400, "InvalidResourceGroup"),
        ("w" * 91, {"location": "westeurope"}, 400, "ResourceGroupNameTooLong"),
        ("there", {"location": "eastus"}, 409, "InvalidResourceGroupLocation"),
    ],
)
async def test_what_a_group_may_not_be(name: str, body: Any, status: int, code: str) -> None:
    box = sandbox()
    await box.isv.put(box.isv.group("there"), {"location": "westeurope"})
    assert await box.isv.failure("PUT", box.isv.group(name), body) == (status, code)


async def test_a_group_shows_that_it_is_being_deleted_and_takes_nothing_more() -> None:
    box = with_boxes(Latency.AZURE)
    path = box.isv.group("web")
    disk = f"{path}/providers/Microsoft.Compute/disks/one"
    await box.isv.put(path, {"location": "westeurope"})
    await box.isv.put(disk, {})
    deleted = await box.isv.call("DELETE", path)
    assert deleted.headers["Retry-After"] == "15"
    assert (await box.isv.get(path))["properties"]["provisioningState"] == "Deleting"
    assert await box.isv.failure("PUT", disk, {}) == (409, "ResourceGroupBeingDeleted")
    assert await box.isv.failure("PUT", path, {"location": "westeurope"}) == (409, "ResourceGroupBeingDeleted")
    assert names(await box.isv.get(f"{path}/resources")) == ["one"]
    again = await box.isv.call("DELETE", path)
    assert again.headers["Location"] == deleted.headers["Location"]
    poll = await box.isv.call("GET", deleted.headers["Location"])
    assert (poll.status, poll.body, poll.headers["Location"]) == (202, None, deleted.headers["Location"])
    while poll.status == 202:
        box.azure.clock.advance(30)
        poll = await box.isv.call("GET", deleted.headers["Location"])
    assert (poll.status, poll.body) == (200, None)
    assert (await box.isv.call("HEAD", path)).status == 404
    assert len(box.azure.store) == 0


async def test_what_must_go_first_goes_first_whatever_the_order_of_creation() -> None:
    box = with_boxes()
    path = box.isv.group("web")
    await box.isv.put(path, {"location": "westeurope"})
    disks = f"{path}/providers/Microsoft.Compute/disks"
    for number in range(4):
        await box.isv.put(f"{disks}/{number}", {"holds": f"{disks}/{number + 1}"})
    await box.isv.delete(path)
    assert len(box.azure.store) == 0


async def test_a_group_that_cannot_be_emptied_stays_and_says_what_held_it() -> None:
    box = with_boxes()
    path = box.isv.group("web")
    await box.isv.put(path, {"location": "westeurope"})
    disks = f"{path}/providers/Microsoft.Compute/disks"
    await box.isv.put(f"{disks}/full", {"holds": "forever"})
    await box.isv.put(f"{disks}/light", {})
    end = await box.isv.end_of(await box.isv.call("DELETE", path))
    assert (end.status, end.body["error"]["code"]) == (409, "ResourceGroupDeletionBlocked")
    assert [detail["code"] for detail in end.body["error"]["details"]] == ["BoxIsFull"]
    assert (await box.isv.get(path))["properties"]["provisioningState"] == "Succeeded"
    assert names(await box.isv.get(f"{path}/resources")) == ["full"]


FILTERS = [
    ("", ["a1", "a2", "b1"]),
    ("resourceGroup eq 'A'", ["a1", "a2"]),
    ("resourceGroup eq 'a' and name eq 'A1' and resourceType eq 'microsoft.compute/Disks'", ["a1"]),
    ("name eq 'None'", []),
    ("name ne 'a1'", ["a2", "b1"]),
    ("substringof('1', name)", ["a1", "b1"]),
    ("substringof('1', name) eq false", ["a2"]),
    ("startswith(name, 'B') eq true", ["b1"]),
    ("name eq 'a1' or (location eq 'eastus' and not name eq 'a2')", ["a1", "b1"]),
    ("tagName eq 'env' and tagValue eq 'prod'", ["a1"]),
    ("tagName eq 'env'", ["a1", "a2"]),
    ("tagName eq 'it''s'", ["b1"]),
]


async def many(box: Sandbox) -> None:
    for name in ("a", "b"):
        await box.isv.put(box.isv.group(name), {"location": "westeurope", "tags": {"is": name}})
    disks = "providers/Microsoft.Compute/disks"
    await box.isv.put(f"{box.isv.group('a')}/{disks}/a1", {"tags": {"env": "prod", "other": "test"}})
    await box.isv.put(f"{box.isv.group('a')}/{disks}/a2", {"tags": {"env": "test", "other": "prod"}})
    await box.isv.put(f"{box.isv.group('b')}/{disks}/b1", {"location": "eastus", "tags": {"it's": "b"}})


@pytest.mark.parametrize(("condition", "found"), FILTERS)
async def test_the_list_of_resources_is_really_filtered(condition: str, found: list[str]) -> None:
    box = with_boxes()
    await many(box)
    assert names(await box.isv.get(f"/subscriptions/{ISV.id}/resources?$filter={condition}")) == found


@pytest.mark.parametrize(
    "condition", ["name", "name eq", "name eq 'x", "colour eq 'red'", "(" * 40, "name eq 'a') ", "7"]
)
async def test_a_filter_that_makes_no_sense_is_refused(condition: str) -> None:
    box = with_boxes()
    path = f"/subscriptions/{ISV.id}/resources?$filter={condition}"
    assert await box.isv.failure("GET", path) == (400, "InvalidFilterInQueryString")


async def test_a_long_list_comes_in_pages_and_tells_what_is_asked_for() -> None:
    box = with_boxes()
    await many(box)
    first = await box.isv.get(
        f"/subscriptions/{ISV.id}/resources?$top=2&$expand=createdTime,changedTime,provisioningState"
    )
    assert names(first) == ["a1", "a2"]
    assert {"createdTime", "changedTime", "provisioningState"} <= first["value"][0].keys()
    second = await box.isv.get(first["nextLink"])
    assert (names(second), "nextLink" in second) == (["b1"], False)
    assert second["value"][0]["sku"] == {"name": "Standard"}
    groups = await box.isv.get(f"/subscriptions/{ISV.id}/resourcegroups?$filter=tagName eq 'is' and tagValue eq 'b'")
    assert names(groups) == ["b"]
    assert names(await box.customer.get(f"/subscriptions/{box.customer.subscription}/resources")) == []
    tags = await box.isv.get(f"/subscriptions/{ISV.id}/tagNames")
    assert {row["tagName"]: row["count"]["value"] for row in tags["value"]} == {
        "is": 2,
        "env": 2,
        "other": 2,
        "it's": 1,
    }


async def test_a_provider_that_is_not_registered_takes_no_writes() -> None:
    box = with_boxes(Latency.AZURE)
    path = f"/subscriptions/{ISV.id}/providers/Microsoft.Compute"
    await box.isv.put(box.isv.group("web"), {"location": "westeurope"})
    disk = f"{box.isv.group('web')}/providers/Microsoft.Compute/disks/one"
    box.front_door.registrations.set_state(ISV.id, "Microsoft.Compute", "NotRegistered")
    assert await box.isv.failure("PUT", disk, {}) == (409, "MissingSubscriptionRegistration")
    assert await box.isv.failure("GET", disk) == (404, "ResourceNotFound")
    assert (await box.isv.call("POST", f"{path}/register")).body["registrationState"] == "Registering"
    box.azure.clock.advance(60)
    provider = await box.isv.get(path.lower())
    assert (provider["namespace"], provider["registrationState"]) == ("Microsoft.Compute", "Registered")
    machines = next(kind for kind in provider["resourceTypes"] if kind["resourceType"] == "virtualMachines")
    assert {"location": "West Europe", "zones": ["1", "2", "3"]} in machines["zoneMappings"]
    await box.isv.put(disk, {})
    listed = await box.isv.get(f"/subscriptions/{ISV.id}/providers")
    assert "Microsoft.Network" in [row["namespace"] for row in listed["value"]]
    assert await box.isv.failure("GET", f"/subscriptions/{ISV.id}/providers/No.Such") == (
        404,
        "InvalidResourceNamespace",
    )


async def test_rights_are_told_and_kept() -> None:
    box = with_boxes()
    path = box.isv.group("web")
    await box.isv.put(path, {"location": "westeurope"})
    permissions = "providers/Microsoft.Authorization/permissions"
    assert (await box.isv.get(f"{path}/{permissions}"))["value"][0]["actions"] == ["*"]
    assert (await box.reader.get(f"/subscriptions/{ISV.id}/{permissions}"))["value"][0]["actions"] == ["*/read"]
    assert await box.reader.failure("DELETE", path) == (403, "AuthorizationFailed")
    assert await box.customer.failure("GET", path) == (401, "InvalidAuthenticationTokenTenant")
    assert (await box.isv.get(f"{path}/providers/Microsoft.Authorization/locks"))["value"] == []


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/subscriptions", 405, "MethodNotAllowed"),
        ("GET", "/nowhere/at/all", 404, "NotFound"),
        ("GET", "/subscriptions/{s}/operationresults/!!", 404, "OperationNotFound"),
        ("GET", "/subscriptions/{s}/operationresults/bm8", 404, "OperationNotFound"),
        ("PATCH", "/subscriptions/{s}/resources", 405, "MethodNotAllowed"),
        ("GET", "/subscriptions/{s}/resources?$top=many", 400, "InvalidQueryParameter"),
        ("GET", "/providers/Microsoft.Compute/disks", 404, "MissingSubscription"),
        ("PUT", "/subscriptions/{s}/providers/Microsoft.Compute/disks/x", 404, "InvalidResourceType"),
        ("GET", "/subscriptions/{s}/resourceGroups/none/resources", 404, "ResourceGroupNotFound"),
        (
            "PUT",
            "/subscriptions/{s}/resourceGroups/none/providers/Microsoft.Compute/disks/x",
            404,
            "ResourceGroupNotFound",
        ),
    ],
)
async def test_paths_that_lead_nowhere(method: str, path: str, status: int, code: str) -> None:
    box = with_boxes()
    assert await box.isv.failure(method, path.replace("{s}", ISV.id), {} if method == "PUT" else None) == (status, code)
