"""A request that has passed the front door, and what answers it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.errors import invalid_content
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.gateway.routing import Path
from plstui.sandbox.gateway.tokens import Client


@dataclass(frozen=True)
class Call:
    """One request with everything the gateway found out about it."""

    request: Request
    path: Path
    client: Client
    body: Any = None
    """The parsed JSON."""
    id: ResourceId | None = None
    """The resource that the path names, in ARM's spelling; for a list under a parent, the parent; else None."""
    action: str = ""
    """The last word of the path in lower case, where it is an action on `id`."""
    listing: bool = False
    """Whether the path names a collection."""

    @property
    def method(self) -> str:
        """GET, PUT, PATCH, POST, DELETE or HEAD."""
        return self.request.method

    @property
    def api_version(self) -> str:
        """The `api-version` of the request."""
        return self.request.query.get("api-version", "")

    @property
    def subscription(self) -> str:
        """The subscription's id, as typed."""
        return self.path.subscription

    @property
    def named(self) -> ResourceId:
        """`id`, for calls that name a resource."""
        assert self.id is not None, f"{self.request.path} names no resource"
        return self.id

    @property
    def group_id(self) -> ResourceId:
        """The resource group that the path is in."""
        return ResourceId(f"/subscriptions/{self.path.subscription}/resourceGroups/{self.path.group}")

    @cached_property
    def fields(self) -> Fields:
        """The body as an object; raises the 400 of ARM when it is none."""
        if self.body is None:
            raise invalid_content("The request body is empty")
        return Fields(self.body)


class Endpoint(Protocol):
    """Answers the calls to one resource type: named resources, lists and actions."""

    type: ClassVar[str]
    """The full type in ARM's spelling, `Microsoft.Network/virtualNetworks/subnets`."""

    async def handle(self, call: Call) -> Response:
        """Answer; raises `ArmError`."""


class FrontDoor(Protocol):
    """Answers what belongs to no provider's type: subscriptions, groups, `/resources`, provider registrations."""

    async def handle(self, call: Call) -> Response:
        """Answer; raises `ArmError`."""

    def check_group(self, call: Call) -> None:
        """Raise the error of ARM when the group in the path is not there or being deleted."""
