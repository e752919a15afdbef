"""Resource groups."""

from __future__ import annotations

import re

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers import locations
from plstui.sandbox.providers.resources import listing, polling
from plstui.sandbox.providers.resources.cascade import empty_group
from plstui.sandbox.store import Body

TYPE = "Microsoft.Resources/resourceGroups"

_NOT_IN_NAME = re.compile(r"[^\w().-]")
LONGEST_NAME = 90
"""Characters of a group's name."""

DELETE = Pace(0, 15)
"""A deletion takes what the resources in the group take; the advice to wait is the same in every recording."""

TRACKED_CHILDREN = frozenset({"microsoft.network/privatednszones/virtualnetworklinks"})
"""Types of children that ARM tracks like resources of their own, in lower case."""

ZONES = frozenset({"microsoft.network/privatednszones", "microsoft.network/dnszones"})
"""Types whose other children are missed in words of their own, in lower case."""


class Groups:
    """Resource groups: created and changed at once, deleted with all that is in them."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure

    async def handle(self, call: Call) -> Response:
        """Answer a call to one group; raises `ArmError`."""
        match call.method:
            case "GET" | "HEAD":
                return Response(200, self.find(call))
            case "PUT":
                return self._put(call)
            case "PATCH":
                return self._patch(call)
            case "DELETE":
                return self._delete(call)
            case _:
                raise errors.method_not_allowed(call.method)

    def list(self, call: Call) -> Response:
        """The groups of a subscription."""
        found = self._azure.store.in_subscription(call.subscription, TYPE)
        return listing.page(call, listing.filtered(call, found, listing.GROUP_FILTER))

    def find(self, call: Call) -> Body:
        """The group in the path; raises the 404 of ARM."""
        found = self._azure.store.get(call.group_id)
        if found is None:
            raise errors.group_not_found(call.path.group)
        return dict(found)

    def check(self, call: Call) -> None:
        """Raise when the group in the path is not there, or is being deleted and would be written into.

        For a child it is the parent that is missing then (recorded for rules and subnets after their group's end, and
        in other words for record sets), unless ARM tracks the child itself (recorded for the links of a zone).
        """
        owner = call.id if call.listing or call.id is None else call.id.parent
        is_tracked = call.id is not None and call.id.type.lower() in TRACKED_CHILDREN
        if owner and not is_tracked and not owner.is_type(TYPE) and self._azure.store.get(call.group_id) is None:
            if owner.type.lower() in ZONES and call.id is not None:
                verb = {"GET": "read", "DELETE": "delete"}.get(call.method, "write")
                raise errors.parent_not_found(verb, call.id.type, owner)
            raise errors.resource_not_found(owner)
        group = self.find(call)
        if call.method in ("PUT", "PATCH", "POST"):
            _check_not_deleting(group)

    def _put(self, call: Call) -> Response:
        _check_name(call.path.group)
        fields = call.fields
        location = fields.text("location")
        if not location:
            raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
        name = locations.normal(location)
        if name not in locations.REGIONS:
            raise ArmError(
                400,
                "LocationNotAvailableForResourceGroup",
                f"The provided location '{location[:60]}' is not available for resource group. List of available "
                f"regions is '{','.join(locations.REGIONS)}'.",
            )
        known = self._azure.store.get(call.group_id)
        if known:
            _check_not_deleting(dict(known))
            if known["location"] != name:
                raise ArmError(
                    409,
                    "InvalidResourceGroupLocation",
                    f"Invalid resource group location '{name}'. The Resource group already exists in location "
                    f"'{known['location']}'.",
                )
        body: Body = {
            "id": known["id"] if known else call.group_id.text,
            "name": known["name"] if known else call.path.group,
            "type": TYPE,
            "location": name,
        }
        if "tags" in fields:
            body["tags"] = fields.tags()
        if managed_by := fields.text("managedBy") or (known or {}).get("managedBy"):
            body["managedBy"] = managed_by
        body["properties"] = {"provisioningState": "Succeeded"}
        self._azure.store.put(body)
        return Response(200 if known else 201, body)

    def _patch(self, call: Call) -> Response:
        body = self.find(call)
        _check_not_deleting(body)
        if "tags" in call.fields:
            properties = body.pop("properties")
            body = {**body, "tags": call.fields.tags(), "properties": properties}
            self._azure.store.put(body)
        return Response(200, body)

    def _delete(self, call: Call) -> Response:
        group = self.find(call)
        operation = self._azure.operations.under_way(group["id"])
        if operation is None:
            group["properties"] = {"provisioningState": "Deleting"}
            self._azure.store.put(group)
            operation = self._azure.operations.start(
                lambda: empty_group(self._azure, call.client, ResourceId(group["id"])),
                DELETE,
                subscription=call.subscription,
                location="",
                api_version=call.api_version,
                target=group["id"],
                on_failure=lambda: self._restore(group),
            )
        return polling.accepted(self._azure, call, operation)

    def _restore(self, group: Body) -> None:
        """What could not be emptied stays."""
        self._azure.store.put({**group, "properties": {"provisioningState": "Succeeded"}})


def _check_not_deleting(group: Body) -> None:
    if group["properties"]["provisioningState"] == "Deleting":
        raise ArmError(
            409,
            "ResourceGroupBeingDeleted",
            f"The resource group '{group['name']}' is in deprovisioning state and cannot perform this operation.",
        )


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise ArmError(
            400,
            "ResourceGroupNameTooLong",
            f"The provided resource group name '{name[:LONGEST_NAME]}…' has more than {LONGEST_NAME} characters.",
        )
    if wrong := "".join(sorted(set(_NOT_IN_NAME.findall(name)))):
        raise ArmError(
            400,
            "InvalidResourceGroup",
            f"The provided resource group name '{name}' has these invalid characters: '{wrong}'. The name can only be "
            "a letter, digit, '-', '.', '(', ')' or '_'.",
        )
    if name.endswith("."):
        raise ArmError(
            400, "InvalidResourceGroup", f"The provided resource group name '{name}' cannot end with a period."
        )
