from __future__ import annotations

import asyncio
from typing import Any

import pytest

from plstui.sandbox.latency import Latency
from plstui.sandbox.ports import CommandOutput
from tests.sandbox.providers.machines import COMPUTE, Agents, Place, place

EXPANDED = "?$expand=instanceView"


class Slow(Agents):
    """Agents that answer when they are told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def run_command(self, vm_id: str, script: str) -> CommandOutput:
        await self.go.wait()
        return await super().run_command(vm_id, script)


async def with_machine(latency: Latency = Latency.NONE) -> Place:
    at = await place(latency)
    await at.machine()
    return at


async def with_slow_machine() -> tuple[Place, Slow]:
    at = await with_machine(Latency.AZURE)
    agents = Slow()
    at.sandbox.azure.backplane = agents
    return at, agents


async def run(at: Place, body: Any) -> Any:
    accepted = await at.isv.call("POST", f"{at.vm()}/runCommand", body, api_version=COMPUTE)
    assert (accepted.status, accepted.body) == (202, None)
    return await at.isv.end_of(accepted), await at.isv.call("GET", accepted.headers["Location"])


async def test_the_output_of_the_action_comes_with_the_end_of_its_operation() -> None:
    at = await with_machine(Latency.AZURE)
    at.agents.answer = CommandOutput(3, "script.sh hello\n", "oh\n")
    end, result = await run(at, {"commandId": "RunShellScript", "script": ["echo 1", "echo 2"]})
    assert end.body.keys() == {"startTime", "endTime", "status", "properties", "name"}
    assert end.body["status"] == "Succeeded"
    assert end.body["properties"]["output"] == result.body
    assert result.body == {
        "value": [
            {
                "code": "ProvisioningState/succeeded",
                "level": "Info",
                "displayStatus": "Provisioning succeeded",
                "message": "Enable succeeded: \n[stdout]\nscript.sh hello\n\n[stderr]\noh\n",
            }
        ]
    }
    assert at.agents.ran == [(at.vm(), "echo 1\necho 2")]


async def test_parameters_reach_the_script_by_number_and_by_name() -> None:
    at = await with_machine()
    parameters = [{"name": "arg1", "value": "it's"}, {"name": "2bad", "value": "b"}]
    await run(at, {"commandId": "runshellscript", "script": ["echo $1"], "parameters": parameters})
    ((_, script),) = at.agents.ran
    assert script.startswith("sh -c ")
    assert script.endswith(" script.sh 'it'\"'\"'s' b")
    assert "arg1=" in script
    assert "2bad" not in script


async def test_only_the_end_of_a_long_output_is_shown() -> None:
    at = await with_machine()
    at.agents.answer = CommandOutput(0, "a" * 5000 + "b" * 4095 + "\n", "")
    _, result = await run(at, {"commandId": "RunShellScript", "script": ["x"]})
    assert result.body["value"][0]["message"] == f"Enable succeeded: \n[stdout]\n{'b' * 4095}\n\n[stderr]\n"


async def test_windows_answers_with_its_streams_apart() -> None:
    at = await with_machine()
    _, result = await run(at, {"commandId": "RunPowerShellScript", "script": ["hostname"]})
    assert [row["code"] for row in result.body["value"]] == [
        "ComponentStatus/StdOut/succeeded",
        "ComponentStatus/StdErr/succeeded",
    ]
    assert result.body["value"][0]["message"] == "out"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "InvalidParameter"),
        ({"commandId": "Format"}, 404, "NotFound"),
        ({"commandId": 7}, 400, "InvalidRequestContent"),
        ({"commandId": "RunShellScript", "script": "echo"}, 400, "InvalidRequestContent"),
        ({"commandId": "RunShellScript", "parameters": [7]}, 400, "InvalidRequestContent"),
        ({"commandId": "RunShellScript", "parameters": [{"name": "a", "value": "\x00"}]}, 400, "InvalidParameter"),
        (None, 400, "InvalidRequestContent"),
    ],
)
async def test_an_action_that_cannot_be_run(body: Any, status: int, code: str) -> None:
    at = await with_machine()
    answer = await at.isv.failure("POST", f"{at.vm()}/runCommand", body, api_version=COMPUTE)
    assert answer == (status, code)


async def test_one_action_at_a_time_and_only_while_the_machine_runs() -> None:
    at, agents = await with_slow_machine()
    body = {"commandId": "RunShellScript", "script": ["x"]}
    first = await at.isv.call("POST", f"{at.vm()}/runCommand", body, api_version=COMPUTE)
    second = await at.isv.failure("POST", f"{at.vm()}/runCommand", body, api_version=COMPUTE)
    assert second == (409, "Conflict")
    at.sandbox.azure.clock.advance(60)
    assert (await at.isv.get(first.headers["Azure-AsyncOperation"]))["status"] == "InProgress"
    agents.go.set()
    assert (await at.isv.end_of(first)).body["status"] == "Succeeded"
    await run(at, body)
    await at.isv.done("POST", f"{at.vm()}/deallocate", api_version=COMPUTE)
    stopped = await at.isv.failure("POST", f"{at.vm()}/runCommand", body, api_version=COMPUTE)
    assert stopped == (409, "OperationNotAllowed")


async def test_a_machine_that_hangs_is_given_up_and_can_be_asked_again() -> None:
    at, agents = await with_slow_machine()
    body = {"commandId": "RunShellScript", "script": ["x"]}
    first = await at.isv.call("POST", f"{at.vm()}/runCommand", body, api_version=COMPUTE)
    at.sandbox.azure.clock.advance(60)
    await at.isv.get(first.headers["Azure-AsyncOperation"])
    at.sandbox.azure.clock.advance(2 * 60 * 60)
    at.isv.sign_in()
    end = await at.isv.end_of(first)
    assert (end.body["status"], end.body["error"]["code"]) == ("Failed", "VMAgentStatusCommunicationError")
    agents.go.set()
    end, _ = await run(at, body)
    assert end.body["status"] == "Succeeded"


async def test_a_machine_that_stopped_meanwhile_fails_the_action() -> None:
    at = await with_machine()
    at.agents.gone = True
    accepted = await at.isv.call(
        "POST", f"{at.vm()}/runCommand", {"commandId": "RunShellScript", "script": ["x"]}, api_version=COMPUTE
    )
    end = await at.isv.end_of(accepted)
    assert (end.status, end.body["status"], end.body["error"]["code"]) == (200, "Failed", "OperationNotAllowed")
    assert await at.isv.failure("GET", accepted.headers["Location"]) == (409, "OperationNotAllowed")
    address = accepted.headers["Location"].partition("&t=")[0]
    assert await at.isv.failure("GET", address) == (404, "NotFound")


def managed(script: str, **more: Any) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"source": {"script": script}, **more}}


async def test_a_managed_command_from_its_run_to_its_deletion() -> None:
    at = await with_machine()
    at.agents.answer = CommandOutput(127, "so far\n", "no such command\n")
    path = f"{at.vm()}/runCommands/one"
    secret = [{"name": "key", "value": "Very-secret-1"}]
    body = managed("nonsense", protectedParameters=secret, runAsPassword="Very-secret-1")
    created = await at.isv.call("PUT", path, body, api_version=COMPUTE)
    assert created.status == 201
    assert created.body["properties"] == {
        "source": {"script": "nonsense"},
        "timeoutInSeconds": 0,
        "provisioningState": "Creating",
        "asyncExecution": False,
    }
    assert (await at.isv.end_of(created)).body["status"] == "Succeeded"
    plain = await at.isv.get(path, api_version=COMPUTE)
    assert (plain["properties"]["provisioningState"], "instanceView" in plain["properties"]) == ("Succeeded", False)
    view = (await at.isv.get(path + EXPANDED, api_version=COMPUTE))["properties"]["instanceView"]
    assert (view["executionState"], view["exitCode"], view["output"], view["error"]) == (
        "Failed",
        127,
        "so far\n",
        "no such command\n",
    )
    assert list(view)[-2:] == ["startTime", "endTime"]
    assert "key=Very-secret-1" in at.agents.ran[0][1]
    assert "Very-secret-1" not in str([dict(stored) for stored in at.sandbox.azure.store])
    at.agents.answer = CommandOutput(0, "fine\n", "")
    patch = {"properties": {"parameters": [{"name": "a", "value": "b"}], "timeoutInSeconds": 60, "runAsUser": "me"}}
    patched = await at.isv.call("PATCH", path, patch, api_version=COMPUTE)
    assert (patched.status, patched.body["properties"]["provisioningState"]) == (200, "Updating")
    assert patched.body["properties"]["source"] == {"script": "nonsense"}
    await at.isv.end_of(patched)
    view = (await at.isv.get(path + EXPANDED, api_version=COMPUTE))["properties"]["instanceView"]
    assert (view["executionState"], view["executionMessage"]) == ("Succeeded", "Execution completed")
    listed = await at.isv.get(f"{at.vm()}/runCommands{EXPANDED}", api_version=COMPUTE)
    assert [row["properties"]["instanceView"]["output"] for row in listed["value"]] == ["fine\n"]
    deleted = await at.isv.call("DELETE", path, api_version=COMPUTE)
    assert (deleted.status, "Location" in deleted.headers) == (202, True)
    await at.isv.end_of(deleted)
    assert (await at.isv.get(f"{at.vm()}/runCommands", api_version=COMPUTE))["value"] == []
    assert await at.isv.failure("GET", path, api_version=COMPUTE) == (404, "ResourceNotFound")
    assert (await at.isv.call("DELETE", path, api_version=COMPUTE)).status == 204


async def test_a_command_may_go_on_by_itself_and_run_out_of_time() -> None:
    at, agents = await with_slow_machine()
    path = f"{at.vm()}/runCommands/long"
    await at.isv.done("PUT", path, managed("sleep", asyncExecution=True, timeoutInSeconds=100), api_version=COMPUTE)
    body = await at.isv.get(path + EXPANDED, api_version=COMPUTE)
    assert body["properties"]["provisioningState"] == "Succeeded"
    assert body["properties"]["instanceView"]["executionState"] == "Running"

    async def ending() -> str:
        for _ in range(1000):
            shown = await at.isv.get(path + EXPANDED, api_version=COMPUTE)
            state = str(shown["properties"]["instanceView"]["executionState"])
            if state != "Running":
                return state
            at.sandbox.azure.clock.advance(1)
            await asyncio.sleep(0)
        raise AssertionError("it still runs")

    assert await ending() == "TimedOut"
    agents.go.set()
    again = await at.isv.call("PUT", path, managed("true", asyncExecution=True), api_version=COMPUTE)
    assert again.status == 200
    await at.isv.end_of(again)
    assert await ending() == "Succeeded"


async def test_a_failing_script_fails_its_deployment_where_that_is_wanted() -> None:
    at = await with_machine()
    at.agents.answer = CommandOutput(1, "", "")
    path = f"{at.vm()}/runCommands/one"
    body = managed("false", treatFailureAsDeploymentFailure=True)
    end = await at.isv.end_of(await at.isv.call("PUT", path, body, api_version=COMPUTE))
    assert (end.body["status"], end.body["error"]["code"]) == ("Failed", "VMRunCommandFailed")
    assert (await at.isv.get(path, api_version=COMPUTE))["properties"]["provisioningState"] == "Failed"


@pytest.mark.parametrize(
    ("properties", "status", "code"),
    [
        ({}, 400, "InvalidParameter"),
        ({"source": {"scriptUri": "https://example.com/x.sh"}}, 400, "InvalidParameter"),
        ({"source": {"commandId": "Format"}}, 404, "NotFound"),
        ({"source": {"script": "x"}, "timeoutInSeconds": -1}, 400, "InvalidParameter"),
        ({"source": {"script": ["x"]}}, 400, "InvalidRequestContent"),
    ],
)
async def test_a_managed_command_that_cannot_be(properties: dict[str, Any], status: int, code: str) -> None:
    at = await with_machine()
    body = {"location": "westeurope", "properties": properties}
    path = f"{at.vm()}/runCommands/one"
    assert await at.isv.failure("PUT", path, body, api_version=COMPUTE) == (status, code)
    orphan = f"{at.vm('no')}/runCommands/one"
    assert await at.isv.failure("PUT", orphan, managed("x"), api_version=COMPUTE) == (404, "ParentResourceNotFound")


async def test_the_commands_of_a_region() -> None:
    at = await place()
    path = f"/subscriptions/{at.isv.subscription}/providers/Microsoft.Compute/locations/westeurope/runCommands"
    listed = await at.isv.get(path, api_version=COMPUTE)
    assert "RunShellScript" in [row["id"] for row in listed["value"]]
    assert (await at.isv.get(f"{path}/ifconfig", api_version=COMPUTE))["script"] == ["ifconfig"]
    assert await at.isv.failure("GET", f"{path}/no", api_version=COMPUTE) == (404, "NotFound")
