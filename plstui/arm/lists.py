"""LISTs of one side as ARM answers them, page by page.

The SDK makes a model of every object in an answer before anybody has looked at one, without a pause: most of a second
for five thousand connections, in which the screen stands still. So its client carries the request, with sign-in and
second try, and the answer is read as the JSON it is; what reads as it did the last time is not made anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Generic
from urllib.parse import quote

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.mgmt.core.exceptions import ARMErrorFormat

from plstui.arm.clients import Clients
from plstui.arm.faults import UnreadableError
from plstui.arm.fields import Fact, Json, every
from plstui.arm.versions import api_version

_OK = 200


class ResourceList(Generic[Fact]):
    """One LIST of ARM's, read again and again."""

    def __init__(self, clients: Clients, path: str, convert: Callable[[Json], Fact | None], kind: str) -> None:
        """`path` is within the subscription; `kind` is the full type that says the api-version."""
        self._clients = clients
        self._path = f"/subscriptions/{quote(clients.subscription, safe='')}/{path}"
        self._convert = convert
        self._version = api_version(kind)
        self._known: dict[str, tuple[object, tuple[Fact, ...]]] = {}
        """By id: an item as it was answered last, and what was made of it."""

    async def read(self) -> tuple[Fact, ...]:
        """Every page of it. Raises what the SDK raises, and `UnreadableError` for an answer that is no list."""
        before, self._known = self._known, {}
        facts: list[Fact] = []
        request = HttpRequest("GET", self._path, params={"api-version": self._version})
        addresses = {request.url}
        while True:
            items, following = await self._page(request)
            for item in items:
                facts += await self._facts(item, before)
            if not following:
                return tuple(facts)
            if following in addresses:
                raise UnreadableError("its pages lead back to each other")
            addresses.add(following)
            request = HttpRequest("GET", following)

    async def _page(self, request: HttpRequest) -> tuple[Sequence[object], str]:
        """The items of one page, and the address of the next; empty after the last."""
        request.headers["Accept"] = "application/json"
        response = await self._clients.network.send_request(request)
        if response.status_code != _OK:
            raise HttpResponseError(response=response, error_format=ARMErrorFormat)
        page: Any = response.json()
        if not isinstance(page, dict):
            raise UnreadableError("it is no list")
        items, following = page.get("value"), page.get("nextLink") or ""
        # Half a list, or none, must not pass for the whole: what is not listed counts as gone.
        if not isinstance(items, list) or not isinstance(following, str):
            raise UnreadableError("it is no list")
        return items, following

    async def _facts(self, item: object, before: dict[str, tuple[object, tuple[Fact, ...]]]) -> tuple[Fact, ...]:
        """What an item says: one fact, or none where it makes no sense."""
        key = str(item.get("id")) if isinstance(item, dict) else ""
        known = before.get(key)
        if known is None or known[0] != item:
            await asyncio.sleep(0)  # A service may bring a thousand connections; others have their turn in between.
            known = item, every(self._convert, [item])
        self._known[key] = known
        return known[1]
