"""Tokens from `az`, asked as a program.

azure-identity asks it too, and puts words of its own in the place of what `az` says; the command that `az` tells a
person to run is lost or cut.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from azure.core.credentials import AccessToken

from plstui.arm.faults import sentence
from plstui.arm.threads import in_daemon
from plstui.domain.az import login_line, token_line
from plstui.domain.errors import CredentialsError
from plstui.domain.text import clean

AZ_PATIENCE = 60.0
"""Seconds that `az` may take; its first start on a small machine takes more than ten."""

LONGEST_COMMAND = 4000
"""Characters of a command that `az` tells a person to run: a challenge in it takes hundreds."""

_TRAILERS = ("trace id:", "correlation id:", "timestamp:")


class AzureCli:
    """Signs in as `az` is, to the account that sees a subscription."""

    def __init__(self, subscription: str, next_step: str) -> None:
        """`next_step` is what somebody can do whom `az` does not tell."""
        self._subscription = subscription
        self._next_step = next_step

    async def get_token(self, *scopes: str, claims: str = "", **_: Any) -> AccessToken:
        """A new token. Raises `CredentialsError`; cancelling it ends `az`."""
        resource = scopes[0].removesuffix("/.default")
        if claims:
            challenge = base64.b64encode(claims.encode()).decode()
            raise CredentialsError(
                "Azure asks for a new sign-in: what az signed in with does not meet the tenant's policies any more.",
                hint=f"Sign in with: {login_line(scopes[0], challenge)}",
            )
        words = ("account", "get-access-token", "--output", "json", "--resource", resource)
        code, printed, said = await self._run(*words, "--subscription", self._subscription)
        if code:
            raise self._refused(said, code)
        for answer in _objects(printed):
            if token := _token(answer):
                return token
        raise CredentialsError("What az answered is no token with an end.", hint=self._next_step)

    async def close(self) -> None:
        """Nothing is kept."""

    async def _run(self, *words: str) -> tuple[int, str, str]:
        """The exit code of `az`, what it printed, and what it said on standard error."""
        program = shutil.which("az")
        if program is None:
            raise CredentialsError(
                "The Azure CLI is not found: there is no az on the PATH.",
                hint="Install it and sign in with az login, or set azure.credential to environment or device-code.",
            )
        try:
            process = _start(program, words)
        except OSError as error:
            raise CredentialsError(f"{program} cannot be started: {error.strerror}.", hint=self._next_step) from None
        try:
            async with asyncio.timeout(AZ_PATIENCE):
                printed, said = await in_daemon(process.communicate)
        except TimeoutError:
            raise CredentialsError(f"az gave no token within {AZ_PATIENCE:g} s.", hint=self._next_step) from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, printed.decode(errors="replace"), said.decode(errors="replace")

    def _refused(self, said: str, code: int) -> CredentialsError:
        """What `az` says of itself, and the command that it tells a person to run, whole."""
        lines = [clean(line, LONGEST_COMMAND) for line in said.splitlines()]
        commands = " && ".join(line for line in lines if line.startswith("az "))
        words = sentence(" ".join(_words(lines)))
        if not words or "Traceback (most recent call last)" in said:
            return CredentialsError(
                f"az gave no token and ended with exit code {code}.",
                hint=f"See what is wrong with: {token_line(self._subscription)}",
            )
        return CredentialsError(
            f"az gave no token: {words}", hint=f"Sign in with: {commands}" if commands else self._next_step
        )


def _start(program: str, words: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [program, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Whatever folder somebody happens to be in is no place for it to import modules from.
        cwd="/",
        env={**os.environ, "AZURE_CORE_NO_COLOR": "true"},
        # It is a script that starts Python: both have to end together.
        start_new_session=True,
    )


def _words(lines: list[str]) -> Iterator[str]:
    """The lines that say what is wrong: no warnings, no numbers for the support, and no commands."""
    started = not any(line.startswith("ERROR:") for line in lines)
    for line in lines:
        started = started or line.startswith("ERROR:")
        is_other = line.startswith(("WARNING:", "az ")) or line.lower().startswith(_TRAILERS) or line.endswith(":")
        if started and not is_other:
            yield sentence(line.removeprefix("ERROR:").strip())


def _objects(printed: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text; around them may stand warnings and the colours of a terminal."""
    at = printed.find("{")
    while at >= 0:
        end = at + 1
        with suppress(ValueError, RecursionError):
            value, end = json.JSONDecoder().raw_decode(printed, at)
            yield value
        at = printed.find("{", end)


def _token(answer: dict[str, Any]) -> AccessToken | None:
    """The token that `az` hands over; None for anything else. Newer ones tell the end in two forms."""
    token = answer.get("accessToken")
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        return None
    with suppress(KeyError, TypeError, ValueError, OverflowError):
        return AccessToken(token, int(answer["expires_on"]))
    with suppress(KeyError, TypeError, ValueError, OverflowError):
        # A time without a zone is this computer's.
        return AccessToken(token, int(datetime.fromisoformat(answer["expiresOn"]).timestamp()))
    return None
