"""The engine from an empty Azure to the whole lab, and from whatever else somebody may have left there."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from pathlib import Path

import pytest

from plstui.domain.errors import RefusedError, Retrying, UnreachableError
from plstui.domain.sides import Side
from plstui.engine.gate import unasked
from plstui.lab.effort import StepFailedError
from plstui.lab.guide import COMMANDS
from plstui.lab.parts import StepState
from plstui.lab.progress import Event, Kind
from plstui.lab.runner import Run
from plstui.lab.session import approve
from plstui.sandbox.account import NETWORK
from plstui.sandbox.gateway.messages import Request, Response
from plstui.tui.keys import every_key
from plstui.tui.lab.commands import guide
from tests.lab.rig import Rig, rig, undone, zones_of


def at_work() -> list[str]:
    """What of the lab's runs is still going on."""
    coroutines = (task.get_coro() for task in asyncio.all_tasks())
    return [name for work in coroutines if "Run." in (name := getattr(work, "__qualname__", ""))]


async def test_from_nothing_to_the_whole_lab_and_no_write_the_second_time(empty: Rig) -> None:
    async with empty.session() as plstui:
        first = await plstui.up()
        assert list(undone(first.statuses())) == []
        assert zones_of(empty) == [["1"], ["2"], ["3"]]
        assert first.survey.health[plstui.provider.rule].members
        assert all(member.up for member in first.survey.health[plstui.provider.rule].members)
        assert sum(status.writes for status in first.statuses()) == len(empty.written)
        before = await empty.state()
        empty.written.clear()
        second = await plstui.up()

    assert list(undone(second.statuses())) == []
    assert empty.written == []
    assert sum(status.writes for status in second.statuses()) == 0
    assert await empty.state() == before


async def test_three_machines_and_both_networks_are_built_at_once(empty: Rig) -> None:
    under_way: set[str] = set()
    most = 0
    together: set[str] = set()

    async def before(request: Request) -> None:
        nonlocal most
        under_way.add(request.path.rpartition("/")[2])
        if {"web1", "web2", "web3"} <= under_way or {"spoke-vnet"} <= under_way:
            together.update(under_way)
        most = max(most, len(under_way))
        await asyncio.sleep(0)

    async def after(request: Request) -> None:
        under_way.discard(request.path.rpartition("/")[2])

    empty.before, empty.after = before, after
    async with empty.session() as plstui:
        await plstui.up()

    assert most >= 3
    assert {"web1", "web2", "web3"} <= together


# Azure asks for patience


TYPES = (
    *("networkSecurityGroups", "natGateways", "virtualNetworks", "networkInterfaces", "loadBalancers"),
    *("privateLinkServices", "privateLinkServices/privateEndpointConnections", "privateEndpoints", "privateDnsZones"),
    *("privateDnsZones/virtualNetworkLinks", "privateDnsZones/A"),
)


@pytest.mark.parametrize("seed", [7, 11])
async def test_with_faults_it_ends_right_and_says_what_was_tried_again(seed: int, tmp_path: Path) -> None:
    plan = [
        *({"kind": "busy", "method": "PUT", "type": f"Microsoft.Network/{kind}", "times": 1} for kind in TYPES),
        {"kind": "busy", "method": "PUT", "type": "Microsoft.Compute/virtualMachines", "times": 1},
        {"kind": "fail-operation", "method": "PUT", "type": "Microsoft.Compute/virtualMachines", "times": 1},
        {"kind": "throttle", "rate": 0.05, "retry_after": 1},
        {"kind": "error", "rate": 0.02, "status": 503},
    ]
    async with rig(tmp_path) as azure, azure.session() as plstui:
        await azure.sandbox.faults.load({"seed": seed, "faults": plan})
        run = await plstui.up()
        happened = list(azure.sandbox.faults.happened)
        await azure.sandbox.faults.load({"faults": []})
        assert list(undone(run.statuses())) == []
        assert list(undone((await plstui.run()).statuses())) == []

    told = plstui.told(Kind.RETRY)
    assert {"busy", "throttle", "error", "fail-operation"} <= {what.split()[0] for what in happened}
    writes = [what for what in happened if " GET " not in what]
    for fault, code in (("busy", "AnotherOperationInProgress"), ("fail-operation", "InternalServerError")):
        assert sum(code in text for text in told) == sum(what.startswith(fault) for what in writes)
    assert len(told) >= len(writes)


async def test_the_first_write_of_every_step_meets_another_operation_and_that_is_said(empty: Rig) -> None:
    told: dict[str, list[str]] = {}
    refused: dict[str, int] = {}
    async with empty.session() as plstui:
        for step in plstui.steps():
            await empty.sandbox.faults.load({"faults": [{"kind": "busy", "method": "PUT", "times": 1}]})
            plstui.events.clear()
            run = await plstui.up(only=step.id)
            refused[step.id] = len(empty.sandbox.faults.happened)
            retries = [event for event in plstui.events if event.kind is Kind.RETRY]
            assert {event.step.id for event in retries} <= {step.id}
            told[step.id] = [event.text.partition(":")[0] for event in retries]
        assert list(undone(run.statuses())) == []

    nothing_to_write = {"offer", "address", "page"}
    assert refused == {step: step not in nothing_to_write for step in refused}
    assert told == {step: [] if step in nothing_to_write else ["AnotherOperationInProgress"] for step in refused}


async def test_answers_that_are_some_seconds_old_are_waited_out(empty: Rig) -> None:
    async with empty.session() as plstui:
        await empty.sandbox.faults.load({"faults": [{"kind": "stale", "seconds": 6}]})
        run = await plstui.up()
        await empty.sandbox.faults.load({"faults": []})
        assert list(undone(run.statuses())) == []
        assert list(undone((await plstui.run()).statuses())) == []

    assert any("NotFound" in text for text in plstui.told(Kind.RETRY))


async def test_what_fails_for_good_ends_the_run_and_leaves_nothing_at_work(empty: Rig) -> None:
    doomed = {"kind": "fail-operation", "method": "PUT", "type": "Microsoft.Compute/virtualMachines"}
    async with empty.session() as plstui:
        await empty.sandbox.faults.load({"faults": [{**doomed, "side": "isv", "code": "OSProvisioningTimedOut"}]})
        run = await plstui.run()
        with pytest.raises(StepFailedError, match=r"^Step 3, Three machines in three zones: The operation failed"):
            await run.up(plstui.steps())
        assert at_work() == []
        assert run.under_way == {}
        states = {status.step.id: status.state for status in run.statuses()}
        assert states["machines"] is StepState.FAILED
        assert StepState.RUNNING not in states.values()
        assert states["isv-network"] is StepState.DONE

        await empty.sandbox.faults.load({"faults": []})
        assert empty.body("web1")["properties"]["provisioningState"] == "Failed"
        again = await plstui.up()
        assert list(undone(again.statuses())) == []


async def test_whoever_stops_waiting_is_told_what_azure_still_does(empty: Rig) -> None:
    async with empty.session() as plstui:
        run = await plstui.run()
        working = asyncio.create_task(run.up(plstui.steps()))

        async def stop(request: Request) -> None:
            if request.path.endswith("/virtualMachines/web2"):
                working.cancel()

        empty.before = stop
        await asyncio.wait([working])
        assert working.cancelled()
        assert at_work() == []

    assert "machine web2" in run.under_way.values()
    assert StepState.RUNNING not in {status.state for status in run.statuses()}


async def test_what_fails_while_nobody_waits_any_more_is_no_news(empty: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python would write a traceback to standard error for what is told nobody."""
    heard: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["message"]))
    begun = asyncio.Event()

    async def fail_at_the_end(self: Run, parts: object) -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            raise RefusedError("Too late.")

    monkeypatch.setattr(Run, "_write", fail_at_the_end)
    async with empty.session() as plstui:
        run = await plstui.run()
        working = asyncio.create_task(run.up(plstui.steps()))
        await begun.wait()
        working.cancel()
        await asyncio.wait([working])
        del working, run
        gc.collect()
    assert heard == []


# One side, and some of the steps


async def test_the_isv_alone_builds_its_side(empty: Rig) -> None:
    async with empty.session(sides=(Side.ISV,)) as plstui:
        run = await plstui.up()

    states = {status.step.number: status for status in run.statuses()}
    assert all(states[number].state is StepState.DONE for number in range(1, 11))
    assert all(states[number].state is StepState.BLOCKED for number in range(11, 17))
    assert states[12].because == "the Customer subscription is not set"


async def test_the_customer_alone_waits_until_the_isv_has_decided_anywhere(deployed: Rig) -> None:
    service = deployed.body("saasPrivateLinkService")["id"]
    waiting = asyncio.Event()

    def hear(event: Event) -> None:
        if event.kind is Kind.WAITING and "has not decided" in event.text:
            waiting.set()

    async with deployed.session(sides=(Side.CUSTOMER,), lab={"service_id": service}, tell=hear) as plstui:
        building = asyncio.create_task(plstui.up(approves=False))
        await waiting.wait()
        await decide(deployed, "Approved")
        run = await building

    states = {status.step.number: status.state for status in run.statuses()}
    assert all(states[number] is StepState.DONE for number in range(11, 16))
    assert plstui.told(Kind.WAITING).count("the ISV has not decided on the request yet") == 1


async def test_the_customer_alone_needs_to_know_a_service(deployed: Rig) -> None:
    async with deployed.session(sides=(Side.CUSTOMER,)) as plstui:
        with pytest.raises(RefusedError, match=r"Step 12, Private endpoint: .*lab.service_id\.$"):
            await plstui.up(only="endpoint")
        await plstui.up()
    assert not any(body["name"] == "saasPrivateEndpoint" for body in deployed.sandbox.azure.store)


async def decide(azure: Rig, status: str) -> None:
    """Decide on the one request by hand, as somebody else of the ISV's would."""
    service = azure.body("saasPrivateLinkService")
    (connection,) = service["properties"]["privateEndpointConnections"]
    state = {"status": status, "description": "by hand"}
    await azure.account(Side.ISV).request(
        "PUT", connection["id"], NETWORK, {"properties": {"privateLinkServiceConnectionState": state}}
    )


async def test_until_a_step(empty: Rig) -> None:
    async with empty.session() as plstui:
        run = await plstui.up(until="service")
        done = {status.step.number for status in run.statuses() if status.state is StepState.DONE}

    # Whoever hands over the service only copies its alias: that is there with it.
    assert done == {*range(1, 11)}
    assert not [what for what in empty.written if empty.sandbox.customer.subscription.id in what]


@pytest.mark.parametrize(
    ("step", "first"),
    [
        ("pool", r"^Step 1, Resource group, comes first: there is no resource group privatelink-pls-microhack-rg yet"),
        ("13", r"^Step 1, Resource group, comes first"),
        ("machines", r"^Step 1, Resource group, comes first"),
    ],
)
async def test_a_step_names_the_one_that_comes_first(step: str, first: str, empty: Rig) -> None:
    async with empty.session() as plstui:
        with pytest.raises(RefusedError, match=first):
            await plstui.up(only=step)
    assert empty.written == []


async def test_a_step_names_the_first_of_those_that_are_missing(deployed: Rig) -> None:
    async with deployed.session() as plstui:
        with pytest.raises(RefusedError, match=r"^Step 11, Network, names and test machine, comes first"):
            await plstui.up(only="record")
    assert deployed.written == []


async def test_one_step_after_the_other(empty: Rig) -> None:
    async with empty.session() as plstui:
        for step in plstui.steps():
            await plstui.up(only=step.id)
        assert list(undone((await plstui.run()).statuses())) == []


# The decision


async def test_a_rejected_request_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    async with rig(tmp_path, "rejected") as azure, azure.session() as plstui:
        with pytest.raises(
            RefusedError, match=r"Step 13, .*: the request is rejected; the ISV can still approve it, else undo step 12"
        ):
            await plstui.up()
        assert azure.written == []


async def test_a_request_that_is_rejected_meanwhile_ends_the_waiting(pending: Rig) -> None:
    waiting = asyncio.Event()

    def hear(event: Event) -> None:
        if event.kind is Kind.WAITING:
            waiting.set()

    async with pending.session(tell=hear) as plstui:
        building = asyncio.create_task(plstui.up(approves=False))
        await waiting.wait()
        await decide(pending, "Rejected")
        with pytest.raises(StepFailedError, match="The request is rejected"):
            await building


async def test_somebody_else_who_approves_in_the_same_moment_is_no_failure(pending: Rig) -> None:
    async with pending.session() as plstui:
        lab = plstui.lab

        async def too_late(_: Retrying) -> None:
            await decide(pending, "Approved")
            await approve(plstui.runtime, lab.workshop, unasked)

        run = Run(lab, await lab.survey(), lambda _: None, too_late)
        await run.up(plstui.steps())

    assert list(undone(run.statuses())) == []
    (connection,) = pending.body("saasPrivateLinkService")["properties"]["privateEndpointConnections"]
    assert connection["properties"]["privateLinkServiceConnectionState"]["description"] == "by hand"


async def test_nothing_is_sent_where_plstui_is_read_only(empty: Rig) -> None:
    async with empty.session(ui={"read_only": True}) as plstui:
        with pytest.raises(StepFailedError, match="read-only"):
            await plstui.up()
    assert empty.written == []


async def test_that_nobody_answers_is_told_at_once(empty: Rig) -> None:
    async with empty.session() as plstui:
        await empty.sandbox.faults.load({"faults": [{"kind": "drop", "method": "GET"}]})
        with pytest.raises(UnreachableError):
            await plstui.run()
    assert plstui.told(Kind.RETRY) == []


async def test_what_follows_for_later_steps_is_seen_at_the_end(empty: Rig) -> None:
    async with empty.session() as plstui:
        run = await plstui.up(until="endpoint", approves=False)

    decision = next(status for status in run.statuses() if status.step.id == "approval")
    assert decision.because == "the ISV has not decided on the request yet"
    assert next(status for status in run.statuses() if status.step.id == "address").state is StepState.DONE


async def test_how_to_go_on_is_said_in_the_words_of_the_place(empty: Rig) -> None:
    async def throttled(request: Request) -> Response | None:
        busy = {"error": {"code": "TooManyRequests", "message": "Slow down."}}
        return Response(429, busy, {"Retry-After": "3600"}) if request.method == "PUT" else None

    empty.meddle = throttled
    async with empty.session() as plstui:
        keys = guide(every_key({"lab-until": "U"}))
        for words, clause in (
            (COMMANDS, "the same command goes on from there"),
            (keys, "press n or U to go on from there"),
        ):
            lab = replace(plstui.lab, guide=words)
            run = Run(lab, await lab.survey(), lambda _: None)
            with pytest.raises(StepFailedError) as error:
                await run.up(plstui.steps(only="isv-group"))
            assert error.value.hint == f"Azure asks to wait 3600 s; {clause}."
