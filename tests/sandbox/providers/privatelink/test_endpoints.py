from __future__ import annotations

from typing import Any

import pytest

from plstui.sandbox.latency import Latency
from tests.sandbox.providers.privatelink.lab import (
    CUSTOMER_GROUP,
    CUSTOMER_NETWORK,
    ENDPOINT,
    ISV_NETWORK,
    MESSAGE,
    NORTH,
    SAAS,
    SERVICE,
    SUBNET,
    WEST,
    Lab,
    endpoint,
    service,
)
from tests.sandbox.support import CUSTOMER

NOT_VISIBLE = "ThirdPartyPrivateLinkServiceProvidedDuringPrivateEndpointCreationDoesNotExistOrIsNotVisible"


async def test_a_new_endpoint_has_an_address_and_is_shown_by_its_subnet() -> None:
    lab = await Lab().start()
    await lab.isv.put(SERVICE, service())
    lab.azure.operations.latency = Latency.AZURE
    answer = await lab.customer.call("PUT", ENDPOINT, endpoint())
    assert answer.status == 201
    assert answer.headers["Retry-After"] == "10"
    assert not {"Location", "ETag"} & answer.headers.keys()
    properties = answer.body["properties"]
    assert properties["provisioningState"] == "Updating"
    connection = properties["manualPrivateLinkServiceConnections"][0]
    assert connection["id"] == f"{ENDPOINT}/manualPrivateLinkServiceConnections/connectionToSaas"
    assert connection["properties"]["provisioningState"] == "Succeeded"
    assert connection["properties"]["requestMessage"] == MESSAGE
    assert "groupIds" not in connection["properties"]
    assert properties["privateLinkServiceConnections"] == []
    assert (properties["customDnsConfigs"], properties["ipConfigurations"]) == ([], [])
    assert properties["customNetworkInterfaceName"] == ""
    nic = await lab.customer.get(properties["networkInterfaces"][0]["id"])
    assert nic["name"].startswith("saasEndpoint.nic.")
    assert nic["managedBy"] == nic["properties"]["privateEndpoint"]["id"] == ENDPOINT
    configuration = nic["properties"]["ipConfigurations"][0]
    assert configuration["name"].startswith("privateEndpointIpConfig.")
    assert configuration["properties"]["privateIPAddress"] == "10.1.0.4"

    lab.azure.clock.advance(40)
    shown = await lab.customer.call("GET", ENDPOINT)
    assert shown.body["properties"]["provisioningState"] == "Succeeded"
    assert shown.headers["ETag"] == shown.body["etag"]
    subnet = (await lab.customer.get(SUBNET))["properties"]
    assert subnet["purpose"] == "PrivateEndpoints"
    assert [item["id"].lower() for item in subnet["privateEndpoints"]] == [ENDPOINT.lower()]
    assert [item["id"].lower() for item in subnet["ipConfigurations"]] == [configuration["id"].lower()]
    assert (await lab.customer.failure("DELETE", nic["id"]))[0] == 400
    assert await lab.customer.failure("DELETE", SUBNET) == (400, "InUseSubnetCannotBeDeleted")
    lab.check()


async def test_old_api_versions_do_not_know_everything() -> None:
    lab = await Lab().start()
    await lab.linked()
    known = (await lab.customer.get(ENDPOINT, api_version="2019-09-01"))["properties"].keys()
    assert not {"customDnsConfigs", "ipConfigurations", "customNetworkInterfaceName"} & known
    known = (await lab.customer.get(ENDPOINT, api_version="2021-03-01"))["properties"].keys()
    assert {"customDnsConfigs", "ipConfigurations"} <= known
    assert "customNetworkInterfaceName" not in known


async def test_deleting_an_endpoint_takes_everything_of_it_along() -> None:
    lab = await Lab().start()
    await lab.linked()
    nic_id = (await lab.customer.get(ENDPOINT))["properties"]["networkInterfaces"][0]["id"]
    accepted = await lab.customer.call("DELETE", ENDPOINT)
    assert (accepted.status, accepted.body) == (202, None)
    await lab.customer.end_of(accepted)
    assert (await lab.customer.call("GET", accepted.headers["Location"])).status == 204
    assert (await lab.isv.get(SERVICE))["properties"]["privateEndpointConnections"] == []
    assert lab.azure.store.get(nic_id) is None
    subnet = (await lab.customer.get(SUBNET))["properties"]
    assert not {"privateEndpoints", "ipConfigurations", "purpose"} & subnet.keys()
    assert (await lab.customer.call("DELETE", ENDPOINT)).status == 204
    await lab.isv.delete(SERVICE)
    lab.check()


async def test_an_endpoints_owner_may_choose_name_addresses_and_groups() -> None:
    lab = await Lab().start()
    await lab.isv.put(SERVICE, service())
    asg = await lab.customer.put(f"{CUSTOMER_NETWORK}/applicationSecurityGroups/asg", NORTH)
    address = {"privateIPAddress": "10.1.0.77", "groupId": "", "memberName": ""}
    chosen = {"name": "one", "properties": address}
    body = endpoint(
        customNetworkInterfaceName="nic1",
        ipConfigurations=[chosen],
        applicationSecurityGroups=[{"id": asg["id"]}],
    )
    properties = (await lab.customer.put(ENDPOINT, body))["properties"]
    assert properties["networkInterfaces"] == [{"id": f"{CUSTOMER_NETWORK}/networkInterfaces/nic1"}]
    assert properties["customNetworkInterfaceName"] == "nic1"
    assert properties["applicationSecurityGroups"] == [{"id": asg["id"]}]
    shown = properties["ipConfigurations"][0]
    assert shown["properties"] == {"provisioningState": "Succeeded", **address}
    nic = await lab.customer.get(f"{CUSTOMER_NETWORK}/networkInterfaces/nic1")
    configuration = nic["properties"]["ipConfigurations"][0]["properties"]
    assert configuration["privateIPAddress"] == "10.1.0.77"
    assert configuration["applicationSecurityGroups"] == [{"id": asg["id"]}]
    assert await lab.customer.failure("DELETE", asg["id"]) == (
        400,
        "InUseApplicationSecurityGroupCannotBeDeleted",
    )
    taken = endpoint(customNetworkInterfaceName="NIC1")
    assert await lab.customer.failure("PUT", f"{ENDPOINT}2", taken) == (400, "CustomNetworkInterfaceNameInUse")
    same = endpoint(ipConfigurations=[chosen])
    assert await lab.customer.failure("PUT", f"{ENDPOINT}2", same) == (400, "PrivateIPAddressIsAllocated")

    address["privateIPAddress"] = "10.1.0.78"
    await lab.customer.put(ENDPOINT, body)
    nic = await lab.customer.get(nic["id"])
    assert nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.1.0.78"
    lab.check()


async def test_tags_are_no_work_and_leave_the_interface_alone() -> None:
    lab = await Lab().start()
    await lab.linked()
    before = await lab.customer.get(ENDPOINT)
    nic = await lab.customer.get(before["properties"]["networkInterfaces"][0]["id"])
    answer = await lab.customer.call("PUT", ENDPOINT, {**endpoint(), "tags": {"foo": "bar"}})
    assert (answer.status, answer.body["properties"]["provisioningState"]) == (200, "Succeeded")
    assert answer.body["tags"] == {"foo": "bar"}
    assert answer.body["etag"] != before["etag"]
    assert await lab.customer.get(nic["id"]) == nic
    assert (await lab.customer.call("PUT", ENDPOINT, answer.body)).body == answer.body
    lab.check()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: body["properties"].update(endpoint(f"{SERVICE}2")["properties"]), "CannotBeChanged"),
        (lambda body: body["properties"].update(endpoint(manual=False)["properties"]), "RequiresOne"),
        (lambda body: body["properties"]["subnet"].update(id=f"{SUBNET}2"), "PrivateEndpointSubnetCannotBeChanged"),
        (lambda body: body.update(location="westeurope"), "InvalidResourceLocation"),
    ],
)
async def test_what_an_endpoint_leads_to_and_where_it_stands_is_settled(change: Any, code: str) -> None:
    lab = await Lab().start()
    await lab.linked()
    await lab.isv.put(f"{SERVICE}2", service())
    before = await lab.customer.get(ENDPOINT)
    body = endpoint()
    change(body)
    assert code in (await lab.customer.failure("PUT", ENDPOINT, body))[1]
    assert await lab.customer.get(ENDPOINT) == before


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"manualPrivateLinkServiceConnections": []}, "PrivateEndpointRequiresOnePrivateLinkServiceConnection"),
        ({"subnet": None}, "InvalidRequestFormat"),
        ({"subnet": {"id": f"{SUBNET}x"}}, "InvalidResourceReference"),
        ({"subnet": {"id": SERVICE}}, "InvalidRequestFormat"),
        ({"customNetworkInterfaceName": "a/b"}, "InvalidResourceName"),
        ({"ipConfigurations": [{"name": "x", "properties": {"privateIPAddress": "x"}}]}, "InvalidIPAddressFormat"),
    ],
)
async def test_an_endpoint_that_cannot_be_is_refused_and_leaves_nothing_behind(properties: Any, code: str) -> None:
    lab = await Lab().start()
    await lab.isv.put(SERVICE, service())
    before = len(lab.azure.store)
    assert await lab.customer.failure("PUT", ENDPOINT, endpoint(**properties)) == (400, code)
    assert len(lab.azure.store) == before
    lab.check()


async def test_a_request_message_has_140_characters_at_most() -> None:
    lab = await Lab().start()
    await lab.isv.put(SERVICE, service())
    body = endpoint()
    asked = body["properties"]["manualPrivateLinkServiceConnections"][0]["properties"]
    asked["requestMessage"] = "x" * 141
    code = "PrivateLinkServiceConnectionRequestMessageTooLong"
    assert await lab.customer.failure("PUT", ENDPOINT, body) == (400, code)
    asked["requestMessage"] = "ö" * 140
    await lab.customer.put(ENDPOINT, body)
    assert (await lab.connection())["properties"]["privateLinkServiceConnectionState"]["description"] == "ö" * 140


async def test_within_a_tenant_an_automatic_request_is_approved_at_once() -> None:
    lab = await Lab().start()
    await lab.isv.put(SERVICE, service())
    own = f"{ISV_NETWORK}/privateEndpoints/own"
    body = {**endpoint(manual=False, subnet={"id": SAAS}), **WEST}
    shown = await lab.isv.put(own, body)
    state = shown["properties"]["privateLinkServiceConnections"][0]["properties"]["privateLinkServiceConnectionState"]
    assert (state["status"], state["actionsRequired"]) == ("Approved", "None")
    assert (await lab.connection())["properties"]["privateLinkServiceConnectionState"] == state
    lab.check()


async def test_between_tenants_an_automatic_request_needs_auto_approval() -> None:
    lab = await Lab().start()
    await lab.isv.put(SERVICE, service())
    assert await lab.customer.failure("PUT", ENDPOINT, endpoint(manual=False)) == (403, "LinkedAuthorizationFailed")
    for listed in ("*", CUSTOMER.id.upper()):
        lists = {"subscriptions": [listed]}
        await lab.isv.put(SERVICE, service(visibility=lists, autoApproval=lists))
        await lab.customer.put(ENDPOINT, endpoint(manual=False))
        state = {"status": "Approved", "description": "Approved", "actionsRequired": "None"}
        assert await lab.seen_by_customer() == state
        assert (await lab.connection())["properties"]["privateLinkServiceConnectionState"] == state
        await lab.customer.delete(ENDPOINT)
    await lab.customer.put(ENDPOINT, endpoint())
    assert (await lab.seen_by_customer())["status"] == "Approved"
    lab.check()


async def test_an_alias_needs_a_manual_request_unless_it_is_approved_anyway() -> None:
    lab = await Lab().start()
    alias = (await lab.isv.put(SERVICE, service()))["properties"]["alias"]
    assert await lab.customer.failure("PUT", ENDPOINT, endpoint(alias, manual=False)) == (
        400,
        "LinkedInvalidPropertyId",
    )
    shown = await lab.customer.put(ENDPOINT, endpoint(alias.upper()))
    asked = shown["properties"]["manualPrivateLinkServiceConnections"][0]["properties"]
    assert asked["privateLinkServiceId"] == alias.upper()
    connection = await lab.connection()
    state = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}
    await lab.isv.call("PUT", connection["id"], state)
    assert (await lab.seen_by_customer())["status"] == "Approved"
    lab.check()
    await lab.customer.delete(ENDPOINT)
    assert (await lab.isv.get(SERVICE))["properties"]["privateEndpointConnections"] == []
    lists = {"subscriptions": ["*"]}
    await lab.isv.put(SERVICE, service(visibility=lists, autoApproval=lists))
    await lab.customer.put(ENDPOINT, endpoint(alias, manual=False))
    lab.check()


async def test_what_is_not_visible_is_as_if_it_were_not_there() -> None:
    lab = await Lab().start()
    await lab.isv.put(SERVICE, service(visibility={"subscriptions": []}))
    alias = (await lab.isv.get(SERVICE))["properties"]["alias"]
    answers = [
        await lab.customer.call("PUT", ENDPOINT, endpoint(target))
        for target in (SERVICE, alias, f"{SERVICE}2", f"x{alias}")
    ]
    for answer, target in zip(answers, (SERVICE, alias, f"{SERVICE}2", f"x{alias}"), strict=True):
        assert (answer.status, answer.body["error"]["code"]) == (400, NOT_VISIBLE)
        assert answer.body["error"]["message"].replace(target, "X") == answers[0].body["error"]["message"].replace(
            SERVICE, "X"
        )
    await lab.isv.put(SERVICE, service(visibility={"subscriptions": [CUSTOMER.id]}))
    await lab.customer.put(ENDPOINT, endpoint())


async def test_a_service_in_the_making_or_on_its_way_out_takes_no_endpoint() -> None:
    lab = await Lab(Latency.AZURE).start()
    await lab.isv.call("PUT", SERVICE, service())
    assert await lab.customer.failure("PUT", ENDPOINT, endpoint()) == (429, "RetryableError")
    lab.azure.clock.advance(15)
    await lab.isv.call("DELETE", SERVICE)
    assert await lab.customer.failure("PUT", ENDPOINT, endpoint()) == (429, "RetryableError")
    lab.azure.clock.advance(15)
    assert await lab.customer.failure("PUT", ENDPOINT, endpoint()) == (400, NOT_VISIBLE)


@pytest.mark.parametrize("target", ["nothing", f"{CUSTOMER_NETWORK}/virtualNetworks/spoke", CUSTOMER_GROUP])
async def test_only_services_are_targets(target: str) -> None:
    lab = await Lab().start()
    status, code = await lab.customer.failure("PUT", ENDPOINT, endpoint(target))
    assert (status, code) in ((400, "InvalidPrivateLinkServiceIdType"), (400, "LinkedInvalidPropertyId"))


async def test_endpoints_are_listed_by_group_and_by_subscription() -> None:
    lab = await Lab().start()
    await lab.linked()
    shown = await lab.customer.get(ENDPOINT)
    for where in (CUSTOMER_GROUP, f"/subscriptions/{CUSTOMER.id}"):
        listed = await lab.customer.get(f"{where}/providers/Microsoft.Network/privateEndpoints")
        assert listed["value"] == [shown]


async def test_a_service_has_a_thousand_endpoints_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plstui.sandbox.providers.privatelink.targets.MOST_ENDPOINTS", 1)
    lab = await Lab().start()
    await lab.linked()
    code = "PrivateEndpointConnectionCountLimitReached"
    assert await lab.customer.failure("PUT", f"{ENDPOINT}2", endpoint()) == (400, code)


async def test_a_group_goes_with_its_endpoints() -> None:
    lab = await Lab().start()
    await lab.linked()
    await lab.customer.done("DELETE", CUSTOMER_GROUP, api_version="2022-09-01")
    assert (await lab.isv.get(SERVICE))["properties"]["privateEndpointConnections"] == []
    assert [body["id"] for body in lab.azure.store if body["id"].startswith(CUSTOMER_GROUP)] == []
    lab.check()
