"""Managed run commands: scripts that are resources under a machine, and the commands that a region offers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.latency import Pace
from plstui.sandbox.ports import CommandOutput
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.compute import polling
from plstui.sandbox.providers.compute.children import MachineChild
from plstui.sandbox.providers.compute.errors import ComputeError, invalid, missing
from plstui.sandbox.providers.compute.polling import second
from plstui.sandbox.providers.compute.scripts import (
    COMMANDS,
    TIMEOUT,
    Parameters,
    Scripts,
    check_running,
    parameters_of,
    tail,
)
from plstui.sandbox.store import Body

PUT = Pace(10)

_SCHEMA = "http://schema.management.azure.com/schemas/2016-11-17/runcommands.json"


class RunCommands(MachineChild):
    """The scripts of a machine, each run when it is put and when it is changed."""

    type: ClassVar[str] = "Microsoft.Compute/virtualMachines/runCommands"

    def __init__(self, azure: Azure, scripts: Scripts) -> None:
        super().__init__(azure)
        self._scripts = scripts
        self._latest: dict[str, object] = {}
        """By id: the run that counts; an earlier one that still goes on has nothing to say."""

    def shape(self, call: Call, body: Body) -> Body:
        """Without what the script printed, unless that is asked for."""
        properties = dict(body["properties"])
        if "instanceview" not in call.request.query.get("$expand", "").lower():
            properties.pop("instanceView", None)
        return {**body, "properties": properties}

    async def put(self, call: Call) -> Response:
        """Run a script."""
        machine = self.machine(call, "write")
        old = self.azure.store.get(call.named)
        body = self.head(call, machine, dict(old) if old else None)
        return self._accept(call, machine, body, call.fields.fields("properties"), {}, created=old is None)

    async def patch(self, call: Call) -> Response:
        """Change a script and run it again."""
        machine = self.machine(call, "write")
        old = self.find(call.named)
        head = self.head(call, machine, old)
        if "tags" in old and "tags" not in head:
            head["tags"] = old["tags"]
        return self._accept(call, machine, head, call.fields.fields("properties"), old["properties"], created=False)

    def _accept(self, call: Call, machine: Body, head: Body, fields: Fields, old: Body, *, created: bool) -> Response:
        properties = _properties(fields, old)
        parameters = [
            *parameters_of(Fields({"parameters": properties.get("parameters", [])})),
            *parameters_of(fields, "protectedParameters"),
        ]
        check_running(machine)
        properties["provisioningState"] = "Creating" if created else "Updating"
        body = {**head, "properties": properties}
        run = self._latest[body["id"].lower()] = object()
        self.azure.store.put(body)
        operation = self.azure.operations.start(
            lambda: self._begin(call, run, body, machine["id"], parameters),
            PUT,
            subscription=call.subscription,
            location=body["location"],
            api_version=call.api_version,
            target=body["id"],
            on_failure=lambda: self.set_state(body["id"], "Failed"),
        )
        return polling.accepted(self.azure, call, operation, 201 if created else 200, self.shape(call, body))

    async def _begin(self, call: Call, run: object, body: Body, machine_id: str, parameters: Parameters) -> None:
        """Start the script; the operation is over with it, or at once where the script is to go on by itself."""
        started = self.azure.clock.now()
        self._view(run, body, {"exitCode": 0, "executionState": "Running", "output": "", "error": ""}, started)
        if not body["properties"]["asyncExecution"]:
            await self._run(run, body, machine_id, parameters, started)
            self.set_state(body["id"], "Succeeded")
            return
        self.set_state(body["id"], "Succeeded")
        self.azure.operations.start(
            lambda: self._run(run, body, machine_id, parameters, started),
            Pace(0),
            subscription=call.subscription,
            location=body["location"],
            api_version=call.api_version,
        )

    async def _run(self, run: object, body: Body, machine_id: str, parameters: Parameters, started: datetime) -> None:
        properties = body["properties"]
        source = properties["source"]
        script = COMMANDS[source["commandId"]][2] if "commandId" in source else source.get("script", "")
        seconds = properties["timeoutInSeconds"] or TIMEOUT
        output = await self._scripts.run(machine_id, script, parameters, seconds)
        view = _view_of(output) | {"endTime": second(self.azure.clock.now())}
        self._view(run, body, view, started)
        if properties.get("treatFailureAsDeploymentFailure") and view["executionState"] != "Succeeded":
            raise ComputeError(
                409,
                "VMRunCommandFailed",
                f"Run command '{body['name']}' has failed: {view['executionMessage']}",
            )

    def _view(self, run: object, body: Body, view: Body, started: datetime) -> None:
        """Put what a run tells where it can be read, unless it was overtaken or deleted."""
        known = self.azure.store.get(body["id"])
        if known is None or self._latest.get(body["id"].lower()) is not run:
            return
        told = {**view, "startTime": second(started)}
        if "endTime" in told:
            told["endTime"] = told.pop("endTime")
        self.azure.store.put({**known, "properties": {**known["properties"], "instanceView": told}})


def _view_of(output: CommandOutput | None) -> Body:
    if output is None:
        message = "Execution failed: failed to execute command: command timed out"
        return {"exitCode": 1, "executionState": "TimedOut", "executionMessage": message, "output": "", "error": ""}
    failed = output.exit_code != 0
    message = f"Execution failed: failed to execute command: command terminated with exit status={output.exit_code}"
    return {
        "exitCode": output.exit_code,
        "executionState": "Failed" if failed else "Succeeded",
        "executionMessage": message if failed else "Execution completed",
        "output": tail(output.stdout),
        "error": tail(output.stderr),
    }


def _properties(fields: Fields, old: Body) -> Body:
    """What is kept of a run command: protected parameters and passwords are not."""
    properties: Body = {"source": _source(fields.fields("source")) if "source" in fields else old.get("source")}
    if properties["source"] is None:
        raise missing("source")
    parameters = (
        [{"name": name, "value": value} for name, value in parameters_of(fields)]
        if "parameters" in fields
        else old.get("parameters", [])
    )
    if parameters:
        properties["parameters"] = parameters
    for name in ("runAsUser", "outputBlobUri", "errorBlobUri"):
        if text := fields.text(name) or old.get(name, ""):
            properties[name] = text
    properties["timeoutInSeconds"] = fields.number("timeoutInSeconds", old.get("timeoutInSeconds", 0))
    properties["provisioningState"] = ""
    properties["asyncExecution"] = fields.flag("asyncExecution", old.get("asyncExecution", False))
    if "treatFailureAsDeploymentFailure" in fields or "treatFailureAsDeploymentFailure" in old:
        default = old.get("treatFailureAsDeploymentFailure", False)
        properties["treatFailureAsDeploymentFailure"] = fields.flag("treatFailureAsDeploymentFailure", default)
    if properties["timeoutInSeconds"] < 0:
        raise invalid("timeoutInSeconds", "The value of parameter timeoutInSeconds is invalid.")
    return properties


def _source(fields: Fields) -> Body:
    if "scriptUri" in fields:
        raise invalid("source.scriptUri", "This sandbox fetches no scripts: send it in 'script'.")
    if command := fields.text("commandId"):
        name = next((name for name in COMMANDS if name.lower() == command.lower()), None)
        if name is None:
            raise ComputeError(404, "NotFound", f"The entity '{command[:60]}' was not found in this Azure location.")
        return {"commandId": name}
    return {"script": fields.text("script")} if "script" in fields else {}


class CommandDocuments(ResourceEndpoint):
    """The commands that can be run in machines of a region."""

    type: ClassVar[str] = "Microsoft.Compute/locations/runCommands"

    async def list(self, call: Call) -> Response:
        """Every command, without its script."""
        return Response(200, {"value": [_document(name) for name in COMMANDS]})

    async def get(self, call: Call) -> Response:
        """One command with its script."""
        for name, (_, _, script) in COMMANDS.items():
            if name.lower() == call.named.name.lower():
                return Response(200, {**_document(name), "script": script.splitlines(), "parameters": []})
        raise ComputeError(
            404, "NotFound", f"The entity '{call.named.name[:60]}' was not found in this Azure location."
        )


def _document(name: str) -> dict[str, Any]:
    system, what, _ = COMMANDS[name]
    return {"$schema": _SCHEMA, "id": name, "osType": system, "label": what, "description": what}
