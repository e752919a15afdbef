"""Sub-resources that can be read by themselves and are written with what they are in."""

from __future__ import annotations

from typing import ClassVar

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.network import shapes
from plstui.sandbox.store import Body


class ReadOnlyChild(ResourceEndpoint):
    """One such type."""

    async def list(self, call: Call) -> Response:
        """GET of all of one parent."""
        parent = self.azure.store.get(call.named)
        if parent is None:
            raise errors.resource_not_found(call.named)
        found = parent["properties"].get(self.type.rpartition("/")[2]) or []
        return Response(200, {"value": [self.shape(call, child) for child in found]})

    def answer(self, call: Call, body: Body, status: int = 200) -> Response:
        """One of them, with the etag that it shares with its parent."""
        return Response(status, self.shape(call, body), {"ETag": body["etag"]})

    def shape(self, call: Call, body: Body) -> Body:
        """The body without what this api-version does not know yet."""
        return shapes.shape(body, call.api_version)


def read_only(azure: Azure, resource_type: str) -> ReadOnlyChild:
    """The endpoint of a type of which nothing more is to be said."""

    class Child(ReadOnlyChild):
        type: ClassVar[str] = resource_type

    return Child(azure)
