from __future__ import annotations

from typing import Any

import pytest

from plstui.sandbox.latency import Latency
from tests.sandbox.providers.privatelink.lab import (
    BALANCER,
    FRONTEND,
    ISV_GROUP,
    ISV_NETWORK,
    SAAS,
    SERVICE,
    WEST,
    Lab,
    service,
)
from tests.sandbox.support import CUSTOMER, ISV


def nat(subnet: str = SAAS, name: str = "nat", **properties: Any) -> dict[str, Any]:
    return {"name": name, "properties": {"subnet": {"id": subnet}, **properties}}


async def test_a_new_service_has_an_alias_an_interface_and_no_connections() -> None:
    lab = await Lab(Latency.AZURE).start()
    answer = await lab.isv.call("PUT", SERVICE, service())
    assert answer.status == 201
    assert answer.headers["Retry-After"] == "10"
    assert "Location" not in answer.headers
    assert "ETag" not in answer.headers
    properties = answer.body["properties"]
    guid = properties["alias"].removeprefix("saasservice.").removesuffix(".westeurope.azure.privatelinkservice")
    assert len(guid) == 36
    assert guid != properties["resourceGuid"]
    configuration = properties["ipConfigurations"][0]["properties"]
    assert configuration == {
        "provisioningState": "Succeeded",
        "privateIPAllocationMethod": "Dynamic",
        "subnet": {"id": SAAS},
        "primary": True,
        "privateIPAddressVersion": "IPv4",
    }
    assert properties["provisioningState"] == "Updating"
    assert (properties["fqdns"], properties["privateEndpointConnections"]) == ([], [])
    assert properties["enableProxyProtocol"] is False
    assert not {"visibility", "autoApproval", "destinationIPAddress"} & properties.keys()
    nic_id = properties["networkInterfaces"][0]["id"]
    assert nic_id.startswith(f"{ISV_NETWORK}/networkInterfaces/saasService.nic.")
    nic = await lab.isv.get(nic_id)
    assert nic["properties"]["privateLinkService"] == {"id": SERVICE}
    assert nic["properties"]["ipConfigurations"][0]["name"] == "nat"
    assert nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.0.1.5"
    subnet = await lab.isv.get(SAAS)
    users = [user["id"].lower() for user in subnet["properties"]["ipConfigurations"]]
    assert f"{SERVICE}/ipConfigurations/nat".lower() in users
    assert f"{nic_id}/ipConfigurations/nat".lower() in users
    lab.azure.clock.advance(15)
    later = await lab.isv.call("GET", SERVICE)
    assert later.body["properties"]["provisioningState"] == "Succeeded"
    assert later.headers["ETag"] == later.body["etag"] == later.body["properties"]["ipConfigurations"][0]["etag"]
    assert later.body["etag"] != answer.body["etag"]
    lab.check()


async def test_a_put_replaces_what_was_said_and_keeps_what_was_given() -> None:
    lab = await Lab().start()
    connection = await lab.linked()
    before = (await lab.isv.get(SERVICE))["properties"]
    lists = {"subscriptions": [CUSTOMER.id]}
    answer = await lab.isv.call("PUT", SERVICE, service(visibility=lists, autoApproval=lists, enableProxyProtocol=True))
    assert (answer.status, answer.body["properties"]["provisioningState"]) == (200, "Updating")
    after = (await lab.isv.get(SERVICE))["properties"]
    assert (after["visibility"], after["autoApproval"], after["enableProxyProtocol"]) == (lists, lists, True)
    for name in ("alias", "resourceGuid", "networkInterfaces"):
        assert after[name] == before[name]
    assert after["privateEndpointConnections"][0]["properties"] == connection["properties"]

    tagged = {**service(), "tags": {"a": "b"}}
    await lab.isv.put(SERVICE, tagged)
    assert "visibility" not in (await lab.isv.get(SERVICE))["properties"]
    unchanged = await lab.isv.get(SERVICE)
    answer = await lab.isv.call("PUT", SERVICE, unchanged)
    assert (answer.status, answer.body) == (200, unchanged)
    only_tags = await lab.isv.call("PUT", SERVICE, {**service(), "tags": {"a": "c"}})
    assert only_tags.body["properties"]["provisioningState"] == "Succeeded"
    lab.check()


async def test_a_service_stands_before_a_frontend_or_an_address_and_not_both() -> None:
    lab = await Lab().start()
    code = "EitherOneLoadBalancerFrontendIpConfigurationOrDestinationIPAddressRequiredOnPrivateLinkService"
    assert await lab.isv.failure("PUT", SERVICE, service(loadBalancerFrontendIpConfigurations=[])) == (400, code)
    assert await lab.isv.failure("PUT", SERVICE, service(destinationIPAddress="10.0.2.4")) == (400, code)
    routed = service(loadBalancerFrontendIpConfigurations=None, destinationIPAddress="10.0.2.4")
    properties = (await lab.isv.put(SERVICE, routed))["properties"]
    assert properties["destinationIPAddress"] == "10.0.2.4"
    assert "loadBalancerFrontendIpConfigurations" not in properties


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"ipConfigurations": []}, "InvalidPrivateLinkServiceIpConfigurationCount"),
        ({"ipConfigurations": [nat(name=f"n{n}") for n in range(9)]}, "InvalidPrivateLinkServiceIpConfigurationCount"),
        ({"ipConfigurations": [nat(), nat(name="NAT")]}, "DuplicateResourceName"),
        ({"ipConfigurations": [nat(name="a/b")]}, "InvalidResourceName"),
        ({"ipConfigurations": [nat(privateIPAddressVersion="IPv6")]}, "PrivateLinkServiceDoesNotSupportIPv6"),
        (
            {"ipConfigurations": [nat(privateIPAllocationMethod="Static", privateIPAddress="10.9.9.9")]},
            "PrivateIPAddressNotInSubnet",
        ),
        (
            {"ipConfigurations": [nat(privateIPAllocationMethod="Static", privateIPAddress="10.0.1.4")]},
            "PrivateIPAddressIsAllocated",
        ),
        ({"ipConfigurations": [nat(f"{SAAS}x")]}, "InvalidResourceReference"),
        ({"loadBalancerFrontendIpConfigurations": [{"id": f"{FRONTEND}x"}]}, "InvalidResourceReference"),
        ({"visibility": {"subscriptions": ["nobody"]}}, "InvalidSubscriptionId"),
        (
            {"visibility": {"subscriptions": []}, "autoApproval": {"subscriptions": [ISV.id]}},
            "AutoApprovalSubscriptionsMustBeVisible",
        ),
    ],
)
async def test_a_service_that_cannot_be_is_refused_and_leaves_nothing_behind(properties: Any, code: str) -> None:
    lab = await Lab().start()
    before = len(lab.azure.store)
    assert await lab.isv.failure("PUT", SERVICE, service(**properties)) == (400, code)
    assert len(lab.azure.store) == before
    lab.check()


async def test_a_missing_balancer_is_named_in_upper_case() -> None:
    lab = await Lab().start()
    missing = f"{ISV_NETWORK}/loadBalancers/none/frontendIPConfigurations/frontend"
    answer = await lab.isv.call("PUT", SERVICE, service(loadBalancerFrontendIpConfigurations=[{"id": missing}]))
    assert answer.status == 400
    assert "/resourceGroups/ISV-RG/" in answer.body["error"]["message"]
    assert answer.body["error"]["details"][0]["code"] == "NotFound"


async def test_only_a_standard_balancer_carries_a_service() -> None:
    lab = await Lab().start()
    basic = BALANCER + "2"
    frontends = [{"name": "frontend", "properties": {"subnet": {"id": SAAS}}}]
    await lab.isv.put(basic, {**WEST, "sku": {"name": "Basic"}, "properties": {"frontendIPConfigurations": frontends}})
    reference = [{"id": f"{basic}/frontendIPConfigurations/frontend"}]
    assert await lab.isv.failure("PUT", SERVICE, service(loadBalancerFrontendIpConfigurations=reference)) == (
        400,
        "PrivateLinkServiceRequiresStandardLoadBalancer",
    )


async def test_a_balancer_carries_eight_services() -> None:
    lab = await Lab().start()
    for number in range(8):
        await lab.isv.put(f"{SERVICE}{number}", service())
    assert await lab.isv.failure("PUT", SERVICE, service()) == (400, "PrivateLinkServiceCountLimitReached")
    assert (await lab.isv.call("PUT", f"{SERVICE}3", service())).status == 200


async def test_the_subnets_policies_have_to_be_off_and_stay_off() -> None:
    lab = await Lab().start()
    on = {"properties": {"addressPrefix": "10.0.1.0/24", "privateLinkServiceNetworkPolicies": "Enabled"}}
    await lab.isv.put(SAAS, on)
    code = "PrivateLinkServiceCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled"
    assert await lab.isv.failure("PUT", SERVICE, service()) == (400, code)
    off = {"properties": {**on["properties"], "privateLinkServiceNetworkPolicies": "Disabled"}}
    await lab.isv.put(SAAS, off)
    await lab.isv.put(SERVICE, service())
    status, _ = await lab.isv.failure("PUT", SAAS, on)
    assert status == 400
    assert await lab.isv.failure("DELETE", SAAS) == (400, "InUseSubnetCannotBeDeleted")


async def test_nat_addresses_can_be_chosen_and_change() -> None:
    lab = await Lab().start()
    chosen = nat(privateIPAllocationMethod="Static", privateIPAddress="10.0.1.77")
    two = [chosen, nat(name="second", primary=True)]
    properties = (await lab.isv.put(SERVICE, service(ipConfigurations=two)))["properties"]
    assert [c["properties"]["primary"] for c in properties["ipConfigurations"]] == [False, True]
    assert properties["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.0.1.77"
    nic = await lab.isv.get(properties["networkInterfaces"][0]["id"])
    addresses = [c["properties"]["privateIPAddress"] for c in nic["properties"]["ipConfigurations"]]
    assert addresses == ["10.0.1.77", "10.0.1.5"]
    lab.check()
    await lab.isv.put(SERVICE, service(ipConfigurations=[two[1]]))
    nic = await lab.isv.get(nic["id"])
    assert [c["name"] for c in nic["properties"]["ipConfigurations"]] == ["second"]
    lab.check()


async def test_a_service_with_connections_stays_and_so_does_what_is_under_it() -> None:
    lab = await Lab().start()
    connection = await lab.linked()
    refused = await lab.isv.call("DELETE", SERVICE)
    assert refused.status == 400
    assert refused.body["error"]["code"] == "PrivateLinkServiceWithPrivateEndpointConnectionsCannotBeDeleted"
    assert "since it has 1 private endpoint connection. Please" in refused.body["error"]["message"]
    code = "CannotDeleteLoadBalancerWithPrivateLinkService"
    assert await lab.isv.failure("DELETE", BALANCER) == (400, code)
    nic_id = (await lab.isv.get(SERVICE))["properties"]["networkInterfaces"][0]["id"]
    assert (await lab.isv.failure("DELETE", nic_id))[0] == 400

    await lab.isv.delete(connection["id"])
    accepted = await lab.isv.call("DELETE", SERVICE)
    assert (accepted.status, accepted.body) == (202, None)
    assert {"Azure-AsyncOperation", "Location"} <= accepted.headers.keys()
    await lab.isv.end_of(accepted)
    assert (await lab.isv.call("GET", accepted.headers["Location"])).status == 204
    assert await lab.isv.failure("GET", SERVICE) == (404, "ResourceNotFound")
    assert lab.azure.store.get(nic_id) is None
    assert (await lab.isv.call("DELETE", SERVICE)).status == 204
    await lab.isv.delete(BALANCER)
    lab.check()


async def test_services_are_listed_by_group_and_by_subscription() -> None:
    lab = await Lab().start()
    await lab.linked()
    shown = await lab.isv.get(SERVICE)
    for where in (ISV_GROUP, f"/subscriptions/{ISV.id}"):
        assert (await lab.isv.get(f"{where}/providers/Microsoft.Network/privateLinkServices"))["value"] == [shown]
    old = await lab.isv.get(SERVICE, api_version="2022-01-01")
    connection = old["properties"]["privateEndpointConnections"][0]["properties"]
    assert "privateEndpointLocation" not in connection


async def test_a_group_with_a_service_is_deleted_once_its_connections_are_gone() -> None:
    lab = await Lab().start()
    connection = await lab.linked()
    end = await lab.isv.done("DELETE", ISV_GROUP, api_version="2022-09-01")
    assert end.status == 409
    await lab.isv.delete(connection["id"])
    await lab.isv.done("DELETE", ISV_GROUP, api_version="2022-09-01")
    assert [body["id"] for body in lab.azure.store if body["id"].startswith(f"{ISV_GROUP}")] == []
    lab.check()
