"""Connections that do not stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plstui.domain.findings import healthy
from plstui.domain.findings.finding import Severity
from plstui.domain.ids import ResourceId
from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.world import World
from tests.domain.findings.ward import Ward, altered, blinded, told

STATUS = "privateLinkServiceConnectionState.status"


async def test_pending(approved: Ward) -> None:
    await approved.delete(approved.consumer.endpoint)
    await approved.up("endpoint")

    finding = await approved.first()

    assert (finding.rule, finding.severity, finding.fix) == ("connection-pending", Severity.ERROR, "approve")
    assert finding.where == ResourceId((await approved.connection())["id"])
    assert finding.evidence == {STATUS: "Pending"}
    assert await approved.silent()
    assert await approved.mend() == ["connection-pending"]
    assert await approved.comes()


async def test_rejected(approved: Ward) -> None:
    await approved.decide("Rejected")

    finding = await approved.first()

    assert (finding.rule, finding.fix, finding.evidence) == ("connection-rejected", "approve", {STATUS: "Rejected"})
    assert await approved.silent()
    assert await approved.mend() == ["connection-rejected"]
    assert await approved.comes()


async def test_disconnected(approved: Ward) -> None:
    await approved.delete(ResourceId((await approved.connection())["id"]))

    finding = await approved.first()

    assert (finding.rule, finding.where) == ("connection-disconnected", approved.consumer.endpoint)
    assert finding.fix == "step:endpoint", "there it can be undone, and done again"
    assert finding.az == f"az network private-endpoint delete --ids {approved.consumer.endpoint}"
    await approved.delete(approved.consumer.endpoint)
    assert await approved.mend() == ["endpoint-missing", "connection-pending"]
    assert await approved.comes()


async def test_no_endpoint(approved: Ward) -> None:
    await approved.delete(approved.consumer.endpoint, approved.consumer.record)

    finding = await approved.first()

    assert (finding.rule, finding.fix) == ("endpoint-missing", "step:endpoint")
    assert f"--private-connection-resource-id {approved.provider.service}" in finding.az
    assert await approved.mend() == ["endpoint-missing", "connection-pending", "name-missing"]
    assert await approved.comes()


async def test_no_endpoint_and_no_network_to_make_it_in(approved: Ward) -> None:
    await approved.delete(approved.consumer.group)

    finding = await approved.first()

    assert (finding.rule, finding.fix, finding.az) == ("endpoint-missing", "step:customer-network", "")
    rules = await approved.mend()
    assert rules == ["endpoint-missing", "endpoint-missing", "connection-pending", "name-missing"]
    assert await approved.comes()


# Azure tells both ends in the same moment, refuses to delete a service with connections or to ask for one that is not
# there, and keeps an endpoint's interface to itself. What a list shows may lag behind all that for a while.


async def test_approved_on_one_side_only(approved: Ward) -> None:
    await approved.decide("Rejected")
    await approved.list_lags(Side.ISV, Kind.SERVICES)
    await approved.decide("Approved")

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("connection-one-sided", Severity.ERROR)
    assert finding.evidence == {"service": "Rejected", "endpoint": "Approved"}
    await approved.box.faults.load({"faults": []})
    assert healthy(await approved.findings())
    assert await approved.comes()


async def test_a_service_that_knows_nothing_of_the_endpoint(approved: Ward) -> None:
    await approved.delete(approved.consumer.endpoint)
    await approved.list_lags(Side.ISV, Kind.SERVICES)
    await approved.up("endpoint")

    finding = await approved.first()

    assert (finding.rule, finding.where) == ("service-without-connection", approved.consumer.endpoint)
    assert finding.evidence == {"privateLinkServiceId": approved.provider.service.text}


async def test_an_endpoint_that_asked_for_another_service(approved: Ward) -> None:
    await approved.delete(approved.consumer.endpoint)
    await approved.list_lags(Side.ISV, Kind.SERVICES)
    other = ResourceId(f"{approved.provider.service}2")
    service = await approved.get(approved.provider.service)
    (nat,) = service["properties"]["ipConfigurations"]
    properties = {
        "ipConfigurations": [{"name": "nat", "properties": {"subnet": nat["properties"]["subnet"], "primary": True}}],
        "loadBalancerFrontendIpConfigurations": [{"id": approved.provider.frontend.text}],
    }
    await approved.put(other, {"location": "westeurope", "properties": properties})
    request = {"name": "c", "properties": {"privateLinkServiceId": other.text}}
    properties = {"subnet": {"id": approved.consumer.subnet.text}, "manualPrivateLinkServiceConnections": [request]}
    await approved.put(approved.consumer.endpoint, {"location": "westeurope", "properties": properties})

    finding = await approved.first()

    assert (finding.rule, finding.evidence) == ("service-without-connection", {"privateLinkServiceId": other.text})
    assert f"{other.name}, which is not there" in finding.what


async def test_no_address(approved: Ward) -> None:
    await approved.delete(approved.consumer.endpoint)
    await approved.list_lags(Side.CUSTOMER, Kind.INTERFACES)
    await approved.up("endpoint")
    await approved.decide("Approved")

    finding = await approved.first()

    assert (finding.rule, finding.where) == ("endpoint-no-address", approved.consumer.endpoint)


async def test_an_endpoint_that_is_being_made_may_be_without_an_address(approved: Ward) -> None:
    def make(endpoint: dict[str, Any]) -> None:
        endpoint["properties"] |= {"provisioningState": "Updating", "networkInterfaces": []}

    world = altered(await approved.world(), await approved.get(approved.consumer.endpoint), make)

    assert "endpoint-no-address" not in {finding.rule for finding in told(world)}


async def test_an_endpoint_of_azures_own_services_is_nobodys_business(approved: Ward) -> None:
    store = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"

    def ask(endpoint: dict[str, Any]) -> None:
        request = endpoint["properties"]["manualPrivateLinkServiceConnections"][0]["properties"]
        request |= {"privateLinkServiceId": store, "privateLinkServiceConnectionState": {"status": "Disconnected"}}

    world = altered(await approved.world(), await approved.get(approved.consumer.endpoint), ask)
    alone = replace(world, isv=Snapshot(side=Side.ISV, subscription=approved.box.isv.subscription.id))

    assert [finding.rule for finding in told(alone)] == ["endpoint-missing"]


# Several customers


async def other_requests(ward: Ward, number: int) -> World:
    """The same with requests of other customers at the service."""
    endpoint = "/subscriptions/{0}/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/pe{0}"

    def ask(service: dict[str, Any]) -> None:
        (own,) = service["properties"]["privateEndpointConnections"]
        service["properties"]["privateEndpointConnections"] += [
            {
                "id": f"{own['id']}-{other}",
                "name": f"pe{other}",
                "properties": {
                    "privateEndpoint": {"id": endpoint.format(other)},
                    "privateLinkServiceConnectionState": {"status": "Pending"},
                },
            }
            for other in range(number)
        ]

    return altered(await ward.world(), await ward.get(ward.provider.service), ask)


async def test_other_customers_requests_are_no_error_of_this_customers(approved: Ward) -> None:
    world = await other_requests(approved, 3)

    finding = told(world)[0]

    assert (finding.rule, finding.severity) == ("requests-waiting", Severity.INFO)
    assert "3 requests" in finding.what
    assert finding.where == approved.provider.service


async def test_an_endpoint_that_is_left_over_beside_one_that_works(approved: Ward) -> None:
    second = ResourceId(f"{approved.consumer.endpoint}2")
    request = {"name": "c", "properties": {"privateLinkServiceId": approved.provider.service.text}}
    subnet = {"id": approved.consumer.subnet.text}
    properties = {"subnet": subnet, "manualPrivateLinkServiceConnections": [request]}
    await approved.put(second, {"location": "westeurope", "properties": properties})

    waiting = await approved.first()
    service = await approved.get(approved.provider.service)
    (connection,) = (
        one for one in service["properties"]["privateEndpointConnections"] if one["name"].startswith(f"{second.name}.")
    )
    await approved.delete(ResourceId(connection["id"]))
    left = await approved.first()

    assert (waiting.rule, waiting.severity) == ("connection-pending", Severity.WARNING)
    assert (left.rule, left.severity, left.where) == ("connection-disconnected", Severity.WARNING, second)
    assert await approved.comes()
    await approved.delete(second)
    assert healthy(await approved.findings())


async def test_to_the_isv_alone_every_request_counts(approved: Ward) -> None:
    alone = replace(await other_requests(approved, 3), customer=None)

    rules = [finding.rule for finding in told(alone)]

    assert rules.count("connection-pending") == 3
    assert "requests-waiting" not in rules


async def test_what_the_customer_may_not_list_is_told_from_the_service(approved: Ward) -> None:
    await approved.decide("Rejected")
    hidden = blinded(await approved.world(), Kind.ENDPOINTS)

    finding = told(hidden)[0]

    assert (finding.rule, finding.fix) == ("connection-rejected", "approve")
