"""Deciding on a connection and removing it, over HTTPS."""

from __future__ import annotations

from typing import Any

import pytest

from plstui.arm.clients import Clients
from plstui.arm.side import ArmSide
from plstui.arm.writer import Writer
from plstui.config.settings import Settings
from plstui.domain.connection import APPROVED, PENDING, REJECTED
from plstui.domain.errors import (
    AzureError,
    NotFoundError,
    NotReadBackError,
    RefusedError,
    ThrottledError,
    UnreachableError,
)
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from tests.arm.server import SUBSCRIPTION, Answer, ArmServer, drop

SERVICE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/privateLinkServices/pls"
CONNECTION = ResourceId(f"{SERVICE}/privateEndpointConnections/pe.guid")
OPERATION = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/locations/westeurope/operations/op"


def connection(status: str, provisioning: str = "Succeeded", **more: Any) -> dict[str, Any]:
    state = {"status": status, "description": "please", "actionsRequired": "Wait", "since": "yesterday"}
    return {
        "id": CONNECTION.text,
        "name": "pe.guid",
        "etag": 'W/"1"',
        "tomorrow": {"kept": [1, None]},
        "properties": {
            "provisioningState": provisioning,
            "privateEndpoint": {"id": "/subscriptions/other/resourceGroups/g/providers/Microsoft.Network/p/pe"},
            "privateLinkServiceConnectionState": state,
            "linkIdentifier": "520125339",
            "alsoTomorrow": "kept",
            **more,
        },
    }


def accepted(**headers: str) -> Answer:
    return Answer(connection("Approved", "Updating"), headers=headers)


def answer(status: int, code: str, message: str = "No.", **more: Any) -> Answer:
    return Answer({"error": {"code": code, "message": message, **more}}, status)


BUSY = answer(409, "AnotherOperationInProgress")
NOT_READY = answer(
    429,
    "RetryableError",
    "A retryable error occurred.",
    details=[{"code": "ReferencedResourceNotProvisioned", "message": "It is in Updating state."}],
)


async def approve(side: ArmSide) -> Any:
    return await side.writer.decide(CONNECTION, APPROVED, "welcome", expected=PENDING)


async def test_the_state_is_replaced_whole_and_everything_else_stays(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on("PUT", CONNECTION.text, Answer(connection("Approved")))

    after = await approve(side)

    (put,) = azure.requests("PUT")
    sent = put.body["properties"]
    assert sent["privateLinkServiceConnectionState"] == {
        "status": "Approved",
        "description": "welcome",
        "actionsRequired": "None",
    }
    assert put.body["tomorrow"] == {"kept": [1, None]}
    assert sent["alsoTomorrow"] == "kept"
    assert put.query["api-version"] == "2024-05-01"
    assert after.status == APPROVED
    assert after.description == "please", "what Azure answered, not what was sent"


async def test_a_connection_that_has_changed_is_not_written_to(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Rejected")))

    with pytest.raises(RefusedError, match="Rejected by now, and was Pending"):
        await approve(side)

    assert not azure.requests("PUT")


async def test_the_operation_is_asked_at_its_own_address_until_it_is_over(azure: ArmServer, side: ArmSide) -> None:
    signed = "?api-version=2024-05-01&t=638&c=MII%3D%3D&s=a-_b&h=x"
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")), Answer(connection("Approved")))
    azure.on("PUT", CONNECTION.text, accepted(**{"Azure-AsyncOperation": "{arm}" + OPERATION + signed}))
    progress = Answer({"status": "InProgress"}, headers={"x-ms-retry-after-ms": "1"})
    azure.on("GET", OPERATION, progress, progress, Answer({"status": "Succeeded"}))

    after = await approve(side)

    assert after.provisioning_state == "Succeeded"
    assert [seen.target for seen in azure.requests("GET", "/operations/")] == [OPERATION + signed] * 3


async def test_without_an_operation_the_connection_is_asked(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")), Answer(connection("Approved")))
    azure.on("PUT", CONNECTION.text, accepted())

    assert (await approve(side)).provisioning_state == "Succeeded"


async def test_an_answer_that_is_done_at_once_is_not_asked_about(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on(
        "PUT", CONNECTION.text, Answer(connection("Approved"), headers={"Azure-AsyncOperation": "{arm}" + OPERATION})
    )

    await approve(side)

    assert len(azure.seen) == 2


SLOWER = Answer({"error": {"code": "TooManyRequests", "message": "Slower."}}, 429, {"x-ms-retry-after-ms": "1"})
MUCH_SLOWER = Answer({"error": {"code": "TooManyRequests", "message": "Slower."}}, 429, {"Retry-After": "3600"})


async def test_the_state_before_is_asked_for_again_after_the_wait_that_azure_asks_for(
    azure: ArmServer, side: ArmSide
) -> None:
    azure.on("GET", CONNECTION.text, SLOWER, Answer(connection("Pending")))
    azure.on("PUT", CONNECTION.text, Answer(connection("Approved")))

    assert (await side.reader.read_connection(CONNECTION)).status == PENDING
    azure.on("GET", CONNECTION.text, SLOWER, Answer(connection("Pending")))
    assert (await approve(side)).status == APPROVED

    azure.on("GET", CONNECTION.text, MUCH_SLOWER)
    with pytest.raises(ThrottledError):
        await side.reader.read_connection(CONNECTION)


@pytest.mark.parametrize("trouble", [SLOWER, Answer(status=503)], ids=["throttled", "in trouble"])
async def test_what_came_of_it_is_asked_for_again(azure: ArmServer, impatient: Writer, trouble: Answer) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")), trouble, Answer(connection("Approved")))
    azure.on("PUT", CONNECTION.text, accepted(**{"Azure-AsyncOperation": "{arm}" + OPERATION}))
    azure.on("GET", OPERATION, trouble, Answer({"status": "Succeeded"}))

    after = await impatient.decide(CONNECTION, APPROVED, "welcome", expected=PENDING)

    assert after.provisioning_state == "Succeeded"
    assert len(azure.requests("PUT")) == 1


@pytest.mark.parametrize(
    "trouble",
    [MUCH_SLOWER, Answer(status=500), drop, answer(403, "AuthorizationFailed")],
    ids=["throttled", "in trouble", "gone", "forbidden"],
)
@pytest.mark.parametrize("path", [CONNECTION.text, OPERATION], ids=["connection", "operation"])
async def test_what_cannot_be_read_back_was_taken_all_the_same(
    azure: ArmServer, impatient: Writer, trouble: Any, path: str
) -> None:
    azure.on("GET", OPERATION, Answer({"status": "Succeeded"}) if path == CONNECTION.text else trouble)
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")), trouble)
    azure.on("PUT", CONNECTION.text, accepted(**{"Azure-AsyncOperation": "{arm}" + OPERATION}))

    with pytest.raises(NotReadBackError, match=r"^it could not be read back: \S") as caught:
        await impatient.decide(CONNECTION, APPROVED, "welcome", expected=PENDING)

    assert caught.value.connection.status == APPROVED
    assert len(azure.requests("PUT")) == 1


async def test_a_failed_operation_is_an_error_with_its_code(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on("PUT", CONNECTION.text, accepted(**{"Azure-AsyncOperation": "{arm}" + OPERATION}))
    failure = {"status": "Failed", "error": {"code": "InternalServerError", "message": "An error occurred."}}
    azure.on("GET", OPERATION, Answer(failure))

    with pytest.raises(AzureError) as caught:
        await approve(side)

    assert (caught.value.code, caught.value.message, caught.value.status) == (
        "InternalServerError",
        "An error occurred.",
        0,
    )


async def test_a_connection_that_ends_as_failed_is_an_error(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")), Answer(connection("Approved", "Failed")))
    azure.on("PUT", CONNECTION.text, accepted())

    with pytest.raises(AzureError, match=r"Azure could not change pe\.guid"):
        await approve(side)


@pytest.fixture
async def impatient(settings: Settings) -> Any:
    """A side whose writer does not pause between its tries, of which there are three."""
    clients = Clients(settings, Side.ISV)
    yield Writer(clients, pauses=(0, 0))
    await clients.close()


@pytest.mark.parametrize("refusal", [BUSY, NOT_READY])
async def test_a_write_that_azure_is_not_ready_for_is_tried_again(
    azure: ArmServer, impatient: Writer, refusal: Answer
) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on("PUT", CONNECTION.text, refusal, refusal, Answer(connection("Approved")))

    after = await impatient.decide(CONNECTION, APPROVED, "welcome", expected=PENDING)

    assert after.status == APPROVED
    assert len(azure.requests("GET")) == 3, "the state is looked at anew before each try"


async def test_the_tries_have_an_end(azure: ArmServer, impatient: Writer) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on("PUT", CONNECTION.text, NOT_READY)

    with pytest.raises(AzureError) as caught:
        await impatient.decide(CONNECTION, REJECTED, "no", expected=PENDING)

    assert caught.value.code == "RetryableError"
    assert caught.value.message == "It is in Updating state."
    assert not isinstance(caught.value, ThrottledError)
    assert len(azure.requests("PUT")) == 3


async def test_throttling_is_not_tried_again(azure: ArmServer, impatient: Writer) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on("PUT", CONNECTION.text, answer(429, "TooManyRequests"))

    with pytest.raises(ThrottledError):
        await impatient.decide(CONNECTION, APPROVED, "welcome", expected=PENDING)

    assert len(azure.requests("PUT")) == 1


async def test_a_write_without_an_answer_says_so(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on("PUT", CONNECTION.text, drop)

    with pytest.raises(UnreachableError, match="closed the connection"):
        await approve(side)


async def test_a_write_is_not_repeated_without_looking(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on("PUT", CONNECTION.text, Answer(status=503))

    with pytest.raises(AzureError, match="503"):
        await approve(side)

    assert len(azure.requests("PUT")) == 1


async def test_a_provider_that_is_not_registered_is_told_and_not_registered(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    message = (
        "The subscription is not registered to use namespace 'Microsoft.Network'. See https://aka.ms/rps-not-found"
    )
    azure.on("PUT", CONNECTION.text, answer(409, "MissingSubscriptionRegistration", message))

    with pytest.raises(AzureError, match=r"az provider register -n Microsoft\.Network --subscription"):
        await approve(side)

    assert not azure.requests("POST")


async def test_a_write_that_does_not_end_is_given_up(azure: ArmServer, settings: Settings) -> None:
    azure.on("DELETE", CONNECTION.text, Answer(status=202, headers={"Azure-AsyncOperation": "{arm}" + OPERATION}))
    azure.on("GET", OPERATION, Answer({"status": "InProgress"}, headers={"Retry-After": "3600"}))
    clients = Clients(settings, Side.ISV)

    with pytest.raises(AzureError, match="not finished") as caught:
        await Writer(clients, patience=0.1).remove(CONNECTION)
    await clients.close()

    assert caught.value.code == "OperationTimeout"
    assert "It may still do so" in caught.value.hint


async def test_removing_waits_until_azure_is_done(azure: ArmServer, side: ArmSide) -> None:
    headers = {
        "Azure-AsyncOperation": "{arm}" + OPERATION,
        "Location": "{arm}/operationResults/op",
        "x-ms-retry-after-ms": "1",
    }
    azure.on("DELETE", CONNECTION.text, Answer(status=202, headers=headers))
    azure.on("GET", OPERATION, Answer({"status": "InProgress"}, headers=headers), Answer({"status": "Succeeded"}))
    azure.on("GET", "/operationResults/op", Answer(status=204))

    await side.writer.remove(CONNECTION)

    assert len(azure.requests("GET", "/operations/op")) == 2
    assert azure.requests("DELETE")[0].query["api-version"] == "2024-05-01"


async def test_a_removal_that_fails_is_an_error(azure: ArmServer, side: ArmSide) -> None:
    azure.on("DELETE", CONNECTION.text, Answer(status=202, headers={"Azure-AsyncOperation": "{arm}" + OPERATION}))
    azure.on("GET", OPERATION, Answer({"status": "Failed", "error": {"code": "Busy", "message": "Not now"}}))

    with pytest.raises(AzureError) as caught:
        await side.writer.remove(CONNECTION)

    assert (caught.value.code, caught.value.message, caught.value.status) == ("Busy", "Not now.", 0)


async def test_removing_what_is_not_there(azure: ArmServer, side: ArmSide) -> None:
    azure.on("DELETE", CONNECTION.text, answer(404, "NotFound", f"Resource {CONNECTION} not found."))

    with pytest.raises(NotFoundError, match="not found"):
        await side.writer.remove(CONNECTION)
