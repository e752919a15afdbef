"""Signing in: as az is, by environment, by device code, and as a service principal."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from msgspec.structs import replace

from plstui.arm.credentials import FAILURE_KEPT, RENEW_EARLY, Tokens
from plstui.arm.faults import Where
from plstui.arm.side import ArmSide, open_side
from plstui.config.settings import Azure, Settings, SideSettings
from plstui.domain.errors import ConfigError, CredentialsError, SignInPendingError
from plstui.domain.sides import Side
from plstui.domain.snapshot import Tier
from tests.arm.server import SUBSCRIPTION, Answer, ArmServer
from tests.arm.sides import opened

SCOPE = "https://arm/.default"
HERE = Where("https://authority", SUBSCRIPTION, "Sign in.")


class Counter:
    """A source of numbered tokens that end after a while, or of failures."""

    def __init__(self, answer: Callable[[], AccessToken]) -> None:
        self.answer = answer
        self.asked = 0
        self.options: list[dict[str, Any]] = []

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.asked += 1
        self.options.append(options)
        await asyncio.sleep(0)
        return self.answer()

    async def close(self) -> None:
        pass


async def test_a_token_is_asked_for_once_and_kept_until_five_minutes_before_its_end() -> None:
    now = 1000.0
    source = Counter(lambda: AccessToken("t", int(now) + 3600))
    tokens = Tokens(lambda: source, HERE, now=lambda: now)

    await asyncio.gather(*(tokens.get_token(SCOPE) for _ in range(8)))
    assert source.asked == 1

    now += 3600 - RENEW_EARLY - 1
    await tokens.get_token(SCOPE)
    assert source.asked == 1

    now += 2
    await tokens.get_token(SCOPE)
    assert source.asked == 2


async def test_all_who_hold_a_refused_token_get_the_same_new_one() -> None:
    source = Counter(lambda: AccessToken(f"t{source.asked}", 10**10))
    tokens = Tokens(lambda: source, HERE)
    refused = await tokens.get_token(SCOPE)

    new = await asyncio.gather(*(tokens.renew(refused, SCOPE, claims="{}") for _ in range(8)))

    assert {token.token for token in new} == {"t2"}
    assert await tokens.get_token(SCOPE) == new[0]
    assert source.options == [{}, {"claims": "{}"}]


async def test_a_new_token_that_is_not_to_be_had_is_asked_for_once() -> None:
    answers = iter([AccessToken("t", 10**10)])

    def answer() -> AccessToken:
        for token in answers:
            return token
        raise CredentialsError("No.")

    source = Counter(answer)
    tokens = Tokens(lambda: source, HERE, now=lambda: 1000.0)
    refused = await tokens.get_token(SCOPE)

    failures = await asyncio.gather(*(tokens.renew(refused, SCOPE) for _ in range(8)), return_exceptions=True)

    assert {str(failure) for failure in failures} == {"No."}
    assert source.asked == 2


async def test_a_source_is_not_closed_before_there_is_another() -> None:
    """A closed one could never ask for a token again, and the secret's file may be there again in a moment."""
    closed: list[Counter] = []

    class Source(Counter):
        async def close(self) -> None:
            closed.append(self)

    first, second = Source(lambda: AccessToken("first", 10**10)), Source(lambda: AccessToken("second", 10**10))
    answers: Iterator[Source | ConfigError] = iter([first, ConfigError("The secret's file is empty."), second])

    def make() -> Source:
        answer = next(answers)
        if isinstance(answer, ConfigError):
            raise answer
        return answer

    tokens = Tokens(make, HERE)
    refused = await tokens.get_token(SCOPE)
    with pytest.raises(ConfigError):
        await tokens.renew(refused, SCOPE)
    assert not closed

    assert await tokens.get_token(SCOPE) == refused
    assert (await tokens.renew(refused, SCOPE)).token == "second"
    assert closed == [first]


def test_a_subscription_that_is_none(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="'a;b' is not the id of a subscription"):
        open_side(replace(settings, isv=SideSettings(subscription="a;b")), Side.ISV)


async def test_a_failed_sign_in_is_tried_again_after_a_moment() -> None:
    now = 1000.0
    asked = 0

    def fail() -> AccessToken:
        nonlocal asked
        asked += 1
        raise ClientAuthenticationError(message="no")

    wall = 5000.0
    tokens = Tokens(lambda: Counter(fail), HERE, now=lambda: wall, steady=lambda: now)
    for _ in range(3):
        with pytest.raises(CredentialsError):
            await tokens.get_token(SCOPE)
    assert asked == 1

    now += FAILURE_KEPT
    wall -= 3600.0  # Somebody has put the clock back: that makes nothing wait.
    with pytest.raises(CredentialsError):
        await tokens.get_token(SCOPE)
    assert asked == 2


# As a service principal


async def test_a_wrong_secret(azure: ArmServer, side: ArmSide) -> None:
    body = {
        "error": "invalid_client",
        "error_description": "AADSTS7000215: Invalid client secret provided. Trace ID: 1 Timestamp: now",
    }
    azure.token_error = Answer(body, 401)

    with pytest.raises(CredentialsError) as caught:
        await side.reader.read(Tier.ALL)

    assert caught.value.message == "AADSTS7000215: Invalid client secret provided."
    assert caught.value.code == "invalid_client"
    assert "client_secret_file of [isv]" in caught.value.hint


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tenant": ""}, "has a client_id and no tenant"),
        ({"client_secret_file": ""}, "has a client_id and no client_secret_file"),
        ({"client_secret_file": "/nowhere/secret"}, "cannot be read: No such file"),
        ({"client_secret_file": "~nobody-at-all/secret"}, "~nobody-at-all/secret cannot be read: No such file"),
        ({"tenant": "a tenant"}, "is not a tenant's id"),
    ],
)
def test_a_service_principal_that_is_not_whole(settings: Settings, change: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        open_side(replace(settings, isv=replace(settings.isv, **change)), Side.ISV)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_refused(settings: Settings, mode: int) -> None:
    Path(settings.isv.client_secret_file).chmod(mode)

    with pytest.raises(ConfigError, match="can be read by others") as caught:
        open_side(settings, Side.ISV)

    assert "chmod 600" in caught.value.hint


def test_an_empty_secret_is_refused(settings: Settings) -> None:
    Path(settings.isv.client_secret_file).write_text("\n")

    with pytest.raises(ConfigError, match="is empty"):
        open_side(settings, Side.ISV)


def test_a_secret_without_end_is_not_read(settings: Settings, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "large").write_bytes(b"x" * 65537)
    for path, words in (
        ("/dev/zero", "it is a device, and has to be a file"),
        (tmp_path / "pipe", "it is a pipe, and has to be a file"),
        (tmp_path / "large", "it is larger than 64 KiB"),
    ):
        with pytest.raises(ConfigError, match=f"The secret in {path} cannot be read: {words}"):
            open_side(replace(settings, isv=replace(settings.isv, client_secret_file=str(path))), Side.ISV)


# By environment


def by(settings: Settings, credential: Any) -> Settings:
    azure = Azure(arm=settings.azure.arm, ca=settings.azure.ca, credential=credential)
    return Settings(azure=azure, isv=SideSettings(subscription=SUBSCRIPTION))


async def test_the_environment_signs_in(azure: ArmServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.setenv(name, SUBSCRIPTION)
    azure.everything_empty()
    async with opened(by(settings, "environment")) as side:
        await side.reader.read(Tier.ALL)

    assert azure.tokens == 1


async def test_an_environment_that_says_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    async with opened(by(settings, "environment")) as side:
        with pytest.raises(CredentialsError) as caught:
            await side.reader.read(Tier.CONNECTIONS)

    assert "AZURE_CLIENT_ID" in caught.value.hint


# By device code


@pytest.fixture
def code_typed(azure: ArmServer) -> asyncio.Event:
    """Entra ID's device flow at the test's server; the event says that a person has typed the code."""
    typed = asyncio.Event()
    base = f"{azure.arm}/organizations"

    async def token(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        await typed.wait()
        who = {"sub": "s", "preferred_username": "somebody@example.com", "iat": 0, "exp": 10**10}
        claims = json.dumps({**who, "iss": f"{base}/v2.0", "aud": form["client_id"]}).encode()
        return web.json_response(
            {
                "token_type": "Bearer",
                "expires_in": 3599,
                "access_token": "token-by-code",
                "id_token": f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.x",
            }
        )

    configuration = {
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
    }
    code = {
        "device_code": "d",
        "user_code": "ABCD-1234",
        "verification_uri": "https://microsoft.example/devicelogin",
        "expires_in": 900,
        "interval": 1,
        "message": "…",
    }
    azure.on("GET", "/organizations/v2.0/.well-known/openid-configuration", Answer(configuration))
    azure.on("POST", "/organizations/oauth2/v2.0/devicecode", Answer(code))
    azure.on("POST", "/organizations/oauth2/v2.0/token", token)
    return typed


async def test_where_the_terminal_is_taken_the_prompt_is_the_reason(
    azure: ArmServer, settings: Settings, code_typed: asyncio.Event
) -> None:
    azure.everything_empty()
    async with opened(by(settings, "device-code")) as side:
        for _ in range(2):
            with pytest.raises(
                SignInPendingError, match=r"open https://microsoft\.example/devicelogin and enter .* ABCD-1234"
            ):
                await side.reader.read(Tier.CONNECTIONS)
        code_typed.set()
        while not azure.requests("GET", "privateEndpoints"):
            with suppress(SignInPendingError):  # The sign-in's thread may not have its answer yet.
                await side.reader.read(Tier.CONNECTIONS)

    assert azure.seen[-1].authorization == "Bearer token-by-code"
    assert len(azure.requests("POST", "devicecode")) == 1


async def test_at_a_prompt_the_code_is_written_and_waited_for(
    azure: ArmServer,
    settings: Settings,
    code_typed: asyncio.Event,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stderr", sys.__stderr__)
    azure.everything_empty()
    code_typed.set()
    async with opened(by(settings, "device-code")) as side:
        await side.reader.read(Tier.CONNECTIONS)

    assert "enter the code ABCD-1234" in capfd.readouterr().err
    assert azure.seen[-1].authorization == "Bearer token-by-code"
