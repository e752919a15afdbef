"""Probing by a script that Azure runs in a machine: what is sent, and what strange output is taken for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from plstui.cli.session import read_both
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Failure, Target, TargetKind
from plstui.domain.readback import Patience
from plstui.domain.sides import Side
from plstui.domain.targets import targets
from plstui.probe.agent.route import NOBODY
from plstui.sandbox.account import COMPUTE, Account
from plstui.sandbox.gateway.messages import Drop, Request, Response
from plstui.sandbox.ports import CommandOutput
from tests.domain.findings.ward import Ward, ward
from tests.probe.agents import Sent, journal, probe, refusal, runs


async def deallocate(lab: Ward, machine: ResourceId) -> None:
    """Switch a machine off, as its owner does."""
    party = lab.box.isv if machine.subscription == lab.box.isv.subscription.id else lab.box.customer
    owner = Account(machine.subscription, partial(lab.box.gateway.handle_for, party.owner))
    await owner.request("POST", f"{machine}/deallocate", COMPUTE)
    await lab.box.azure.operations.settle()


def agents_say(lab: Ward, monkeypatch: pytest.MonkeyPatch, say: Callable[[str], str]) -> None:
    """Let every machine's agent hand over something else than the script printed."""
    real = lab.box.azure.backplane.run_command

    async def run_command(vm_id: str, script: str) -> CommandOutput:
        output = await real(vm_id, script)
        return replace(output, stdout=say(output.stdout))

    monkeypatch.setattr(lab.box.azure.backplane, "run_command", run_command)


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
    lab.runtime.gate.patience = Patience(busy=(0.0,), looks=(0.0, 0.0))
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
    lab.runtime.gate.patience = Patience(busy=(0.0,), looks=(0.0, 0.0))
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
    assert found.error.count("It is not known whether Azure has done it: it could not be read back: Not now.") == 1
    assert [line["outcome"] for line in journal(lab) if line["verb"] == "probe"] == ["sent", "unknown"]


async def test_a_server_that_asks_for_no_wait_is_not_asked_without_end(
    lab: Ward,
) -> None:
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
