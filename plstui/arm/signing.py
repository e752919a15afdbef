"""The token on every request to ARM and on none to anybody else, and a new one where Azure refuses it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from plstui.arm.credentials import Tokens
from plstui.arm.faults import UnreadableError

_CLAIMS = re.compile(r'\bclaims="([^"]+)"')

_Request = PipelineRequest[HttpRequest]
_Response = PipelineResponse[HttpRequest, AsyncHttpResponse]


class SignedRequests(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Puts the token of one side on its requests; one that is refused goes out once more, with a new token.

    Where the next page is, or how an operation is doing, Azure's answers say as a whole address, which is asked as it
    is. One that is not ARM's own is not asked at all, or whoever has written it would be given the token.

    That holds for writes too: what Azure answers with 401 it has not taken. A token may be refused before its end:
    the account was changed, a policy of the tenant asks for more, or this computer's clock is wrong. The SDK's own
    policy gets a new one only when the answer says which claims it needs.
    """

    def __init__(self, tokens: Tokens, arm: str) -> None:
        """`arm` is the address of the Resource Manager."""
        super().__init__()
        self._tokens = tokens
        self._arm = arm
        self._scope = f"{arm}/.default"

    async def send(self, request: _Request) -> _Response:
        """Send a request once or twice.

        Raises `UnreadableError` when it would go to somebody else than ARM, and what getting a token raises.
        """
        if not is_arm(request.http_request.url, self._arm):
            place = urlsplit(request.http_request.url)
            elsewhere = f"{place.scheme}://{place.netloc}" if place.netloc else "an address without a host"
            raise UnreadableError(f"it leads to {elsewhere}, where nothing was sent")
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


def is_arm(address: str, arm: str) -> bool:
    """Whether an address is the Resource Manager's own: with TLS, its host or one below it, at its port.

    The hosts below are those of Azure's regions, such as `westeurope.management.azure.com`, which documentation of
    Azure's calls directly. Recorded operations are all at the host that was called.
    """
    place, own = urlsplit(address), urlsplit(arm)
    host, arm_host = place.hostname or "", own.hostname or ""
    same = bool(arm_host) and (host == arm_host or host.endswith(f".{arm_host}"))
    # Not all programs mean the same by what stands before an @.
    return same and place.scheme == "https" and "@" not in place.netloc and (place.port or 443) == (own.port or 443)


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
