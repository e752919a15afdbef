"""How worlds are built: requests in the name of a subscription's owner."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from plstui.sandbox.gateway.messages import Request, Response

LOCATION = "westeurope"

NETWORK = "2024-05-01"
COMPUTE = "2024-07-01"
PRIVATE_DNS = "2020-06-01"
RESOURCES = "2022-09-01"
"""The api-versions of what a world is built with."""


class WorldError(Exception):
    """A world could not be built: the sandbox refused one of its own requests."""


@dataclass(frozen=True, slots=True)
class Account:
    """One subscription, and a way to ARM with its owner's rights."""

    subscription: str
    send: Callable[[Request], Awaitable[Response]]

    async def try_request(self, method: str, path: str, api_version: str, body: Any = None) -> Response:
        """Send one request; the answer may be a refusal."""
        content = b"" if body is None else json.dumps(body).encode()
        return await self.send(Request(method, path, {"api-version": api_version}, content=content))

    async def request(self, method: str, path: str, api_version: str, body: Any = None) -> Any:
        """Send one request; returns the body of the answer. Raises `WorldError` for a refusal."""
        response = await self.try_request(method, path, api_version, body)
        if response.status >= 400:
            raise WorldError(f"{method} {path}: {response.status} {json.dumps(response.body)}")
        return response.body

    def id_of(self, group: str, kind: str) -> str:
        """The id of a resource of `kind` (`Provider/type/name…`) in a group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{group}/providers/Microsoft.{kind}"

    async def put(
        self,
        group: str,
        kind: str,
        properties: dict[str, Any],
        *,
        api_version: str = NETWORK,
        location: str = LOCATION,
        **more: Any,
    ) -> str:
        """PUT one resource of `kind` into a group; returns its id. Raises `WorldError`."""
        resource_id = self.id_of(group, kind)
        body = {"location": location, "properties": properties, **more}
        await self.request("PUT", resource_id, api_version, body)
        return resource_id

    async def put_group(self, name: str, location: str = LOCATION) -> None:
        """PUT a resource group. Raises `WorldError`."""
        path = f"/subscriptions/{self.subscription}/resourceGroups/{name}"
        await self.request("PUT", path, RESOURCES, {"location": location})
