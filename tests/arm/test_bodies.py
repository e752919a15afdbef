"""Resources by id: what counts as not there, and what a write is sent with."""

from __future__ import annotations

import pytest

from plstui.arm.side import ArmSide
from plstui.domain.errors import AnswerLostError, AzureError
from plstui.domain.ids import ResourceId
from tests.arm.server import SUBSCRIPTION, Answer, ArmServer, Handler

NETWORK = ResourceId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net")


def gone(code: str) -> Answer:
    return Answer({"error": {"code": code, "message": "It could not be found."}}, 404)


@pytest.mark.parametrize(
    "code", ["ResourceNotFound", "resourcenotfound", "NotFound", "ResourceGroupNotFound", "ParentResourceNotFound"]
)
async def test_what_is_not_there_is_no_error(azure: ArmServer, side: ArmSide, code: str) -> None:
    azure.on("GET", NETWORK.text, gone(code))
    azure.on("DELETE", NETWORK.text, gone(code))

    assert await side.bodies.get(NETWORK) is None
    await side.writer.delete(NETWORK)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (gone("SubscriptionNotFound"), "SubscriptionNotFound"),
        (gone("InvalidResourceType"), "InvalidResourceType"),
        (Answer("<html><h1>404</h1></html>", 404, content_type="text/html"), "Http404"),
        (Answer(None, 404), "Http404"),
    ],
)
async def test_another_404_says_nothing_about_the_resource(
    azure: ArmServer, side: ArmSide, answer: Answer, code: str
) -> None:
    azure.on("GET", NETWORK.text, answer)
    azure.on("DELETE", NETWORK.text, answer)

    for call in (side.bodies.get, side.writer.delete):
        with pytest.raises(AzureError) as caught:
            await call(NETWORK)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("etag", "condition"),
    [(None, {}), ('W/"1"', {"If-Match": 'W/"1"'}), ("", {"If-None-Match": "*"})],
)
async def test_a_write_says_what_it_was_made_from(
    azure: ArmServer, side: ArmSide, etag: str | None, condition: dict[str, str]
) -> None:
    azure.on("PUT", NETWORK.text, Answer({"properties": {"provisioningState": "Succeeded"}}))

    await side.writer.put(NETWORK, {"location": "westeurope"}, etag=etag)

    (sent,) = azure.requests("PUT")
    assert {name: value for name, value in sent.headers.items() if name in ("If-Match", "If-None-Match")} == condition


async def test_a_refused_condition_is_told_with_what_differs(azure: ArmServer, side: ArmSide) -> None:
    details = [{"code": "PreconditionFailedEtagMismatch", "message": "It has another etag by now."}]
    error = {"code": "PreconditionFailed", "message": "Precondition failed.", "details": details}
    azure.on("PUT", NETWORK.text, Answer({"error": error}, 412))

    with pytest.raises(AzureError) as caught:
        await side.writer.put(NETWORK, {}, etag="1")

    assert (caught.value.code, caught.value.message) == ("PreconditionFailed", "It has another etag by now.")


async def test_what_is_only_shown_of_a_machine_is_not_sent(azure: ArmServer, side: ArmSide) -> None:
    machine = ResourceId(f"{NETWORK.text.partition('/Microsoft.')[0]}/Microsoft.Compute/virtualMachines/web1")
    azure.on("PUT", machine.text, Answer({"properties": {"provisioningState": "Succeeded"}}))
    body = {"zones": ["1"], "properties": {"instanceView": {"statuses": []}, "priority": "Spot"}, "resources": [{}]}

    await side.writer.put(machine, body)

    (sent,) = azure.requests("PUT")
    assert sent.body == {"zones": ["1"], "properties": {"priority": "Spot"}}


OPERATION = f"/subscriptions/{SUBSCRIPTION}/operation"
UNDER_WAY = Answer(
    {"properties": {"provisioningState": "Creating"}}, 201, headers={"Azure-AsyncOperation": "{arm}" + OPERATION}
)
NO_ANSWER = pytest.mark.parametrize("answer", [Answer("<html>"), Answer(""), Answer([]), Answer("null")], ids=repr)


@NO_ANSWER
async def test_a_write_that_is_answered_with_nothing_of_use_may_have_been_done(
    azure: ArmServer, side: ArmSide, answer: Handler
) -> None:
    azure.on("PUT", NETWORK.text, answer)

    with pytest.raises(AnswerLostError):
        await side.writer.put(NETWORK, {})


@pytest.mark.parametrize("answer", [Answer("<html>"), Answer(""), Answer({}), Answer("null")], ids=repr)
async def test_an_operation_that_tells_nothing_of_use_has_not_failed(
    azure: ArmServer, side: ArmSide, answer: Handler
) -> None:
    azure.on("PUT", NETWORK.text, UNDER_WAY)
    azure.on("GET", OPERATION, answer)

    with pytest.raises(AnswerLostError, match="cannot be read"):
        await side.writer.put(NETWORK, {})


async def test_an_operation_that_says_so_has_failed(azure: ArmServer, side: ArmSide) -> None:
    azure.on("PUT", NETWORK.text, UNDER_WAY)
    azure.on("GET", OPERATION, Answer({"status": "Failed", "error": {"code": "OutOfLuck", "message": "No."}}))

    with pytest.raises(AzureError, match=r"^No\.$"):
        await side.writer.put(NETWORK, {})


@NO_ANSWER
async def test_a_script_that_is_answered_with_nothing_of_use_may_run(
    azure: ArmServer, side: ArmSide, answer: Handler
) -> None:
    machine = ResourceId(f"{NETWORK.text.partition('/Microsoft.')[0]}/Microsoft.Compute/virtualMachines/web1")
    azure.on("POST", f"{machine.text}/runCommand", answer)

    with pytest.raises(AnswerLostError):
        await side.writer.run_command(machine, "date")


async def test_an_answer_that_leads_elsewhere_has_deleted_nothing(azure: ArmServer, side: ArmSide) -> None:
    azure.on("DELETE", NETWORK.text, Answer(None, 302, {"Location": "/elsewhere"}))

    with pytest.raises(AnswerLostError, match="answered 302"):
        await side.writer.delete(NETWORK)
    with pytest.raises(AzureError, match="answered 302") as caught:
        await side.writer.discard(NETWORK)
    assert caught.value.code == "UnreadableAnswer"


@pytest.mark.parametrize("status", [302, 404, 403])
async def test_a_page_instead_of_an_operation_says_nothing_of_the_write(
    azure: ArmServer, side: ArmSide, status: int
) -> None:
    azure.on("PUT", NETWORK.text, UNDER_WAY)
    azure.on("GET", OPERATION, Answer("<html/>", status, content_type="text/html"))

    with pytest.raises(AnswerLostError, match=f"answered {status}"):
        await side.writer.put(NETWORK, {})
    assert len(azure.requests("PUT")) == 1
