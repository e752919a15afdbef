"""What came of a decision that was sent: every row of the table, as the writer finds it over HTTPS."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from azure.core.rest import HttpRequest

from plstui.arm.road import Road
from plstui.arm.writer import Writer
from plstui.config.settings import Settings
from plstui.domain.connection import APPROVED, PENDING
from plstui.domain.errors import (
    AnswerLostError,
    DecidedOtherwiseError,
    NotReadBackError,
    OutcomeUnknownError,
    UnreachableError,
)
from plstui.domain.readback import Patience
from plstui.domain.sides import Side
from tests.arm.server import Answer, ArmServer, Handler, break_off, drop
from tests.arm.sides import opened
from tests.arm.test_writer import CONNECTION, OPERATION, answer, approve_by, connection, impatient, remove_by

__all__ = ["impatient"]

PENDING_NOW = Answer(connection("Pending"))
APPROVED_NOW = Answer(connection("Approved"))
REJECTED_NOW = Answer(connection("Rejected"))
GONE = answer(404, "NotFound", "Resource not found.")
TAKEN = Answer(connection("Approved", "Updating"), headers={"Azure-AsyncOperation": "{arm}" + OPERATION})
FORBIDDEN = answer(403, "AuthorizationFailed")


async def not_http(request: web.Request) -> web.StreamResponse:
    """Answer with something that is not HTTP."""
    assert request.transport is not None
    request.transport.write(b"\x00\xff what is this?\r\n\r\n")
    request.transport.close()
    raise asyncio.CancelledError


LOSSES: dict[str, Handler] = {
    "cut": drop,
    "half an answer": break_off,
    "not HTTP": not_http,
    "not JSON": Answer("<p>", content_type="application/json"),
    "a gateway's page": Answer("<html>Bad gateway</html>", 502, content_type="text/html"),
    "a server in trouble": answer(503, "ServerTimeout", "The request timed out."),
}

lost = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def taken(azure: ArmServer, *after: Handler) -> None:
    """Azure takes the decision, and then shows this."""
    azure.on("GET", CONNECTION.text, PENDING_NOW, *after)
    azure.on("PUT", CONNECTION.text, TAKEN)
    azure.on("GET", OPERATION, Answer({"status": "Succeeded"}))


async def test_taken_and_read_back_as_asked(azure: ArmServer, impatient: Writer) -> None:
    taken(azure, APPROVED_NOW)

    assert (await approve_by(impatient)).status == APPROVED


async def test_taken_and_read_back_as_asked_after_a_stale_look(azure: ArmServer, settings: Settings) -> None:
    taken(azure, PENDING_NOW, APPROVED_NOW)

    async with opened(settings) as side:
        assert (await approve_by(side.writer)).status == APPROVED


async def test_taken_and_still_showing_the_old_state(azure: ArmServer, impatient: Writer) -> None:
    taken(azure, PENDING_NOW)

    with pytest.raises(NotReadBackError, match=r"^Azure still shows Pending"):
        await approve_by(impatient)


async def test_taken_and_not_to_be_read_back(azure: ArmServer, impatient: Writer) -> None:
    taken(azure, FORBIDDEN)

    with pytest.raises(NotReadBackError, match="could not be read back"):
        await approve_by(impatient)


@pytest.mark.parametrize(("now", "words"), [(REJECTED_NOW, "it is Rejected now"), (GONE, "it has been removed")])
async def test_taken_and_somebody_decided_otherwise_since(
    azure: ArmServer, impatient: Writer, now: Answer, words: str
) -> None:
    taken(azure, now)

    with pytest.raises(DecidedOtherwiseError, match=words) as caught:
        await approve_by(impatient)

    assert (caught.value.now is None) == (now is GONE)


async def test_a_removal_that_is_led_elsewhere_is_not_taken_for_done(azure: ArmServer, impatient: Writer) -> None:
    azure.on("GET", CONNECTION.text, PENDING_NOW)
    azure.on("DELETE", CONNECTION.text, Answer(None, 302, {"Location": "/elsewhere"}))

    with pytest.raises(OutcomeUnknownError, match="Azure still shows Pending"):
        await remove_by(impatient)


@lost
async def test_the_answer_was_lost_and_it_shows_as_asked(azure: ArmServer, impatient: Writer, loss: Handler) -> None:
    azure.on("GET", CONNECTION.text, PENDING_NOW, APPROVED_NOW)
    azure.on("PUT", CONNECTION.text, loss)

    assert (await approve_by(impatient)).status == APPROVED
    assert len(azure.requests("PUT")) == 1


@pytest.mark.parametrize("loss", [*LOSSES.values(), Answer(["what"])], ids=[*LOSSES, "JSON that is no connection"])
async def test_the_answer_was_lost_and_the_old_state_shows(azure: ArmServer, impatient: Writer, loss: Handler) -> None:
    azure.on("GET", CONNECTION.text, PENDING_NOW)
    azure.on("PUT", CONNECTION.text, loss)

    with pytest.raises(OutcomeUnknownError, match="It is not known whether Azure has done it") as caught:
        await approve_by(impatient)

    assert caught.value.why == "Azure still shows Pending"
    assert "plstui connections list" in caught.value.hint
    assert len(azure.requests("PUT")) == 1
    assert len(azure.requests("GET")) == 4, "it is looked at more than once"


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (FORBIDDEN, "it could not be read back: No."),
        (REJECTED_NOW, "somebody else has changed it, and it is Rejected now"),
        (GONE, "somebody else has changed it, and it has been removed"),
    ],
)
async def test_the_answer_was_lost_and_nothing_tells(
    azure: ArmServer, impatient: Writer, now: Answer, why: str
) -> None:
    azure.on("GET", CONNECTION.text, PENDING_NOW, now)
    azure.on("PUT", CONNECTION.text, drop)

    with pytest.raises(OutcomeUnknownError) as caught:
        await approve_by(impatient)

    assert caught.value.why == why


async def test_an_answer_that_does_not_come_in_time_is_lost(
    azure: ArmServer, impatient: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit for a whole answer is twenty seconds, which no test has to wait for."""

    async def silent(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    policy = impatient._road._pipeline._impl_policies[-1]
    monkeypatch.setattr(policy, "_seconds", 0.5)
    azure.on("GET", CONNECTION.text, PENDING_NOW, APPROVED_NOW)
    azure.on("PUT", CONNECTION.text, silent)

    assert (await approve_by(impatient)).status == APPROVED
    assert len(azure.requests("PUT")) == 1


@lost
async def test_a_removal_is_sent_once(azure: ArmServer, impatient: Writer, loss: Handler) -> None:
    azure.on("GET", CONNECTION.text, PENDING_NOW, GONE)
    azure.on("DELETE", CONNECTION.text, loss)

    await remove_by(impatient)

    azure.on("GET", CONNECTION.text, PENDING_NOW)
    with pytest.raises(OutcomeUnknownError, match="still shows Pending"):
        await remove_by(impatient)
    assert len(azure.requests("DELETE")) == 2


async def test_a_removal_that_azure_has_not_finished_is_waited_for(azure: ArmServer, impatient: Writer) -> None:
    azure.on("GET", CONNECTION.text, PENDING_NOW, Answer(connection("Pending", "Deleting")), GONE)
    azure.on("DELETE", CONNECTION.text, drop)

    await remove_by(impatient)


async def test_what_stays_under_way_after_a_lost_answer_is_not_looked_at_without_end(
    azure: ArmServer, settings: Settings
) -> None:
    azure.on("GET", CONNECTION.text, PENDING_NOW, Answer(connection("Pending", "Deleting")))
    azure.on("DELETE", CONNECTION.text, drop)
    road = Road(settings, Side.ISV)

    with pytest.raises(OutcomeUnknownError, match="it still is Deleting"):
        await remove_by(Writer(road, Patience(operation=0.1)))
    await road.close()


async def test_who_was_not_reached_has_sent_nothing(azure: ArmServer, impatient: Writer) -> None:
    azure.on("GET", CONNECTION.text, PENDING_NOW)
    decision = await impatient.prepare(CONNECTION, APPROVED, "welcome", expected=PENDING)
    await azure.stop()

    with pytest.raises(UnreachableError) as caught:
        await decision.send()

    assert not isinstance(caught.value, AnswerLostError)
    await azure.start()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "PATCH"])
async def test_no_transport_sends_a_write_twice(azure: ArmServer, impatient: Writer, method: str) -> None:
    road = impatient._road
    clients = await road.clients()
    azure.on(method, CONNECTION.text, drop)

    with pytest.raises(AnswerLostError):
        async with road.translated():
            await clients.network.send_request(HttpRequest(method, CONNECTION.text, json={}))

    assert len(azure.requests(method)) == 1
