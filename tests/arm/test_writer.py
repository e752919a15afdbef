"""Deciding on a connection and removing it, over HTTPS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from plstui.arm.road import Road
from plstui.arm.side import ArmSide
from plstui.arm.writer import Writer
from plstui.config.settings import Settings
from plstui.domain.connection import APPROVED, PENDING, Connection
from plstui.domain.errors import (
    AzureError,
    NotFoundError,
    NotReadBackError,
    PlstuiError,
    RefusedError,
    ThrottledError,
)
from plstui.domain.ids import ResourceId
from plstui.domain.readback import Patience
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


async def approve(side: ArmSide) -> Connection:
    return await approve_by(side.writer)


async def approve_by(writer: Writer) -> Connection:
    after = await (await writer.prepare(CONNECTION, APPROVED, "welcome", expected=PENDING)).send()
    assert after is not None
    return after


async def remove_by(writer: Writer) -> None:
    assert await (await writer.prepare(CONNECTION, None, "", expected=PENDING)).send() is None


async def test_the_state_is_replaced_whole_and_everything_else_stays(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")), Answer(connection("Approved")))
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
    assert after.description == "please", "what Azure says, not what was sent"


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


async def test_a_decision_reads_the_connection_and_nothing_else(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")), Answer(connection("Approved")))
    azure.on("PUT", CONNECTION.text, accepted(**{"Azure-AsyncOperation": "{arm}" + OPERATION}))
    azure.on("GET", OPERATION, Answer({"status": "Succeeded"}))

    await approve(side)

    assert [seen.method for seen in azure.seen] == ["GET", "PUT", "GET", "GET"]
    assert {seen.target.partition("?")[0] for seen in azure.seen} == {CONNECTION.text, OPERATION}
    assert "If-Match" not in azure.requests("PUT")[0].headers


SLOWER = Answer({"error": {"code": "TooManyRequests", "message": "Slower."}}, 429, {"x-ms-retry-after-ms": "1"})
MUCH_SLOWER = Answer({"error": {"code": "TooManyRequests", "message": "Slower."}}, 429, {"Retry-After": "3600"})


async def test_azure_s_waits_are_kept_and_told_before_a_decision_and_at_it(azure: ArmServer, side: ArmSide) -> None:
    told: list[str] = []

    def tell(error: PlstuiError, pause: float) -> None:
        told.append(f"{error.code} {pause:.1f}")

    azure.on("GET", CONNECTION.text, SLOWER, Answer(connection("Pending")))
    assert (await side.reader.read_connection(CONNECTION, retrying=tell)).status == PENDING

    pending, slower = Answer(connection("Pending")), SLOWER
    azure.on("GET", CONNECTION.text, slower, pending, slower, pending, slower, Answer(connection("Approved")))
    azure.on("PUT", CONNECTION.text, slower, Answer(connection("Approved")))
    decision = await side.writer.prepare(CONNECTION, APPROVED, "welcome", expected=PENDING, retrying=tell)
    after = await decision.send()

    assert after is not None
    assert after.status == APPROVED
    assert len(azure.requests("PUT")) == 2, "the first was refused"
    assert [line.split()[0] for line in told] == ["TooManyRequests"] * 5


async def test_who_would_have_to_wait_too_long_is_told_so(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, MUCH_SLOWER)
    with pytest.raises(ThrottledError):
        await side.reader.read_connection(CONNECTION)

    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on("PUT", CONNECTION.text, MUCH_SLOWER)
    with pytest.raises(ThrottledError):
        await approve(side)


@pytest.mark.parametrize("trouble", [SLOWER, Answer(status=503)], ids=["throttled", "in trouble"])
async def test_what_came_of_it_is_asked_for_again(azure: ArmServer, impatient: Writer, trouble: Answer) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")), trouble, Answer(connection("Approved")))
    azure.on("PUT", CONNECTION.text, accepted(**{"Azure-AsyncOperation": "{arm}" + OPERATION}))
    azure.on("GET", OPERATION, trouble, Answer({"status": "Succeeded"}))

    after = await approve_by(impatient)

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

    with pytest.raises(NotReadBackError, match=r"^it could not be read back: \S"):
        await approve_by(impatient)

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
    road = Road(settings, Side.ISV)
    yield Writer(road, Patience(busy=(0, 0), looks=(0, 0), throttled=1))
    await road.close()


@pytest.mark.parametrize("refusal", [BUSY, NOT_READY])
async def test_a_write_that_azure_is_not_ready_for_is_tried_again(
    azure: ArmServer, impatient: Writer, refusal: Answer
) -> None:
    pending = Answer(connection("Pending"))
    azure.on("GET", CONNECTION.text, pending, pending, pending, Answer(connection("Approved")))
    azure.on("PUT", CONNECTION.text, refusal, refusal, Answer(connection("Approved")))

    after = await approve_by(impatient)

    assert after.status == APPROVED
    assert len(azure.requests("GET")) == 4, "the state is looked at anew before each try, and at the end"


async def test_waits_for_fewer_requests_use_up_no_tries_of_what_is_not_ready(
    azure: ArmServer, impatient: Writer
) -> None:
    azure.on("GET", CONNECTION.text, *[Answer(connection("Pending"))] * 5, Answer(connection("Approved")))
    azure.on("PUT", CONNECTION.text, SLOWER, SLOWER, BUSY, BUSY, Answer(connection("Approved")))

    assert (await approve_by(impatient)).status == APPROVED


async def test_nothing_that_takes_long_lies_between_the_last_look_and_the_decision(
    azure: ArmServer, side: ArmSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import of the SDK's clients takes a second, in which somebody else may decide."""
    steps: list[str] = []
    real = Road._make_clients

    def make(road: Road) -> Any:
        steps.append("clients")
        return real(road)

    monkeypatch.setattr(Road, "_make_clients", make)
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on("DELETE", CONNECTION.text, answer(403, "AuthorizationFailed"))
    removal = await side.writer.prepare(CONNECTION, None, "", expected=PENDING)
    with pytest.raises(AzureError):
        await removal.send()
    assert steps == [], "a removal needs none"

    await side.writer.prepare(CONNECTION, APPROVED, "", expected=PENDING, seen=lambda _: steps.append("look"))
    assert steps == ["clients", "look"]


async def test_what_is_not_ready_for_longer_than_anybody_waits_is_told_at_once(
    azure: ArmServer, impatient: Writer
) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on("PUT", CONNECTION.text, replace(NOT_READY, headers={"Retry-After": "3600"}))

    with pytest.raises(AzureError) as caught:
        await approve_by(impatient)

    assert (caught.value.code, caught.value.retry_after) == ("RetryableError", 3600)
    assert len(azure.requests("PUT")) == 1


async def test_the_tries_have_an_end(azure: ArmServer, impatient: Writer) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on("PUT", CONNECTION.text, NOT_READY)

    with pytest.raises(AzureError) as caught:
        await approve_by(impatient)

    assert caught.value.code == "RetryableError"
    assert caught.value.message == "It is in Updating state."
    assert not isinstance(caught.value, ThrottledError)
    assert len(azure.requests("PUT")) == 3


async def test_the_state_that_somebody_else_has_set_meanwhile_is_not_overwritten(
    azure: ArmServer, impatient: Writer
) -> None:
    seen: list[str] = []
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")), Answer(connection("Rejected")))
    azure.on("PUT", CONNECTION.text, BUSY)
    decision = await impatient.prepare(
        CONNECTION, APPROVED, "welcome", expected=PENDING, seen=lambda now: seen.append(now.status.word)
    )

    with pytest.raises(RefusedError, match="Rejected by now"):
        await decision.send()

    assert len(azure.requests("PUT")) == 1
    assert seen == ["Pending", "Rejected"]


async def test_a_provider_that_is_not_registered_is_told_and_not_registered(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    message = (
        "The subscription is not registered to use namespace 'Microsoft.Network'. See https://aka.ms/rps-not-found"
    )
    azure.on("PUT", CONNECTION.text, answer(409, "MissingSubscriptionRegistration", message))

    with pytest.raises(AzureError, match=r"az provider register --namespace Microsoft\.Network --subscription"):
        await approve(side)

    assert not azure.requests("POST")


async def test_what_does_not_end_is_taken_all_the_same(azure: ArmServer, settings: Settings) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")), Answer(connection("Pending", "Deleting")))
    azure.on("DELETE", CONNECTION.text, Answer(status=202, headers={"Azure-AsyncOperation": "{arm}" + OPERATION}))
    azure.on("GET", OPERATION, Answer({"status": "InProgress"}, headers={"Retry-After": "3600"}))
    road = Road(settings, Side.ISV)

    with pytest.raises(NotReadBackError, match="still is Deleting"):
        await remove_by(Writer(road, Patience(operation=0.1)))
    await road.close()

    assert len(azure.requests("DELETE")) == 1


async def test_removing_waits_until_azure_is_done(azure: ArmServer, side: ArmSide) -> None:
    headers = {
        "Azure-AsyncOperation": "{arm}" + OPERATION,
        "Location": "{arm}/operationResults/op",
        "x-ms-retry-after-ms": "1",
    }
    gone = answer(404, "NotFound", f"Resource {CONNECTION} not found.")
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")), gone)
    azure.on("DELETE", CONNECTION.text, Answer(status=202, headers=headers))
    azure.on("GET", OPERATION, Answer({"status": "InProgress"}, headers=headers), Answer({"status": "Succeeded"}))

    await remove_by(side.writer)

    assert len(azure.requests("GET", "/operations/op")) == 2
    assert azure.requests("DELETE")[0].query["api-version"] == "2024-05-01"


async def test_a_removal_that_fails_is_an_error(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on("DELETE", CONNECTION.text, Answer(status=202, headers={"Azure-AsyncOperation": "{arm}" + OPERATION}))
    azure.on("GET", OPERATION, Answer({"status": "Failed", "error": {"code": "Busy", "message": "Not now"}}))

    with pytest.raises(AzureError) as caught:
        await remove_by(side.writer)

    assert (caught.value.code, caught.value.message, caught.value.status) == ("Busy", "Not now.", 0)


async def test_removing_what_is_not_there(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")))
    azure.on("DELETE", CONNECTION.text, answer(404, "NotFound", f"Resource {CONNECTION} not found."))

    with pytest.raises(NotFoundError, match="not found"):
        await remove_by(side.writer)
