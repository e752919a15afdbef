"""Probing by a script that Azure runs in a machine: what is sent, what is left, what strange output is taken for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from plstui.cli.session import read_both
from plstui.config.settings import Probe
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Failure, Target, TargetKind, TargetResult
from plstui.domain.sides import Side
from plstui.domain.targets import frontends, targets
from plstui.engine import agents, readback
from plstui.probe.agent.route import NOBODY
from plstui.probe.agent.script import Asked, powershell_script, shell_script
from plstui.sandbox.account import COMPUTE, Account
from plstui.sandbox.gateway.messages import Drop, Request, Response
from plstui.sandbox.ports import CommandOutput
from tests.domain.findings.ward import Ward, ward

RUNS = "/runcommands/"


@pytest.fixture
async def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ward]:
    """The lab as it is when it works, to be probed by scripts."""
    monkeypatch.setenv("PLSTUI_PROBE_ROUTES", "run-command")
    monkeypatch.setenv("PLSTUI_PROBE_CONNECT_TIMEOUT", "1")
    monkeypatch.setenv("PLSTUI_PROBE_READ_TIMEOUT", "1")
    async with ward(tmp_path, monkeypatch) as made:
        await read_both(made.runtime)
        yield made


async def probe(lab: Ward, *wanted: Target, count: int = 6) -> dict[str, TargetResult]:
    """The results by the target's name."""
    world = lab.runtime.world()
    asked = wanted or (*targets(world), *frontends(world))
    return {result.target.name: result async for result in lab.runtime.prober.probe(asked, count)}


def runs(lab: Ward) -> list[str]:
    """The scripts that stand in the sandbox as resources."""
    return [str(body["id"]) for body in lab.box.azure.store if RUNS in str(body["id"]).lower()]


class Sent:
    """The writes that were sent, and answers given in Azure's stead."""

    def __init__(self, lab: Ward) -> None:
        self.writes: list[str] = []
        self.refused: dict[str, Response] = {}
        """By method and the last but one word of the path."""
        self.on: Callable[[str], None] = lambda _: None
        """Hears of each write."""
        lab.meddle = self._see

    async def _see(self, request: Request) -> Response | None:
        if request.method == "GET" or "oauth2" in request.path:
            return None
        words = request.path.split("/")
        what = f"{request.method} {words[-2] if words[-2].lower() == 'runcommands' else words[-1]}"
        self.writes.append(what)
        self.on(what)
        return self.refused.get(what)


async def deallocate(lab: Ward, machine: ResourceId) -> None:
    """Switch a machine off, as its owner does."""
    party = lab.box.isv if machine.subscription == lab.box.isv.subscription.id else lab.box.customer
    owner = Account(machine.subscription, partial(lab.box.gateway.handle_for, party.owner))
    await owner.request("POST", f"{machine}/deallocate", COMPUTE)
    await lab.box.azure.operations.settle()


def refusal(status: int, code: str, message: str) -> Response:
    return Response(status, {"error": {"code": code, "message": message}})


def agents_say(lab: Ward, monkeypatch: pytest.MonkeyPatch, say: Callable[[str], str]) -> None:
    """Let every machine's agent hand over something else than the script printed."""
    real = lab.box.azure.backplane.run_command

    async def run_command(vm_id: str, script: str) -> CommandOutput:
        output = await real(vm_id, script)
        return replace(output, stdout=say(output.stdout))

    monkeypatch.setattr(lab.box.azure.backplane, "run_command", run_command)


def journal(lab: Ward) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lab.runtime.journal.path.read_text().splitlines()]


async def test_each_side_is_probed_from_a_machine_of_its_own_and_nothing_is_left_of_it(lab: Ward) -> None:
    sent = Sent(lab)
    found = await probe(lab)
    assert {name: result.hosts for name, result in found.items() if name.startswith("web")} == {
        name: {name: 6} for name in ("web1", "web2", "web3")
    }
    assert set(found["saasPrivateEndpoint"].hosts) <= {"web1", "web2", "web3"}
    assert found["saasPrivateEndpoint"].ok
    assert {result.route for result in found.values() if result.target.side is Side.ISV} == {
        "managed run command in web1"
    }
    assert found["saasPrivateEndpoint"].route == "managed run command in testVM"
    # One script a side, whatever is asked.
    assert sorted(sent.writes) == ["DELETE runCommands"] * 2 + ["PUT runCommands"] * 2
    await lab.box.azure.operations.settle()
    assert not runs(lab)
    assert [(line["verb"], line["outcome"]) for line in journal(lab) if line["side"] == "isv"] == [
        ("probe", "sent"),
        ("probe", "done"),
        ("clean up", "sent"),
        ("clean up", "done"),
    ]


async def test_what_a_balancer_gives_back_to_the_machine_it_came_from_is_no_failure(lab: Ward) -> None:
    found = (await probe(lab, count=12))["loadBalancer"]
    assert found.ok
    assert found.failures == {}
    assert set(found.hosts) == {"web2", "web3"}


async def test_a_name_is_resolved_by_the_machine_and_the_answer_comes_back(lab: Ward) -> None:
    name = "saas-pls.tradewinds.internal"
    [endpoint] = [target for target in targets(lab.runtime.world()) if target.kind is TargetKind.ENDPOINT]
    by_name = Target(name, TargetKind.NAME, Side.CUSTOMER, name, 80)
    unknown = replace(by_name, name="unknown", address="other.tradewinds.internal")
    found = await probe(lab, endpoint, by_name, unknown)
    assert found[name].ok
    assert found[name].resolved == (endpoint.address,)
    assert found["unknown"].failures == {Failure.NOT_FOUND: 6}


async def test_a_sick_machine_and_a_silent_one_are_told_apart(lab: Ward) -> None:
    await lab.box.network.break_web("web2")
    await deallocate(lab, lab.provider.machines[2])
    found = await probe(lab, count=2)
    assert found["web2"].failures == {Failure.REFUSED: 2}
    assert found["web3"].failures == {Failure.TIMEOUT: 2}


async def test_the_first_machine_that_runs_is_used(lab: Ward) -> None:
    await deallocate(lab, lab.provider.machines[0])
    await read_both(lab.runtime)
    assert (await probe(lab, count=1))["web2"].route == "managed run command in web2"


async def test_without_the_right_for_the_one_the_other_is_used(lab: Ward) -> None:
    sent = Sent(lab)
    sent.refused["PUT runCommands"] = refusal(403, "AuthorizationFailed", "You may not.")
    found = await probe(lab)
    assert found["web1"].route == "action run command in web1"
    assert found["web1"].hosts == {"web1": 6}
    assert "POST runCommand" in sent.writes


async def test_where_neither_works_both_say_why_and_the_balancer_is_asked(lab: Ward) -> None:
    sent = Sent(lab)
    sent.refused["PUT runCommands"] = refusal(403, "AuthorizationFailed", "You may not.")
    sent.refused["POST runCommand"] = refusal(409, "Conflict", "Run command extension execution is in progress.")
    found = await probe(lab, count=1)
    assert found["web1"].failures == {Failure.JUMP: 1}
    assert found["web1"].route == ""
    assert "The managed run command in web1 did not work: " in found["web1"].error
    assert "The action run command in web1 did not work: " in found["web1"].error
    assert found["web1"].error.endswith("Not probed; the balancer finds it up.")


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
async def test_a_script_whose_answer_is_lost_is_not_sent_again(
    lab: Ward, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    """Not by the transport, not by the runner, and not in the other way."""
    monkeypatch.setattr(readback, "TIDYING_PAUSES", (0.0, 0.0))
    asked: list[str] = []
    ran: list[str] = []
    real = lab.box.azure.backplane.run_command

    async def run_command(vm_id: str, script: str) -> CommandOutput:
        ran.append(vm_id)
        return await real(vm_id, script)

    async def cut(request: Request) -> Response | None:
        if request.method not in ("PUT", "POST") or "runcommand" not in request.path.lower():
            return None
        asked.append(request.method)
        if taken:
            await lab.box.handle(request)
        raise Drop

    monkeypatch.setattr(lab.box.azure.backplane, "run_command", run_command)
    lab.meddle = cut
    found = (await probe(lab, next(t for t in targets(lab.runtime.world()) if t.name == "web1"), count=1))["web1"]

    assert asked == ["PUT"]
    assert len(ran) == taken
    assert found.ok == taken
    ends = [line["outcome"] for line in journal(lab) if line["verb"] == "probe"]
    assert ends == ["sent", "done" if taken else "unknown"]
    if not taken:
        assert "It is not known whether Azure has done it" in found.error
        assert "may still run" in found.error
    await lab.box.azure.operations.settle()
    assert not runs(lab)


async def test_a_view_that_cannot_be_read_is_no_reason_to_run_the_script_again(
    lab: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readback, "TIDYING_PAUSES", (0.0, 0.0))
    asked: list[str] = []

    async def hide(request: Request) -> Response | None:
        if "runcommand" not in request.path.lower() or request.method == "DELETE":
            return None
        if request.method == "GET":
            return refusal(503, "ServerTimeout", "Not now.")
        asked.append(request.method)
        return None

    lab.meddle = hide
    found = (await probe(lab, next(t for t in targets(lab.runtime.world()) if t.name == "web1"), count=1))["web1"]

    assert asked == ["PUT"]
    assert "Not now." in found.error


async def test_a_server_that_asks_for_no_wait_is_not_asked_without_end(
    lab: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readback, "POLL", 0.1)
    times: list[float] = []

    async def throttle(request: Request) -> Response | None:
        if "runcommands" not in request.path.lower() or request.method != "GET":
            return None
        times.append(asyncio.get_running_loop().time())
        refused = refusal(429, "TooManyRequests", "Slow down.")
        return replace(refused, headers={"Retry-After": "0"}) if len(times) < 4 else None

    lab.meddle = throttle
    found = (await probe(lab, next(t for t in targets(lab.runtime.world()) if t.name == "web1"), count=1))["web1"]

    assert found.ok
    assert times[3] - times[1] >= 0.2, "the first of them asked how the operation stands"


async def test_read_only_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLSTUI_PROBE_ROUTES", "run-command")
    monkeypatch.setenv("PLSTUI_UI_READ_ONLY", "true")
    async with ward(tmp_path, monkeypatch) as lab:
        await read_both(lab.runtime)
        sent = Sent(lab)
        found = await probe(lab, count=1)
    assert "read-only" in found["saasPrivateEndpoint"].error
    assert not [write for write in sent.writes if "unCommand" in write]


async def test_a_network_without_a_machine_is_said(lab: Ward) -> None:
    await deallocate(lab, lab.consumer.machine)
    await read_both(lab.runtime)
    found = await probe(lab, count=1)
    assert found["web1"].ok
    assert found["saasPrivateEndpoint"].failures == {Failure.JUMP: 1}
    assert found["saasPrivateEndpoint"].error == NOBODY


async def test_a_machine_that_hangs_is_asked_once_and_not_for_long(lab: Ward) -> None:
    sent = Sent(lab)
    await lab.box.network.hang_machine("web1")
    [web1] = [target for target in targets(lab.runtime.world()) if target.name == "web1"]
    probed = asyncio.create_task(probe(lab, web1, count=1))
    while not probed.done():
        # It says when Azure gives the script up.
        lab.box.azure.clock.advance(10)
        await asyncio.wait([probed], timeout=0.05)
    found = (await probed)["web1"]
    assert found.failures == {Failure.JUMP: 1}
    assert "The script did not end within" in found.error
    # Neither the machine's action; what else is known is asked of the balancer.
    assert sent.writes == ["PUT runCommands", "DELETE runCommands", "POST health"]


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


@pytest.mark.parametrize(("status", "code", "tries"), [(409, "Conflict", 4), (403, "AuthorizationFailed", 1)])
async def test_a_script_that_stays_is_told_of_with_the_line_that_removes_it(
    lab: Ward, monkeypatch: pytest.MonkeyPatch, status: int, code: str, tries: int
) -> None:
    monkeypatch.setattr(agents, "TIDYING_PAUSES", (0.0, 0.0, 0.0))
    sent = Sent(lab)
    sent.refused["DELETE runCommands"] = refusal(status, code, "You may not remove it.")
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


async def test_output_that_was_cut_off_is_recognised(lab: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    agents_say(lab, monkeypatch, lambda printed: printed[len(printed.splitlines()[0]) // 2 :])
    found = await probe(lab, count=1)
    cut = [result for result in found.values() if "cut off" in result.error]
    assert {result.target.side for result in cut} == {Side.ISV, Side.CUSTOMER}
    assert len(cut) == 2
    assert all(result.failures == {Failure.JUMP: 1} for result in cut)


@pytest.mark.parametrize(
    ("say", "said"),
    [
        (lambda printed: "", "brought nothing: The script printed nothing."),
        (lambda printed: printed.rpartition('{"n"')[0], "brought nothing: The script's output breaks off"),
        (lambda printed: '{"n":"00000000","end":1}\n', "brought nothing: The output is not this probe's"),
        (lambda printed: "\x1b[2J[bold]motd\n", "brought nothing: The output is not this probe's"),
    ],
)
async def test_output_that_is_not_this_probes_is_not_used(
    lab: Ward, monkeypatch: pytest.MonkeyPatch, say: Callable[[str], str], said: str
) -> None:
    agents_say(lab, monkeypatch, say)
    found = await probe(lab, count=1)
    assert all(said in result.error and result.failures == {Failure.JUMP: 1} for result in found.values())


async def test_what_an_earlier_run_printed_is_not_taken_for_this_ones(
    lab: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[str] = []

    def stale(printed: str) -> str:
        kept.append(printed)
        return kept[0]

    [web1] = [target for target in targets(lab.runtime.world()) if target.name == "web1"]
    agents_say(lab, monkeypatch, stale)
    assert (await probe(lab, web1))["web1"].ok
    assert "an earlier run" in (await probe(lab, web1))["web1"].error


def become_windows(lab: Ward, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make the test machine one with Windows, whose agent answers as PowerShell would; the scripts that it got."""
    body = dict(lab.box.azure.store.get(lab.consumer.machine) or {})
    disk = {**body["properties"]["storageProfile"]["osDisk"], "osType": "Windows"}
    storage = {**body["properties"]["storageProfile"], "osDisk": disk}
    lab.box.azure.store.put({**body, "properties": {**body["properties"], "storageProfile": storage}})
    scripts: list[str] = []

    async def run_command(vm_id: str, script: str) -> CommandOutput:
        scripts.append(script)
        nonce = script.partition("$nonce = '")[2][:8]
        told = f'{{"n":"{nonce}","t":0,"q":"10.1.0.5","a":"k,1200,3400,web1;t,0,0;"}}'
        return CommandOutput(0, f'{told}\r\n{{"n":"{nonce}","end":1}}\r\n', "")

    monkeypatch.setattr(lab.box.azure.backplane, "run_command", run_command)
    return scripts


@pytest.mark.parametrize("managed", [True, False])
async def test_windows_gets_a_script_of_its_own(lab: Ward, monkeypatch: pytest.MonkeyPatch, managed: bool) -> None:
    scripts = become_windows(lab, monkeypatch)
    if not managed:
        Sent(lab).refused["PUT runCommands"] = refusal(403, "AuthorizationFailed", "You may not.")
    [endpoint] = [target for target in targets(lab.runtime.world()) if target.kind is TargetKind.ENDPOINT]
    found = (await probe(lab, endpoint, count=2))["saasPrivateEndpoint"]
    assert (found.hosts, found.failures) == ({"web1": 1}, {Failure.TIMEOUT: 1})
    assert found.route == f"{'managed' if managed else 'action'} run command in testVM"
    [script] = scripts
    assert script.startswith("$nonce = '")
    assert "RunspaceFactory" in script
