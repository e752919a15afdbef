"""Who plstui signs in as, per side: as `az` is, by environment, by device code, or as a service principal.

Where `az` is asked, always by subscription and never by tenant: Cloud Shell refuses a tenant, and each side's
subscription may be in a tenant of its own.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken

from plstui.arm.azcli import AzureCli
from plstui.arm.faults import SDK_ERRORS, Where, explain_sign_in
from plstui.arm.policies import RetrySignIn
from plstui.arm.secret import ClientSecret
from plstui.arm.threads import in_daemon
from plstui.arm.transport import SILENCE_SECONDS, sdk_options
from plstui.config.locations import expand
from plstui.config.settings import ENDPOINT, PUBLIC_ARM, Settings, SideSettings
from plstui.domain.errors import ConfigError, PlstuiError, SignInPendingError
from plstui.domain.files import check_regular, open_regular, text_of
from plstui.domain.ids import SUBSCRIPTION
from plstui.domain.sides import Side
from plstui.domain.text import clean

if TYPE_CHECKING:  # Imported by whoever signs in so: it takes as long as all the rest of the road.
    from azure.identity.aio import EnvironmentCredential

RENEW_EARLY = 300.0
"""Seconds before its end at which a new token is asked for; the SDK does so then too."""

RENEW_PAUSE = 30.0
"""Seconds until it is asked for again when there was none and the old one is still good; azure-identity's own."""

LARGEST_SECRET = 64 * 1024
"""Bytes that are read of a secret's file; Entra ID makes secrets of forty."""

FAILURE_KEPT = 2.0
"""Seconds for which a failed sign-in is not tried again: the calls of one refresh fail together, after one try."""

_AUTHORITIES = {
    urlsplit(PUBLIC_ARM).netloc: "login.microsoftonline.com",
    "management.chinacloudapi.cn": "login.chinacloudapi.cn",
    "management.usgovcloudapi.net": "login.microsoftonline.us",
}
"""Where to sign in for Azure's clouds. Any other endpoint is its own authority, as a local Azure is."""


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

    def __init__(
        self,
        make: Callable[[], Source],
        where: Where,
        *,
        now: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`where.arm` is who gives out tokens; `now` the clock of the wall, by which tokens end; `steady` the one that
        nobody puts back."""
        self.where = where
        self._make = make
        self._source = make()
        self._now = now
        self._steady = steady
        self._lock = asyncio.Lock()
        self._token: AccessToken | None = None
        self._failure: PlstuiError | None = None
        self._failed_at = 0.0

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """A token that is good for at least five minutes, and for less where no new one is to be had.

        Raises `CredentialsError` when the sign-in is refused, and another `PlstuiError` when nobody can tell now.
        """
        async with self._lock:
            old, left = self._token, self._token.expires_on - self._now() if self._token else 0.0
            if old and (left > RENEW_EARLY or (left > 0 and self._failed_within(RENEW_PAUSE))):
                return old
            try:
                return await self._new(*scopes)
            except SignInPendingError:
                raise
            except PlstuiError:
                if old and old.expires_on > self._now():
                    return old
                raise

    async def renew(self, refused: AccessToken, *scopes: str, claims: str = "") -> AccessToken:
        """Another token in the place of one that Azure has refused before its end: one for all who were given that.

        `claims` is what it has to have, if anything. Raises as `get_token` does.
        """
        async with self._lock:
            if self._token is None or self._token.token == refused.token:
                await self._drop()
                await self._new(*scopes, **({"claims": claims} if claims else {}))
            assert self._token is not None, "there is one, or an error"
            return self._token

    async def _new(self, *scopes: str, **options: Any) -> AccessToken:
        """A new token from the source. Raises `PlstuiError`; the token there is stays then."""
        if self._failure and self._failed_within(FAILURE_KEPT):
            raise self._failure
        try:
            self._token = await self._source.get_token(*scopes, **options)
        except SignInPendingError:
            raise
        except PlstuiError as failure:
            self._failure, self._failed_at = failure, self._steady()
            raise
        except SDK_ERRORS as error:
            self._failure, self._failed_at = explain_sign_in(error, self.where), self._steady()
            raise self._failure from error
        self._failure = None
        return self._token

    def _failed_within(self, seconds: float) -> bool:
        """Whether asking for a token has failed in the last seconds."""
        return self._failure is not None and self._steady() - self._failed_at < seconds

    async def forget(self) -> None:
        """Sign in anew next time: Azure has refused a token that had not ended."""
        async with self._lock:
            await self._drop()

    async def _drop(self) -> None:
        if self._token is None:
            return
        self._token = None
        # A source keeps the token too and would hand out the refused one again. The new one first: where none can be
        # made, as while a secret's file is being replaced, the old one is still good for another try.
        old, self._source = self._source, self._make()
        await old.close()

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
    if not re.fullmatch(SUBSCRIPTION, own.subscription):
        raise ConfigError(f"{clean(own.subscription, 60)!r} is not the id of a subscription.")
    step = _next_step(settings, side)
    if not own.client_id and settings.azure.credential == "cli":
        where = Where(settings.azure.arm, own.subscription, step)
        return Tokens(lambda: AzureCli(own.subscription, step), where)
    where = Where(authority_of(settings), own.subscription, step)
    if own.client_id:
        return Tokens(lambda: _service_principal(settings, side), where)
    if settings.azure.credential == "environment":
        return Tokens(lambda: _environment(settings, step), where)
    return Tokens(lambda: DeviceCode(settings, own), where)


def _next_step(settings: Settings, side: Side) -> str:
    """What somebody can do whose sign-in is not accepted."""
    own = settings.side(side)
    if own.client_id:
        return f"Check tenant, client_id and client_secret_file of [{side}] in the settings."
    match settings.azure.credential:
        case "environment":
            return "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or azure.credential to cli."
        case "device-code":
            return "Try again to get a new code."
        case "cli":
            return f"Sign in with az login, to an account that sees subscription {own.subscription}."


def _environment(settings: Settings, step: str) -> EnvironmentCredential:
    from azure.identity.aio import EnvironmentCredential

    try:
        if "AZURE_CLIENT_SECRET" not in os.environ and (certificate := os.environ.get("AZURE_CLIENT_CERTIFICATE_PATH")):
            check_regular(Path(certificate), LARGEST_SECRET)
        return EnvironmentCredential(**entra_options(settings), retry_policy_class=RetrySignIn)
    except OSError as error:
        raise ConfigError(
            f"The certificate of AZURE_CLIENT_CERTIFICATE_PATH cannot be read: {error.strerror}.", hint=step
        ) from None
    except ValueError:
        raise ConfigError("The variables AZURE_… name no tenant, client or certificate of use.", hint=step) from None


def _service_principal(settings: Settings, side: Side) -> ClientSecret:
    own = settings.side(side)
    if not own.tenant or not own.client_secret_file:
        missing = "tenant" if not own.tenant else "client_secret_file"
        raise ConfigError(f"[{side}] has a client_id and no {missing}.", hint=f"Set {side}.{missing} in the settings.")
    secret = read_secret(expand(own.client_secret_file))
    if not re.fullmatch(r"[A-Za-z0-9.-]+", own.tenant):
        raise ConfigError(f"{own.tenant!r} is not a tenant's id.", hint=f"Check {side}.tenant in the settings.")
    return ClientSecret(settings, authority_of(settings), own.tenant, own.client_id, secret)


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
    options = {**sdk_options(settings), "retry_total": 1, "retry_backoff_factor": 0.2}
    options["read_timeout"] = SILENCE_SECONDS
    options["authority"] = authority_of(settings)
    options["disable_instance_discovery"] = urlsplit(settings.azure.arm).netloc not in _AUTHORITIES
    return options


def authority_of(settings: Settings) -> str:
    """The address of the service that gives out tokens. Raises `ConfigError`."""
    host = urlsplit(settings.azure.arm).netloc
    if host == urlsplit(PUBLIC_ARM).netloc and (named := os.environ.get("AZURE_AUTHORITY_HOST")):
        return _named_authority(named)
    return f"https://{_AUTHORITIES.get(host, host)}"


def _named_authority(named: str) -> str:
    """The address that AZURE_AUTHORITY_HOST names, with https:// or without: it is sent the secret."""
    address = f"https://{re.sub('^https://', '', named, flags=re.IGNORECASE)}"
    if not re.fullmatch(ENDPOINT, address, re.ASCII):
        raise ConfigError(
            f"AZURE_AUTHORITY_HOST is {clean(named, 100)!r}, which is not the name of a host.",
            hint="Set it to one such as login.microsoftonline.us, or unset it.",
        )
    return address.rstrip("/")


class DeviceCode:
    """Signs in with a code that a person types into a browser.

    Where standard error is the terminal, the prompt is written there and waited for. A program that draws on the
    terminal has put a stream of its own in that place: there the prompt is the reason why nothing can be read yet, and
    the sign-in goes on meanwhile.
    """

    def __init__(self, settings: Settings, side: SideSettings) -> None:
        from azure.identity import DeviceCodeCredential

        options = entra_options(settings) | ({"tenant_id": side.tenant} if side.tenant else {})
        self._credential = DeviceCodeCredential(prompt_callback=self._prompt, **options)
        self._pending: asyncio.Task[AccessToken] | None = None
        self._prompted = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._text = ""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token, when the code has been typed. Raises `SignInPendingError` with the prompt while it has not."""
        self._loop = asyncio.get_running_loop()
        if self._pending is None:
            self._prompted.clear()
            ask = partial(self._credential.get_token, *scopes, **options)
            self._pending = asyncio.create_task(in_daemon(ask))
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
        self._credential.close()


def _terminal_is_taken() -> bool:
    return sys.stderr is not sys.__stderr__
