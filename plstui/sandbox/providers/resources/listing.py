"""The list of all resources, and lists in general: filters, pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import routing
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.providers.resources import odata
from plstui.sandbox.store import Body

PAGE = 1000
"""Rows of a page where the client does not ask for fewer."""

RESOURCE_FILTER = frozenset(
    {"name", "resourcetype", "resourcegroup", "location", "tagname", "tagvalue", "plan/name", "plan/publisher"}
    | {"identity/principalid", "kind", "sku/name"}
)
GROUP_FILTER = frozenset({"name", "location", "tagname", "tagvalue"})

_SHOWN = ("sku", "kind", "managedBy", "plan", "identity", "zones", "extendedLocation", "location", "tags")
"""What the list tells of a resource beside id, name and type; the rest is for the provider's own answers."""


class Ages:
    """When each resource was created and last changed."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self._times: dict[str, tuple[datetime, datetime]] = {}
        azure.store.subscribe(self._note)

    def _note(self, resource_id: str) -> None:
        key = resource_id.lower()
        if self._azure.store.get(resource_id) is None:
            self._times.pop(key, None)
            return
        now = self._azure.clock.now()
        self._times[key] = (self._times.get(key, (now, now))[0], now)

    def created(self, resource_id: str) -> datetime | None:
        """When a resource was created."""
        return self._times[resource_id.lower()][0] if resource_id.lower() in self._times else None

    def changed(self, resource_id: str) -> datetime | None:
        """When a resource was last changed."""
        return self._times[resource_id.lower()][1] if resource_id.lower() in self._times else None


def resources(call: Call, bodies: Iterable[Body], ages: Ages) -> Response:
    """The list of resources, filtered and in pages, with what `$expand` asks for."""
    tracked = [body for body in bodies if is_tracked(body)]
    found = filtered(call, tracked, RESOURCE_FILTER)
    expand = {word.strip().lower() for word in call.request.query.get("$expand", "").split(",")}
    return page(call, found, show=lambda body: _summary(body, expand, ages))


def is_tracked(body: Body) -> bool:
    """Whether ARM keeps track of a resource itself: what has a location, and is no group."""
    return "location" in body and body.get("type") != "Microsoft.Resources/resourceGroups"


def _summary(body: Body, expand: set[str], ages: Ages) -> Body:
    resource_id = ResourceId(body["id"])
    parts = resource_id.key.partition("/providers/")[2].count("/")
    name = body["name"]
    if parts > 2:
        # The list names a child by its parent too.
        segments = resource_id.text.split("/")
        name = "/".join(segments[len(segments) - parts + 1 :: 2])
    summary: Body = {"id": body["id"], "name": name, "type": resource_id.type}
    summary |= {key: body[key] for key in _SHOWN if body.get(key) not in (None, [])}
    if "createdtime" in expand and (created := ages.created(body["id"])):
        summary["createdTime"] = timestamp(created)
    if "changedtime" in expand and (changed := ages.changed(body["id"])):
        summary["changedTime"] = timestamp(changed)
    if "provisioningstate" in expand:
        summary["provisioningState"] = (body.get("properties") or {}).get("provisioningState", "Succeeded")
    return summary


def filtered(call: Call, bodies: Sequence[Body], known: frozenset[str]) -> list[Body]:
    """The bodies that `$filter` lets through; a condition on tags holds when one tag fulfils it."""
    text = call.request.query.get("$filter", "").strip()
    if not text:
        return list(bodies)
    condition = odata.parse(text, known)
    return [body for body in bodies if any(condition(row) for row in _rows(body))]


def _rows(body: Body) -> Iterator[Mapping[str, str | None]]:
    resource_id = ResourceId(body["id"])
    row = {
        "name": body["name"],
        "resourcetype": resource_id.type,
        "resourcegroup": resource_id.resource_group,
        "location": body.get("location"),
        "kind": body.get("kind"),
        "sku/name": (body.get("sku") or {}).get("name"),
        "plan/name": (body.get("plan") or {}).get("name"),
        "plan/publisher": (body.get("plan") or {}).get("publisher"),
        "identity/principalid": (body.get("identity") or {}).get("principalId"),
    }
    tags = body.get("tags") or {}
    if not tags:
        yield row
    for name, value in tags.items():
        yield {**row, "tagname": name, "tagvalue": value}


def page(
    call: Call, rows: Sequence[Any], largest: int = PAGE, *, show: Callable[[Any], Any] = lambda row: row
) -> Response:
    """One page of a list, each row as `show` gives it.

    `$top` sets the page's size, and the address of the next one comes with it.
    """
    size = min(_whole(call, "$top", largest), largest) or largest
    start = _whole(call, "$skiptoken", 0)
    answer: dict[str, Any] = {"value": [show(row) for row in rows[start : start + size]]}
    if start + size < len(rows):
        query = {**call.request.query, "$skiptoken": str(start + size)}
        text = "&".join(f"{quote(name, safe='$')}={quote(value, safe='')}" for name, value in query.items())
        answer["nextLink"] = routing.address(call.request.base_url, call.request.path, text)
    return Response(200, answer)


def _whole(call: Call, name: str, default: int) -> int:
    text = call.request.query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ArmError(400, "InvalidQueryParameter", f"The value '{text[:40]}' of '{name}' is no whole number.")
    return int(text)


def timestamp(moment: datetime) -> str:
    """A time as ARM writes it: seven digits after the point, and Z."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z"
