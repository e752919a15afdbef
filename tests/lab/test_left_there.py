"""What somebody else has left in Azure: half-done work is completed, and what is not the lab's is left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from plstui.domain.errors import RefusedError
from plstui.domain.sides import Side
from plstui.lab.effort import PATIENCE, StepFailedError
from plstui.lab.progress import Event, Kind
from plstui.lab.provider import HEALTH_DOUBT, HEALTH_PATIENCE
from plstui.sandbox.account import COMPUTE, NETWORK
from plstui.sandbox.gateway.messages import Request
from tests.lab.rig import Rig, nothing, undone

GROUP = "privatelink-pls-microhack-rg"
PRIVATE_DNS = "2020-06-01"


@pytest.mark.parametrize(("side", "machine"), [(Side.ISV, "web2"), (Side.CUSTOMER, "testVM")])
@pytest.mark.parametrize("verb", ["powerOff", "deallocate"])
async def test_a_machine_that_was_stopped_is_started(side: Side, machine: str, verb: str, approved: Rig) -> None:
    path = approved.body(machine)["id"]
    await approved.account(side).request("POST", f"{path}/{verb}", COMPUTE)
    async with approved.session() as plstui:
        assert list(undone((await plstui.run()).statuses())) != []
        run = await plstui.up()

    assert list(undone(run.statuses())) == []
    assert approved.written == [f"POST {path}/start"]


Change = Callable[[dict[str, Any]], None]


def _no_subnets(network: dict[str, Any]) -> None:
    network["properties"]["subnets"] = [{"name": "theirs", "properties": {"addressPrefix": "10.0.9.0/24"}}]


def _no_asg(nic: dict[str, Any]) -> None:
    del nic["properties"]["ipConfigurations"][0]["properties"]["applicationSecurityGroups"]


def _no_rule(balancer: dict[str, Any]) -> None:
    balancer["properties"]["loadBalancingRules"] = []
    balancer["properties"]["probes"][0]["properties"].pop("loadBalancingRules", None)
    balancer["properties"]["probes"].append({"name": "theirs", "properties": {"protocol": "Tcp", "port": 22}})


def _no_nginx(group: dict[str, Any]) -> None:
    rule = deepcopy(group["properties"]["securityRules"][0])
    rule["name"], rule["id"] = "theirs", ""
    rule["properties"] |= {"destinationPortRanges": ["22"], "priority": 200}
    group["properties"]["securityRules"] = [rule]


@pytest.mark.parametrize(
    ("name", "change", "step", "kept"),
    [
        ("web1-nic", _no_asg, "machines", "loadBalancerBackendAddressPools"),
        ("loadBalancer", _no_rule, "rule", "'name': 'theirs'"),
        ("networkSecurityGroup", _no_nginx, "isv-network", "'name': 'theirs'"),
    ],
)
async def test_what_is_half_done_is_completed_and_all_else_kept(
    name: str, change: Change, step: str, kept: str, deployed: Rig
) -> None:
    body = deepcopy(deployed.body(name))
    change(body)
    isv = deployed.account(Side.ISV)
    await isv.request("PUT", body["id"], NETWORK, {**body, "tags": {"theirs": "yes"}})
    async with deployed.session() as plstui:
        assert next(undone((await plstui.run()).statuses())).startswith(f"{step} is needed")
        run = await plstui.up()

    assert list(undone(run.statuses())) == []
    after = deployed.body(name)
    assert after["tags"] == {"theirs": "yes"}
    assert kept in repr(after)
    assert [what for what in deployed.written if what.endswith(f"/{name}")] == [f"PUT {body['id']}"]


async def test_a_network_without_the_subnet_gets_it(empty: Rig) -> None:
    isv = empty.account(Side.ISV)
    await isv.put_group(GROUP)
    body: dict[str, Any] = {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    _no_subnets(body)
    await isv.put(GROUP, "Network/virtualNetworks/virtualNetwork", tags={"theirs": "yes"}, **body)
    async with empty.session() as plstui:
        run = await plstui.up(until="policies")

    assert list(undone(run.statuses()[:8])) == []
    after = empty.body("virtualNetwork")
    assert [subnet["name"] for subnet in after["properties"]["subnets"]] == ["theirs", "saas"]
    assert after["tags"] == {"theirs": "yes"}
    assert "tags" not in empty.body(GROUP) or not empty.body(GROUP)["tags"]


def _elsewhere(network: dict[str, Any]) -> None:
    network["properties"]["addressSpace"]["addressPrefixes"] = ["10.9.0.0/16"]
    network["properties"]["subnets"] = []


def _other_subnet(network: dict[str, Any]) -> None:
    network["properties"]["subnets"] = [{"name": "saas", "properties": {"addressPrefix": "10.0.7.0/24"}}]


def _far_away(network: dict[str, Any]) -> None:
    network["location"] = "northeurope"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (_elsewhere, "addressSpace.addressPrefixes"),
        (_other_subnet, r"subnets\[saas\].properties.addressPrefix"),
        (_far_away, "location"),
    ],
)
async def test_what_is_in_the_way_is_told_before_anything_is_sent(change: Change, path: str, empty: Rig) -> None:
    isv = empty.account(Side.ISV)
    await isv.put_group(GROUP)
    body: dict[str, Any] = {
        "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": []},
    }
    change(body)
    await isv.request("PUT", isv.id_of(GROUP, "Network/virtualNetworks/virtualNetwork"), NETWORK, body)
    async with empty.session() as plstui:
        with pytest.raises(
            RefusedError,
            match=rf"^Step 2, Isolated network: virtualNetwork is there already and is not the lab's: its {path} is ",
        ):
            await plstui.up()
    assert empty.written == []


async def test_what_gets_in_the_way_during_a_run_is_left_alone(empty: Rig) -> None:
    isv = empty.account(Side.ISV)

    async def quicker(request: Request) -> None:
        if request.path.endswith("/natGateways/natGateway"):
            network = request.path.replace("natGateways/natGateway", "virtualNetworks/virtualNetwork")
            theirs: dict[str, Any] = {"location": "westeurope", "properties": {"addressSpace": {}}}
            theirs["properties"]["addressSpace"]["addressPrefixes"] = ["10.9.0.0/16"]
            await isv.request("PUT", network, NETWORK, theirs)

    empty.before = quicker
    async with empty.session() as plstui:
        with pytest.raises(StepFailedError, match="VirtualNetwork is there already and is not the lab's"):
            await plstui.up()
    assert empty.body("virtualNetwork")["properties"]["subnets"] == []


# What somebody else writes between our look and our write


async def test_what_somebody_adds_in_the_same_moment_is_kept(deployed: Rig) -> None:
    balancer = deepcopy(deployed.body("loadBalancer"))
    _no_rule(balancer)
    balancer["properties"]["probes"] = balancer["properties"]["probes"][:1]
    isv = deployed.account(Side.ISV)
    await isv.request("PUT", balancer["id"], NETWORK, balancer)

    async def quicker(request: Request) -> None:
        if request.path.endswith("/loadBalancers/loadBalancer"):
            deployed.before = nothing
            theirs = deepcopy(deployed.body("loadBalancer"))
            theirs["properties"]["probes"].append({"name": "theirs", "properties": {"protocol": "Tcp", "port": 22}})
            await isv.request("PUT", balancer["id"], NETWORK, theirs)

    deployed.before = quicker
    async with deployed.session() as plstui:
        run = await plstui.up(until="service")

    assert list(undone(run.statuses()[:9])) == []
    assert [probe["name"] for probe in deployed.body("loadBalancer")["properties"]["probes"]] == ["http", "theirs"]
    (told,) = plstui.told(Kind.RETRY)
    assert told.startswith("PreconditionFailed: Etag provided in if-match header")


async def test_a_record_that_somebody_makes_in_the_same_moment_is_seen_first(approved: Rig) -> None:
    customer = approved.account(Side.CUSTOMER)
    record = approved.body("saas-pls")
    await customer.request("DELETE", record["id"], PRIVATE_DNS)

    async def quicker(request: Request) -> None:
        if request.path.endswith("/A/saas-pls"):
            approved.before = nothing
            theirs = {"properties": {"ttl": 60, "metadata": {"order": "1"}, "aRecords": []}}
            await customer.request("PUT", record["id"], PRIVATE_DNS, theirs)

    approved.before = quicker
    async with approved.session() as plstui:
        run = await plstui.up()

    assert list(undone(run.statuses())) == []
    after = approved.body("saas-pls")["properties"]
    assert (after["ttl"], after["metadata"]) == (60, {"order": "1"})
    assert after["aRecords"] == record["properties"]["aRecords"]


async def test_a_machine_that_failed_is_sent_again_without_what_is_only_shown_of_it(empty: Rig) -> None:
    doomed = {"kind": "fail-operation", "method": "PUT", "type": "Microsoft.Compute/virtualMachines", "times": 1}
    await empty.sandbox.faults.load({"faults": [{**doomed, "side": "isv"}]})
    sent: list[dict[str, Any]] = []

    async def keep(request: Request) -> None:
        if "/virtualMachines/" in request.path and request.method == "PUT":
            sent.append(json.loads(request.content))

    empty.before = keep
    async with empty.session() as plstui:
        run = await plstui.up(until="machines")

    assert list(undone(run.statuses()[:3])) == []
    assert len(sent) == 4
    assert not [body for body in sent if "resources" in body or "instanceView" in body["properties"]]


# What does not come to an end


async def test_somebodys_write_is_waited_for_and_told_of(deployed: Rig) -> None:
    azure = deployed.sandbox.azure

    def turn(state: str) -> None:
        body = deepcopy(deployed.body("loadBalancer"))
        body["properties"]["provisioningState"] = state
        azure.store.put(body)

    def end(event: Event) -> None:
        if event.text == "waiting for loadBalancer: it is updating":
            turn("Succeeded")

    def never_end(event: Event) -> None:
        if event.kind is Kind.WAITING:
            azure.clock.advance(PATIENCE)

    await azure.operations.settle()
    turn("Updating")
    async with deployed.session(tell=end) as plstui:
        assert list(undone((await plstui.up(until="service")).statuses()[:9])) == []
        assert deployed.written == []
        turn("Updating")
        plstui.tell = never_end
        with pytest.raises(
            StepFailedError, match="loadBalancer is updating, and has not been done with for 30 minutes"
        ):
            await plstui.up(until="service")
    assert plstui.told(Kind.WAITING) == ["waiting for loadBalancer: it is updating"] * 2


async def test_a_machine_that_does_not_serve_is_spoken_of_and_ends_the_waiting(deployed: Rig) -> None:
    missing = "2 of 3 members are up; no page yet from web2"
    told_again = f"after 5 minutes still: {missing}"

    def pass_time(event: Event) -> None:
        if event.kind is Kind.WAITING:
            to_come = HEALTH_PATIENCE - HEALTH_DOUBT if event.text == told_again else HEALTH_DOUBT
            deployed.sandbox.azure.clock.advance(to_come)

    await deployed.sandbox.faults.load({"faults": [{"kind": "hang", "machine": "web2"}]})
    async with deployed.session(tell=pass_time) as plstui:
        with pytest.raises(StepFailedError, match=f"After 20 minutes: {missing}"):
            await plstui.up(until="service")

    assert plstui.told(Kind.WAITING) == [missing, told_again]
