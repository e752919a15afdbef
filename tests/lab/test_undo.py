"""Undoing one step: the last one goes, what others need stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from plstui.domain.errors import RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.lab.effort import StepFailedError
from plstui.lab.parts import Step, StepState
from plstui.lab.progress import Event, Kind
from plstui.lab.runner import Run
from plstui.lab.undo import Undo, last_undoable
from plstui.sandbox.account import NETWORK
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.keyring import Keyring
from plstui.sandbox.parties import make_party
from tests.lab.rig import CUSTOMER_GROUP, ISV_GROUP, Rig, lab_on, names, nothing

BALANCER = "Network/loadBalancers/loadBalancer"
SERVICE = "Network/privateLinkServices/saasPrivateLinkService"


async def undo_of(az: Rig, events: list[Event] | None = None) -> Undo:
    """Undoing, as things are now."""
    told = events if events is not None else []
    return Undo(az.lab, await az.lab.survey(), told.append)


def why_blocked(undo: Undo, step: str) -> str:
    """What is in the way of a step."""
    return next(status.because for status in undo.statuses() if status.step.id == step)


async def undone(az: Rig, step: str, confirmed: Collection[str] = ()) -> Undo:
    """One step taken back."""
    undo = await undo_of(az)
    await undo.undo(az.lab.workshop.step(step), confirmed)
    return undo


def state_of(undo: Undo, step: Step) -> StepState:
    """Where a step stands."""
    return next(status.state for status in undo.statuses() if status.step == step)


async def get(az: Rig, kind: str) -> Any:
    """The properties of something of the ISV's."""
    isv = az.account(Side.ISV)
    return (await isv.request("GET", isv.id_of(ISV_GROUP, kind), NETWORK))["properties"]


async def test_the_whole_lab_step_by_step_and_nothing_is_left(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        await az.tag(ISV_GROUP, CUSTOMER_GROUP)
        undo, numbers = await undo_of(az), []
        while step := last_undoable(az.lab.workshop, undo.survey):
            await undo.undo(step)
            numbers.append(step.number)
            assert state_of(undo, step) is StepState.NEEDED

        assert numbers == [15, 12, 11, 9, 8, 7, 6, 5, 4, 3, 2, 1]
        assert az.left() == []
        assert sum(status.writes for status in undo.statuses()) == len(az.written)


async def test_a_step_goes_backwards_through_what_its_parts_need(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "pending") as az:
        await az.tag(CUSTOMER_GROUP)
        await undone(az, "endpoint")
        await undone(az, "customer-network")

        order = az.deleted()
        assert order[0] == "saasPrivateEndpoint"
        assert order[-2:] == ["spoke-vnet", CUSTOMER_GROUP]
        assert order.index("testVM") < order.index("testVM-nic") < order.index("spoke-vnet")
        assert order.index("dnsLink") < order.index("tradewinds.internal")


async def test_a_piece_is_taken_out_and_all_else_stays(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "deployed") as az:
        await az.tag(ISV_GROUP)
        await undone(az, "9")
        before = await get(az, "Network/networkInterfaces/web1-nic")
        undo = await undone(az, "pool")
        after = await get(az, "Network/networkInterfaces/web1-nic")

        (old,), (new,) = before["ipConfigurations"], after["ipConfigurations"]
        assert "loadBalancerBackendAddressPools" in old["properties"]
        assert "loadBalancerBackendAddressPools" not in new["properties"]
        assert old["properties"]["applicationSecurityGroups"] == new["properties"]["applicationSecurityGroups"]
        assert undo.survey.health == {}, "what a balancer said of members that have left is no longer so"

        await undone(az, "rule")
        assert (await get(az, BALANCER))["loadBalancingRules"] == []
        assert [probe["name"] for probe in (await get(az, BALANCER))["probes"]] == ["http"]
        await undone(az, "policies")
        (subnet,) = (await get(az, "Network/virtualNetworks/virtualNetwork"))["subnets"]
        assert subnet["properties"]["privateLinkServiceNetworkPolicies"] == "Enabled"
        assert subnet["properties"]["natGateway"]
        assert az.deleted() == ["saasPrivateLinkService"]
        journal = (tmp_path / "state" / "plstui" / "journal.jsonl").read_text()
        assert "az network nic ip-config address-pool remove " in journal
        assert "--nic-name web1-nic --ip-config-name ipconfig1 --lb-name loadBalancer" in journal
        assert "az network lb rule delete " in journal
        assert "--lb-name loadBalancer --name http" in journal
        assert "--private-link-service-network-policies Enabled" in journal


async def test_what_was_undone_is_built_again(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "deployed") as az:
        await az.tag(ISV_GROUP)
        for step in ("service", "policies", "pool", "rule", "probe"):
            undo = await undone(az, step)
        run = Run(az.lab, undo.survey, lambda _: None)
        # Without step 7: the machines of this world are not on, and the balancer would wait for them.
        again = [step for step in az.lab.workshop.steps[:10] if step.id != "pool"]
        await run.up(again)

        assert {status.state for status in run.statuses() if status.step in again} == {StepState.DONE}


@pytest.mark.parametrize(
    ("world", "step", "reason"),
    [
        ("approved", "endpoint", "Step 15, A name for it, still needs it: undo that first."),
        ("pending", "service", "Step 12, Private endpoint, still needs it: undo that first."),
        ("deployed", "probe", "Step 6, Load-balancing rule, still needs it: undo that first."),
        ("deployed", "rule", "Step 9, Private link service, still needs it: undo that first."),
        ("deployed", "machines", "Step 7, Machines into the pool, still needs it: undo that first."),
        ("deployed", "isv-group", "Step 3, Three machines in three zones, still needs it: undo that first."),
        ("deployed", "endpoint", "Step 12, Private endpoint, is not done, so there is nothing to undo."),
        ("approved", "approval", "is a decision: reject or remove the connection"),
        ("approved", "offer", "leaves nothing in Azure that could be undone"),
        ("approved", "page", "leaves nothing in Azure that could be undone"),
    ],
)
async def test_what_cannot_be_undone_says_why(tmp_path: Path, world: str, step: str, reason: str) -> None:
    async with lab_on(tmp_path, world) as az:
        undo, wanted = await undo_of(az), az.lab.workshop.step(step)
        said = undo.why_not(wanted)
        assert said is not None

        with pytest.raises(RefusedError) as error:
            await undo.undo(wanted)

        assert error.value.message == said
        assert reason in said
        assert az.written == []


async def test_azure_is_looked_at_anew_before_anything_is_sent(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "deployed") as az:
        stale = await undo_of(az)
        step = az.lab.workshop.step("service")
        assert stale.why_not(step) is None
        endpoint = "Network/privateEndpoints/saasPrivateEndpoint"
        customer = az.account(Side.CUSTOMER)
        await customer.put_group(CUSTOMER_GROUP)
        space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}
        subnets = [{"name": "InfrastructureSubnet", "properties": {"addressPrefix": "10.1.0.0/24"}}]
        network = await customer.put(
            CUSTOMER_GROUP, "Network/virtualNetworks/spoke-vnet", {**space, "subnets": subnets}
        )
        target = {"privateLinkServiceId": az.account(Side.ISV).id_of(ISV_GROUP, SERVICE), "requestMessage": "hi"}
        request = {"name": "connectionToSaasService", "properties": target}
        subnet = {"subnet": {"id": f"{network}/subnets/InfrastructureSubnet"}}
        await customer.put(CUSTOMER_GROUP, endpoint, {**subnet, "manualPrivateLinkServiceConnections": [request]})

        with pytest.raises(RefusedError, match="Step 12, Private endpoint, still needs it"):
            await stale.undo(step)
        assert az.written == []


async def test_a_service_that_others_use_is_not_undone(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "workshop", sides=(Side.ISV,)) as az:
        undo = await undo_of(az)
        reason = undo.why_not(az.lab.workshop.step("service"))
        assert reason == "Somebody is connected: remove all 3 connections first."

        absent = undo.why_not(az.lab.workshop.step("endpoint"))
        assert absent == "Step 12, Private endpoint, is not done from here: the Customer subscription is not set."


async def test_the_customer_alone_can_go_back(tmp_path: Path) -> None:
    isv = make_party("isv", "ISV", "1", Keyring()).subscription.id
    service = f"/subscriptions/{isv}/resourceGroups/{ISV_GROUP}/providers/Microsoft.{SERVICE}"
    settings = {"service_id": service}
    async with lab_on(tmp_path, "pending", sides=(Side.CUSTOMER,), settings=settings) as az:
        await az.tag(CUSTOMER_GROUP)
        undo = await undo_of(az)
        step = last_undoable(az.lab.workshop, undo.survey)
        assert step is not None
        await undo.undo(step)

        assert az.deleted() == ["saasPrivateEndpoint"]


async def test_a_resource_that_is_not_the_labs_is_not_undone(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "empty") as az:
        isv = az.account(Side.ISV)
        await isv.put_group(ISV_GROUP)
        space = {"addressSpace": {"addressPrefixes": ["172.16.0.0/16"]}}
        await isv.put(ISV_GROUP, "Network/virtualNetworks/virtualNetwork", space)

        with pytest.raises(RefusedError, match="virtualNetwork is there already and is not the lab's"):
            await undone(az, "isv-network")
        assert names(az.left()) == [ISV_GROUP, "virtualNetwork"]


async def test_the_group_goes_only_as_a_teardown_would_let_it(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "empty") as az:
        isv = az.account(Side.ISV)
        await isv.put_group(ISV_GROUP)
        with pytest.raises(RefusedError, match="was not created by plstui"):
            await undone(az, "isv-group")

        await az.tag(ISV_GROUP)
        more: dict[str, Any] = {"sku": {"name": "Standard"}}
        await isv.put(ISV_GROUP, "Network/publicIPAddresses/theirs", {"publicIPAllocationMethod": "Static"}, **more)
        with pytest.raises(RefusedError, match="holds what is not the lab's: theirs"):
            await undone(az, "isv-group")
        assert az.written == []

        await undone(az, "isv-group", [ISV_GROUP])
        assert az.left() == []


async def test_what_is_in_a_group_of_somebody_elses_needs_its_name(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "deployed") as az:
        undo, step = await undo_of(az), az.lab.workshop.step("pool")
        await undone(az, "service", [" SAASPrivateLinkService "])
        sent = len(az.written)
        undo = await undo_of(az)

        assert [doubt.id.name for doubt in await undo.doubts(step)] == ["web1-nic", "web2-nic", "web3-nic"]
        with pytest.raises(RefusedError, match=r"Resource web2-nic is in group .* was not created by plstui") as e:
            await undo.undo(step, ["web1-nic"])
        assert "--yes-delete web2-nic --yes-delete web3-nic" in e.value.hint
        with pytest.raises(RefusedError, match="There is no web4-nic in what step 7 has made"):
            await undo.undo(step, ["web4-nic"])
        assert len(az.written) == sent

        await undo.undo(step, ["web1-nic", "web2-nic", "web3-nic"])
        assert len(az.written) == sent + 3


async def _their_subnet(az: Rig) -> None:
    isv = az.account(Side.ISV)
    network = await isv.request("GET", isv.id_of(ISV_GROUP, "Network/virtualNetworks/virtualNetwork"), NETWORK)
    network["properties"]["subnets"].append({"name": "theirs", "properties": {"addressPrefix": "10.0.9.0/24"}})
    await isv.request("PUT", network["id"], NETWORK, network)


async def _their_rule(az: Rig) -> None:
    isv = az.account(Side.ISV)
    group = await isv.request(
        "GET", isv.id_of(ISV_GROUP, "Network/networkSecurityGroups/networkSecurityGroup"), NETWORK
    )
    rule = {**group["properties"]["securityRules"][0]["properties"], "priority": 200}
    group["properties"]["securityRules"].append({"name": "theirs", "properties": rule})
    await isv.request("PUT", group["id"], NETWORK, group)


async def _their_probe(az: Rig) -> None:
    isv = az.account(Side.ISV)
    balancer = await isv.request("GET", isv.id_of(ISV_GROUP, BALANCER), NETWORK)
    balancer["properties"]["probes"].append({"name": "theirs", "properties": {"protocol": "Tcp", "port": 22}})
    await isv.request("PUT", balancer["id"], NETWORK, balancer)


async def _their_member(az: Rig) -> None:
    isv = az.account(Side.ISV)
    nic = await isv.request("GET", isv.id_of(ISV_GROUP, "Network/networkInterfaces/web1-nic"), NETWORK)
    (configuration,) = nic["properties"]["ipConfigurations"]
    pool = isv.id_of(ISV_GROUP, f"{BALANCER}/backendAddressPools/saasBackendPool")
    subnet = configuration["properties"]["subnet"]
    joined = {"subnet": subnet, "loadBalancerBackendAddressPools": [{"id": pool}]}
    theirs = {"ipConfigurations": [{"name": "ipconfig1", "properties": joined}]}
    await isv.put(ISV_GROUP, "Network/networkInterfaces/theirs", theirs)


async def _their_record(az: Rig) -> None:
    customer = az.account(Side.CUSTOMER)
    record = customer.id_of(CUSTOMER_GROUP, "Network/privateDnsZones/tradewinds.internal/A/theirs")
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.1.0.9"}]}}
    await customer.request("PUT", record, "2020-06-01", body)


@pytest.mark.parametrize(
    ("put", "before", "step", "name"),
    [
        (_their_subnet, (9, 8, 7, 6, 5, 4, 3), "isv-network", "virtualNetwork"),
        (_their_rule, (9, 8, 7, 6, 5, 4, 3), "isv-network", "networkSecurityGroup"),
        (_their_probe, (9, 8, 7, 6, 5), "balancer", "loadBalancer"),
        (_their_member, (9, 8, 7, 6, 5), "balancer", "loadBalancer"),
        (_their_record, (12,), "customer-network", "tradewinds.internal"),
    ],
)
async def test_what_holds_something_of_somebody_elses_needs_its_name(
    tmp_path: Path, put: Callable[[Rig], Awaitable[None]], before: tuple[int, ...], step: str, name: str
) -> None:
    async with lab_on(tmp_path, "pending" if step == "customer-network" else "deployed") as az:
        await az.tag(*((ISV_GROUP, CUSTOMER_GROUP) if step == "customer-network" else (ISV_GROUP,)))
        for number in before:
            await undone(az, str(number))
        await put(az)
        sent = len(az.written)

        with pytest.raises(RefusedError, match=f"{name} holds what is not the lab's: theirs, so its name"):
            await undone(az, step)
        assert len(az.written) == sent


async def test_what_came_into_it_meanwhile_is_not_lost_unasked(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "deployed") as az:
        await az.tag(ISV_GROUP)
        for number in (9, 8, 7, 6, 5, 4, 3):
            await undone(az, str(number))

        async def quicker(request: Request) -> None:
            if request.method == "GET" and request.path.endswith("/resources"):
                az.meddle = nothing
                await _their_subnet(az)

        az.meddle = quicker
        with pytest.raises(StepFailedError, match="virtualNetwork holds what is not the lab's: theirs"):
            await undone(az, "isv-network")
        assert "virtualNetwork" not in az.deleted()


async def test_it_is_patient_and_says_what_failed(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "deployed") as az:
        await az.tag(ISV_GROUP)
        events: list[Event] = []
        undo, step = await undo_of(az, events), az.lab.workshop.step("service")

        async def forbid(request: Request) -> Response | None:
            if request.method != "DELETE":
                return None
            return Response(403, {"error": {"code": "AuthorizationFailed", "message": "You may not."}})

        az.meddle = forbid
        with pytest.raises(StepFailedError, match="You may not"):
            await undo.undo(step)
        assert state_of(undo, step) is StepState.FAILED

        az.meddle = nothing
        busy = {"kind": "busy", "method": "DELETE", "times": 2}
        await az.sandbox.faults.load({"faults": [busy]})
        await undo.undo(step)

        assert [event.text.partition(":")[0] for event in events if event.kind is Kind.RETRY] == [
            "AnotherOperationInProgress"
        ] * 2
        assert state_of(undo, step) is StepState.NEEDED
        assert ResourceId(az.account(Side.ISV).id_of(ISV_GROUP, SERVICE)).text not in az.left()


async def test_the_endpoint_of_a_request_that_has_ended_goes_though_its_name_is_there(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "disconnected") as az:
        await az.tag(ISV_GROUP, CUSTOMER_GROUP)
        undo, endpoint = await undo_of(az), az.lab.workshop.step("endpoint")
        assert why_blocked(undo, "approval").startswith("the request is disconnected; undo step 15, then step 12, ")
        assert undo.why_not(endpoint) == "Step 15, A name for it, still needs it: undo that first.", "whose is it?"
        customer = az.account(Side.CUSTOMER)
        record = customer.id_of(CUSTOMER_GROUP, "Network/privateDnsZones/tradewinds.internal/A/saas-pls")
        await customer.request("PATCH", record, "2020-06-01", {"properties": {"metadata": {"created-by": "plstui"}}})
        undo = await undo_of(az)
        assert why_blocked(undo, "approval").startswith("the request is disconnected; undo step 12, ")

        undo = await undone(az, "endpoint")

        assert az.deleted() == ["saasPrivateEndpoint"]
        assert state_of(undo, az.lab.workshop.step("approval")) is StepState.NEEDED
        run = Run(az.lab, undo.survey, lambda _: None)
        await run.up([endpoint])
        assert state_of(undo, az.lab.workshop.step("record")) is StepState.NEEDED
