"""Who sees a private link service, who is let in without being asked, and how a subscription finds out."""

from __future__ import annotations

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.ports import Json
from plstui.sandbox.providers import locations
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.privatelink.lookup import SERVICE, find_service, is_alias

_LOCATIONS = "Microsoft.Network/locations"


def _lists(service: Json, name: str, subscription: str) -> bool:
    listed = (service["properties"].get(name) or {}).get("subscriptions") or ()
    return any(item == "*" or item.lower() == subscription.lower() for item in listed)


def tenant_of(azure: Azure, resource: Json) -> str:
    """The tenant that a resource is in, in lower case."""
    subscription = azure.directory.subscriptions.get(ResourceId(resource["id"]).subscription.lower())
    return subscription.tenant.lower() if subscription else ""


def is_auto_approved(service: Json, subscription: str) -> bool:
    """Whether a subscription's endpoints are let in without being asked."""
    return _lists(service, "autoApproval", subscription)


def is_visible(azure: Azure, service: Json, subscription: str, tenant: str) -> bool:
    """Whether a subscription may ask for a connection.

    Within a tenant rights decide, and a client has them all. A service that says nothing of visibility leaves it to
    role assignments, and between tenants there are none here: whoever was handed its id or alias may ask, as in the
    lab. A list, even an empty one, is kept to.
    """
    if tenant_of(azure, service) == tenant.lower() or "visibility" not in service["properties"]:
        return True
    return _lists(service, "visibility", subscription)


class AutoApproved(ResourceEndpoint):
    """The services of a region that let a subscription in without being asked."""

    type = f"{_LOCATIONS}/autoApprovedPrivateLinkServices"

    async def list(self, call: Call) -> Response:
        """GET: their aliases."""
        region = locations.normal(call.path.pairs[0][1])
        found = [
            {"privateLinkService": service["properties"]["alias"]}
            for service in self.azure.store.of_type(SERVICE)
            if service["location"] == region and is_auto_approved(service, call.subscription)
        ]
        return Response(200, {"value": found})

    async def get(self, call: Call) -> Response:
        """There is only the list."""
        raise errors.invalid_resource_type(self.type, call.api_version)


class Visibility(ResourceEndpoint):
    """The question whether a service can be seen."""

    type = f"{_LOCATIONS}/checkPrivateLinkServiceVisibility"

    async def handle(self, call: Call) -> Response:
        """POST with an alias: true or false, and false for one that is not there."""
        if not call.listing:
            raise errors.invalid_resource_type(self.type, call.api_version)
        if call.method != "POST":
            raise errors.method_not_allowed(call.method)
        alias = call.fields.text("privateLinkServiceAlias")
        service = find_service(self.azure.store, alias) if is_alias(alias) else None
        visible = service is not None and is_visible(self.azure, service, call.subscription, call.client.tenant)
        return Response(200, {"visible": visible})
