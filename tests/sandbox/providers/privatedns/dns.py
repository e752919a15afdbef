"""The customer's private DNS, for tests: a zone, a link and a network to link to."""

from __future__ import annotations

from typing import Any

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.latency import Latency
from plstui.sandbox.providers import privatedns
from tests.sandbox.support import CUSTOMER, Principal, Sandbox, sandbox

VERSION = "2020-06-01"
GROUP = f"/subscriptions/{CUSTOMER.id}/resourceGroups/dns"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
ZONE = f"{NETWORK}/privateDnsZones/tradewinds.internal"
LINK = f"{ZONE}/virtualNetworkLinks/dnsLink"
SPOKE = f"{NETWORK}/virtualNetworks/spoke-vnet"
GLOBAL = {"location": "global"}


class Dns:
    """The customer with a group and two networks, and with the api-version of private DNS on every request."""

    def __init__(self, latency: Latency = Latency.NONE) -> None:
        self.azure = Azure(latency=latency)
        self.box: Sandbox = sandbox(privatedns.endpoints(self.azure), azure=self.azure)
        self.principal: Principal = self.box.customer

    async def start(self) -> Dns:
        await self.principal.call("PUT", GROUP, {"location": "westeurope"})
        for name in ("spoke-vnet", "other-vnet"):
            self.keep({"id": f"{NETWORK}/virtualNetworks/{name}", "name": name, "properties": {}})
        return self

    def keep(self, body: dict[str, Any]) -> None:
        """Put into the store what another provider would."""
        self.azure.store.put({"type": ResourceId(body["id"]).type, "location": "westeurope", **body})

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        return await self.principal.call(method, path, body, **{"api_version": VERSION, **more})

    async def get(self, path: str, **more: Any) -> Any:
        return await self.principal.get(path, **{"api_version": VERSION, **more})

    async def put(self, path: str, body: Any, **more: Any) -> Any:
        return await self.principal.put(path, body, **{"api_version": VERSION, **more})

    async def done(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        return await self.principal.done(method, path, body, **{"api_version": VERSION, **more})

    async def failure(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
        return await self.principal.failure(method, path, body, **{"api_version": VERSION, **more})

    async def with_link(self, *, registration: bool = False) -> Dns:
        await self.put(ZONE, GLOBAL)
        await self.put(LINK, link(SPOKE, registration=registration))
        return self


def link(network: str, *, registration: bool = False) -> dict[str, Any]:
    return {**GLOBAL, "properties": {"virtualNetwork": {"id": network}, "registrationEnabled": registration}}


def a(*addresses: str, ttl: int = 3600) -> dict[str, Any]:
    return {"properties": {"ttl": ttl, "aRecords": [{"ipv4Address": address} for address in addresses]}}
