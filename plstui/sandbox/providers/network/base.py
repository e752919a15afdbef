"""What every resource type of Microsoft.Network does the same way: writes, states, etags, deletions.

A write answers at once with what will be; the operation behind it ends with Succeeded in the resource and in what is
nested in it, under a new etag. Sources: recorded traffic; `docs` of Microsoft only where a text is said to be so.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar
from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.gateway.operations import Operation
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers import locations
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.network import derived, links, polling, shapes
from plstui.sandbox.providers.network.links import parts
from plstui.sandbox.store import Body

SUCCEEDED, UPDATING, DELETING, FAILED = "Succeeded", "Updating", "Deleting", "Failed"

STEADY = frozenset(
    f"microsoft.network/{kind}".lower()
    for kind in (
        "privateLinkServices/ipConfigurations",
        "privateEndpoints/privateLinkServiceConnections",
        "privateEndpoints/manualPrivateLinkServiceConnections",
        "privateEndpoints/ipConfigurations",
        "privateEndpoints/privateDnsZoneGroups",
        "privateEndpoints/privateDnsZoneGroups/privateDnsZoneConfigs",
        "privateLinkServices/privateEndpointConnections",
        "virtualNetworks/virtualNetworkPeerings",
        "virtualNetworks/subnets/delegations",
    )
)
"""Nested types that stay Succeeded while what they are in is Updating."""


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
        self.check_not_deleting(old)
        new = self.build(call, old)
        changed, state = self.difference(call, old, new)
        if not changed and old is not None:
            new = old
        else:
            _settle_states(new, state)
            links.stamp(new, links.new_etag())
            links.replace(self.azure.store, old, new)
            self.written(old, new)
            new = self.stored(call.named) or new
        operation = self.start(call, new, self.pace_of(state), lambda op: self._end_put(op, new["id"]))
        return self.accepted(call, new, operation, created=old is None)

    def pace_of(self, state: str) -> Pace:
        """How long the operation of a PUT takes: no time when the answer says Succeeded already."""
        return self.put_pace if state == UPDATING else Pace(0.0)

    def difference(self, call: Call, old: Body | None, new: Body) -> tuple[bool, str]:
        """Whether a PUT changes anything, and the state its answer shows: tags alone are no work."""
        if old is None:
            return True, self.put_state(call, old, new)
        before, after = _essence(old), _essence(new)
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

    def _end_put(self, operation: Operation, resource_id: str) -> None:
        """Succeeded, unless a later write has taken over."""
        if self.azure.operations.under_way(resource_id) is operation:
            self._set_state(resource_id, SUCCEEDED)

    def _set_state(self, resource_id: str, state: str) -> None:
        """End what is under way in a resource and in what is nested in it; nothing happens when nothing is."""
        old = self.stored(ResourceId(resource_id))
        passing = (UPDATING, DELETING) if state == FAILED else (UPDATING,)
        if old is None or not any(part["properties"].get("provisioningState") in passing for part in parts(old)):
            return
        new = links.fork(old)
        for part in parts(new):
            if part["properties"].get("provisioningState") in passing:
                part["properties"]["provisioningState"] = state
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
        body = {
            "name": resource_id.name,
            "id": resource_id.text,
            "etag": "",
            "type": self.type,
            "location": self.location(call, old),
            **tags,
            "properties": {
                "provisioningState": SUCCEEDED,
                "resourceGuid": guid or str(uuid4()),
                **properties,
            },
            **more,
        }
        return {name: body[name] for name in self.order if name in body} | body

    def require(
        self, wanted: ResourceId, *, by: ResourceId, kind: str, call: Call, location: str = "", shouting: bool = False
    ) -> Body:
        """What a reference leads to. Raises: wrong type, foreign tenant, not there or in another region, not ready.

        `location` is the region that it has to be in; empty where any will do.
        """
        if not wanted.is_type(kind):
            raise _wrong_type(wanted, kind)
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


class NetworkChild(NetworkEndpoint):
    """A sub-resource that stands inside its parent and has verbs of its own."""

    restamps: ClassVar[bool] = False
    """Whether a PUT that changes nothing gives a new etag all the same."""

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
        self.check_not_deleting(old)
        child = self.build_child(call, parent, old)
        changed, state = self.difference(call, old, child)
        if changed or self.restamps:
            _settle_states(child, state)
            after = with_child(parent, self.collection, child)
            after["properties"]["provisioningState"] = state
            links.stamp(after, links.new_etag())
            links.replace(self.azure.store, parent, after)
            self.child_put(after, child)
        else:
            after = parent
        operation = self.start(call, after, self.pace_of(state), lambda op: self._end_put(op, after["id"]))
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
        self._end_put(operation, after["id"])

    async def patch(self, call: Call) -> Response:
        """Children have no tags."""
        raise errors.method_not_allowed(call.method)


_NAME = re.compile(r"[A-Za-z0-9]([\w.-]{0,78}\w)?", re.ASCII)


def check_name(resource_id: ResourceId) -> None:
    """Raise the 400 for a name that Microsoft.Network does not take."""
    if not _NAME.fullmatch(resource_id.name):
        raise errors.bad_request(
            "InvalidResourceName",
            f"Resource name {resource_id.name[:100]} is invalid. The name can be up to 80 characters long. It must "
            "begin with a word character, and it must end with a word character or with '_'. The name may contain word "
            "characters or '.', '-', '_'.",
        )


def missing(name: str, where: str = "") -> ArmError:
    """400 for a property that has to be there."""
    path = f"{where}.{name}" if where else name
    return errors.bad_request(
        "InvalidRequestFormat",
        "Cannot parse the request.",
        [{"code": "MissingJsonProperty", "message": f"Missing value for JSON required property '{path}'."}],
    )


def check_unique(owner: ResourceId, names: Iterable[str]) -> None:
    """Raise the 400 for two sub-resources of one name."""
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise errors.bad_request(
                "DuplicateResourceName", f"Resource {owner} has two child resources with the same name ({name})."
            )
        seen.add(name.lower())


def child_name(sent: Fields, owner: ResourceId, collection: str) -> str:
    """The name of a sub-resource in a list; raises the 400 for none and for one that is not taken."""
    name = sent.text("name")
    if not name:
        raise missing("name", sent.where)
    check_name(owner.child(collection, name))
    return name


def with_child(parent: Body, collection: str, child: Body) -> Body:
    """A copy of the parent with a child put in, in the place of the one with its name."""
    after = links.fork(parent)
    children: list[Body] = after["properties"].setdefault(collection, [])
    for at, present in enumerate(children):
        if present["name"].lower() == child["name"].lower():
            children[at] = child
            return after
    children.append(child)
    return after


def without_child(parent: Body, collection: str, name: str) -> Body:
    """A copy of the parent without a child."""
    after = links.fork(parent)
    children = after["properties"].get(collection) or []
    after["properties"][collection] = [child for child in children if child["name"].lower() != name.lower()]
    return after


def child_body(parent_id: ResourceId, resource_type: str, name: str, properties: Body) -> Body:
    """A sub-resource in ARM's order; `resource_type` is the full type."""
    return {
        "name": name,
        "id": parent_id.child(resource_type.rpartition("/")[2], name).text,
        "etag": "",
        "properties": {"provisioningState": SUCCEEDED, **properties},
        "type": resource_type,
    }


def _settle_states(body: Body, state: str) -> None:
    """Show the state of a write in a resource and in what is nested in it."""
    for part in parts(body):
        if part is body or part["type"].lower() not in STEADY:
            part["properties"]["provisioningState"] = state


def _essence(body: Body) -> Body:
    """What a write can change: without etags, states and mirrors."""
    essence = links.fork(body)
    for part in parts(essence):
        part.pop("etag", None)
        part["properties"].pop("provisioningState", None)
        for name in links.back_references(part["type"]):
            part["properties"].pop(name, None)
        derived.strip(part)
    return essence


def _wrong_type(wanted: ResourceId, kind: str) -> ArmError:
    return errors.bad_request(
        "InvalidRequestFormat",
        "Cannot parse the request.",
        [
            {
                "code": "InvalidJsonReferenceWrongType",
                "message": f"Reference Id {wanted.text[:300]} is referencing resource of a wrong type. The Id is "
                f"expected to reference resources of type {kind.partition('/')[2]}.",
            }
        ],
    )


def not_ready(resource: ResourceId, by: ResourceId, state: str) -> ArmError:
    """429, which is no throttling: what is referred to has not got there yet."""
    kind = resource.type.rpartition("/")[2]
    singular = kind[:-2] if kind.endswith("sses") else kind.removesuffix("s")
    verb = "Delete" if state == DELETING else "Put"
    return ArmError(
        429,
        "RetryableError",
        "A retryable error occurred.",
        details=[
            {
                "code": "ReferencedResourceNotProvisioned",
                "message": f"Cannot proceed with operation because resource {resource} used by resource {by} is not in "
                f"Succeeded state. Resource is in {state} state and the last operation that updated/is updating the "
                f"resource is {verb}{singular[:1].upper()}{singular[1:]}Operation.",
            }
        ],
    )


def busy(call: Call, uri: str) -> ArmError:
    """409 for a write while another one on the same resource is under way."""
    return ArmError(
        409,
        "AnotherOperationInProgress",
        "Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: "
        f"{uri}.",
        details=(),
    )
