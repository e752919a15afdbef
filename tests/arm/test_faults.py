"""Whatever goes wrong on the way to Azure becomes one sentence, with ARM's code."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import HttpRequest

from plstui.arm.faults import Where, explain, retry_after
from plstui.arm.policies import LastMile
from plstui.arm.side import ArmSide
from plstui.arm.transport import trust
from plstui.config.settings import Azure, Settings
from plstui.domain.errors import (
    AzureError,
    CredentialsError,
    NotFoundError,
    PlstuiError,
    ThrottledError,
    UnreachableError,
)
from plstui.domain.ids import ResourceId
from plstui.domain.resources import Kind
from plstui.domain.snapshot import Tier
from tests.arm.server import LISTS, SUBSCRIPTION, Answer, ArmServer, Handler, break_off, drop
from tests.arm.sides import opened

CONNECTION = ResourceId(
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/privateLinkServices/pls"
    "/privateEndpointConnections/pe.guid"
)


async def fault(azure: ArmServer, side: ArmSide, answer: Handler) -> PlstuiError:
    """The error that reading a connection ends with."""
    azure.on("GET", CONNECTION.text, answer)
    with pytest.raises(PlstuiError) as caught:
        await side.reader.read_connection(CONNECTION)
    assert "\n" not in str(caught.value)
    return caught.value


def enveloped(code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


HTML = "<html><head><title>502</title></head><body>\x1b[31mBad gateway</body></html>"


@pytest.mark.parametrize(
    ("answer", "kind", "code", "words"),
    [
        pytest.param(
            Answer(enveloped("InUseSubnetCannotBeDeleted", "Subnet a is in use", details=[]), 400),
            AzureError,
            "InUseSubnetCannotBeDeleted",
            "Subnet a is in use.",
            id="a provider's envelope",
        ),
        pytest.param(
            Answer(enveloped("NoRegisteredProviderFound", "No."), 400, {"x-ms-failure-cause": "gateway"}),
            AzureError,
            "NoRegisteredProviderFound",
            "No.",
            id="the front door's envelope",
        ),
        pytest.param(
            Answer({"code": "PreconditionFailed", "message": "The Record set X exists already."}, 412),
            AzureError,
            "PreconditionFailed",
            "The Record set X exists already.",
            id="no envelope",
        ),
        pytest.param(
            Answer(HTML, 400, content_type="text/html"),
            AzureError,
            "Http400",
            "answered 400 (Bad Request) with a web page instead of an explanation.",
            id="a web page",
        ),
        pytest.param(
            Answer(HTML, 400),
            AzureError,
            "Http400",
            "answered 400 (Bad Request) without",
            id="HTML that says it is JSON",
        ),
        pytest.param(
            Answer(None, 503),
            AzureError,
            "Http503",
            "answered 503 (Service Unavailable) without an explanation.",
            id="an empty 503",
        ),
        pytest.param(Answer([1, 2], 418), AzureError, "Http418", "without an explanation", id="JSON of another shape"),
        pytest.param(Answer({"error": None}, 400), AzureError, "Http400", "without an explanation", id="a null error"),
        pytest.param(
            Answer(enveloped("Bad\x1b[0m", "a\u202eb\n\n[red]c[/] " + "x" * 10_000), 400),
            AzureError,
            "Bad[0m",
            "ab [red]c[/] xxx",
            id="hostile words",
        ),
        pytest.param(
            Answer(enveloped("NotFound", f"Resource {CONNECTION} not found.", details=[]), 404),
            NotFoundError,
            "NotFound",
            "not found.",
            id="not found",
        ),
        pytest.param(
            Answer(enveloped("SubscriptionNotFound", "The subscription 'x' could not be found."), 404),
            NotFoundError,
            "SubscriptionNotFound",
            f"There is no subscription {SUBSCRIPTION}",
            id="no such subscription",
        ),
        pytest.param(
            Answer(enveloped("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier"), 401),
            CredentialsError,
            "ExpiredAuthenticationToken",
            f"does not accept the sign-in for subscription {SUBSCRIPTION}: The access token expiry",
            id="an expired token",
        ),
        pytest.param(
            Answer(enveloped("InvalidAuthenticationTokenTenant", "The token is from the wrong issuer."), 401),
            CredentialsError,
            "InvalidAuthenticationTokenTenant",
            "wrong issuer.",
            id="a token of another tenant",
        ),
        pytest.param(Answer(None, 401), CredentialsError, "Credentials", "401 (Unauthorized)", id="an empty 401"),
        pytest.param(
            Answer(
                enveloped(
                    "AuthorizationFailed",
                    "The client 'c' with object id 'o' does not have authorization to perform action "
                    "'Microsoft.Network/privateLinkServices/read' over scope '/subscriptions/s/resourceGroups/rg' or "
                    "the scope is invalid. If access was recently granted, please refresh your credentials.",
                ),
                403,
            ),
            AzureError,
            "AuthorizationFailed",
            "You may not do Microsoft.Network/privateLinkServices/read on rg.",
            id="a missing right",
        ),
        pytest.param(
            Answer(enveloped("LinkedAuthorizationFailed", "Not authorized to access linked subscription."), 403),
            AzureError,
            "LinkedAuthorizationFailed",
            "Not authorized to access linked subscription.",
            id="a right that is missing elsewhere",
        ),
    ],
)
async def test_an_error_answer(
    azure: ArmServer, side: ArmSide, answer: Answer, kind: type[PlstuiError], code: str, words: str
) -> None:
    error = await fault(azure, side, answer)

    assert type(error) is kind
    assert error.code == code
    assert words in error.message
    assert len(error.message) < 600
    assert not any(char in error.message for char in "\x1b\u202e")
    if isinstance(error, AzureError):
        assert error.status == answer.status


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "7"}, 7), ({"retry-after-ms": "1500"}, 1.5), ({"x-ms-retry-after-ms": "20"}, 0.02), ({}, 10)],
)
async def test_throttling_says_how_long_to_wait(
    azure: ArmServer, side: ArmSide, headers: dict[str, str], seconds: float
) -> None:
    azure.everything_empty()
    azure.on("GET", LISTS["services"], Answer(enveloped("TooManyRequests", "Too many."), 429, headers))

    error = (await side.reader.read(Tier.CONNECTIONS)).failures[Kind.SERVICES]

    assert isinstance(error, ThrottledError)
    assert error.retry_after == seconds


async def test_what_is_not_ready_is_no_throttling(azure: ArmServer, side: ArmSide) -> None:
    details = [{"code": "ReferencedResourceNotProvisioned", "message": "A is in Updating state."}]
    body = enveloped("RetryableError", "A retryable error occurred.", details=details)

    error = await fault(azure, side, Answer(body, 429, {"Retry-After": "12"}))

    assert type(error) is AzureError
    assert (error.code, error.message) == ("RetryableError", "A is in Updating state.")


def test_a_date_says_how_long_to_wait_too() -> None:
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    sent = {"Date": "Wed, 21 Oct 2099 07:27:30 GMT"}
    assert retry_after({"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT", **sent}) == 30, "by the sender's clock"
    assert retry_after({"Retry-After": "soon"}) is None
    assert retry_after({"Retry-After": "inf"}) is None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(HTML, content_type="text/html"), id="a captive portal"),
        pytest.param(Answer("{", content_type="application/json"), id="broken JSON"),
        pytest.param(Answer([]), id="a list"),
        pytest.param(Answer({"id": None}), id="no id"),
    ],
)
async def test_a_good_answer_that_cannot_be_read(azure: ArmServer, side: ArmSide, answer: Answer) -> None:
    error = await fault(azure, side, answer)

    assert type(error) is AzureError
    assert error.code == "UnreadableAnswer"
    assert error.message.endswith(".")


@pytest.mark.parametrize("body", [[], {"value": None}, "null"])
async def test_a_list_that_cannot_be_read(azure: ArmServer, side: ArmSide, body: Any) -> None:
    azure.everything_empty()
    azure.on("GET", LISTS["services"], Answer(body))

    reading = await side.reader.read(Tier.CONNECTIONS)

    assert [(kind, error.code) for kind, error in reading.failures.items()] == [(Kind.SERVICES, "UnreadableAnswer")]


# No answer at all


async def test_a_dropped_connection(azure: ArmServer, side: ArmSide) -> None:
    error = await fault(azure, side, drop)

    assert isinstance(error, UnreachableError)
    assert error.message == f"{azure.arm[8:]} does not answer: it closed the connection without an answer."


async def test_an_answer_that_breaks_off(azure: ArmServer, side: ArmSide) -> None:
    error = await fault(azure, side, break_off)

    assert isinstance(error, UnreachableError)
    assert error.message == f"{azure.arm[8:]} does not answer: it closed the connection in the middle of an answer."


async def unreachable(settings: Settings, arm: str, ca: str | None = None) -> UnreachableError:
    """The error that a side at another address ends with; the sign-in is asked first, and is at the same address."""
    ca = settings.azure.ca if ca is None else ca
    async with opened(Settings(azure=Azure(arm=arm, ca=ca), isv=settings.isv)) as side:
        with pytest.raises(UnreachableError) as caught:
            await side.reader.read(Tier.ALL)
    return caught.value


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_closed_port(settings: Settings, host: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        error = await unreachable(settings, f"https://{host}:{port}")

    assert error.message == f"{host}:{port} does not answer: it refuses the connection."
    assert error.hint


async def test_a_name_that_is_not_there(settings: Settings) -> None:
    error = await unreachable(settings, "https://nowhere.invalid")

    assert error.message == "nowhere.invalid:443 does not answer: there is no such name."


async def test_a_certificate_that_is_not_trusted(settings: Settings, azure: ArmServer, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))

    error = await unreachable(settings, azure.arm, str(other))

    assert error.message.startswith(f"{azure.arm[8:]} does not answer: its certificate is not trusted (")
    assert "azure.ca" in error.hint


async def test_an_answer_that_takes_too_long(settings: Settings, azure: ArmServer) -> None:
    never = asyncio.Event()

    async def hang(request: Any) -> Any:
        await never.wait()

    azure.on("GET", "/slow", hang)
    pipeline: AsyncPipeline[Any, Any] = AsyncPipeline(AioHttpTransport(), [LastMile(trust(settings), seconds=0.05)])

    async with pipeline:
        with pytest.raises(ServiceResponseTimeoutError) as caught:
            await pipeline.run(HttpRequest("GET", f"{azure.arm}/slow"))

    error = explain(caught.value, Where(azure.arm, SUBSCRIPTION, ""))
    assert isinstance(error, UnreachableError)
    assert error.message == f"{azure.arm[8:]} does not answer: no answer came in time."
