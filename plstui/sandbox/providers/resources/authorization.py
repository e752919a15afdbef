"""Microsoft.Authorization as far as clients ask for it: what the caller may do, and lists that are empty here."""

from __future__ import annotations

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call, Endpoint
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.providers.base import ResourceEndpoint


class Permissions(ResourceEndpoint):
    """What the caller may do in a group or subscription."""

    type = "Microsoft.Authorization/permissions"

    async def list(self, call: Call) -> Response:
        """An owner may do everything, a reader look."""
        allowed = "*/read" if call.client.reader else "*"
        permission = {"actions": [allowed], "notActions": [], "dataActions": [], "notDataActions": []}
        return Response(200, {"value": [permission]})


class Nothing(ResourceEndpoint):
    """A type of which there are none here, and none can be made."""

    async def list(self, call: Call) -> Response:
        """An empty list."""
        return Response(200, {"value": []})

    async def get(self, call: Call) -> Response:
        """There is none."""
        raise errors.resource_not_found(call.named)


class Locks(Nothing):
    """Locks against changes."""

    type = "Microsoft.Authorization/locks"


class RoleAssignments(Nothing):
    """Who has which role."""

    type = "Microsoft.Authorization/roleAssignments"


def endpoints(azure: Azure) -> list[Endpoint]:
    """Every type of this provider."""
    return [Permissions(azure), Locks(azure), RoleAssignments(azure)]
