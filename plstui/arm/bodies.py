"""Resources as ARM's JSON, by id: what the lab is built on."""

from __future__ import annotations

from plstui.arm import health
from plstui.arm.road import Body, Road, path_of
from plstui.domain.errors import NotFoundError
from plstui.domain.ids import ResourceId
from plstui.domain.resources import BalancerHealth

VIEWED = ("Microsoft.Compute/virtualMachines", "Microsoft.Compute/virtualMachines/runCommands")
"""Types whose state stands in an instance view, which has to be asked for."""


class Bodies:
    """Reads resources of one subscription by id; implements the engine's `CloudBodies`.

    Every method raises `PlstuiError` and nothing else.
    """

    def __init__(self, road: Road) -> None:
        self._road = road

    async def get(self, resource_id: ResourceId) -> Body | None:
        """A resource as it is now; None when it is not there. Machines and run commands come with their view."""
        view = {"$expand": "instanceView"} if any(map(resource_id.is_type, VIEWED)) else {}
        try:
            return await self._road.get(path_of(resource_id), resource_id.type, **view)
        except NotFoundError as error:
            if not error.is_absence:
                raise
            return None

    async def collect(self, path: str, kind: str, **query: str) -> list[Body]:
        """All items of a list at a path; `kind` is the full type that says the api-version."""
        pages = self._road.pages(path, kind, **query)
        return [item async for items in pages for item in items if isinstance(item, dict)]

    async def health(self, rule_id: ResourceId) -> BalancerHealth:
        """How the members behind a load-balancing rule are."""
        return await health.of_rule(self._road, rule_id)
