"""The token on every request, and a new one where Azure refuses it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from http import HTTPStatus

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from plstui.arm.credentials import Tokens
from plstui.domain.errors import AzureError

_CLAIMS = re.compile(r'\bclaims="([^"]+)"')

_Request = PipelineRequest[HttpRequest]
_Response = PipelineResponse[HttpRequest, AsyncHttpResponse]


class SignedRequests(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Puts the token of one side on its requests; one that is refused goes out once more, with a new token.

    That holds for writes too: what Azure answers with 401 it has not taken. A token may be refused before its end:
    the account was changed, a policy of the tenant asks for more, or this computer's clock is wrong. The SDK's own
    policy gets a new one only when the answer says which claims it needs.
    """

    def __init__(self, tokens: Tokens, scope: str) -> None:
        super().__init__()
        self._tokens = tokens
        self._scope = scope

    async def send(self, request: _Request) -> _Response:
        """Send a request once or twice. Raises what getting a token raises."""
        if not request.http_request.url.lower().startswith("https://"):
            raise AzureError("Azure's answer leads to an address without TLS, which no token is sent to.", code="NoTls")
        token = await self._tokens.get_token(self._scope)
        request.http_request.headers["Authorization"] = f"Bearer {token.token}"
        response = await self.next.send(request)
        refusal = response.http_response
        if refusal.status_code != HTTPStatus.UNAUTHORIZED:
            return response
        if request.context.options.get("stream"):
            await refusal.read()  # Its connection would stay taken.
        token = await self._tokens.renew(token, self._scope, claims=claims_of(refusal.headers))
        request.http_request.headers["Authorization"] = f"Bearer {token.token}"
        return await self.next.send(request)


def claims_of(headers: Mapping[str, str]) -> str:
    """The claims, JSON, that a refusal says a token has to have; empty where it says none."""
    challenge = headers.get("WWW-Authenticate", "")
    found = _CLAIMS.search(challenge) if "insufficient_claims" in challenge else None
    if not found:
        return ""
    try:
        # The alphabet for addresses or the usual one, with padding or without.
        text = found[1].rstrip("=").replace("+", "-").replace("/", "_")
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return ""
