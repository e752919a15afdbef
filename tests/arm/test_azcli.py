"""Signing in as az is: what it hands over, and what it says when it does not."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from plstui.config.settings import Settings, SideSettings
from plstui.domain.errors import CredentialsError
from plstui.domain.snapshot import Tier
from tests.arm.server import LISTS, SUBSCRIPTION, ArmServer
from tests.arm.sides import opened
from tests.arm.test_signing import CLAIMS, MORE_CLAIMS


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a program `az` with this shell script in the place of the real one; it keeps its arguments in a file."""

    def install(script: str) -> Path:
        directory = tmp_path / "bin"
        directory.mkdir(exist_ok=True)
        log = tmp_path / "az.log"
        program = directory / "az"
        program.write_text(f'#!/bin/sh\necho "$@" >> "{log}"\n{script}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{directory}:/bin:/usr/bin")
        return log

    return install


@pytest.fixture
def as_az(settings: Settings) -> Settings:
    """Settings of somebody who uses az; a tenant is set too, and must not be passed on."""
    return replace(settings, isv=SideSettings(subscription=SUBSCRIPTION, tenant="some-tenant"))


TOKEN = json.dumps({"accessToken": "token-of-az", "expires_on": 10**10})
OLDER = json.dumps({"accessToken": "token-of-az", "expires_on": None, "expiresOn": "2999-01-01 00:00:00.000000"})


async def test_az_is_asked_once_by_subscription_and_never_by_tenant(
    azure: ArmServer, as_az: Settings, az: Callable[[str], Path]
) -> None:
    log = az(f"echo '{TOKEN}'")
    azure.everything_empty()
    async with opened(as_az) as side:
        await side.reader.read(Tier.ALL)
        await side.reader.read(Tier.ALL)

    (call,) = log.read_text().splitlines()
    assert f"--subscription {SUBSCRIPTION}" in call
    assert f"--resource {azure.arm}" in call
    assert "tenant" not in call
    assert {seen.authorization for seen in azure.seen} == {"Bearer token-of-az"}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo \"Please run 'az login' to setup account.\" >&2; exit 1", "az login"),
        (
            'echo "ERROR: AADSTS70043: The refresh token has expired. Trace ID: 1 Correlation ID: 2" >&2; exit 1',
            "AADSTS70043: The refresh token has expired.",
        ),
        ("echo nonsense", "What az answered is no token with an end."),
    ],
)
async def test_az_that_gives_no_token_is_asked_once_and_explained(
    azure: ArmServer, as_az: Settings, az: Callable[[str], Path], script: str, words: str
) -> None:
    log = az(script)
    async with opened(as_az) as side:
        with pytest.raises(CredentialsError) as caught:
            await side.reader.read(Tier.ALL)

    assert words in caught.value.message
    assert "Trace ID" not in caught.value.message
    assert "az login" in caught.value.hint
    assert SUBSCRIPTION in caught.value.hint
    assert len(log.read_text().splitlines()) == 1
    assert not azure.seen


async def refusal(as_az: Settings, az: Callable[[str], Path], script: str) -> CredentialsError:
    az(script)
    async with opened(as_az) as side:
        with pytest.raises(CredentialsError) as caught:
            await side.reader.read(Tier.CONNECTIONS)
    assert not re.search(r"aka\.ms|Traceback|NoneType|int\(\)|Error:|To mitigate", str(caught.value))
    return caught.value


@pytest.mark.parametrize(
    "answer",
    [
        {"accessToken": "t", "expiresOn": None},
        {"accessToken": "t", "expiresOn": None, "expires_on": None},
        {"accessToken": "t", "expiresOn": "soon"},
        {"accessToken": "t", "expires_on": []},
        {"accessToken": "t"},
        {"accessToken": None, "expires_on": 10**10},
        {"accessToken": "t\n", "expires_on": 10**10},
        {"expires_on": 10**10},
        [],
        None,
    ],
)
async def test_an_answer_of_az_that_is_no_token_is_a_failed_sign_in(
    as_az: Settings, az: Callable[[str], Path], answer: object
) -> None:
    error = await refusal(as_az, az, f"echo '{json.dumps(answer)}'")

    assert error.message == "What az answered is no token with an end."
    assert "az login" in error.hint


@pytest.mark.parametrize(
    "script",
    [
        f"echo 'WARNING: You have {{2}} updates.'; echo '{TOKEN}'",
        f"printf '\\033[0m%s\\033[0m' '{TOKEN}'",
        f"echo 'WARNING: something' >&2; echo '{TOKEN}'",
        f"echo '{OLDER}'",
    ],
    ids=["a warning before it", "colours around it", "a warning beside it", "the end in its older form"],
)
async def test_what_stands_around_a_token_does_not_matter(
    azure: ArmServer, as_az: Settings, az: Callable[[str], Path], script: str
) -> None:
    az(script)
    azure.everything_empty()
    async with opened(as_az) as side:
        await side.reader.read(Tier.CONNECTIONS)

    assert azure.seen[0].authorization == "Bearer token-of-az"


SCOPES = "--scope " + " ".join(f'"https://management.core.windows.net//.default{number}"' for number in range(30))


MORE_FACTORS = (
    "WARNING: x\nERROR: AADSTS50076: You must use multi-factor authentication. Trace ID: 1 Timestamp: 2024\n"
    f'Interactive authentication is needed. Please run:\naz login --tenant "t-1" {SCOPES}\n'
)
A_POLICY = (
    "ERROR: AADSTS50005: User tried to log in from a platform that is not supported.\nTrace ID: 1\n"
    "To re-authenticate, please run:\naz login --scope https://management.core.windows.net//.default\n"
)


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        (
            MORE_FACTORS,
            "az gave no token: AADSTS50076: You must use multi-factor authentication.",
            f'Sign in with: az login --tenant "t-1" {SCOPES}',
        ),
        (
            A_POLICY,
            "az gave no token: AADSTS50005: User tried to log in from a platform that is not supported.",
            "Sign in with: az login --scope https://management.core.windows.net//.default",
        ),
        (
            "ERROR: AADSTS700082: The refresh token has expired.\nPlease run:\naz logout\naz login\n",
            "az gave no token: AADSTS700082: The refresh token has expired.",
            "Sign in with: az logout && az login",
        ),
        (
            "ERROR: Subscription 's' not found.\n",
            "az gave no token: Subscription 's' not found.",
            f"Sign in with az login, to an account that sees subscription {SUBSCRIPTION}.",
        ),
        (
            "Traceback (most recent call last):\nModuleNotFoundError: No module named 'azure.cli'\n",
            "az gave no token and ended with exit code 1.",
            f"See what is wrong with: az account get-access-token --subscription {SUBSCRIPTION}",
        ),
        (
            "",
            "az gave no token and ended with exit code 1.",
            f"See what is wrong with: az account get-access-token --subscription {SUBSCRIPTION}",
        ),
    ],
    ids=["more factors", "a policy", "two commands", "no subscription", "az is broken", "nothing is said"],
)
async def test_the_command_that_az_tells_is_passed_on_whole(
    as_az: Settings, az: Callable[[str], Path], said: str, message: str, hint: str
) -> None:
    error = await refusal(as_az, az, f"printf %s {shlex.quote(said)} >&2; exit 1")

    assert (error.message, error.hint) == (message, hint)


async def test_an_az_that_cannot_be_started(as_az: Settings, az: Callable[[str], Path]) -> None:
    az("").with_name("bin").joinpath("az").write_text("#!/nowhere/python\n")
    async with opened(as_az) as side:
        with pytest.raises(CredentialsError, match="bin/az cannot be started: No such file or directory"):
            await side.reader.read(Tier.CONNECTIONS)


async def test_no_az_at_all(as_az: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    async with opened(as_az) as side:
        with pytest.raises(CredentialsError, match="there is no az on the PATH"):
            await side.reader.read(Tier.CONNECTIONS)


async def test_a_slow_az_holds_up_nothing_and_ends_with_who_asked(
    as_az: Settings, az: Callable[[str], Path], tmp_path: Path
) -> None:
    alive, never = tmp_path / "alive", tmp_path / "never"
    for pipe in (alive, never):
        os.mkfifo(pipe)
    az(f'exec 3> "{alive}"; echo >&3; cat "{never}"')
    async with opened(as_az) as side:
        read = asyncio.create_task(side.reader.read(Tier.CONNECTIONS))
        # The loop turns while az is at work.
        pipe_end = await asyncio.to_thread(os.open, alive, os.O_RDONLY)
        assert await asyncio.to_thread(os.read, pipe_end, 1) == b"\n"
        read.cancel()
        with pytest.raises(asyncio.CancelledError):
            await read
        # The shell and what it started hold the pipe's other end.
        assert await asyncio.to_thread(os.read, pipe_end, 1) == b""
        os.close(pipe_end)


async def test_what_a_policy_asks_for_az_is_told_to_sign_in_with(
    azure: ArmServer, as_az: Settings, az: Callable[[str], Path]
) -> None:
    log = az(f"echo '{TOKEN}'")
    azure.everything_empty()
    azure.on("GET", LISTS["services"], MORE_CLAIMS)
    async with opened(as_az) as side:
        with pytest.raises(CredentialsError, match="asks for a new sign-in") as caught:
            await side.reader.read(Tier.CONNECTIONS)

    command = caught.value.hint.partition("az login ")[2]
    assert base64.b64decode(shlex.split(command)[-1]).decode() == CLAIMS
    assert len(log.read_text().splitlines()) == 1
