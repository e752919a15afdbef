from __future__ import annotations

import pytest

from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.gateway.operations import doomed
from plstui.sandbox.latency import Latency
from tests.sandbox.providers.privatelink.lab import ENDPOINT, MESSAGE, SERVICE, Lab, decision


async def test_a_manual_request_waits_and_both_sides_know_it() -> None:
    lab = await Lab().start()
    connection = await lab.linked()
    endpoint = await lab.customer.get(ENDPOINT)
    assert endpoint["properties"]["provisioningState"] == "Succeeded"
    assert connection["name"] == f"saasEndpoint.{endpoint['properties']['resourceGuid']}"
    assert connection["properties"]["privateEndpoint"] == {"id": ENDPOINT}
    assert connection["properties"]["privateLinkServiceConnectionState"] == {
        "status": "Pending",
        "description": MESSAGE,
        "actionsRequired": "None",
    }
    assert await lab.seen_by_customer() == {
        "status": "Pending",
        "description": "Awaiting Approval",
        "actionsRequired": "None",
    }
    assert connection["properties"]["linkIdentifier"].isdecimal()
    assert connection["properties"]["privateEndpointLocation"] == "northeurope"
    shown = await lab.isv.call("GET", connection["id"])
    assert shown.body == connection
    assert shown.headers["ETag"] == (await lab.isv.get(SERVICE))["etag"]
    assert (await lab.isv.get(f"{SERVICE}/privateEndpointConnections"))["value"] == [connection]
    lab.check()


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
async def test_a_decision_shows_on_both_sides_in_the_same_moment(status: str) -> None:
    lab = await Lab().start()
    connection = await lab.linked()
    lab.azure.operations.latency = Latency.AZURE
    before = await lab.customer.get(ENDPOINT)
    answer = await lab.isv.call("PUT", connection["id"], decision(status.lower(), "for a reason"))
    assert answer.status == 200
    assert "Azure-AsyncOperation" in answer.headers
    assert not {"Location", "ETag"} & answer.headers.keys()
    assert answer.body["properties"]["provisioningState"] == "Updating"
    state = {"status": status, "description": "for a reason", "actionsRequired": ""}
    assert answer.body["properties"]["privateLinkServiceConnectionState"] == state

    now = await lab.isv.get(connection["id"])
    assert now["properties"]["provisioningState"] == "Succeeded"
    assert now["properties"]["privateLinkServiceConnectionState"] == state
    assert now["properties"]["linkIdentifier"] == connection["properties"]["linkIdentifier"]
    assert len({connection["etag"], answer.body["etag"], now["etag"]}) == 3
    assert (await lab.isv.get(SERVICE))["etag"] == now["etag"]
    after = await lab.customer.get(ENDPOINT)
    assert await lab.seen_by_customer() == state
    assert after["properties"]["provisioningState"] == "Succeeded"
    assert after["etag"] != before["etag"]
    lab.check()


async def test_what_a_decision_does_not_say_becomes_empty() -> None:
    lab = await Lab().start()
    connection = await lab.linked()
    whole = {**connection, "properties": {**connection["properties"]}}
    whole["properties"]["privateLinkServiceConnectionState"] = {"status": "Approved"}
    await lab.isv.call("PUT", connection["id"], whole)
    assert await lab.seen_by_customer() == {"status": "Approved", "description": "", "actionsRequired": ""}
    again = await lab.isv.call("PUT", connection["id"], decision("Approved", "again", actionsRequired="None"))
    assert again.status == 200
    assert await lab.seen_by_customer() == {"status": "Approved", "description": "again", "actionsRequired": "None"}


async def test_approved_can_be_rejected_and_rejected_approved_if_azure_lets_it() -> None:
    lab = await Lab().start()
    connection = await lab.linked()
    for status in ("Approved", "Rejected", "Approved", "Rejected"):
        assert (await lab.isv.call("PUT", connection["id"], decision(status))).status == 200
    lab.azure.rejected_may_be_approved = False
    refused = await lab.isv.failure("PUT", connection["id"], decision("Approved"))
    assert refused == (400, "InvalidPrivateEndpointConnectionStateTransition")
    assert (await lab.seen_by_customer())["status"] == "Rejected"
    assert (await lab.isv.call("PUT", connection["id"], decision("Rejected", "still"))).status == 200


async def test_a_decision_about_nothing_is_refused() -> None:
    lab = await Lab().start()
    connection = await lab.linked()
    other = f"{SERVICE}/privateEndpointConnections/nobody.1"
    assert await lab.isv.failure("PUT", other, decision("Approved")) == (
        400,
        "PrivateEndpointConnectionCannotBeCreatedByServiceProvider",
    )
    assert await lab.isv.failure("GET", other) == (404, "NotFound")
    assert (await lab.isv.call("DELETE", other)).status == 204
    missing = other.replace("saasService", "none")
    for method in ("GET", "PUT", "DELETE"):
        answer = await lab.isv.call(method, missing, decision("Approved"))
        assert "'Microsoft.Network/privateLinkServices/none'" in answer.body["error"]["message"]
    assert (await lab.isv.failure("PUT", connection["id"], {"properties": {}}))[0] == 400
    assert (await lab.isv.failure("PUT", connection["id"], decision("Perhaps")))[0] == 400
    assert (await lab.box.reader.failure("PUT", connection["id"], decision("Approved")))[0] == 403


@pytest.mark.parametrize("status", ["Pending", "Approved", "Rejected"])
async def test_a_removed_connection_leaves_the_endpoint_disconnected(status: str) -> None:
    lab = await Lab().start()
    connection = await lab.linked()
    if status != "Pending":
        await lab.isv.call("PUT", connection["id"], decision(status))
    lab.azure.operations.latency = Latency.AZURE
    before = await lab.customer.get(ENDPOINT)
    accepted = await lab.isv.call("DELETE", connection["id"])
    assert (accepted.status, accepted.body) == (202, None)
    assert {"Azure-AsyncOperation", "Location", "Retry-After"} <= accepted.headers.keys()
    assert (await lab.isv.call("GET", accepted.headers["Location"])).status == 202
    assert (await lab.seen_by_customer())["status"] == status
    again = await lab.isv.call("DELETE", connection["id"])
    assert again.headers["Azure-AsyncOperation"] == accepted.headers["Azure-AsyncOperation"]

    lab.azure.clock.advance(15)
    poll = await lab.isv.call("GET", accepted.headers["Azure-AsyncOperation"])
    assert (poll.status, poll.body) == (200, {"status": "Succeeded"})
    assert (await lab.isv.call("GET", accepted.headers["Location"])).status == 204
    assert (await lab.isv.get(SERVICE))["properties"]["privateEndpointConnections"] == []
    assert await lab.isv.failure("GET", connection["id"]) == (404, "NotFound")
    after = await lab.customer.get(ENDPOINT)
    assert (await lab.seen_by_customer())["status"] == "Disconnected"
    assert after["properties"]["provisioningState"] == "Succeeded"
    assert after["etag"] != before["etag"]
    lab.check()


async def test_a_disconnected_endpoint_is_good_for_deleting_only() -> None:
    lab = await Lab().start()
    connection = await lab.linked()
    await lab.isv.delete(connection["id"])
    endpoint = await lab.customer.get(ENDPOINT)
    await lab.customer.put(ENDPOINT, {**endpoint, "tags": {"a": "b"}})
    assert (await lab.seen_by_customer())["status"] == "Disconnected"
    assert (await lab.isv.get(SERVICE))["properties"]["privateEndpointConnections"] == []
    await lab.customer.delete(ENDPOINT)
    lab.check()


async def test_an_endpoint_that_is_deleted_while_its_connection_is_takes_it_along() -> None:
    lab = await Lab(Latency.AZURE).start()
    lab.azure.operations.latency = Latency.NONE
    connection = await lab.linked()
    lab.azure.operations.latency = Latency.AZURE
    await lab.isv.call("DELETE", connection["id"])
    await lab.customer.call("DELETE", ENDPOINT)
    lab.azure.clock.advance(60)
    await lab.azure.operations.settle()
    assert (await lab.isv.get(SERVICE))["properties"]["privateEndpointConnections"] == []
    assert lab.azure.store.get(ENDPOINT) is None
    lab.check()


async def test_a_removal_that_fails_says_so_and_can_be_tried_again() -> None:
    lab = await Lab(Latency.NONE).start()
    connection = await lab.linked()
    with doomed(bad_request("InternalServerError", "An error occurred.")):
        assert await lab.isv.failure("DELETE", connection["id"]) == (200, "InternalServerError")
    assert (await lab.connection())["properties"]["provisioningState"] == "Failed"
    await lab.isv.delete(connection["id"])
    assert (await lab.seen_by_customer())["status"] == "Disconnected"
