from __future__ import annotations

from typing import Any

import pytest

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.gateway.operations import doomed
from plstui.sandbox.latency import Latency
from tests.sandbox.providers.boxes import with_boxes
from tests.sandbox.support import Sandbox

PATH = "providers/Microsoft.Resources/deployments"
API = "2022-09-01"


def box(name: str, *after: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "Microsoft.Compute/disks",
        "name": name,
        "apiVersion": "2024-05-01",
        "location": "West Europe",
        "dependsOn": list(after),
        **more,
    }


def request(*resources: Any, parameters: Any = None, mode: str = "incremental", **template: Any) -> dict[str, Any]:
    return {
        "properties": {
            "template": {
                "$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#",
                "contentVersion": "1.0.0.0",
                "resources": list(resources),
                **template,
            },
            "parameters": parameters or {},
            "mode": mode,
        }
    }


async def with_group(latency: Latency = Latency.NONE) -> tuple[Sandbox, str]:
    sandbox = with_boxes(latency)
    group = sandbox.isv.group("web")
    await sandbox.isv.put(group, {"location": "westeurope", "tags": {"team": "blue"}})
    return sandbox, group


async def deploy(sandbox: Sandbox, group: str, body: Any, name: str = "d1") -> Any:
    return await sandbox.isv.put(f"{group}/{PATH}/{name}", body, api_version=API)


async def test_a_template_as_az_sends_it() -> None:
    sandbox, group = await with_group()
    body = request(
        box(
            "two", "Microsoft.Compute/disks/ONE", properties={"after": f"{group}/providers/Microsoft.Compute/disks/one"}
        ),
        box("one", properties={"size": 4}),
        outputs={"made": {"type": "object", "value": "[reference('two')]"}},
    )
    path = f"{group}/{PATH}/d1"
    created = await sandbox.isv.call("PUT", path, body, api_version=API)
    assert (created.status, created.body["properties"]["provisioningState"]) == (201, "Accepted")
    assert list(created.body) == ["id", "name", "type", "properties"]
    assert created.body["properties"]["providers"] == [
        {
            "namespace": "Microsoft.Compute",
            "resourceTypes": [{"resourceType": "disks", "locations": ["westeurope"]}],
        }
    ]
    (dependency,) = created.body["properties"]["dependencies"]
    assert dependency["resourceName"] == "two"
    assert [other["resourceName"] for other in dependency["dependsOn"]] == ["one"]
    assert f"/{PATH}/d1/operationStatuses/" in created.headers["Azure-AsyncOperation"]
    end = await sandbox.isv.end_of(created)
    assert end.body == {"status": "Succeeded"}
    properties = (await sandbox.isv.get(path))["properties"]
    assert properties["provisioningState"] == "Succeeded"
    assert properties["outputs"]["made"]["type"] == "Object"
    assert properties["outputs"]["made"]["value"]["provisioningState"] == "Succeeded"
    assert [item["id"].rpartition("/")[2] for item in properties["outputResources"]] == ["one", "two"]
    operations = await sandbox.isv.get(f"{path}/operations")
    assert [entry["properties"]["provisioningOperation"] for entry in operations["value"]] == [
        "Create",
        "Create",
        "EvaluateDeploymentOutput",
    ]
    old_address = f"{group}/deployments/d1/operations"
    assert await sandbox.isv.get(old_address) == operations
    one = operations["value"][0]
    assert await sandbox.isv.get(one["id"]) == one
    assert one["properties"]["targetResource"]["resourceName"] == "one"
    assert one["properties"]["statusCode"] == "Created"


async def test_a_deployment_takes_the_time_of_its_resources_and_other_requests_go_on() -> None:
    sandbox, group = await with_group(Latency.AZURE)
    path = f"{group}/{PATH}/d1"
    body = request(box("one"), box("two", "one"))
    created = await sandbox.isv.call("PUT", path, body, api_version=API)
    status = created.headers["Azure-AsyncOperation"]
    assert (await sandbox.isv.get(status))["status"] in ("Accepted", "Running")
    assert await sandbox.isv.failure("PUT", path, body, api_version=API) == (409, "DeploymentActive")
    seen = []
    while (answer := await sandbox.isv.get(status))["status"] != "Succeeded":
        seen.append(answer["status"])
        sandbox.azure.clock.advance(5)
        await sandbox.isv.get(f"{group}/resources")
    assert set(seen) == {"Running"}
    properties = (await sandbox.isv.get(path))["properties"]
    assert properties["duration"] >= "PT40"
    listed = await sandbox.isv.get(f"{group}/{PATH}?$filter=provisioningState eq 'Succeeded'")
    assert [row["name"] for row in listed["value"]] == ["d1"]


async def test_parameters_variables_and_functions() -> None:
    sandbox, group = await with_group()
    body = request(
        box(
            "[variables('name')]",
            location="[resourceGroup().location]",
            tags="[resourceGroup().tags]",
            properties={
                "id": "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'net', parameters('sub net'))]",
                "elsewhere": "[resourceId('other', 'Microsoft.Network/virtualNetworks', 'net')]",
                "chosen": "[if(equals(parameters('count'), 3), format('{0}-{1}', 'a', 1), parameters('none'))]",
                "literal": "[[not an expression]",
                "unique": "[uniqueString(resourceGroup().id)]",
                "who": "[subscription().subscriptionId]",
                "item": "[parameters('list')[1].b]",
                "zones": "[concat(createArray('1'), parameters('list2'))]",
            },
        ),
        parameters={"Count": {"value": 3}, "secret": {"value": "hush"}},
        variables={"name": "[concat(parameters('start'), '-', toLower('DISK'))]"},
        outputs={
            "hidden": {"type": "securestring", "value": "[parameters('secret')]"},
            "name": {"type": "string", "value": "[reference(variables('name')).chosen]"},
        },
    )
    body["properties"]["template"]["parameters"] = {
        "start": {"type": "string", "defaultValue": "[toUpper('web')]"},
        "sub net": {"type": "string", "defaultValue": "[concat(parameters('start'), '1')]"},
        "count": {"type": "int"},
        "secret": {"type": "secureString"},
        "list": {"type": "array", "defaultValue": [1, {"b": "it's"}]},
        "list2": {"type": "array", "defaultValue": ["2"]},
    }
    deployed = (await deploy(sandbox, group, body))["properties"]
    assert deployed["provisioningState"] == "Succeeded"
    assert deployed["parameters"]["secret"] == {"type": "SecureString"}
    assert deployed["parameters"]["count"] == {"type": "Int", "value": 3}
    assert deployed["outputs"] == {"hidden": {"type": "SecureString"}, "name": {"type": "String", "value": "a-1"}}
    assert "hush" not in str([dict(stored) for stored in sandbox.azure.store])
    made = await sandbox.isv.get(f"{group}/providers/Microsoft.Compute/disks/WEB-disk")
    assert (made["location"], made["tags"]) == ("westeurope", {"team": "blue"})
    properties = made["properties"]
    assert properties["id"] == f"{group}/providers/Microsoft.Network/virtualNetworks/net/subnets/WEB1"
    assert properties["elsewhere"] == f"{sandbox.isv.group('other')}/providers/Microsoft.Network/virtualNetworks/net"
    assert (properties["chosen"], properties["literal"], properties["item"]) == ("a-1", "[not an expression]", "it's")
    assert (properties["who"], properties["zones"], len(properties["unique"])) == (
        sandbox.isv.subscription,
        ["1", "2"],
        13,
    )


async def test_a_reference_between_resources_is_an_order_too() -> None:
    sandbox, group = await with_group()
    body = request(
        box("second", properties={"copied": "[reference(resourceId('Microsoft.Compute/disks', 'first')).size]"}),
        box("first", properties={"size": 7}),
    )
    assert (await deploy(sandbox, group, body))["properties"]["provisioningState"] == "Succeeded"
    second = await sandbox.isv.get(f"{group}/providers/Microsoft.Compute/disks/second")
    assert second["properties"]["copied"] == 7


async def test_what_refers_to_something_not_ready_is_sent_again() -> None:
    sandbox, group = await with_group(Latency.FAST)
    wanted = f"{group}/providers/Microsoft.Compute/disks/late"
    body = request(box("waits", properties={"after": wanted}), box("late"))
    assert (await deploy(sandbox, group, body))["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.parametrize("more", [{"refuse": "TooManyBoxes"}, {"fail": "TooManyBoxes"}])
async def test_a_failure_comes_in_the_poll_with_its_reason_and_stops_what_depends_on_it(more: dict[str, str]) -> None:
    sandbox, group = await with_group()
    body = request(box("bad", **more), box("after", "bad"), box("beside"))
    path = f"{group}/{PATH}/d1"
    created = await sandbox.isv.call("PUT", path, body, api_version=API)
    assert created.status == 201
    end = await sandbox.isv.end_of(created)
    assert (end.status, end.body["status"], end.body["error"]["code"]) == (200, "Failed", "DeploymentFailed")
    assert [detail["code"] for detail in end.body["error"]["details"]] == ["TooManyBoxes"]
    assert end.body["error"]["target"] == path
    properties = (await sandbox.isv.get(path))["properties"]
    assert (properties["provisioningState"], properties["error"]["code"]) == ("Failed", "DeploymentFailed")
    assert "outputs" not in properties
    operations = {
        entry["properties"]["targetResource"]["resourceName"]: entry["properties"]
        for entry in (await sandbox.isv.get(f"{path}/operations"))["value"]
    }
    assert {name: entry["provisioningState"] for name, entry in operations.items()} == {
        "bad": "Failed",
        "beside": "Succeeded",
    }
    assert operations["bad"]["statusMessage"]["error"]["code"] == "TooManyBoxes"
    again = await sandbox.isv.call("PUT", path, request(box("fine")), api_version=API)
    assert again.status == 200
    assert (await sandbox.isv.end_of(again)).body == {"status": "Succeeded"}


async def test_an_injected_failure_ends_a_deployment() -> None:
    sandbox, group = await with_group()
    path = f"{group}/{PATH}/d1"
    with doomed(bad_request("Injected", "So it was to be.")):
        created = await sandbox.isv.call("PUT", path, request(box("one")), api_version=API)
    end = await sandbox.isv.end_of(created)
    assert (end.body["status"], end.body["error"]["code"]) == ("Failed", "Injected")
    assert (await sandbox.isv.get(path))["properties"]["provisioningState"] == "Failed"


async def test_children_nested_deployments_and_conditions() -> None:
    sandbox, group = await with_group()
    inner = request(box("[parameters('name')]"), parameters={"name": {"value": "[concat('in', 'ner')]"}})["properties"]
    inner["template"]["parameters"] = {"name": {"type": "string"}}
    inner["expressionEvaluationOptions"] = {"scope": "inner"}
    body = request(
        {"type": "Microsoft.Resources/deployments", "name": "nested", "apiVersion": API, "properties": inner},
        box("left out", condition="[equals(1, 2)]"),
        box("told by name"),
    )
    template = body["properties"]["template"]
    template["resources"] = {f"r{at}": resource for at, resource in enumerate(template["resources"])}
    template["resources"]["r2"]["dependsOn"] = ["r0"]
    assert (await deploy(sandbox, group, body))["properties"]["provisioningState"] == "Succeeded"
    listed = await sandbox.isv.get(f"{group}/resources")
    assert [row["name"] for row in listed["value"]] == ["inner", "told by name"]
    assert (await sandbox.isv.get(f"{group}/{PATH}/nested", api_version=API))["properties"]["mode"] == "Incremental"


WRONG: list[tuple[Any, str]] = [
    (None, "InvalidRequestContent"),
    ([], "InvalidRequestContent"),
    ({}, "InvalidRequestContent"),
    ({"properties": {"template": {"resources": []}}}, "InvalidRequestContent"),
    (request(mode="complete"), "InvalidDeployment"),
    ({**request(), "location": "westeurope"}, "InvalidDeployment"),
    ({"properties": {"mode": "Incremental", "templateLink": {"uri": "https://example.com"}}}, "InvalidDeployment"),
    ({"properties": {"mode": "Incremental"}}, "InvalidTemplate"),
    (request(7), "InvalidRequestContent"),
    (request({"name": "x"}), "InvalidTemplate"),
    (request(box("")), "InvalidTemplate"),
    (request(box("a/b")), "InvalidTemplate"),
    (request(box("a"), box("A")), "InvalidTemplate"),
    (request(box("a", "nobody")), "InvalidTemplate"),
    (request(box("a", "b"), box("b", "a")), "InvalidTemplate"),
    (request(box("a", copy={"name": "x", "count": 3})), "InvalidTemplate"),
    (request(box("[parameters('a')]")), "InvalidTemplate"),
    (request(box("[variables('a')]")), "InvalidTemplate"),
    (request(box("[variables('a')]"), variables={"a": "[variables('a')]"}), "InvalidTemplate"),
    (request(box("[reference('a')]")), "InvalidTemplate"),
    (request(box("[nosuch()]")), "InvalidTemplate"),
    (request(box("[concat('a']")), "InvalidTemplate"),
    (request(box("['a' 'b']")), "InvalidTemplate"),
    (request(box("[toLower(1)]")), "InvalidTemplate"),
    (request(box("[createArray()]")), "InvalidTemplate"),
    (request(box("[" + "toLower(" * 50 + "'x'" + ")" * 50 + "]")), "InvalidTemplate"),
    (request(box("a"), parameters={"strange": {"value": 1}}), "InvalidTemplate"),
]


@pytest.mark.parametrize(("body", "code"), WRONG)
async def test_templates_that_cannot_be_used(body: Any, code: str) -> None:
    sandbox, group = await with_group()
    for method, path in (("PUT", f"{group}/{PATH}/d1"), ("POST", f"{group}/{PATH}/d1/validate")):
        assert await sandbox.isv.failure(method, path, body, api_version=API) == (400, code)
    assert await sandbox.isv.failure("GET", f"{group}/{PATH}/d1", api_version=API) == (404, "DeploymentNotFound")


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        ({"type": "string"}, {}),
        ({"type": "string"}, {"value": 7}),
        ({"type": "int"}, {"value": True}),
        ({"type": "colour"}, {"value": "red"}),
        ({"type": "string", "allowedValues": ["a"]}, {"value": "b"}),
        ({"type": "string", "defaultValue": "[parameters('p')]"}, {}),
    ],
)
async def test_parameters_that_do_not_fit(declared: Any, given: Any) -> None:
    sandbox, group = await with_group()
    body = request(box("a"), parameters={"p": given})
    body["properties"]["template"]["parameters"] = {"p": declared}
    path = f"{group}/{PATH}/d1"
    assert await sandbox.isv.failure("PUT", path, body, api_version=API) == (400, "InvalidTemplate")


@pytest.mark.parametrize(
    "expression",
    [
        "[variables('v40')]",
        "[replace(variables('long'), 'x', variables('long'))]",
        "[join(createArray(1, 2, 3), variables('long'))]",
        "[mul(mul(9000000000, 9000000000), 9000000000)]",
        "[format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}', variables('long'))]",
    ],
)
async def test_a_template_cannot_grow_beyond_measure(expression: str) -> None:
    sandbox, group = await with_group()
    variables = {"v0": "ha", "long": "x" * 500_000}
    variables |= {f"v{at}": f"[concat(variables('v{at - 1}'), variables('v{at - 1}'))]" for at in range(1, 41)}
    body = request(box(expression), variables=variables)
    assert await sandbox.isv.failure("PUT", f"{group}/{PATH}/d1", body, api_version=API) == (400, "InvalidTemplate")


async def test_many_values_are_joined_in_a_moment() -> None:
    many = {"many": {"value": list(range(40_000))}}
    declared = {"many": {"type": "array"}}
    sandbox, group = await with_group()
    outputs = {"size": {"type": "int", "value": "[length(union(parameters('many'), parameters('many')))]"}}
    body = request(parameters=many, outputs=outputs)
    body["properties"]["template"]["parameters"] = declared
    deployment = await deploy(sandbox, group, body)
    assert deployment["properties"]["outputs"]["size"]["value"] == 40_000


@pytest.mark.parametrize(
    "expression",
    [
        "[split('x', createArray(" + ",".join(f"'{at}'" for at in range(21)) + "))]",
        "[" + "concat(" * 40 + "'x'" + ")" * 40 + "]",
        "[concat(" + ",".join(["variables('long')"] * 90) + ")]",
    ],
)
async def test_an_expression_cannot_take_for_ever(expression: str) -> None:
    sandbox, group = await with_group()
    body = request(box(expression), variables={"long": "x" * 900_000})
    assert await sandbox.isv.failure("PUT", f"{group}/{PATH}/d1", body, api_version=API) == (400, "InvalidTemplate")


async def test_expressions_that_are_long_and_many_are_too_much() -> None:
    sandbox, group = await with_group()
    long = "[" + " " * 24_000 + "'x']"
    declared = {f"p{at}": {"type": "string", "defaultValue": long} for at in range(300)}
    body = request(box("a"))
    body["properties"]["template"]["parameters"] = declared
    assert await sandbox.isv.failure("PUT", f"{group}/{PATH}/d1", body, api_version=API) == (400, "InvalidTemplate")


async def test_validate_export_cancel_and_delete() -> None:
    sandbox, group = await with_group(Latency.AZURE)
    path = f"{group}/{PATH}/d1"
    body = request(box("one"), box("two", "one"))
    validated = await sandbox.isv.call("POST", f"{path}/validate", body, api_version=API)
    assert (validated.status, len(validated.body["properties"]["validatedResources"])) == (200, 2)
    assert (await sandbox.isv.call("HEAD", path, api_version=API)).status == 404
    created = await sandbox.isv.call("PUT", path, body, api_version=API)
    assert (await sandbox.isv.call("HEAD", path, api_version=API)).status == 204
    await sandbox.isv.get(created.headers["Azure-AsyncOperation"])
    assert (await sandbox.isv.call("POST", f"{path}/cancel", api_version=API)).status == 204
    assert (await sandbox.isv.get(created.headers["Azure-AsyncOperation"]))["status"] == "Canceled"
    assert (await sandbox.isv.get(path))["properties"]["provisioningState"] == "Canceled"
    assert await sandbox.isv.failure("POST", f"{path}/cancel", api_version=API) == (409, "DeploymentCannotBeCancelled")
    sandbox.azure.clock.advance(100)
    listed = await sandbox.isv.get(f"{group}/resources")
    assert [row["name"] for row in listed["value"]] == ["one"]
    exported = await sandbox.isv.call("POST", f"{path}/exportTemplate", api_version=API)
    assert exported.body["template"] == body["properties"]["template"]
    deleted = await sandbox.isv.call("DELETE", path, api_version=API)
    sandbox.azure.clock.advance(30)
    assert (deleted.status, (await sandbox.isv.end_of(deleted)).status) == (202, 204)
    assert (await sandbox.isv.call("DELETE", path, api_version=API)).status == 204


async def test_a_group_that_goes_takes_its_deployments_with_it() -> None:
    sandbox, group = await with_group()
    await deploy(sandbox, group, request(box("one")))
    await sandbox.isv.delete(group)
    assert len(sandbox.azure.store) == 0
    await sandbox.isv.put(group, {"location": "westeurope"})
    path = f"{group}/{PATH}/d1"
    assert await sandbox.isv.failure("GET", path, api_version=API) == (404, "DeploymentNotFound")
    assert await sandbox.reader.failure("PUT", path, request(), api_version=API) == (403, "AuthorizationFailed")


async def test_without_a_gateway_a_deployment_fails_honestly() -> None:
    sandbox, group = await with_group()
    sandbox.azure.dispatch = Azure().dispatch
    path = f"{group}/{PATH}/d1"
    end = await sandbox.isv.end_of(await sandbox.isv.call("PUT", path, request(box("one")), api_version=API))
    assert end.body["error"]["details"][0]["code"] == "ServiceUnavailable"
