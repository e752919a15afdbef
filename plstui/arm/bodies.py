"""Resources as ARM's JSON, by id: what the lab is built on.

The typed clients know each type by a model of its own; a plan that is data needs one way for all of them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from azure.core.rest import HttpRequest

from plstui.arm import health
from plstui.arm.clients import Clients
from plstui.arm.versions import api_version
from plstui.domain.errors import AzureError, NotFoundError
from plstui.domain.ids import ResourceId
from plstui.domain.resources import BalancerHealth

VIEWED = ("Microsoft.Compute/virtualMachines", "Microsoft.Compute/virtualMachines/runCommands")
"""Types whose state stands in an instance view, which has to be asked for."""

Body = dict[str, Any]


class Bodies:
    """Reads resources of one subscription by id; implements the engine's `CloudBodies`.

    Every method raises `PlstuiError` and nothing else.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def get(self, resource_id: ResourceId) -> Body | None:
        """A resource as it is now; None when it is not there. Machines and run commands come with their view."""
        query = {"api-version": api_version(resource_id.type)}
        if any(map(resource_id.is_type, VIEWED)):
            query["$expand"] = "instanceView"
        try:
            return await self._read(resource_id.text, query)
        except NotFoundError as error:
            if not error.is_absence:
                raise
            return None

    async def collect(self, path: str, kind: str, **query: str) -> list[Body]:
        """All items of a list at a path, page after page; `kind` is the full type that says the api-version."""
        items: list[Body] = []
        page = await self._read(path, {"api-version": api_version(kind), **query})
        while True:
            items += page.get("value") or []
            if not page.get("nextLink"):
                return items
            page = await self._read_url(page["nextLink"])

    async def health(self, rule_id: ResourceId) -> BalancerHealth:
        """How the members behind a load-balancing rule are."""
        return await health.of_rule(self._clients, rule_id)

    async def _read(self, path: str, query: dict[str, str]) -> Body:
        return await self._read_url(f"{path}?{urlencode(query)}")

    async def _read_url(self, url: str) -> Body:
        async with self._clients.translated():
            response = await self._clients.resources.send_request(HttpRequest("GET", url))
            response.raise_for_status()
            body = response.json()
        if not isinstance(body, dict):
            raise AzureError("Azure's answer is not what it should be.", code="UnexpectedAnswer")
        return body
