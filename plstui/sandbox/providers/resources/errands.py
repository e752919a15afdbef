"""Requests that Azure makes itself, on behalf of a client: send, and wait for the end of what they start."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.gateway.tokens import Client

IMPATIENCE = 1.0
"""Seconds between polls at most: what waits for an errand is to go on as soon as it is done."""

WHERE = "https://localhost"
"""What the addresses in the answers start with; nobody but an errand sees them."""


class Errands:
    """Runs the errands of one client."""

    def __init__(self, azure: Azure, client: Client) -> None:
        self._azure = azure
        self._client = client

    async def send(self, method: str, path: str, api_version: str, body: Any = None) -> Response:
        """One request and its first answer, which may be a refusal."""
        content = b"" if body is None else json.dumps(body).encode()
        request = Request(method, path, {"api-version": api_version}, content=content, base_url=WHERE)
        return await self._azure.dispatch(self._client, request)

    async def delete(self, path: str, api_version: str) -> ArmError | None:
        """Delete a resource and wait until it is gone; the refusal when it is not."""
        try:
            await self.finish(await self.send("DELETE", path, api_version))
        except ArmError as error:
            return error
        return None

    async def finish(self, response: Response) -> None:
        """Wait for the end of what a request has started; raises what it was refused or failed with."""
        self._check(response)
        address = response.headers.get("Azure-AsyncOperation") or response.headers.get("Location")
        by_location = "Azure-AsyncOperation" not in response.headers
        while address:
            poll = await self._azure.dispatch(self._client, _get(address))
            self._check(poll)
            status = poll.body.get("status") if isinstance(poll.body, dict) and not by_location else None
            if status in ("Failed", "Canceled"):
                raise _error(409, poll.body, str(status))
            if status == "Succeeded" or (by_location and poll.status != 202):
                return
            await self._azure.clock.sleep(_advice(poll))

    @staticmethod
    def _check(response: Response) -> None:
        if response.status >= 400:
            raise _error(response.status, response.body, "UnknownError")


def _get(address: str) -> Request:
    parts = urlsplit(address)
    return Request("GET", unquote(parts.path), {k.lower(): v for k, v in parse_qsl(parts.query)}, base_url=WHERE)


def _advice(response: Response) -> float:
    milliseconds = response.headers.get("x-ms-retry-after-ms")
    return min(int(milliseconds) / 1000 if milliseconds else IMPATIENCE, IMPATIENCE)


def _error(status: int, body: Any, otherwise: str) -> ArmError:
    """An error answer, read back: with or without an envelope."""
    content = body if isinstance(body, dict) else {}
    inner = content.get("error", content)
    return ArmError(
        status, inner.get("code", otherwise), inner.get("message", "No more is known."), details=inner.get("details")
    )
