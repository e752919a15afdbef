"""Extensions of a machine."""

from __future__ import annotations

from tests.sandbox.providers.machines import COMPUTE, EXPANDED, codes, place


async def test_extensions_are_kept_and_their_secrets_are_not() -> None:
    at = await place()
    await at.machine()
    path = f"{at.vm()}/extensions/custom"
    body = {
        "location": "westeurope",
        "properties": {
            "publisher": "Microsoft.ManagedServices",
            "type": "ApplicationHealthLinux",
            "typeHandlerVersion": "1.0",
            "protectedSettings": {"key": "Very-secret-1"},
        },
    }
    created = await at.isv.call("PUT", path, body, api_version=COMPUTE)
    assert (created.status, created.body["properties"]["provisioningState"]) == (201, "Creating")
    await at.isv.end_of(created)
    kept = await at.isv.get(path, api_version=COMPUTE)
    assert kept["properties"] == {
        "autoUpgradeMinorVersion": False,
        "provisioningState": "Succeeded",
        "publisher": "Microsoft.ManagedServices",
        "type": "ApplicationHealthLinux",
        "typeHandlerVersion": "1.0",
        "settings": {},
    }
    assert "Very-secret-1" not in str([dict(stored) for stored in at.sandbox.azure.store])
    machine = await at.isv.get(at.vm(), api_version=COMPUTE)
    assert [extension["name"] for extension in machine["resources"]] == ["custom"]
    await at.isv.done("PATCH", path, {"properties": {"settings": {"a": 1}}}, api_version=COMPUTE)
    viewed = await at.isv.get(path + EXPANDED, api_version=COMPUTE)
    assert (viewed["properties"]["settings"], codes(viewed["properties"]["instanceView"])) == (
        {"a": 1},
        ["ProvisioningState/succeeded"],
    )
    assert [row["name"] for row in (await at.isv.get(f"{at.vm()}/extensions", api_version=COMPUTE))["value"]] == [
        "custom"
    ]
    await at.isv.delete(path, api_version=COMPUTE)
    assert await at.isv.failure("GET", path, api_version=COMPUTE) == (404, "ResourceNotFound")
    orphan = f"{at.vm('no')}/extensions/custom"
    assert await at.isv.failure("PUT", orphan, body, api_version=COMPUTE) == (404, "ParentResourceNotFound")
