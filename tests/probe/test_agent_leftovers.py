"""Probing by a script that Azure runs in a machine: nothing of it is left there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from plstui.config.settings import Probe
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Failure, TargetResult
from plstui.domain.targets import targets
from plstui.engine import agents
from plstui.probe.agent.script import Asked, powershell_script, shell_script
from tests.domain.findings.ward import Ward
from tests.probe.agents import Sent, journal, probe, refusal, runs


@asynccontextmanager
async def under_way(lab: Ward) -> AsyncIterator[tuple[Sent, asyncio.Task[dict[str, TargetResult]]]]:
    """A probe whose script hangs in the machine, seen to have left nothing behind at the end."""
    sent, asked = Sent(lab), asyncio.Event()
    await lab.box.network.hang_machine("web1")
    sent.on = lambda what: asked.set() if what == "PUT runCommands" else None
    [web1] = [target for target in targets(lab.runtime.world()) if target.name == "web1"]
    probed = asyncio.create_task(probe(lab, web1))
    await asked.wait()
    yield sent, probed
    assert sent.writes == ["PUT runCommands", "DELETE runCommands"]
    await lab.box.azure.operations.settle()
    assert not runs(lab)
    assert [line["outcome"] for line in journal(lab)] == ["sent", "interrupted", "sent", "done"]


async def test_a_probe_that_is_ended_takes_its_script_with_it(lab: Ward) -> None:
    async with under_way(lab) as (_, probed):
        probed.cancel()
        await asyncio.wait([probed])


async def test_so_does_the_end_of_the_program(lab: Ward) -> None:
    async with under_way(lab) as (_, probed):
        await lab.runtime.close()
        assert await probed == {}


@pytest.mark.parametrize(("status", "code"), [(409, "Conflict"), (429, "TooManyRequests"), (503, "ServerBusy")])
async def test_a_script_that_cannot_be_removed_yet_is_removed_a_little_later(
    lab: Ward, monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    monkeypatch.setattr(agents, "TIDYING_PAUSES", (0.0, 0.0, 0.0))
    sent = Sent(lab)
    sent.refused["DELETE runCommands"] = refusal(status, code, "Not yet.")

    def give_in(what: str) -> None:
        if sent.writes.count("DELETE runCommands") == 3:
            sent.refused.clear()

    sent.on = give_in
    [web1] = [target for target in targets(lab.runtime.world()) if target.name == "web1"]
    assert (await probe(lab, web1))["web1"].ok
    assert sent.writes == ["PUT runCommands", *["DELETE runCommands"] * 3]
    await lab.box.azure.operations.settle()
    assert not runs(lab)


async def test_one_that_azure_still_makes_when_the_probe_is_ended_is_removed_as_well(
    lab: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "TIDYING_PAUSES", (0.0, 0.0, 0.0))
    sent, asked = Sent(lab), asyncio.Event()
    sent.refused["DELETE runCommands"] = refusal(409, "Conflict", "It is being made.")

    def give_in(what: str) -> None:
        asked.set()
        if sent.writes.count("DELETE runCommands") == 2:
            sent.refused.clear()

    sent.on = give_in
    await lab.box.network.hang_machine("web1")
    [web1] = [target for target in targets(lab.runtime.world()) if target.name == "web1"]
    probed = asyncio.create_task(probe(lab, web1))
    await asked.wait()
    probed.cancel()
    await asyncio.wait([probed])
    assert probed.cancelled()
    assert sent.writes == ["PUT runCommands", *["DELETE runCommands"] * 2]
    await lab.box.azure.operations.settle()
    assert not runs(lab)


@pytest.mark.parametrize(
    ("status", "code", "tries"), [(409, "Conflict", 4), (429, "TooManyRequests", 4), (403, "AuthorizationFailed", 1)]
)
async def test_a_script_that_stays_is_told_of_with_the_line_that_removes_it(
    lab: Ward, monkeypatch: pytest.MonkeyPatch, status: int, code: str, tries: int
) -> None:
    monkeypatch.setattr(agents, "TIDYING_PAUSES", (0.0, 0.0, 0.0))
    sent = Sent(lab)
    refused = refusal(status, code, "You may not remove it.")
    # For so long nobody is kept who quits.
    sent.refused["DELETE runCommands"] = replace(refused, headers={"Retry-After": "100"})
    [web1] = [target for target in targets(lab.runtime.world()) if target.name == "web1"]
    found = (await probe(lab, web1, count=1))["web1"]
    assert sent.writes == ["PUT runCommands", *["DELETE runCommands"] * tries]
    [left] = map(ResourceId, runs(lab))
    assert found.failures == {Failure.JUMP: 1}
    assert f"The run command {left.name} stays in web1: You may not remove it." in found.error
    assert "az vm run-command delete " in found.error
    assert found.error.endswith(f"--name {left.name} --subscription {left.subscription} --yes")


def left_in(lab: Ward, machine: ResourceId, name: str, script: str, *, minutes: int = 61, seconds: int = 30) -> None:
    """A run command that somebody has started so many minutes ago and not removed."""
    started = lab.box.azure.clock.now() - timedelta(minutes=minutes)
    properties = {
        "source": {"script": script},
        "provisioningState": "Succeeded",
        "timeoutInSeconds": seconds,
        "asyncExecution": False,
        "instanceView": {"executionState": "Succeeded", "startTime": f"{started:%Y-%m-%dT%H:%M:%S}.1234567+00:00"},
    }
    run, location = machine.child("runCommands", name), "westeurope"
    lab.box.azure.store.put(
        {"id": run.text, "name": name, "type": run.type, "location": location, "properties": properties}
    )


def a_probes(lab: Ward, write: Callable[[Asked], str]) -> str:
    return write(Asked("00c0ffee", targets(lab.runtime.world())[:1], 1, Probe()))


async def test_what_killed_probes_have_left_is_removed_and_nothing_else(lab: Ward) -> None:
    web1 = lab.provider.machines[0]
    left_in(lab, web1, "plstui-00000001", a_probes(lab, shell_script))
    left_in(lab, web1, "PLSTUI-0000000a", a_probes(lab, powershell_script))
    left_in(lab, web1, "plstui-00000002", "echo somebody else's")
    left_in(lab, web1, "plstui-backup00", a_probes(lab, shell_script))
    left_in(lab, web1, "plstui-00000003", a_probes(lab, shell_script), seconds=9000)
    left_in(lab, lab.provider.machines[1], "plstui-00000004", a_probes(lab, shell_script))
    left_in(lab, web1, "plstui-00000005", a_probes(lab, shell_script), minutes=59)
    sent = Sent(lab)
    [target] = [target for target in targets(lab.runtime.world()) if target.name == "web1"]
    assert (await probe(lab, target))["web1"].ok
    await lab.box.azure.operations.settle()
    assert sent.writes == ["PUT runCommands", *["DELETE runCommands"] * 3]
    # Another's by its text, by its name, one that may still run, one in a machine that was not probed from, a new one.
    assert [ResourceId(each).name for each in runs(lab)] == [
        "plstui-00000002",
        "plstui-backup00",
        "plstui-00000003",
        "plstui-00000004",
        "plstui-00000005",
    ]
    assert [line["outcome"] for line in journal(lab) if line["verb"] == "clean up"] == ["sent", "done"] * 3


async def test_one_that_cannot_be_removed_spoils_no_probe(lab: Ward) -> None:
    left_in(lab, lab.provider.machines[0], "plstui-00000001", a_probes(lab, shell_script))
    sent = Sent(lab)

    def refuse(what: str) -> None:
        if sent.writes.count("DELETE runCommands") == 2:
            sent.refused["DELETE runCommands"] = refusal(403, "AuthorizationFailed", "You may not.")

    sent.on = refuse
    [web1] = [target for target in targets(lab.runtime.world()) if target.name == "web1"]
    assert (await probe(lab, web1))["web1"].ok
    assert sent.writes.count("DELETE runCommands") == 2


async def test_without_the_right_for_scripts_of_their_own_nothing_is_said_to_stay(lab: Ward) -> None:
    sent = Sent(lab)
    for what in ("PUT runCommands", "DELETE runCommands"):
        sent.refused[what] = refusal(403, "AuthorizationFailed", "You may not.")
    assert (await probe(lab))["web1"].route == "action run command in web1"
