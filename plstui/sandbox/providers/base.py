"""What every resource type's endpoint does the same way."""

from __future__ import annotations

from typing import ClassVar

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.store import Body


class ResourceEndpoint:
    """Sends each call to the method for its verb; a type overrides what it has."""

    type: ClassVar[str] = ""
    """The full type in ARM's spelling."""

    def __init__(self, azure: Azure) -> None:
        self.azure = azure

    async def handle(self, call: Call) -> Response:
        """Answer a call; raises `ArmError`."""
        if call.action:
            return await self.act(call)
        if call.listing:
            if call.method not in ("GET", "HEAD"):
                raise errors.method_not_allowed(call.method)
            return await self.list(call)
        match call.method:
            case "GET" | "HEAD":
                return await self.get(call)
            case "PUT":
                return await self.put(call)
            case "PATCH":
                return await self.patch(call)
            case "DELETE":
                return await self.delete(call)
            case _:
                raise errors.method_not_allowed(call.method)

    async def get(self, call: Call) -> Response:
        """GET of one resource."""
        return self.answer(call, self.find(call.named))

    async def list(self, call: Call) -> Response:
        """GET of a collection: in a group, or in the whole subscription."""
        found = self.azure.store.in_subscription(call.subscription, self.type)
        if call.path.group:
            group = call.path.group.lower()
            found = [body for body in found if ResourceId(body["id"]).resource_group.lower() == group]
        return Response(200, {"value": [self.shape(call, body) for body in found]})

    async def put(self, call: Call) -> Response:
        """PUT of one resource."""
        raise errors.method_not_allowed(call.method)

    async def patch(self, call: Call) -> Response:
        """PATCH of one resource."""
        raise errors.method_not_allowed(call.method)

    async def delete(self, call: Call) -> Response:
        """DELETE of one resource."""
        raise errors.method_not_allowed(call.method)

    async def act(self, call: Call) -> Response:
        """POST of an action."""
        raise errors.invalid_resource_type(f"{self.type}/{call.action}", call.api_version)

    def find(self, resource_id: ResourceId) -> Body:
        """A resource by id; raises the 404 that ARM gives: the parent is named when it is the one that is missing."""
        found = self.azure.store.get(resource_id)
        if found is not None:
            return dict(found)
        parent = resource_id.parent
        if parent is None or parent.is_type("Microsoft.Resources/resourceGroups"):
            raise errors.resource_not_found(resource_id)
        if self.azure.store.get(parent) is None:
            raise errors.resource_not_found(parent)
        raise errors.child_not_found(resource_id)

    def answer(self, call: Call, body: Body, status: int = 200) -> Response:
        """A resource as the answer to a GET."""
        return Response(status, self.shape(call, body))

    def shape(self, call: Call, body: Body) -> Body:
        """The body as this api-version shows it."""
        return body
