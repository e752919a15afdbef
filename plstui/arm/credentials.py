"""Who plstui signs in as, per side: as `az` is, by environment, by device code, or as a service principal.

Where `az` is asked, always by subscription and never by tenant: Cloud Shell refuses a tenant, and each side's
subscription may be in a tenant of its own.
"""

from __future__ import annotations

import asyncio
import os
import stat
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import AzureAuthorityHosts, AzureCliCredential, DeviceCodeCredential
from azure.identity.aio import ClientSecretCredential, EnvironmentCredential

from plstui.arm.transport import sdk_options
from plstui.config.locations import expand
from plstui.config.settings import PUBLIC_ARM, Settings, SideSettings
from plstui.domain.errors import ConfigError, SignInPendingError
from plstui.domain.files import open_regular, text_of
from plstui.domain.sides import Side
from plstui.domain.text import clean

RENEW_EARLY = 300.0
"""Seconds before its end at which a token is no longer used; the SDK asks for a new one then too."""

AZ_PATIENCE = 60
"""Seconds that `az` may take; the ten that azure-identity allows are few for its first start on a small machine."""

LARGEST_SECRET = 64 * 1024
"""Bytes that are read of a secret's file; Entra ID makes secrets of forty."""

FAILURE_KEPT = 2.0
"""Seconds for which a failed sign-in is not tried again: the calls of one refresh fail together, after one try."""

_AUTHORITIES = {
    "management.chinacloudapi.cn": AzureAuthorityHosts.AZURE_CHINA,
    "management.usgovcloudapi.net": AzureAuthorityHosts.AZURE_GOVERNMENT,
}
"""Where to sign in for the national clouds. Any other endpoint is its own authority, as a local Azure is."""


class Source(Protocol):
    """What a token comes from."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A new token."""

    async def close(self) -> None:
        """Give back sockets."""


class Tokens:
    """The tokens of one side: kept until shortly before their end, and asked for by one caller at a time.

    This is the credential that the SDK's clients are given.
    """

    def __init__(self, make: Callable[[], Source], next_step: str, *, now: Callable[[], float] = time.time) -> None:
        self.next_step = next_step
        """What somebody can do whose sign-in is not accepted."""
        self._make = make
        self._source = make()
        self._now = now
        self._lock = asyncio.Lock()
        self._token: AccessToken | None = None
        self._failure: ClientAuthenticationError | None = None
        self._failed_at = 0.0

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **options: Any,
    ) -> AccessToken:
        """A token that is good for at least five minutes. Raises what azure-identity raises, and `PlstuiError`."""
        if claims:
            return await self._source.get_token(*scopes, claims=claims, enable_cae=enable_cae)
        async with self._lock:
            if self._token is not None and self._token.expires_on - self._now() > RENEW_EARLY:
                return self._token
            if self._failure is not None and self._now() - self._failed_at < FAILURE_KEPT:
                raise self._failure
            try:
                self._token = await self._source.get_token(*scopes)
            except ClientAuthenticationError as failure:
                self._token, self._failure, self._failed_at = None, failure, self._now()
                raise
            return self._token

    async def forget(self) -> None:
        """Sign in anew next time: Azure has refused a token that had not ended."""
        async with self._lock:
            if self._token is None:
                return
            self._token = None
            # A source keeps the token too and would hand out the refused one again.
            await self._source.close()
            self._source = self._make()

    async def close(self) -> None:
        """Give back sockets."""
        self._token = None
        await self._source.close()

    async def __aenter__(self) -> Tokens:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def sign_in(settings: Settings, side: Side) -> Tokens:
    """How a side signs in, from its settings; nobody is asked yet. Raises `ConfigError`."""
    own = settings.side(side)
    if own.client_id:
        step = f"Check tenant, client_id and client_secret_file of [{side}] in the settings."
        return Tokens(lambda: _service_principal(settings, side), step)
    match settings.azure.credential:
        case "environment":
            step = "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or azure.credential to cli."
            return Tokens(lambda: EnvironmentCredential(**entra_options(settings)), step)
        case "device-code":
            return Tokens(lambda: DeviceCode(settings, own), "Try again to get a new code.")
        case "cli":
            step = f"Sign in with az login, to an account that sees subscription {own.subscription}."
            return Tokens(lambda: OffLoop(_az(own.subscription)), step)


def _az(subscription: str) -> AzureCliCredential:
    try:
        return AzureCliCredential(subscription=subscription, process_timeout=AZ_PATIENCE)
    except ValueError:
        raise ConfigError(f"{clean(subscription, 60)!r} is not the id or name of a subscription.") from None


def _service_principal(settings: Settings, side: Side) -> ClientSecretCredential:
    own = settings.side(side)
    if not own.tenant or not own.client_secret_file:
        missing = "tenant" if not own.tenant else "client_secret_file"
        raise ConfigError(f"[{side}] has a client_id and no {missing}.", hint=f"Set {side}.{missing} in the settings.")
    secret = read_secret(expand(own.client_secret_file))
    try:
        return ClientSecretCredential(own.tenant, own.client_id, secret, **entra_options(settings))
    except ValueError:
        raise ConfigError(
            f"{own.tenant!r} is not a tenant's id.", hint=f"Check {side}.tenant in the settings."
        ) from None


def read_secret(path: Path) -> str:
    """The secret in a file that nobody but its owner may read. Raises `ConfigError`."""
    try:
        with open_regular(path, LARGEST_SECRET) as stream:
            mode = os.fstat(stream.fileno()).st_mode
            secret = text_of(stream, path, LARGEST_SECRET).strip()
    except OSError as error:
        raise ConfigError(f"The secret in {path} cannot be read: {error.strerror}.") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"The secret in {path} can be read by others.", hint=f"Run chmod 600 {path}.")
    if not secret:
        raise ConfigError(f"The secret's file {path} is empty.")
    return secret


def entra_options(settings: Settings) -> dict[str, Any]:
    """Where and how to reach the service that gives out tokens, as arguments of azure-identity."""
    host = urlsplit(settings.azure.arm).netloc
    options = {**sdk_options(settings), "retry_total": 1, "retry_backoff_factor": 0.2}
    if host == urlsplit(PUBLIC_ARM).netloc:
        return options
    if authority := _AUTHORITIES.get(host):
        return {**options, "authority": authority}
    return {**options, "authority": f"https://{host}", "disable_instance_discovery": True}


class OffLoop:
    """A credential that blocks, asked in a thread.

    A daemon thread each time: `az`, or a person with a browser, may take minutes and must not hold up quitting.
    """

    def __init__(self, credential: AzureCliCredential | DeviceCodeCredential) -> None:
        self._credential = credential

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A new token."""
        answer: Future[AccessToken] = Future()

        def ask() -> None:
            answer.set_running_or_notify_cancel()
            try:
                answer.set_result(self._credential.get_token(*scopes, **options))
            except Exception as error:  # noqa: BLE001 - handed to whoever waits for the answer
                answer.set_exception(error)

        Thread(target=ask, name="sign-in", daemon=True).start()
        return await asyncio.wrap_future(answer)

    async def close(self) -> None:
        """Give back sockets."""
        self._credential.close()


class DeviceCode:
    """Signs in with a code that a person types into a browser.

    Where standard error is the terminal, the prompt is written there and waited for. A program that draws on the
    terminal has put a stream of its own in that place: there the prompt is the reason why nothing can be read yet, and
    the sign-in goes on meanwhile.
    """

    def __init__(self, settings: Settings, side: SideSettings) -> None:
        options = entra_options(settings) | ({"tenant_id": side.tenant} if side.tenant else {})
        credential = DeviceCodeCredential(prompt_callback=self._prompt, **options)
        self._credential = OffLoop(credential)
        self._pending: asyncio.Task[AccessToken] | None = None
        self._prompted = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._text = ""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token, when the code has been typed. Raises `SignInPendingError` with the prompt while it has not."""
        self._loop = asyncio.get_running_loop()
        if self._pending is None:
            self._prompted.clear()
            self._pending = asyncio.create_task(self._credential.get_token(*scopes, **options))
        pending = self._pending
        if _terminal_is_taken():
            prompted = asyncio.create_task(self._prompted.wait())
            await asyncio.wait((pending, prompted), return_when=asyncio.FIRST_COMPLETED)
            prompted.cancel()
            if not pending.done():
                raise SignInPendingError(self._text, hint="The pane fills by itself when that is done.")
        try:
            return await asyncio.shield(pending)
        finally:
            if pending.done():
                self._pending = None

    def _prompt(self, address: str, code: str, expires_on: datetime) -> None:
        """Called in the credential's thread."""
        self._text = f"To sign in, open {clean(address)} and enter the code {clean(code, 40)}."
        if not _terminal_is_taken():
            sys.stderr.write(f"{self._text}\n")
            sys.stderr.flush()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._prompted.set)

    async def close(self) -> None:
        """Wait no longer, and give back sockets."""
        if self._pending is not None:
            self._pending.cancel()
        await self._credential.close()


def _terminal_is_taken() -> bool:
    return sys.stderr is not sys.__stderr__
