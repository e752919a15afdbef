"""ARM's own front: what answers where a path names no provider's resource."""

from __future__ import annotations

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.providers.resources import listing, polling, subscriptions
from plstui.sandbox.providers.resources.groups import Groups
from plstui.sandbox.providers.resources.listing import Ages
from plstui.sandbox.providers.resources.registrations import Registrations
from plstui.sandbox.providers.resources.tags import tag_names


class ResourceManager:
    """Subscriptions, tenants, locations, groups, the list of all resources, tags, provider registrations."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self._groups = Groups(azure)
        self._ages = Ages(azure)
        self.registrations = Registrations(azure)
        """Which providers each subscription is registered for."""

    async def handle(self, call: Call) -> Response:
        """Answer; raises `ArmError`."""
        path = call.path
        if path.namespace:
            return self.registrations.handle(call)
        if not path.subscription:
            return self._without_subscription(call)
        match [word.lower() for word in ((path.tail,) if path.tail else path.rest)]:
            case [] if path.group:
                return await self._groups.handle(call)
            case []:
                _only_get(call)
                subscription = self._azure.directory.subscriptions[path.subscription.lower()]
                return Response(200, subscriptions.subscription_body(subscription))
            case ["resources"]:
                return self._resources(call)
            case ["resourcegroups"] if not path.group:
                _only_get(call)
                return self._groups.list(call)
            case ["locations"] if not path.group:
                _only_get(call)
                return Response(200, subscriptions.locations(path.subscription, call.api_version))
            case ["providers"] if not path.group:
                return self.registrations.handle(call)
            case ["tagnames"] if not path.group:
                _only_get(call)
                return Response(200, tag_names(self._azure.store, path.subscription))
            case ["operationresults", _] if not path.group:
                _only_get(call)
                return await polling.result(self._azure, call, path.rest[1])
        raise _nothing_there(call)

    def check_group(self, call: Call) -> None:
        """Raise when the group in the path is not there or being deleted, or the provider is not registered."""
        self._groups.check(call)
        self.registrations.check(call)

    def _without_subscription(self, call: Call) -> Response:
        _only_get(call)
        match [word.lower() for word in call.path.rest]:
            case ["subscriptions"]:
                return Response(200, subscriptions.subscriptions(self._azure.directory, call.client.tenant))
            case ["tenants"]:
                return Response(200, subscriptions.tenants(call.client.tenant))
            case ["providers"]:
                return self.registrations.handle(call)
        raise _nothing_there(call)

    def _resources(self, call: Call) -> Response:
        _only_get(call)
        if call.path.group:
            self._groups.find(call)
            return listing.resources(call, self._azure.store.in_group(call.group_id), self._ages)
        start = f"/subscriptions/{call.subscription.lower()}/"
        found = [body for body in self._azure.store if body["id"].lower().startswith(start)]
        return listing.resources(call, found, self._ages)


def _only_get(call: Call) -> None:
    if call.method not in ("GET", "HEAD"):
        raise errors.method_not_allowed(call.method)


def _nothing_there(call: Call) -> ArmError:
    return ArmError(404, "NotFound", f"No resource is served at '{call.request.path[:200]}'.")
