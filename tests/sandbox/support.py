"""A sandbox in this process: requests as its two principals send them, without any HTTP between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Endpoint
from plstui.sandbox.gateway.gateway import Gateway
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.gateway.tokens import Client, Subscription
from plstui.sandbox.providers import resources
from plstui.sandbox.providers.resources.front_door import ResourceManager

API_VERSION = "2024-05-01"

ISV = Subscription("11111111-1111-4111-8111-111111111111", "isv", "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa")
CUSTOMER = Subscription("22222222-2222-4222-8222-222222222222", "customer", "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb")


@dataclass
class Principal:
    """Somebody with a token, who calls ARM in one subscription."""

    gateway: Gateway
    azure: Azure
    client: Client
    subscription: str
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every request."""

    def __post_init__(self) -> None:
        self.sign_in()

    def sign_in(self) -> None:
        """Get a token; the one before may have expired when the clock was turned far."""
        token = self.azure.directory.issue(
            self.client.tenant, self.client.client_id, self.client.secret, "https://localhost"
        )
        self.headers["authorization"] = f"Bearer {token['access_token']}"

    def group(self, name: str) -> str:
        """The id of a resource group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{name}"

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        api_version: str = API_VERSION,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One request; `path` may carry a query, and may be a whole address that an answer gave."""
        parts = urlsplit(path)
        query = {"api-version": api_version, **{k.lower(): v for k, v in parse_qsl(parts.query, True)}}
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = Request(method, unquote(parts.path), query, {**self.headers, **(headers or {})}, content)
        return await self.gateway.handle(request)

    async def get(self, path: str, **more: Any) -> Any:
        """The body of a GET that must succeed."""
        response = await self.call("GET", path, **more)
        assert response.status == 200, (response.status, response.body)
        return response.body

    async def put(self, path: str, body: Any, **more: Any) -> Any:
        """A PUT that must succeed, to its end; gives the resource as a GET then shows it."""
        await self.done("PUT", path, body, **more)
        return await self.get(path, **more)

    async def delete(self, path: str, **more: Any) -> None:
        """A DELETE that must succeed, to its end."""
        await self.done("DELETE", path, **more)

    async def done(self, method: str, path: str, body: Any = None, **more: Any) -> Response:
        """A request that must succeed, and the last answer to polling for what it started."""
        response = await self.call(method, path, body, **more)
        assert response.status < 300, (response.status, response.body)
        return await self.end_of(response)

    async def end_of(self, response: Response) -> Response:
        """The last answer to polling for what a request started; the clock is turned between polls."""
        address = response.headers.get("Azure-AsyncOperation") or response.headers.get("Location")
        by_location = "Azure-AsyncOperation" not in response.headers
        while address:
            response = await self.call("GET", address)
            if by_location and response.status != 202:
                break
            if not by_location and (response.status >= 400 or response.body["status"] in ENDINGS):
                break
            self.azure.clock.advance(1)
            await asyncio.sleep(0)
        return response

    async def failure(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
        """The status and code of a request that must be refused, or of the operation that must fail."""
        response = await self.call(method, path, body, **more)
        if response.status < 300:
            response = await self.end_of(response)
        assert isinstance(response.body, dict), (response.status, response.body)
        inner = response.body.get("error", response.body)
        return response.status, inner["code"]


ENDINGS = ("Succeeded", "Failed", "Canceled")


@dataclass
class Sandbox:
    """Azure with an ISV and a customer in two tenants."""

    azure: Azure
    gateway: Gateway
    isv: Principal
    customer: Principal
    reader: Principal
    """Of the ISV's tenant; may look and nothing else."""
    front_door: ResourceManager


def sandbox(endpoints: Iterable[Endpoint] = (), *, azure: Azure | None = None) -> Sandbox:
    """A sandbox with the front door, the types of ARM itself and `endpoints`."""
    azure = azure or Azure()
    clients = [Client(f"{subscription.name}-client", subscription.tenant) for subscription in (ISV, CUSTOMER)]
    clients.append(replace(clients[0], client_id="reader-client", reader=True))
    for subscription in (ISV, CUSTOMER):
        azure.directory.add_subscription(subscription)
    for client in clients:
        azure.directory.add_client(client)
    front_door = resources.front_door(azure)
    gateway = Gateway(azure.directory, azure.operations, front_door, [*resources.endpoints(azure), *endpoints])
    azure.dispatch = gateway.handle_for
    isv, customer, reader = (
        Principal(gateway, azure, client, subscription.id)
        for client, subscription in zip(clients, (ISV, CUSTOMER, ISV), strict=True)
    )
    return Sandbox(azure, gateway, isv, customer, reader, front_door)
