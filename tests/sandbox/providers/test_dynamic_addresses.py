"""A dynamic public address is there while a machine has the interface that it belongs to."""

from __future__ import annotations

from typing import Any

from tests.sandbox.providers.machines import COMPUTE, place, request


async def test_an_address_comes_and_goes_with_the_machine() -> None:
    at = await place()
    network = f"{at.group}/providers/Microsoft.Network"
    public = f"{network}/publicIPAddresses/p"
    await at.isv.put(public, {"location": "westeurope", "properties": {"publicIPAllocationMethod": "Dynamic"}})
    subnet = {"id": f"{network}/virtualNetworks/net/subnets/saas"}

    async def nic(**more: Any) -> str:
        inner = {"subnet": subnet, **more}
        return await at.nic("n", properties={"ipConfigurations": [{"name": "one", "properties": inner}]})

    async def has_address() -> bool:
        return "ipAddress" in (await at.isv.get(public))["properties"]

    path = await nic(publicIPAddress={"id": public})
    assert not await has_address()
    await at.isv.put(at.vm(), request(path), api_version=COMPUTE)
    assert await has_address()

    await nic()
    assert not await has_address()
    await nic(publicIPAddress={"id": public})
    assert await has_address()

    await at.isv.done("DELETE", at.vm(), api_version=COMPUTE)
    assert not await has_address()
    at.sandbox.azure.operations.close()


async def test_a_machines_etag_is_in_the_header_of_what_shows_it_whole() -> None:
    at = await place()
    made = await at.machine()

    plain = await at.isv.call("GET", at.vm(), api_version=COMPUTE)
    expanded = await at.isv.call("GET", f"{at.vm()}?$expand=instanceView", api_version=COMPUTE)
    older = await at.isv.call("GET", at.vm(), api_version="2022-03-01")

    assert plain.headers["ETag"] == plain.body["etag"] == made["etag"]
    assert "ETag" not in expanded.headers
    assert "ETag" not in older.headers
    at.sandbox.azure.operations.close()
