"""What every resource type of Microsoft.Network does the same way: writes, states, etags, deletions.

A write answers at once with what will be; the operation behind it ends with Succeeded in the resource and in what is
nested in it, under a new etag. All of it is read off recorded traffic.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.gateway.operations import Operation
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers import locations
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.network import links, polling, shapes, usages
from plstui.sandbox.providers.network.bodies import (
    DELETING,
    FAILED,
    SUCCEEDED,
    UPDATING,
    essence_of,
    resource_body,
    set_state,
    settle_states,
)
from plstui.sandbox.providers.network.links import parts
from plstui.sandbox.providers.network.refusals import check_match, check_name, not_ready, wrong_type
from plstui.sandbox.store import Body


class NetworkEndpoint(ResourceEndpoint, ABC):
    """A top-level resource type. A subclass says how a request becomes a body (`build`) and what may not be."""

    order: ClassVar[tuple[str, ...]] = ("name", "id", "etag", "type", "location", "tags", "properties")
    """The order in which this type's bodies begin; what is not named here follows."""
    put_pace: ClassVar[Pace] = Pace(3, 3)
    delete_pace: ClassVar[Pace] = Pace(10, 10)

    # What a type says of itself

    @abstractmethod
    def build(self, call: Call, old: Body | None) -> Body:
        """The whole resource that a PUT asks for; raises `ArmError` for what is not allowed.

        `old` is what is there now and is not to be changed; read-only values (`resourceGuid`, an alias) are taken from
        it. States, etags and mirrors of references are seen to by the caller.
        """

    def put_state(self, call: Call, old: Body | None, new: Body) -> str:
        """The state that the answer to a PUT shows when something other than tags changed."""
        return UPDATING

    def check_unused(self, body: Body) -> None:
        """Raise the 400 of a resource that may not be deleted now."""

    def written(self, old: Body | None, new: Body) -> None:
        """Called once a PUT that changes something is in the store, for what changes elsewhere with it."""

    def completed(self, body: Body) -> Body:
        """The resource at the end of an operation; it is a copy and may be changed."""
        return body

    def removed(self, body: Body) -> None:
        """Called once a resource is gone."""

    # Reading

    def stored(self, resource_id: ResourceId) -> Body | None:
        """A resource, or None when it is not there."""
        found = self.azure.store.get(resource_id)
        return None if found is None else dict(found)

    def answer(self, call: Call, body: Body, status: int = 200) -> Response:
        """The answer to a GET, the only one with an ETag header."""
        return Response(status, self.shape(call, body), {"ETag": body["etag"]})

    def shape(self, call: Call, body: Body) -> Body:
        """The body without what this api-version does not know yet."""
        return shapes.shape(body, call.api_version)

    # Writing

    async def put(self, call: Call) -> Response:
        """PUT of one resource: 201 when it is new, 200 otherwise."""
        check_name(call.named)
        old = self.stored(call.named)
        check_match(call, old)
        self.check_not_deleting(old)
        new = self.build(call, old)
        if old is None:
            usages.check(self.azure, call.subscription, new["location"], self.type)
        changed, state = self.difference(call, old, new)
        if not changed and old is not None:
            new = old
        else:
            settle_states(new, state)
            links.stamp(new, links.new_etag())
            links.replace(self.azure.store, old, new)
            self.written(old, new)
            new = self.stored(call.named) or new
        operation = self.start(call, new, self.pace_of(state), lambda op: self.end_put(op, new["id"]))
        return self.accepted(call, new, operation, created=old is None)

    def pace_of(self, state: str) -> Pace:
        """How long the operation of a PUT takes: no time when the answer says Succeeded already."""
        return self.put_pace if state == UPDATING else Pace(0.0)

    def difference(self, call: Call, old: Body | None, new: Body) -> tuple[bool, str]:
        """Whether a PUT changes anything, and the state its answer shows: tags alone are no work."""
        if old is None:
            return True, self.put_state(call, old, new)
        before, after = essence_of(old), essence_of(new)
        if before == after and old["properties"].get("provisioningState") != FAILED:
            return False, SUCCEEDED
        for body in (before, after):
            body.pop("tags", None)
        return True, SUCCEEDED if before == after else self.put_state(call, old, new)

    def accepted(self, call: Call, body: Body, operation: Operation, *, created: bool) -> Response:
        """The answer to a PUT: the resource, and where to ask about the rest. No ETag and no Location."""
        headers = polling.async_headers(self.azure, call, operation, location=False)
        return Response(201 if created else 200, self.shape(call, body), headers)

    async def patch(self, call: Call) -> Response:
        """PATCH: tags, at once."""
        old = self.find(call.named)
        self.check_not_deleting(old)
        new = links.fork(old)
        new["tags"] = call.fields.tags()
        links.stamp(new, links.new_etag())
        self.azure.store.put(new)
        return Response(200, self.shape(call, new), {"Azure-AsyncNotification": "Enabled"})

    async def delete(self, call: Call) -> Response:
        """DELETE: 204 when there is nothing to delete; until the operation has ended the resource can be seen."""
        body = self.stored(call.named)
        if body is None:
            return Response(204)
        under_way = self.azure.operations.under_way(call.named.key)
        if body["properties"].get("provisioningState") == DELETING and under_way:
            return Response(202, None, polling.async_headers(self.azure, call, under_way, location=True))
        self.check_unused(body)
        leaving = links.fork(body)
        leaving["properties"]["provisioningState"] = DELETING
        links.stamp(leaving, links.new_etag())
        self.azure.store.put(leaving)
        operation = self.start(call, leaving, self.delete_pace, lambda op: self.discard(call.named), result=False)
        return Response(202, None, polling.async_headers(self.azure, call, operation, location=True))

    def discard(self, resource_id: ResourceId) -> None:
        """Remove a resource and the mirrors of its references without asking whether it is in use."""
        body = self.stored(resource_id)
        if body is not None:
            links.replace(self.azure.store, body, None)
            self.removed(body)

    def start(
        self, call: Call, body: Body, pace: Pace, end: Callable[[Operation], Any], *, result: bool = True
    ) -> Operation:
        """Begin an operation on a top-level resource."""
        resource_id = body["id"]
        operation: Operation = self.azure.operations.start(
            lambda: end(operation),
            pace,
            subscription=call.subscription,
            location=body["location"],
            api_version=call.api_version,
            result_id=resource_id if result else None,
            target=resource_id,
            on_failure=lambda: self._set_state(resource_id, FAILED),
        )
        return operation

    def end_put(self, operation: Operation, resource_id: str) -> None:
        """Succeeded, unless a later write has taken over."""
        if self.azure.operations.under_way(resource_id) is operation:
            self._set_state(resource_id, SUCCEEDED)

    def _set_state(self, resource_id: str, state: str) -> None:
        """End what is under way in a resource and in what is nested in it. A failure shows even where nothing was."""
        old = self.stored(ResourceId(resource_id))
        if old is None:
            return
        new = links.fork(old)
        passing = (UPDATING, DELETING) if state == FAILED else (UPDATING,)
        ending = [part for part in parts(new) if part["properties"].get("provisioningState") in passing]
        if not ending and state == SUCCEEDED:
            return
        for part in ending or [new]:
            set_state(part, state)
        if state == SUCCEEDED:
            new = self.completed(new)
        links.stamp(new, links.new_etag())
        links.replace(self.azure.store, old, new)

    # Checks and helpers for `build`

    def check_not_deleting(self, body: Body | None) -> None:
        """Raise the 409 for a write on a resource that is on its way out."""
        if body is not None and body["properties"].get("provisioningState") == DELETING:
            raise ArmError(
                409,
                "AnotherOperationInProgress",
                f"Another operation on this or dependent resource is in progress. Resource {body['id']} is being "
                "deleted.",
                details=(),
            )

    def location(self, call: Call, old: Body | None) -> str:
        """The region asked for; raises the 400 for an unknown one and the 409 for a move."""
        asked = call.fields.text("location")
        if old is not None and not asked:
            return str(old["location"])
        name = locations.check(asked, self.type)
        if old is not None and name != old["location"]:
            raise ArmError(
                409,
                "InvalidResourceLocation",
                f"The resource '{call.named.name}' already exists in location '{old['location']}' in resource group "
                f"'{call.named.resource_group}'. A resource with the same name cannot be created in location '{name}'. "
                "Please select a new resource name.",
            )
        return name

    def head(self, call: Call, old: Body | None, properties: Body, **more: Any) -> Body:
        """A body in ARM's order. An existing resource keeps the spelling of its id; tags are there when sent."""
        resource_id = ResourceId(old["id"]) if old else call.named
        tags = {"tags": call.fields.tags()} if "tags" in call.fields else {}
        guid = old["properties"].get("resourceGuid") if old else None
        body = resource_body(
            resource_id,
            self.type,
            self.location(call, old),
            {"resourceGuid": guid or self.azure.new_guid(), **properties},
            **tags,
            **more,
        )
        return {name: body[name] for name in self.order if name in body} | body

    def require(
        self, wanted: ResourceId, *, by: ResourceId, kind: str, call: Call, location: str = "", shouting: bool = False
    ) -> Body:
        """What a reference leads to. Raises: wrong type, foreign tenant, not there or in another region, not ready.

        `location` is the region that it has to be in; empty where any will do.
        """
        if not wanted.is_type(kind):
            raise wrong_type(wanted, kind)
        self._check_tenant(wanted, kind, call)
        found = self.azure.store.get(wanted)
        root = self.azure.store.get(links.root_id(wanted)) if found is not None else None
        if found is None or root is None or (location and root.get("location") != location):
            raise errors.invalid_reference(wanted, by, shouting=shouting)
        state = found["properties"].get("provisioningState")
        if state in (UPDATING, DELETING):
            raise not_ready(ResourceId(found["id"]), by, state)
        return dict(found)

    def _check_tenant(self, wanted: ResourceId, kind: str, call: Call) -> None:
        """Other tenants' resources cannot be joined, whether they are there or not."""
        subscription = self.azure.directory.subscriptions.get(wanted.subscription.lower())
        if subscription is not None and subscription.tenant.lower() == call.client.tenant.lower():
            return
        raise errors.linked_authorization_failed(
            f"{kind}/join/action", call.named, call.client.tenant, wanted.subscription
        )
