"""Trouble where tokens are given out: what passes is waited for, a good token is used on, and only a no is one."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceRequestError

from plstui.arm.credentials import RENEW_EARLY, RENEW_PAUSE, Tokens, authority_of
from plstui.arm.policies import RetrySignIn
from plstui.arm.side import ArmSide
from plstui.config.settings import Azure, Settings
from plstui.domain.errors import (
    AnswerLostError,
    ConfigError,
    CredentialsError,
    PlstuiError,
    SignInPendingError,
    ThrottledError,
    UnreachableError,
)
from plstui.domain.ids import ResourceId
from plstui.domain.snapshot import Tier
from tests.arm.server import SUBSCRIPTION, TENANT, Answer, ArmServer, Handler
from tests.arm.sides import opened
from tests.arm.test_credentials import HERE, SCOPE, Counter, by

TOKEN = f"/{TENANT}/oauth2/v2.0/token"
GROUP = ResourceId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg")
NO = Answer({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}, 401)
BUSY = Answer({"error": "temporarily_unavailable", "error_description": "AADSTS90033: A transient error."}, 503)
BLOCKED = Answer("<html>Blocked</html>", 403, content_type="text/html")


def giving(*answers: AccessToken | Exception) -> Counter:
    """A source that gives these, one after the other, and the last again and again."""
    left = list(answers)

    def answer() -> AccessToken:
        given = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(given, Exception):
            raise given
        return given

    return Counter(answer)


def open_to_others(secret: str) -> None:
    """Make a file with a secret one that plstui refuses."""
    Path(secret).chmod(0o644)


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RetrySignIn, "pauses", (0.0, 0.0, 0.0))


def token(seconds: int = 3599) -> Answer:
    return Answer({"token_type": "Bearer", "expires_in": seconds, "access_token": "t"})


@pytest.mark.parametrize(
    "trouble",
    [Answer(None, 429, {"retry-after-ms": "1"}), Answer(None, 503), BUSY],
    ids=["too many", "empty", "in words"],
)
@pytest.mark.parametrize("how", ["a secret", "environment"])
async def test_what_passes_is_waited_for(
    azure: ArmServer, settings: Settings, trouble: Answer, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure.everything_empty()
    azure.on("POST", TOKEN, trouble, token())
    if how == "environment":
        for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"):
            monkeypatch.setenv(f"AZURE_{name}", TENANT)
        settings = by(settings, "environment")
    async with opened(settings) as side:
        assert not (await side.reader.read(Tier.CONNECTIONS)).failures

    assert len(azure.requests("POST", TOKEN)) == 2


@pytest.mark.parametrize("trouble", [BUSY, BLOCKED, NO], ids=["busy", "blocked", "no"])
async def test_a_token_that_is_good_is_used_on(azure: ArmServer, side: ArmSide, trouble: Answer) -> None:
    azure.everything_empty()
    azure.on("POST", TOKEN, token(240), trouble)
    await side.reader.read(Tier.CONNECTIONS)

    assert not (await side.reader.read(Tier.CONNECTIONS)).failures


async def test_a_good_token_is_used_to_its_end_and_a_new_one_asked_for_now_and_then() -> None:
    wall = steady = 1000.0
    nobody = ServiceRequestError("Nobody is there.")
    old, new = AccessToken("old", int(wall + RENEW_EARLY)), AccessToken("new", 10**10)
    source = giving(old, nobody, nobody, nobody, new)
    tokens = Tokens(lambda: source, HERE, now=lambda: wall, steady=lambda: steady)
    for _ in range(4):
        assert (await tokens.get_token(SCOPE)).token == "old"
    assert source.asked == 2

    steady += RENEW_PAUSE
    assert (await tokens.get_token(SCOPE)).token == "old"
    assert source.asked == 3

    wall += RENEW_EARLY
    steady += RENEW_PAUSE
    with pytest.raises(UnreachableError):
        await tokens.get_token(SCOPE)

    steady += RENEW_PAUSE
    assert (await tokens.get_token(SCOPE)).token == "new"


async def test_in_the_place_of_a_token_that_was_refused_it_is_not_given_again() -> None:
    source = giving(AccessToken("old", 10**10), UnreachableError("No."))
    tokens = Tokens(lambda: source, HERE)
    refused = await tokens.get_token(SCOPE)

    with pytest.raises(UnreachableError):
        await tokens.renew(refused, SCOPE)


async def test_who_is_asked_to_sign_in_is_told_so_before_the_old_token_ends() -> None:
    source = giving(AccessToken("old", 1240), SignInPendingError("Enter the code."))
    tokens = Tokens(lambda: source, HERE, now=lambda: 1000.0)
    await tokens.get_token(SCOPE)

    with pytest.raises(SignInPendingError):
        await tokens.get_token(SCOPE)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (NO, CredentialsError, "AADSTS7000215: Invalid client secret provided."),
        (BUSY, UnreachableError, "AUTHORITY gives no token now: AADSTS90033: A transient error."),
        (
            Answer({"error": "temporarily_unavailable", "error_description": "AADSTS90033: Later."}, 400),
            UnreachableError,
            "AUTHORITY gives no token now: AADSTS90033: Later.",
        ),
        (Answer(None, 503), UnreachableError, "AUTHORITY answered 503 (Service Unavailable) without an explanation."),
        (Answer(None, 302, {"Location": "/x"}), UnreachableError, "AUTHORITY answered 302 (Found) without an "),
        (BLOCKED, UnreachableError, "AUTHORITY answered 403 (Forbidden) with a web page instead of an explanation."),
        (Answer("<html>", 407, content_type="text/html"), UnreachableError, "AUTHORITY answered 407 (Proxy Auth"),
        (Answer("<html>", 401, content_type="text/html"), UnreachableError, "AUTHORITY answered 401 (Unauthorized) "),
        (Answer("<html>", content_type="text/html"), UnreachableError, "AUTHORITY answered 200 (OK) with a web page"),
        (Answer({"access_token": "a b", "expires_in": 1}), UnreachableError, "AUTHORITY answered 200 (OK) without "),
        (Answer("[" * 100_000, 400), UnreachableError, "AUTHORITY answered 400 (Bad Request) without an explanation."),
        (Answer(None, 429, {"Retry-After": "60"}), ThrottledError, "AUTHORITY answered 429 (Too Many Requests) "),
    ],
)
async def test_only_a_no_is_told_as_one(
    azure: ArmServer, side: ArmSide, answer: Answer, kind: type[PlstuiError], words: str
) -> None:
    azure.token_error = answer

    with pytest.raises(PlstuiError) as caught:
        await side.reader.read(Tier.CONNECTIONS)

    assert type(caught.value) is kind
    assert caught.value.message.startswith(words.replace("AUTHORITY", azure.arm[8:]))
    assert ("client_secret_file" in caught.value.hint) is (kind is CredentialsError)
    assert not azure.seen


async def test_a_page_in_the_place_of_a_token_is_no_refusal_by_environment_either(
    azure: ArmServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"AZURE_{name}", TENANT)
    azure.token_error = BLOCKED
    async with opened(by(settings, "environment")) as side:
        with pytest.raises(UnreachableError, match=f"{azure.arm[8:]} answered 403"):
            await side.reader.read(Tier.CONNECTIONS)


async def test_a_write_that_is_not_sent_for_that_is_not_lost(azure: ArmServer, side: ArmSide) -> None:
    azure.token_error = BUSY

    with pytest.raises(PlstuiError) as caught:
        await side.writer.put(GROUP, {"location": "westeurope"})

    assert type(caught.value) is UnreachableError
    assert not azure.seen


@pytest.mark.parametrize("trouble", [NO, BLOCKED, None], ids=["no", "blocked", "the secret's file is open to others"])
async def test_who_cannot_ask_any_more_does_not_know_what_came_of_a_write(
    azure: ArmServer, side: ArmSide, settings: Settings, trouble: Answer | None
) -> None:
    async def signed_out(request: web.Request) -> web.StreamResponse:
        if trouble is None:
            open_to_others(settings.isv.client_secret_file)
        azure.token_error = trouble
        refused: Handler = Answer({"error": {"code": "ExpiredAuthenticationToken", "message": "It is over."}}, 401)
        return await refused(request)

    headers = {"Azure-AsyncOperation": "{arm}/operation", "x-ms-retry-after-ms": "1"}
    azure.on("PUT", GROUP.text, Answer({"id": GROUP.text}, 201, headers))
    azure.on("GET", "/operation", signed_out)

    with pytest.raises(AnswerLostError) as caught:
        await side.writer.put(GROUP, {"location": "westeurope"})

    assert isinstance(caught.value.__cause__, ConfigError if trouble is None else PlstuiError)
    assert len(azure.requests("PUT")) == 1


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ("login.microsoftonline.us", "https://login.microsoftonline.us"),
        ("https://login.microsoftonline.us/", "https://login.microsoftonline.us"),
        ("HTTPS://login.example:8443", "https://login.example:8443"),
        ("", "https://login.microsoftonline.com"),
    ],
)
def test_the_authority_of_the_environment(named: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", named)

    assert authority_of(Settings()) == address


@pytest.mark.parametrize(
    "named",
    [
        *("http://login.example", "ftp://login.example", "https://", "https:///x", "login.example/tenant"),
        *("https://login.example?x=1", "login.example#x", "https://login.example@evil.example", "a b", "login:port"),
        *("https://[::1", "https://login.example:99999", "\x1b[2J", "löwe.example"),
    ],
)
def test_an_authority_that_is_no_host(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", named)

    with pytest.raises(ConfigError, match="AZURE_AUTHORITY_HOST is ") as caught:
        authority_of(Settings())

    assert caught.value.message.isprintable()
    assert caught.value.hint


def test_another_azure_is_its_own_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "http://login.example")

    assert authority_of(Settings(azure=Azure(arm="https://localhost:8443"))) == "https://localhost:8443"
