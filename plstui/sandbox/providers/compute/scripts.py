"""Scripts in machines: the action run command, and how a script with parameters becomes one that a shell can run."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Coroutine, Sequence
from typing import Any

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.latency import Pace
from plstui.sandbox.ports import CommandOutput
from plstui.sandbox.providers.compute import polling, statuses
from plstui.sandbox.providers.compute.errors import ComputeError, invalid, missing, not_running
from plstui.sandbox.store import Body

RUN = Pace(16, 10)
"""The action takes a quarter of a minute for the shortest script."""

TIMEOUT = 90 * 60
"""Seconds that a script may take before Azure gives it up."""

MOST_LINES = 100_000
"""Lines that a script is sent in."""

SHOWN = 4096
"""Bytes at the end of what a script prints that Azure shows."""

COMMANDS = {
    "RunShellScript": ("Linux", "Executes a Linux shell script", ""),
    "ifconfig": ("Linux", "List network configuration", "ifconfig"),
    "RunPowerShellScript": ("Windows", "Executes a PowerShell script", ""),
}
"""The commands there are: their system, what they do, and the script that they run when none is sent."""

Parameters = Sequence[tuple[str, str]]


class Scripts:
    """Runs scripts in machines, one at a time in each where Azure does it so."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self._busy: set[str] = set()

    def action(self, call: Call, machine: Body) -> Response:
        """POST runCommand: accepted, and the output comes with the end of the operation."""
        command = call.fields.text("commandId")
        if not command:
            raise missing("commandId")
        name = next((name for name in COMMANDS if name.lower() == command.lower()), None)
        if name is None:
            raise ComputeError(404, "NotFound", f"The entity '{command[:60]}' was not found in this Azure location.")
        check_running(machine)
        key = machine["id"].lower()
        if key in self._busy:
            raise ComputeError(
                409,
                "Conflict",
                "Run command extension execution is in progress. Please wait for completion before invoking a run "
                "command.",
            )
        script = "\n".join(call.fields.texts("script", MOST_LINES)) or COMMANDS[name][2]
        parameters = parameters_of(call.fields)
        windows = COMMANDS[name][0] == "Windows"
        self._busy.add(key)
        operation = self._azure.operations.start(
            lambda: self._act(machine["id"], script, parameters, windows=windows),
            RUN,
            subscription=call.subscription,
            location=machine["location"],
            api_version=call.api_version,
            on_failure=lambda: self._busy.discard(key),
        )
        return polling.accepted(self._azure, call, operation, 202)

    async def _act(self, machine_id: str, script: str, parameters: Parameters, *, windows: bool) -> Body:
        output = await self.run(machine_id, script, parameters, TIMEOUT)
        self._busy.discard(machine_id.lower())
        if output is None:
            name = ResourceId(machine_id).name
            raise ComputeError(
                409,
                "VMAgentStatusCommunicationError",
                f"VM '{name}' has not reported status for VM agent or extensions. Verify that the OS is up and "
                "healthy, the VM has a running VM agent, and that it can establish outbound connections to Azure "
                "storage.",
            )
        return {"value": _shown(output, windows=windows)}

    async def run(self, machine_id: str, script: str, parameters: Parameters, timeout: float) -> CommandOutput | None:
        """Run a script; None when it takes longer than `timeout`. Raises the 409 of a machine that does not run."""
        work = self._azure.backplane.run_command(machine_id, _with_parameters(script, parameters))
        try:
            return await self._within(work, timeout)
        except KeyError:
            raise not_running() from None

    async def _within(self, work: Coroutine[Any, Any, CommandOutput], seconds: float) -> CommandOutput | None:
        """The result of some work, or None when the sandbox's clock says that it takes too long."""
        tasks = {asyncio.ensure_future(work), asyncio.ensure_future(self._azure.clock.sleep(seconds))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            results = [task.result() for task in done]
        finally:
            for task in tasks:
                task.cancel()
        return next((result for result in results if result is not None), None)


def check_running(machine: Body) -> None:
    """Raise the 409 of Azure for a machine that is not running."""
    if statuses.power_of(machine) != statuses.RUNNING:
        raise not_running()


def parameters_of(fields: Fields, name: str = "parameters") -> list[tuple[str, str]]:
    """Names and values of a script's parameters; a name may be empty."""
    found = [(item.text("name"), item.text("value")) for item in fields.objects(name)]
    if any("\x00" in part for pair in found for part in pair):
        raise invalid(name, "A parameter has characters that are not allowed.")
    return found


def _with_parameters(script: str, parameters: Parameters) -> str:
    """A script that finds its parameters both by number and, where they have one, by name."""
    if not parameters:
        return script
    named = [(name, value) for name, value in parameters if re.fullmatch(r"[A-Za-z_]\w*", name)]
    text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in named) + script
    return shlex.join(["sh", "-c", text, "script.sh", *(value for _, value in parameters)])


def tail(text: str) -> str:
    """The end of what a script printed, as much as Azure shows."""
    return text.encode()[-SHOWN:].decode(errors="ignore")


def _shown(output: CommandOutput, *, windows: bool) -> list[Body]:
    """The output in the form of the action: on Linux one text with both streams, on Windows one for each."""
    done = {"level": "Info", "displayStatus": "Provisioning succeeded"}
    if windows:
        return [
            {"code": f"ComponentStatus/{name}/succeeded", **done, "message": tail(text).rstrip("\n")}
            for name, text in (("StdOut", output.stdout), ("StdErr", output.stderr))
        ]
    message = f"Enable succeeded: \n[stdout]\n{tail(output.stdout)}\n[stderr]\n{tail(output.stderr)}"
    return [{"code": "ProvisioningState/succeeded", **done, "message": message}]
