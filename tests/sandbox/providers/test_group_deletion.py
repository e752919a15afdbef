"""The deletion of a group with a private link in it: in an order that works, and honestly where none does."""

from __future__ import annotations

from tests.sandbox.providers.privatelink.lab import (
    CUSTOMER_GROUP,
    DNS,
    ENDPOINT,
    ISV_GROUP,
    ISV_NETWORK,
    SAAS,
    SERVICE,
    SPOKE,
    ZONE,
    Lab,
    endpoint,
    service,
)


async def test_a_connection_from_elsewhere_holds_the_group_of_its_service() -> None:
    lab = await Lab().start()
    connection = await lab.linked()
    end = await lab.isv.end_of(await lab.isv.call("DELETE", ISV_GROUP))
    assert (end.status, end.body["error"]["code"]) == (409, "ResourceGroupDeletionBlocked")
    codes = {detail["target"]: detail["code"] for detail in end.body["error"]["details"]}
    assert codes[SERVICE] == "PrivateLinkServiceWithPrivateEndpointConnectionsCannotBeDeleted"
    assert (await lab.isv.get(ISV_GROUP))["properties"]["provisioningState"] == "Succeeded"
    assert (await lab.connection())["id"] == connection["id"]
    lab.check()
    await lab.isv.delete(connection["id"])
    await lab.isv.delete(ISV_GROUP)
    assert await lab.isv.failure("GET", ISV_GROUP) == (404, "ResourceGroupNotFound")
    assert (await lab.customer.get(ENDPOINT))["properties"]["provisioningState"] == "Succeeded"
    lab.check()


async def test_the_customers_group_goes_with_its_endpoint_and_the_connection_with_that() -> None:
    lab = await Lab().start()
    await lab.linked()
    await lab.customer.put(ZONE, {"location": "global"}, api_version=DNS)
    link = {"location": "global", "properties": {"virtualNetwork": {"id": SPOKE}, "registrationEnabled": False}}
    await lab.customer.put(f"{ZONE}/virtualNetworkLinks/dnsLink", link, api_version=DNS)
    record = {"properties": {"ttl": 300, "aRecords": [{"ipv4Address": "10.1.0.4"}]}}
    await lab.customer.put(f"{ZONE}/A/saas-pls", record, api_version=DNS)
    await lab.customer.delete(CUSTOMER_GROUP)
    assert [body for body in lab.azure.store if body["id"].startswith(CUSTOMER_GROUP)] == []
    assert (await lab.isv.get(SERVICE))["properties"]["privateEndpointConnections"] == []
    lab.check()


async def test_a_service_and_its_only_endpoint_go_together() -> None:
    lab = await Lab().start()
    await lab.isv.put(SERVICE, service())
    near = f"{ISV_NETWORK}/privateEndpoints/near"
    await lab.isv.put(near, endpoint(manual=False, subnet={"id": SAAS}) | {"location": "westeurope"})
    await lab.connection()
    await lab.isv.delete(ISV_GROUP)
    assert [body for body in lab.azure.store if body["id"].startswith(ISV_GROUP)] == []
