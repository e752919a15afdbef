"""Whatever is sent to ARM itself and to Microsoft.Compute, the answer is one of Azure's, and all fits together."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plstui.sandbox.gateway.messages import Response
from tests.sandbox.invariants import problems
from tests.sandbox.providers.machines import KEY, UBUNTU, Place, place
from tests.sandbox.support import CUSTOMER, ISV

COMPUTE = "providers/Microsoft.Compute"
NETWORK = "providers/Microsoft.Network"
GROUP = f"/subscriptions/{ISV.id}/resourceGroups/web"
THEIRS = f"/subscriptions/{CUSTOMER.id}/resourceGroups/web"
NIC = f"{GROUP}/{NETWORK}/networkInterfaces/nic"

GOOD: dict[str, dict[str, Any]] = {
    f"{COMPUTE}/virtualMachines/vm": {
        "location": "westeurope",
        "tags": {"a": "b"},
        "zones": ["1"],
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_B2s"},
            "storageProfile": {
                "imageReference": UBUNTU,
                "osDisk": {"createOption": "FromImage", "name": "os", "diskSizeGB": 64, "managedDisk": {}},
                "dataDisks": [
                    {"lun": 0, "diskSizeGB": 4, "createOption": "Empty"},
                    {"lun": 1, "createOption": "Attach", "managedDisk": {"id": f"{GROUP}/{COMPUTE}/disks/disk"}},
                ],
            },
            "osProfile": {
                "computerName": "vm",
                "adminUsername": "azureuser",
                "customData": "I2Nsb3VkLWNvbmZpZwo=",
                "secrets": [],
                "linuxConfiguration": {
                    "disablePasswordAuthentication": True,
                    "ssh": {"publicKeys": [{"keyData": KEY, "path": "/home/azureuser/.ssh/authorized_keys"}]},
                    "patchSettings": {"patchMode": "ImageDefault"},
                },
            },
            "networkProfile": {"networkInterfaces": [{"id": NIC, "properties": {"primary": True}}]},
            "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
        },
    },
    f"{COMPUTE}/virtualMachines/vm/extensions/extension": {
        "location": "westeurope",
        "properties": {"publisher": "p", "type": "t", "typeHandlerVersion": "1.0", "settings": {"a": 1}},
    },
    f"{COMPUTE}/virtualMachines/vm/runCommands/command": {
        "location": "westeurope",
        "properties": {
            "source": {"script": "hostname"},
            "parameters": [{"name": "a", "value": "b"}],
            "timeoutInSeconds": 10,
            "asyncExecution": False,
        },
    },
    f"{COMPUTE}/disks/disk": {
        "location": "westeurope",
        "sku": {"name": "Standard_LRS"},
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8},
    },
    f"{COMPUTE}/sshPublicKeys/key": {"location": "westeurope", "properties": {"publicKey": KEY}},
    "providers/Microsoft.Resources/deployments/deployment": {
        "properties": {
            "mode": "Incremental",
            "parameters": {"name": {"value": "made"}},
            "template": {
                "contentVersion": "1.0.0.0",
                "parameters": {
                    "name": {"type": "string", "allowedValues": ["made"]},
                    "n": {"type": "int", "defaultValue": 3},
                },
                "variables": {"v": "[concat(parameters('name'), '-', string(parameters('n')))]"},
                "resources": [
                    {
                        "type": "Microsoft.Compute/disks",
                        "name": "[variables('v')]",
                        "apiVersion": "2024-03-02",
                        "location": "[resourceGroup().location]",
                        "dependsOn": ["key2"],
                        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": "[int('4')]"},
                    },
                    {
                        "type": "Microsoft.Compute/sshPublicKeys",
                        "name": "key2",
                        "apiVersion": "2024-07-01",
                        "location": "westeurope",
                        "tags": {"x": "[format('{0}', if(equals(1, 1), 'y', 'n'))]"},
                    },
                ],
                "outputs": {"o": {"type": "object", "value": "[reference('key2')]"}},
            },
        },
    },
    "": {"location": "westeurope", "tags": {"a": "b"}},
}
"""A request that works for each type, by its path in the group; the group's own path is empty."""

ACTIONS = {
    f"{COMPUTE}/virtualMachines/vm/runCommand": {
        "commandId": "RunShellScript",
        "script": ["hostname"],
        "parameters": [{"name": "a", "value": "b"}],
    },
    f"{COMPUTE}/virtualMachines/vm/start": None,
    f"{COMPUTE}/virtualMachines/vm/powerOff": None,
    f"{COMPUTE}/virtualMachines/vm/deallocate": None,
    f"{COMPUTE}/virtualMachines/vm/restart": None,
    f"{COMPUTE}/virtualMachines/vm/instanceView": None,
    f"{COMPUTE}/sshPublicKeys/key/generateKeyPair": {"encryptionType": "Ed25519"},
    "providers/Microsoft.Resources/deployments/deployment/validate": GOOD[
        "providers/Microsoft.Resources/deployments/deployment"
    ],
    "providers/Microsoft.Resources/deployments/deployment/cancel": None,
    "providers/Microsoft.Resources/deployments/deployment/operations": None,
}

QUERIES = ("", "?$expand=instanceView", "?statusOnly=true", "?$top=1", "?$filter=name eq 'a'", "?$filter='", "?$top=x")

TEXTS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["", "Attach", "Empty", "Windows", "1", "2", "westeurope", "a/b", "..", "%", "\x00", "é", "null"]),
    st.sampled_from([NIC, NIC.replace(ISV.id, CUSTOMER.id), f"{GROUP}/{COMPUTE}/disks/disk", "/subscriptions/x", "/"]),
    st.sampled_from(["[", "[]", "[[x]", "[x()]", "[reference('key2').a]", "[variables('v')]", "[createArray(1)[0]]"]),
    st.sampled_from(
        ["[json('{')]", "[int('x')]", "[substring('a', 2)]", "[first('')]", "[div(1, 0)]", "[base64ToString('%')]"]
    ),
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.integers(), st.floats(allow_nan=False), TEXTS)
VALUES = st.one_of(
    LEAVES,
    st.lists(LEAVES, max_size=2),
    st.dictionaries(st.sampled_from(["id", "name", "value", "x"]), LEAVES, max_size=2),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a body with each of its keys."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from places(inner)


@st.composite
def changed(draw: st.DrawFn, good: Any) -> Any:
    """A body that works, with up to three things in it replaced or left out; now and then something else entirely."""
    body = deepcopy(good)
    for _ in range(draw(st.integers(0, 3))):
        found = list(places(body))
        if not found or draw(st.integers(0, 30)) == 0:
            return draw(VALUES)
        container, key = draw(st.sampled_from(found))
        if draw(st.booleans()):
            container[key] = draw(VALUES)
        elif isinstance(container, dict):
            del container[key]
    return body


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, str, Any]:
    """A method, a path in the group, and a body."""
    if draw(st.integers(0, 3)) == 0:
        path, good = draw(st.sampled_from(list(ACTIONS.items())))
        return draw(st.sampled_from(["POST", "POST", "GET", "PUT"])), path, draw(changed(good))
    path, good = draw(st.sampled_from(list(GOOD.items())))
    method = draw(st.sampled_from(["PUT", "PUT", "PUT", "PATCH", "DELETE", "GET", "HEAD"]))
    if method == "GET" and draw(st.booleans()):
        path = path.rpartition("/")[0] or "resources"
    return method, path + (draw(st.sampled_from(QUERIES)) if method == "GET" else ""), draw(changed(good))


async def start() -> Place:
    at = await place()
    await at.nic("nic")
    for path in (f"{COMPUTE}/disks/disk", f"{COMPUTE}/virtualMachines/vm"):
        await at.isv.done("PUT", f"{GROUP}/{path}", GOOD[path], api_version="2024-07-01")
    return at


def check(response: Response) -> None:
    """An answer of Azure's own, which can be sent."""
    assert response.status < 500, response
    if response.status >= 400:
        assert isinstance(response.body, dict), response
        assert response.body["error"]["code"], response
    json.dumps(response.body, allow_nan=False).encode()


@settings(max_examples=150)
@given(st.lists(calls(), min_size=1, max_size=4))
def test_nothing_but_answers(made: list[tuple[str, str, Any]]) -> None:
    async def run() -> None:
        at = await start()
        for method, path, body in made:
            response = await at.isv.call(method, f"{GROUP}/{path}".rstrip("/"), body, api_version="2024-07-01")
            if method != "HEAD":
                check(response)
            if response.status < 300:
                check(await at.isv.end_of(response))
            assert CUSTOMER.id not in json.dumps(response.body) or CUSTOMER.id in json.dumps(body)
        assert problems(at.sandbox.azure.store) == []
        at.sandbox.azure.operations.close()

    asyncio.run(run())


@settings(max_examples=150)
@given(
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"]),
    st.lists(
        st.one_of(
            st.sampled_from(["subscriptions", ISV.id, CUSTOMER.id, "resourceGroups", "web", "providers", "locations"]),
            st.sampled_from(["Microsoft.Compute", "Microsoft.Resources", "Microsoft.Authorization", "virtualMachines"]),
            st.sampled_from(["resources", "tenants", "operationresults", "tagNames", "register", "deployments", "vm"]),
            st.sampled_from(["publishers", "Canonical", "artifacttypes", "vmimage", "offers", "skus", "versions"]),
            st.sampled_from(
                ["runCommands", "operations", "westeurope", "permissions", "locks", "usages", "sshPublicKeys"]
            ),
            st.text(max_size=5),
        ),
        max_size=12,
    ),
    VALUES,
)
def test_no_path_leads_astray(method: str, segments: list[str], body: Any) -> None:
    async def run() -> None:
        at = await place()
        path = "/" + "/".join(segment.replace("?", "").replace("#", "") for segment in segments)
        response = await at.isv.call(method, path.replace("//", "/"), body, api_version="2024-07-01")
        assert response.status < 500, response
        json.dumps(response.body, allow_nan=False)
        assert problems(at.sandbox.azure.store) == []
        at.sandbox.azure.operations.close()

    asyncio.run(run())
