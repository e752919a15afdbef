"""The front of ARM: who calls, what the path names, who answers."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway import errors, fields, routing
from plstui.sandbox.gateway.call import Call, Endpoint, FrontDoor
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.gateway.operations import Operations
from plstui.sandbox.gateway.routing import Path
from plstui.sandbox.gateway.tokens import Client, Directory

READ_METHODS = frozenset({"GET", "HEAD"})
_API_VERSION = re.compile(r"\d{4}-\d\d-\d\d(-[A-Za-z]{1,30})?", re.ASCII)
"""Any date will do: an api-version is known by what it shows, not from a list."""

LARGE = 64 * 1024
"""Bytes of a request that are read beside the event loop; the largest that plstui sends is a tenth of that."""

_RIGHTS = {"PUT": "write", "PATCH": "write", "DELETE": "delete"}


class Gateway:
    """Takes requests as HTTP brings them and answers them; tests call `handle` without any HTTP."""

    def __init__(
        self, directory: Directory, operations: Operations, front_door: FrontDoor, endpoints: Iterable[Endpoint]
    ) -> None:
        self.counters: Counter[str] = Counter()
        """Requests by `METHOD type`, lists as `GET type [list]`."""
        self._directory = directory
        self._operations = operations
        self._front_door = front_door
        self._endpoints = {endpoint.type.lower(): endpoint for endpoint in endpoints}

    async def handle(self, request: Request) -> Response:
        """Answer one request; every refusal is an answer too."""
        await self._operations.settle()
        try:
            response = await self._answer(request, self._directory.authenticate(request), self.counters)
        except ArmError as error:
            response = error.response()
        if request.method == "HEAD":
            # ARM tells that something is there by 204.
            response = replace(response, body=None, status=204 if response.status == 200 else response.status)
        common = {
            "x-ms-request-id": str(uuid4()),
            "x-ms-correlation-request-id": _echo(request, "x-ms-correlation-request-id") or str(uuid4()),
            "x-ms-client-request-id": _echo(request, "x-ms-client-request-id"),
            "Cache-Control": "no-cache",
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "X-Content-Type-Options": "nosniff",
        }
        return replace(response, headers={**{k: v for k, v in common.items() if v}, **response.headers})

    async def handle_for(self, client: Client, request: Request) -> Response:
        """Answer a request that Azure makes itself with a client's rights: for a template, for a group's deletion.

        It carries no token, and it is not counted.
        """
        await self._operations.settle()
        try:
            return await self._answer(request, client, Counter())
        except ArmError as error:
            return error.response()

    async def _answer(self, request: Request, client: Client, counters: Counter[str]) -> Response:
        path = routing.parse(request.path)
        call = Call(request, path, client)
        if path.subscription:
            subscription = self._directory.subscriptions.get(path.subscription.lower())
            if subscription is None:
                raise errors.subscription_not_found(path.subscription)
            self._directory.authorize(client, subscription, request.base_url)
        if not call.api_version:
            raise ArmError(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        if not _API_VERSION.fullmatch(call.api_version):
            raise ArmError(400, "InvalidApiVersionParameter", f"The api-version '{call.api_version[:50]}' is invalid.")
        if bad := next((name for _, name in path.pairs if not routing.is_name(name)), None):
            raise ArmError(400, "InvalidResourceName", f"The resource name '{bad[:100]}' is invalid.")
        # Megabytes of brackets take seconds to read; nobody else need wait for them.
        large = len(request.content) > LARGE
        body = await asyncio.to_thread(fields.read, request.content) if large else fields.read(request.content)
        call = replace(call, body=body)
        endpoint, call, what = self._find(call)
        counters[f"{call.method} {what}"] += 1
        self._check_rights(call, endpoint)
        if path.group and path.namespace:
            self._front_door.check_group(call)
        return await (endpoint or self._front_door).handle(call)

    def _find(self, call: Call) -> tuple[Endpoint | None, Call, str]:
        """Who answers, the call with what the path names, and a word for it; no endpoint stands for the front door."""
        path = call.path
        if not path.namespace or not (path.pairs or path.tail):
            return None, call, _front_door_type(path)
        if path.rest:
            raise errors.invalid_resource_type(path.type, call.api_version)
        if not path.subscription:
            raise ArmError(
                404,
                "MissingSubscription",
                "The request did not have a subscription or a valid tenant level resource provider.",
            )
        if not path.tail:
            endpoint = self._endpoint(path.type, call)
            return endpoint, replace(call, id=_id(call, endpoint.type)), endpoint.type
        if collection := self._endpoints.get(path.collection.lower()):
            parent = collection.type.rpartition("/")[0]
            named = _id(call, parent) if path.pairs else None
            return collection, replace(call, id=named, listing=True), f"{collection.type} [list]"
        if not path.pairs:
            return None, replace(call, action=path.tail.lower()), f"{path.namespace}/{path.tail}"
        endpoint = self._endpoint(path.type, call)
        return (
            endpoint,
            replace(call, id=_id(call, endpoint.type), action=path.tail.lower()),
            f"{endpoint.type}/{path.tail}",
        )

    def _endpoint(self, resource_type: str, call: Call) -> Endpoint:
        endpoint = self._endpoints.get(resource_type.lower())
        if endpoint is None:
            raise errors.invalid_resource_type(resource_type, call.api_version)
        return endpoint

    @staticmethod
    def _check_rights(call: Call, endpoint: Endpoint | None) -> None:
        """A reader may look and nothing else."""
        if not call.client.reader or call.method in READ_METHODS:
            return
        what = endpoint.type if endpoint else _front_door_type(call.path)
        right = _RIGHTS.get(call.method, f"{call.action or 'action'}/action" if call.action != "action" else "action")
        group = f"/resourceGroups/{call.path.group}" if call.path.group else ""
        scope = call.id.text if call.id else f"/subscriptions/{call.subscription}{group}"
        raise errors.authorization_failed(call.client.client_id, call.client.object_id, f"{what}/{right}", scope)


def _echo(request: Request, name: str) -> str:
    """A header of the request that is to come back, if it is one that can."""
    value = request.headers.get(name, "")
    return value if value.isascii() and value.isprintable() else ""


def _id(call: Call, canonical_type: str) -> ResourceId:
    """The id of what is named; only what belongs to a location may stand outside a resource group."""
    if not call.path.group and call.path.pairs[0][0].lower() != "locations":
        raise errors.invalid_resource_type(canonical_type, call.api_version)
    return routing.make_id(call.path, canonical_type)


def _front_door_type(path: Path) -> str:
    if path.namespace:
        return "Microsoft.Resources/providers"
    if path.group:
        return f"Microsoft.Resources/subscriptions/resourceGroups{f'/{path.tail}' if path.tail else ''}"
    return f"Microsoft.Resources/subscriptions{f'/{path.tail}' if path.tail else ''}"
