"""Every resource of every subscription, as ARM would answer it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from plstui.domain.ids import ResourceId
from plstui.sandbox.ports import Json

Body = dict[str, Any]


class Store:
    """Resources by id. A body is never changed once it is in here: a change puts another one.

    Subnets, rules, frontends and the like stand inside their parents, as in ARM's answers, and are found there.
    What has a life of its own under a parent (record sets, zone links) is a resource of its own.
    """

    def __init__(self) -> None:
        self._bodies: dict[str, Body] = {}
        self._by_type: dict[str, dict[str, Body]] = {}
        self._by_group: dict[str, dict[str, Body]] = {}
        self._listeners: list[Callable[[str], None]] = []

    def subscribe(self, listener: Callable[[str], None]) -> None:
        """Call `listener(resource_id)` after each creation, change or deletion of a resource."""
        self._listeners.append(listener)

    def put(self, body: Body) -> None:
        """Create or replace a resource under `body["id"]`; a body that is in here already changes nothing."""
        resource_id = ResourceId(body["id"])
        if self._bodies.get(resource_id.key) is body:
            return
        self._bodies[resource_id.key] = body
        self._by_type.setdefault(resource_id.type.lower(), {})[resource_id.key] = body
        self._by_group.setdefault(_group_key(resource_id), {})[resource_id.key] = body
        self._tell(resource_id.text)

    def delete(self, resource_id: ResourceId) -> None:
        """Remove a resource and what hangs under it as resources of their own; nothing happens when it is not there."""
        for key in [key for key in self._by_group.get(_group_key(resource_id), {}) if _is_under(key, resource_id.key)]:
            body = self._bodies.pop(key, None)
            if body is None:
                continue  # A listener has been quicker.
            del self._by_type[ResourceId(body["id"]).type.lower()][key]
            del self._by_group[_group_key(resource_id)][key]
            self._tell(body["id"])

    def _tell(self, resource_id: str) -> None:
        for listener in self._listeners:
            listener(resource_id)

    def get(self, resource_id: str | ResourceId) -> Json | None:
        """One resource or sub-resource by id (any case); None when there is none."""
        wanted = resource_id if isinstance(resource_id, ResourceId) else ResourceId(resource_id)
        if body := self._bodies.get(wanted.key):
            return body
        parent_id = wanted.parent
        if parent_id is None or parent_id.is_type("Microsoft.Resources/resourceGroups"):
            return None
        parent = self.get(parent_id)
        return child_of(parent, wanted.type.rpartition("/")[2], wanted.name) if parent else None

    def of_type(self, resource_type: str) -> Sequence[Body]:
        """Every resource of a type (any case), of all subscriptions, in the order of creation."""
        return list(self._by_type.get(resource_type.lower(), {}).values())

    def in_group(self, group_id: ResourceId) -> Sequence[Body]:
        """Every resource in a group, without the group itself, in the order of creation."""
        return [body for key, body in self._by_group.get(_group_key(group_id), {}).items() if key != group_id.key]

    def in_subscription(self, subscription: str, resource_type: str) -> Sequence[Body]:
        """Every resource of a type in one subscription."""
        start = f"/subscriptions/{subscription.lower()}/"
        return [body for key, body in self._by_type.get(resource_type.lower(), {}).items() if key.startswith(start)]

    def __iter__(self) -> Iterator[Body]:
        return iter(list(self._bodies.values()))

    def __len__(self) -> int:
        return len(self._bodies)


def child_of(parent: Json, collection: str, name: str) -> Json | None:
    """A sub-resource that stands inside its parent's properties; collection and name in any case."""
    properties = parent.get("properties") or {}
    items = next((value for key, value in properties.items() if key.lower() == collection.lower()), None)
    if not isinstance(items, list):
        return None
    return next((item for item in items if str(item.get("name", "")).lower() == name.lower()), None)


def _group_key(resource_id: ResourceId) -> str:
    return f"{resource_id.subscription}/{resource_id.resource_group}".lower()


def _is_under(key: str, parent_key: str) -> bool:
    return key == parent_key or key.startswith(parent_key + "/")
