"""Sub-resources of Microsoft.Network with verbs of their own."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.gateway.operations import Operation
from plstui.sandbox.providers.network import links, polling
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.providers.network.bodies import DELETING, UPDATING, settle_states, with_child, without_child
from plstui.sandbox.providers.network.refusals import check_match, check_name
from plstui.sandbox.store import Body


class NetworkChild(NetworkEndpoint):
    """A sub-resource that stands inside its parent and has verbs of its own."""

    restamps: ClassVar[bool] = False
    """Whether a PUT that changes nothing gives a new etag all the same."""

    always_updates: ClassVar[bool] = False
    """Whether a PUT that changes nothing is Updating all the same: of some types every recorded one is."""

    @property
    def collection(self) -> str:
        """The parent's property that holds it."""
        return self.type.rpartition("/")[2]

    @abstractmethod
    def build_child(self, call: Call, parent: Body, old: Body | None) -> Body:
        """The sub-resource that a PUT asks for, as `build` does it for a top-level one."""

    def build(self, call: Call, old: Body | None) -> Body:
        """Children are built within their parents."""
        return self.build_child(call, self.parent(call), old)

    def difference(self, call: Call, old: Body | None, new: Body) -> tuple[bool, str]:
        """Whether a PUT changes anything, and the state that its answer shows."""
        return (True, UPDATING) if self.always_updates else super().difference(call, old, new)

    def check_child_unused(self, parent: Body, child: Body) -> None:
        """Raise the 400 of a child that may not be deleted now."""

    def child_put(self, parent: Body, child: Body) -> None:
        """Called once the PUT of a child is in the store."""

    def child_removed(self, parent: Body, child: Body) -> None:
        """Called once a child is gone."""

    def check_parent(self, call: Call, parent: Body) -> None:
        """Raise the refusal of a parent that takes no write now."""
        self.check_not_deleting(parent)

    def parent(self, call: Call) -> Body:
        """The resource that the child is in; raises the 404 that names it."""
        parent_id = call.named if call.listing else call.named.parent
        parent = self.stored(parent_id) if parent_id else None
        if parent is None or parent_id is None:
            raise errors.resource_not_found(parent_id or call.named)
        return parent

    async def list(self, call: Call) -> Response:
        """GET of the children of one parent."""
        children = self.parent(call)["properties"].get(self.collection) or []
        return Response(200, {"value": [self.shape(call, child) for child in children]})

    async def put(self, call: Call) -> Response:
        """PUT of a child: its parent changes with it."""
        check_name(call.named)
        parent = self.parent(call)
        self.check_parent(call, parent)
        old = links.part_of(parent, call.named)
        check_match(call, old)
        self.check_not_deleting(old)
        child = self.build_child(call, parent, old)
        changed, state = self.difference(call, old, child)
        if changed or self.restamps:
            settle_states(child, state)
            after = with_child(parent, self.collection, child)
            after["properties"]["provisioningState"] = state
            links.stamp(after, links.new_etag())
            links.replace(self.azure.store, parent, after)
            self.child_put(after, child)
        else:
            after = parent
        operation = self.start(call, after, self.pace_of(state), lambda op: self.end_put(op, after["id"]))
        shown = links.part_of(after, call.named)
        assert shown is not None, f"{call.named} was just put"
        return self.accepted(call, shown, operation, created=old is None)

    async def delete(self, call: Call) -> Response:
        """DELETE of a child."""
        parent = self.parent(call)
        child = links.part_of(parent, call.named)
        if child is None:
            return Response(204)
        self.check_parent(call, parent)
        self.check_child_unused(parent, child)
        leaving = links.fork(child)
        leaving["properties"]["provisioningState"] = DELETING
        after = with_child(parent, self.collection, leaving)
        after["properties"]["provisioningState"] = UPDATING
        links.stamp(after, links.new_etag())
        self.azure.store.put(after)
        operation = self.start(call, after, self.delete_pace, lambda op: self._end_delete(op, call.named), result=False)
        return Response(202, None, polling.async_headers(self.azure, call, operation, location=True))

    def _end_delete(self, operation: Operation, child_id: ResourceId) -> None:
        parent_id = child_id.parent
        parent = self.stored(parent_id) if parent_id else None
        if parent is None:
            return
        child = links.part_of(parent, child_id)
        after = without_child(parent, self.collection, child_id.name)
        links.stamp(after, links.new_etag())
        links.replace(self.azure.store, parent, after)
        if child is not None:
            self.child_removed(after, child)
        self.end_put(operation, after["id"])

    async def patch(self, call: Call) -> Response:
        """Children have no tags."""
        raise errors.method_not_allowed(call.method)
