"""Answers that people have met: read as they are meant, or refused without a library's own words."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from aiohttp import web

from plstui.arm.faults import Where, explain
from plstui.arm.side import ArmSide
from plstui.domain.errors import AzureError, PlstuiError, ThrottledError, UnreachableError
from plstui.domain.resources import Kind
from plstui.domain.snapshot import Reading, Tier
from tests.arm.server import LISTS, NETWORK, SUBSCRIPTION, Answer, ArmServer, Handler

PLS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/privateLinkServices/pls"
LIBRARIES_WORDS = re.compile(
    r"Error\b|Exception|https?://|object|attribute|<|0x|\.py|errno|codec|NoneType|aka\.ms", re.I
)


async def read(azure: ArmServer, side: ArmSide, *answers: Handler) -> Reading:
    azure.everything_empty()
    azure.on("GET", LISTS["services"], *answers)
    return await side.reader.read(Tier.CONNECTIONS)


async def refusal(azure: ArmServer, side: ArmSide, *answers: Handler) -> PlstuiError:
    try:
        error = (await read(azure, side, *answers)).failures[Kind.SERVICES]
    except PlstuiError as whole_side:
        error = whole_side
    words = str(error).replace(azure.arm[8:], "ARM")
    assert not LIBRARIES_WORDS.search(words), words
    return error


def pls(name: str, **properties: Any) -> dict[str, Any]:
    return {"id": f"{PLS}{name}", "name": name, "location": "westeurope", "properties": properties}


async def test_the_address_of_a_page_may_hold_spaces(azure: ArmServer, side: ArmSide) -> None:
    following = f"{azure.arm}{NETWORK}/privateLinkServices?api-version=x&$filter=name eq 'x'&$skiptoken=p%2B2"
    reading = await read(
        azure, side, Answer({"value": [pls("one")], "nextLink": following}), Answer({"value": [pls("two")]})
    )

    assert [service.name for service in reading.resources[Kind.SERVICES]] == ["one", "two"]
    [_, second] = azure.requests("GET", "privateLinkServices")
    assert (second.query["$filter"], second.query["$skiptoken"]) == ("name eq 'x'", "p+2")


async def test_a_service_may_lead_to_an_address_without_a_balancer(azure: ArmServer, side: ArmSide) -> None:
    service = pls("direct", loadBalancerFrontendIpConfigurations=[], destinationIPAddress="10.0.5.5")
    reading = await read(azure, side, Answer({"value": [service]}))

    assert [service.name for service in reading.resources[Kind.SERVICES]] == ["direct"]


async def test_an_hour_to_wait_is_told_and_not_waited_for(azure: ArmServer, side: ArmSide) -> None:
    body = {"error": {"code": "SubscriptionRequestsThrottled", "message": "Number of requests exceeded the limit."}}
    error = await refusal(azure, side, Answer(body, 429, {"Retry-After": "3600"}))

    assert isinstance(error, ThrottledError)
    assert error.retry_after == 3600
    assert len(azure.requests("GET", "privateLinkServices")) == 1


async def garbage(request: web.Request) -> web.StreamResponse:
    """What is no HTTP."""
    assert request.transport is not None
    assert isinstance(request.transport, asyncio.WriteTransport)
    request.transport.write(b"\x00\xffgarbage\r\n\r\n")
    request.transport.close()
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer({"value": None}), AzureError),
        (Answer("null"), AzureError),
        (Answer({}), AzureError),
        (Answer("[" * 100_000), AzureError),
        (Answer("1" * 10_000), AzureError),
        (Answer("no JSON"), AzureError),
        (Answer('{"value": []}', 200, {"Content-Encoding": "gzip"}), PlstuiError),
        (Answer(None, 302, {"Location": "/elsewhere"}), AzureError),
        (garbage, PlstuiError),
    ],
    ids=["null", "a null", "nothing", "deep", "a number", "no JSON", "no gzip", "elsewhere", "no HTTP"],
)
async def test_what_makes_no_sense_is_told_in_our_words(
    azure: ArmServer, side: ArmSide, answer: Handler, kind: type[PlstuiError]
) -> None:
    error = await refusal(azure, side, answer)

    assert isinstance(error, kind)
    assert error.code in ("UnreadableAnswer", "Unreachable", "Http302")
    assert error.hint


async def test_what_signs_in_may_answer_with_a_page(azure: ArmServer, side: ArmSide) -> None:
    azure.token_error = Answer("<html>Blocked</html>", 403, content_type="text/html")
    error = await refusal(azure, side, Answer({"value": []}))

    assert type(error) is UnreachableError
    assert not azure.seen


@pytest.mark.parametrize(
    "error",
    [
        KeyError("value"),
        AttributeError("'list' object has no attribute 'get'"),
        ValueError("could not convert string to float"),
        OSError("Cannot connect to host x:443 ssl:default [None]"),
        OSError(113, "Connect call failed ('10.0.0.4', 443)"),
        RecursionError("maximum recursion depth exceeded"),
    ],
    ids=repr,
)
def test_no_words_of_python_are_passed_on(error: Exception) -> None:
    told = explain(error, Where("https://arm.example", SUBSCRIPTION, "Sign in."))

    assert str(error.args[-1]) not in str(told)
    assert not LIBRARIES_WORDS.search(str(told)), str(told)
