from __future__ import annotations

from typing import Any

import pytest

from plstui.sandbox.latency import Latency
from tests.sandbox.providers.privatelink.lab import (
    CUSTOMER_GROUP,
    CUSTOMER_NETWORK,
    DNS,
    ENDPOINT,
    SERVICE,
    ZONE,
    Lab,
    decision,
    endpoint,
    service,
)

BLOB_ZONE = f"{CUSTOMER_NETWORK}/privateDnsZones/privatelink.blob.core.windows.net"
GROUP = f"{ENDPOINT}/privateDnsZoneGroups/default"
ACCOUNT = f"{CUSTOMER_GROUP}/providers/Microsoft.Storage/storageAccounts/tradewinds"


def group(*zones: str) -> dict[str, Any]:
    configs = [{"name": f"zone{at}", "properties": {"privateDnsZoneId": zone}} for at, zone in enumerate(zones)]
    return {"properties": {"privateDnsZoneConfigs": configs}}


def to_storage(*, manual: bool = False) -> dict[str, Any]:
    body = endpoint(ACCOUNT, manual=manual)
    kind = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    body["properties"][kind][0]["properties"]["groupIds"] = ["blob"]
    return body


async def with_zones(*zones: str) -> Lab:
    lab = await Lab().start()
    for zone in zones:
        await lab.customer.put(zone, {"location": "global"}, api_version=DNS)
    return lab


async def address_of(lab: Lab, zone: str, name: str) -> list[str]:
    record = await lab.customer.get(f"{zone}/A/{name}", api_version=DNS)
    return [item["ipv4Address"] for item in record["properties"]["aRecords"]]


async def has_record(lab: Lab, zone: str, name: str) -> bool:
    return (await lab.customer.call("GET", f"{zone}/A/{name}", api_version=DNS)).status == 200


async def test_a_platform_service_is_asked_again_about_a_change_and_not_about_none() -> None:
    lab = await with_zones()
    said: list[str] = []

    async def put(body: dict[str, Any]) -> None:
        answer = await lab.customer.call("PUT", ENDPOINT, body)
        said.append(
            answer.body["properties"]["privateLinkServiceConnections"][0]["properties"][
                "privateLinkServiceConnectionState"
            ]["description"]
        )
        await lab.customer.end_of(answer)

    body = to_storage()
    await put(body)
    await put(body)
    member = {"privateIPAddress": "10.1.0.77", "groupId": "blob", "memberName": "blob"}
    body["properties"]["ipConfigurations"] = [
        {"name": "one", "properties": member},
        {"name": "two", "properties": {"privateIPAddress": "10.1.0.78"}},
    ]
    await put(body)
    properties = (await lab.customer.get(ENDPOINT))["properties"]

    assert said == ["Auto Approved", "Auto-Approved", "Auto Approved"]
    assert [one["properties"] for one in properties["ipConfigurations"]] == [
        {"provisioningState": "Succeeded", **member},
        {"provisioningState": "Succeeded", "privateIPAddress": "10.1.0.78"},
    ]
    assert properties["customDnsConfigs"][0]["ipAddresses"] == ["10.1.0.77"]


async def test_a_platform_service_is_taken_as_it_is_recorded() -> None:
    lab = await with_zones()
    lab.azure.operations.latency = Latency.AZURE
    answer = await lab.customer.call("PUT", ENDPOINT, to_storage())
    asked = answer.body["properties"]["privateLinkServiceConnections"][0]["properties"]
    assert asked["groupIds"] == ["blob"]
    assert asked["privateLinkServiceConnectionState"]["description"] == "Auto Approved"
    assert answer.body["properties"]["customDnsConfigs"] == []
    lab.azure.clock.advance(40)
    properties = (await lab.customer.get(ENDPOINT))["properties"]
    fqdn = "tradewinds.blob.core.windows.net"
    assert properties["customDnsConfigs"] == [{"fqdn": fqdn, "ipAddresses": ["10.1.0.4"]}]
    asked = properties["privateLinkServiceConnections"][0]["properties"]
    assert asked["privateLinkServiceConnectionState"]["description"] == "Auto-Approved"
    nic = await lab.customer.get(properties["networkInterfaces"][0]["id"])
    assert nic["properties"]["ipConfigurations"][0]["properties"]["privateLinkConnectionProperties"] == {
        "groupId": "blob",
        "requiredMemberName": "blob",
        "fqdns": [fqdn],
    }


async def test_a_manual_request_to_a_platform_service_stays_pending() -> None:
    lab = await with_zones()
    properties = (await lab.customer.put(ENDPOINT, to_storage(manual=True)))["properties"]
    asked = properties["manualPrivateLinkServiceConnections"][0]["properties"]
    assert asked["privateLinkServiceConnectionState"] == {
        "status": "Pending",
        "description": "",
        "actionsRequired": "None",
    }
    assert properties["customDnsConfigs"] == []
    await lab.customer.delete(ENDPOINT)
    lab.check()


async def test_a_zone_group_keeps_the_endpoints_names_in_a_zone() -> None:
    lab = await with_zones(BLOB_ZONE)
    await lab.customer.put(ENDPOINT, to_storage())
    before = (await lab.customer.get(ENDPOINT))["etag"]
    lab.azure.operations.latency = Latency.AZURE
    answer = await lab.customer.call("PUT", GROUP, group(BLOB_ZONE))
    assert answer.status == 201
    assert "Location" not in answer.headers
    config = answer.body["properties"]["privateDnsZoneConfigs"][0]
    assert config["id"] == f"{GROUP}/privateDnsZoneConfigs/zone0"
    assert answer.body["properties"]["provisioningState"] == config["properties"]["provisioningState"] == "Updating"
    record = {
        "recordType": "A",
        "recordSetName": "tradewinds",
        "fqdn": "tradewinds.privatelink.blob.core.windows.net",
        "ttl": 10,
        "provisioningState": "Updating",
        "ipAddresses": ["10.1.0.4"],
    }
    assert config["properties"]["recordSets"] == [record]

    lab.azure.clock.advance(15)
    shown = await lab.customer.get(GROUP)
    config = shown["properties"]["privateDnsZoneConfigs"][0]["properties"]
    assert shown["properties"]["provisioningState"] == config["provisioningState"] == "Succeeded"
    assert config["recordSets"] == [{**record, "provisioningState": "Succeeded"}]
    whole = await lab.customer.get(ENDPOINT)
    assert whole["etag"] == shown["etag"]
    assert whole["etag"] not in (before, answer.body["etag"])
    assert "privateDnsZoneGroups" not in whole["properties"]
    assert (await lab.customer.get(f"{ENDPOINT}/privateDnsZoneGroups"))["value"] == [shown]
    assert await address_of(lab, BLOB_ZONE, "tradewinds") == ["10.1.0.4"]
    lab.check()

    lab.azure.operations.latency = Latency.NONE
    accepted = await lab.customer.call("DELETE", GROUP)
    assert accepted.status == 202
    assert {"Azure-AsyncOperation", "Location"} <= accepted.headers.keys()
    await lab.customer.end_of(accepted)
    assert not await has_record(lab, BLOB_ZONE, "tradewinds")
    assert (await lab.customer.call("DELETE", GROUP)).status == 204
    lab.check()


async def test_an_endpoint_is_deleted_while_its_zone_group_is() -> None:
    lab = await with_zones(BLOB_ZONE)
    await lab.customer.put(ENDPOINT, to_storage())
    await lab.customer.put(GROUP, group(BLOB_ZONE))
    lab.azure.operations.latency = Latency.AZURE
    first = await lab.customer.call("DELETE", GROUP)
    second = await lab.customer.call("DELETE", ENDPOINT)
    assert (first.status, second.status) == (202, 202)
    lab.azure.clock.advance(15)
    for answer in (first, second):
        poll = await lab.customer.call("GET", answer.headers["Azure-AsyncOperation"])
        assert poll.body == {"status": "Succeeded"}
    assert not await has_record(lab, BLOB_ZONE, "tradewinds")
    missing = await lab.customer.call("DELETE", GROUP)
    assert missing.status == 404
    assert "'Microsoft.Network/privateEndpoints/saasEndpoint'" in missing.body["error"]["message"]
    lab.check()


async def test_an_endpoints_records_go_with_it_and_others_stay() -> None:
    lab = await with_zones(BLOB_ZONE)
    await lab.customer.put(ENDPOINT, to_storage())
    await lab.customer.put(GROUP, group(BLOB_ZONE))
    await lab.customer.delete(ENDPOINT)
    assert not await has_record(lab, BLOB_ZONE, "tradewinds")
    await lab.customer.put(ENDPOINT, to_storage())
    await lab.customer.put(GROUP, group(BLOB_ZONE))
    own = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.9.9.9"}]}}
    await lab.customer.put(f"{BLOB_ZONE}/A/tradewinds", own, api_version=DNS)
    await lab.customer.delete(ENDPOINT)
    assert await address_of(lab, BLOB_ZONE, "tradewinds") == ["10.9.9.9"]
    lab.check()


async def test_a_zone_that_leaves_the_group_loses_the_records() -> None:
    other = f"{CUSTOMER_NETWORK}/privateDnsZones/blob.core.windows.net"
    lab = await with_zones(BLOB_ZONE, other)
    await lab.customer.put(ENDPOINT, to_storage())
    await lab.customer.put(GROUP, group(BLOB_ZONE, other))
    assert await has_record(lab, BLOB_ZONE, "tradewinds")
    assert await has_record(lab, other, "tradewinds")
    again = await lab.customer.call("PUT", GROUP, group(other))
    assert (again.status, again.body["properties"]["provisioningState"]) == (200, "Updating")
    await lab.customer.end_of(again)
    assert not await has_record(lab, BLOB_ZONE, "tradewinds")
    assert await has_record(lab, other, "tradewinds")
    lab.check()


async def test_the_names_of_a_private_link_service_are_there_once_it_has_approved() -> None:
    lab = await with_zones(ZONE)
    await lab.isv.put(SERVICE, service(fqdns=["app.tradewinds.internal", "nodots", "app.elsewhere.test"]))
    await lab.customer.put(ENDPOINT, endpoint())
    shown = await lab.customer.put(GROUP, group(ZONE))
    assert shown["properties"]["privateDnsZoneConfigs"][0]["properties"]["recordSets"] == []
    connection = await lab.connection()
    await lab.isv.call("PUT", connection["id"], decision("Approved"))
    properties = (await lab.customer.get(ENDPOINT))["properties"]
    assert [item["fqdn"] for item in properties["customDnsConfigs"]] == [
        "app.tradewinds.internal",
        "app.elsewhere.test",
    ]
    assert await address_of(lab, ZONE, "app") == ["10.1.0.4"]
    lab.check()
    await lab.isv.call("PUT", connection["id"], decision("Rejected"))
    assert not await has_record(lab, ZONE, "app")
    lab.check()


async def test_a_service_without_names_has_no_records() -> None:
    lab = await with_zones(ZONE)
    await lab.linked()
    shown = await lab.customer.put(GROUP, group(ZONE))
    assert shown["properties"]["privateDnsZoneConfigs"][0]["properties"]["recordSets"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (group(), "InvalidPrivateDnsZoneConfigCount"),
        (group(*[ZONE] * 6), "InvalidPrivateDnsZoneConfigCount"),
        (group(f"{ZONE}x"), "InvalidResourceReference"),
        (group(SERVICE), "InvalidRequestFormat"),
        ({"properties": {"privateDnsZoneConfigs": [{"name": "x"}]}}, "InvalidRequestFormat"),
    ],
)
async def test_a_zone_group_that_cannot_be_is_refused(body: Any, code: str) -> None:
    lab = await with_zones(ZONE)
    await lab.linked()
    assert await lab.customer.failure("PUT", GROUP, body) == (400, code)


async def test_an_endpoint_has_one_zone_group() -> None:
    lab = await with_zones(ZONE)
    assert await lab.customer.failure("PUT", GROUP, group(ZONE)) == (404, "ResourceNotFound")
    await lab.linked()
    await lab.customer.put(GROUP, group(ZONE))
    code = "PrivateEndpointCannotHaveMoreThanOnePrivateDnsZoneGroup"
    assert await lab.customer.failure("PUT", f"{GROUP}2", group(ZONE)) == (400, code)
    assert await lab.customer.failure("GET", f"{GROUP}2") == (404, "NotFound")
    foreign = ZONE.replace(lab.customer.subscription, lab.isv.subscription)
    assert await lab.customer.failure("PUT", GROUP, group(foreign)) == (403, "LinkedAuthorizationFailed")
