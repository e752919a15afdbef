"""A service principal's sign-in with a secret: one request to Entra ID.

azure-identity makes the same one, and brings along what all its other ways to sign in need, most of which takes longer
to import than the answer to come; it stays for those.
"""

from __future__ import annotations

import re
import time
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import UserAgentPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import HttpRequest

from plstui import __version__
from plstui.arm.policies import RetrySignIn
from plstui.arm.transport import SILENCE_SECONDS, sdk_options, trust
from plstui.config.settings import Settings


class ClientSecret:
    """Gives out tokens for a service principal of a tenant."""

    def __init__(self, settings: Settings, authority: str, tenant: str, client_id: str, secret: str) -> None:
        """`authority` is the address of who gives out tokens. Raises `ConfigError`."""
        options = sdk_options(settings) | {"read_timeout": SILENCE_SECONDS}
        options.pop("connection_verify", None)
        context = trust(settings)
        self._address = f"{authority}/{tenant}/oauth2/v2.0/token"
        self._form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        self._trusted = {"ssl": context} if context else {}
        self._pipeline: AsyncPipeline[Any, Any] = AsyncPipeline(
            AioHttpTransport(**options), [UserAgentPolicy(f"plstui/{__version__}"), RetrySignIn()]
        )

    async def get_token(self, *scopes: str, claims: str = "", **_: Any) -> AccessToken:
        """A new token. Raises `HttpResponseError` with the answer that brings none, and what the transport raises."""
        form = {**self._form, "scope": " ".join(scopes), **({"claims": claims} if claims else {})}
        request = HttpRequest("POST", self._address, data=form)
        response = (await self._pipeline.run(request, **self._trusted)).http_response
        try:
            answer = response.json()
            token, seconds = answer["access_token"], int(answer["expires_in"])
        except (ValueError, LookupError, TypeError, ArithmeticError):
            token, seconds = "", 0
        if not isinstance(token, str) or not re.fullmatch("[!-~]+", token):
            raise HttpResponseError(response=response)
        return AccessToken(token, int(time.time()) + seconds)

    async def close(self) -> None:
        """Give back sockets."""
        await self._pipeline.__aexit__()
