from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from plstui.sandbox.azure import Azure
from plstui.sandbox.latency import Latency
from plstui.sandbox.providers import network, privatelink
from tests.sandbox.invariants import problems
from tests.sandbox.support import Principal, Sandbox, sandbox

LOCATION = "westeurope"


@dataclass
class Lab:
    """The ISV's group `g` in a sandbox, and short ways to fill it."""

    sandbox: Sandbox

    @property
    def azure(self) -> Azure:
        return self.sandbox.azure

    @property
    def isv(self) -> Principal:
        return self.sandbox.isv

    def id(self, path: str) -> str:
        """`virtualNetworks/v` as a whole id."""
        return f"{self.isv.group('g')}/providers/Microsoft.Network/{path}"

    def ref(self, path: str) -> dict[str, str]:
        return {"id": self.id(path)}

    async def put(self, path: str, properties: Any = None, *, location: str = LOCATION, **more: Any) -> Any:
        """Write a resource to its end; gives it back as a GET shows it."""
        body = {**more} if path.count("/") > 1 else {"location": location, **more}
        if properties is not None:
            body["properties"] = properties
        return await self.isv.put(self.id(path), body)

    async def get(self, path: str, **more: Any) -> Any:
        return await self.isv.get(self.id(path), **more)

    async def refused(self, method: str, path: str, properties: Any = None, **more: Any) -> tuple[int, str]:
        body = None if properties is None else {"location": LOCATION, "properties": properties, **more}
        return await self.isv.failure(method, self.id(path), body)

    async def message(self, method: str, path: str, properties: Any = None, **more: Any) -> str:
        """What a refusal says."""
        body = None if properties is None else {"location": LOCATION, "properties": properties, **more}
        response = await self.isv.call(method, self.id(path), body)
        assert response.status >= 400, response
        return str(response.body["error"]["message"])

    async def network(self, name: str = "v", *subnets: str, space: str = "10.0.0.0/16") -> Any:
        """A virtual network with subnets `a`, `b` … of the given prefixes."""
        return await self.put(
            f"virtualNetworks/{name}",
            {
                "addressSpace": {"addressPrefixes": [space]},
                "subnets": [
                    {"name": chr(ord("a") + at), "properties": {"addressPrefix": prefix}}
                    for at, prefix in enumerate(subnets or ("10.0.0.0/24",))
                ],
            },
        )

    async def nic(self, name: str, subnet: str = "virtualNetworks/v/subnets/a", **properties: Any) -> Any:
        """An interface with one configuration."""
        inner = {"subnet": self.ref(subnet), **properties}
        return await self.put(
            f"networkInterfaces/{name}", {"ipConfigurations": [{"name": "ipconfig1", "properties": inner}]}
        )

    async def balancer(self, name: str = "lb", **properties: Any) -> Any:
        """An internal Standard balancer with a frontend, a pool, a probe and a rule."""
        parts = f"loadBalancers/{name}"
        return await self.put(
            parts,
            {
                "frontendIPConfigurations": [
                    {"name": "front", "properties": {"subnet": self.ref("virtualNetworks/v/subnets/a")}}
                ],
                "backendAddressPools": [{"name": "pool"}],
                "probes": [{"name": "http", "properties": {"protocol": "tcp", "port": 80}}],
                "loadBalancingRules": [
                    {
                        "name": "http",
                        "properties": {
                            "protocol": "tcp",
                            "frontendPort": 80,
                            "backendPort": 80,
                            "frontendIPConfiguration": self.ref(f"{parts}/frontendIpConfigurations/front"),
                            "backendAddressPool": self.ref(f"{parts}/backendAddressPools/pool"),
                            "probe": self.ref(f"{parts}/probes/http"),
                        },
                    }
                ],
                **properties,
            },
            sku={"name": "Standard"},
        )


async def _lab(latency: Latency) -> Lab:
    azure = Azure(latency=latency)
    lab = Lab(sandbox([*network.endpoints(azure), *privatelink.endpoints(azure)], azure=azure))
    response = await lab.isv.call("PUT", lab.isv.group("g"), {"location": LOCATION})
    assert response.status == 201
    return lab


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """A sandbox without latency; nothing in it may contradict itself when the test is over."""
    lab = await _lab(Latency.NONE)
    yield lab
    assert problems(lab.azure.store) == []
    lab.azure.operations.close()


@pytest.fixture
async def slow() -> AsyncIterator[Lab]:
    """A sandbox in which operations take as long as in Azure, by a clock that the test turns."""
    lab = await _lab(Latency.AZURE)
    yield lab
    assert problems(lab.azure.store) == []
    lab.azure.operations.close()
