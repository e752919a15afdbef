"""Reading a side, over HTTPS."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from plstui.arm import policies
from plstui.arm.reader import Reader
from plstui.arm.road import Road
from plstui.arm.side import ArmSide
from plstui.config.settings import Settings
from plstui.domain.connection import PENDING
from plstui.domain.errors import AzureError, NotFoundError, ThrottledError, UnreachableError
from plstui.domain.ids import ResourceId
from plstui.domain.resources import BackendAddress, BackendAddressPool, Kind, LoadBalancer, LoadBalancingRule
from plstui.domain.sides import Side
from plstui.domain.snapshot import HealthReading, Tier
from tests.arm.server import LISTS, SUBSCRIPTION, Answer, ArmServer, Handler

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
SERVICE = f"{GROUP}/providers/Microsoft.Network/privateLinkServices/pls"
CONNECTION = f"{SERVICE}/privateEndpointConnections/pe.guid"
BALANCER = ResourceId(f"{GROUP}/providers/Microsoft.Network/loadBalancers/lb")


def resource(name: str, **properties: Any) -> dict[str, Any]:
    return {"id": f"{GROUP}/providers/Some.Namespace/things/{name}", "name": name, "properties": properties}


def machine(name: str, power: str = "", **more: Any) -> dict[str, Any]:
    path = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"
    view = {"instanceView": {"statuses": [{"code": "ProvisioningState/succeeded"}, {"code": f"PowerState/{power}"}]}}
    return {"id": path, "name": name, "properties": view if power else {}, **more}


async def test_a_full_read_is_eight_lists_at_once(azure: ArmServer, side: ArmSide) -> None:
    barrier = asyncio.Barrier(len(LISTS))

    def once_all_are_there(field: str) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            await barrier.wait()
            return web.json_response({"value": [machine(field, "running")]})

        return answer

    for field, path in LISTS.items():
        azure.on("GET", path, once_all_are_there(field))

    reading = await side.reader.read(Tier.ALL)

    assert len(azure.seen) == 8
    for field in LISTS:
        assert [fact.name for fact in reading.resources[Kind[field.upper()]]] == [field]
    assert azure.tokens == 1


@pytest.mark.parametrize(
    ("tier", "fields"),
    [
        (Tier.CONNECTIONS, {"services", "endpoints"}),
        (Tier.MACHINES, {"balancers", "interfaces", "machines"}),
        (Tier.NETWORKS, {"networks", "security_groups", "groups"}),
    ],
)
async def test_a_tier_reads_its_own_types_and_says_nothing_of_the_others(
    azure: ArmServer, side: ArmSide, tier: Tier, fields: set[str]
) -> None:
    azure.everything_empty()

    reading = await side.reader.read(tier)

    assert {kind.field for kind in reading.resources} == fields
    assert len(azure.seen) == len(fields)


async def test_api_versions_are_pinned(azure: ArmServer, side: ArmSide) -> None:
    azure.everything_empty()

    await side.reader.read(Tier.ALL)

    versions = {seen.target.partition("?")[0]: seen.query["api-version"] for seen in azure.seen}
    assert versions.pop(LISTS["machines"]) == "2024-07-01"
    assert versions.pop(LISTS["groups"]) == "2024-07-01"
    assert set(versions.values()) == {"2024-05-01"}
    assert len(versions) == 6


async def test_every_page_is_read_at_the_address_that_azure_gives(azure: ArmServer, side: ArmSide) -> None:
    azure.everything_empty()
    path = LISTS["services"]
    following = f"{azure.arm}{path}?api-version=2024-05-01&$skiptoken=a%2Bb"
    azure.on(
        "GET",
        path,
        Answer({"value": [resource("first")], "nextLink": following}),
        Answer({"value": [resource("second")]}),
    )

    reading = await side.reader.read(Tier.CONNECTIONS)

    assert [service.name for service in reading.resources[Kind.SERVICES]] == ["first", "second"]
    assert azure.requests("GET", "skiptoken=a%2Bb")


async def test_machines_come_with_power_state_and_zones_in_one_list(azure: ArmServer, side: ArmSide) -> None:
    azure.everything_empty()
    azure.on("GET", LISTS["machines"], Answer({"value": [machine("web1", "deallocated", zones=["2"])]}))

    reading = await side.reader.read(Tier.MACHINES)

    assert [(vm.name, vm.power_state, vm.zones) for vm in reading.resources[Kind.MACHINES]] == [
        ("web1", "deallocated", ("2",))
    ]
    assert azure.requests("GET", "virtualMachines")[0].query["$expand"] == "instanceView"


@pytest.mark.parametrize("refusal", ["400", "ignored"])
async def test_machines_keep_power_state_and_zones_where_they_come_apart(
    azure: ArmServer, side: ArmSide, refusal: str
) -> None:
    azure.everything_empty()
    whole = {"value": [machine("web1", zones=["2"])]}

    async def answer(request: web.Request) -> web.StreamResponse:
        if "$expand" in request.query and refusal == "400":
            return await Answer({"error": {"code": "InvalidParameter", "message": "No."}}, 400)(request)
        if request.query.get("statusOnly") == "true":
            return web.json_response({"value": [machine("web1", "running")]})
        return web.json_response(whole)

    azure.on("GET", LISTS["machines"], answer)

    first = await side.reader.read(Tier.MACHINES)
    azure.seen.clear()
    second = await side.reader.read(Tier.MACHINES)
    third = await side.reader.read(Tier.MACHINES)

    assert [vm.power_state for vm in first.resources[Kind.MACHINES]] == ["running"]
    for reading in (second, third):
        assert [(vm.power_state, vm.zones) for vm in reading.resources[Kind.MACHINES]] == [("running", ("2",))]
    assert len(azure.requests("GET", "virtualMachines")) == 2
    assert not azure.requests("GET", "expand")


@pytest.mark.parametrize("kind", Tier.ALL.kinds)
async def test_one_list_that_fails_takes_nothing_else_away(azure: ArmServer, side: ArmSide, kind: Kind) -> None:
    azure.everything_empty()
    throttled = {"error": {"code": "SubscriptionRequestsThrottled", "message": "Too many."}}
    azure.on("GET", LISTS[kind.field], Answer(throttled, 429, {"Retry-After": "17"}))

    reading = await side.reader.read(Tier.ALL)

    failure = reading.failures[kind]
    assert isinstance(failure, ThrottledError)
    assert failure.retry_after == 17
    assert reading.resources == {other: () for other in Tier.ALL.kinds if other is not kind}
    assert len(azure.requests("GET")) == 8


async def test_where_nothing_can_be_read_the_first_failure_is_raised(azure: ArmServer, side: ArmSide) -> None:
    for path in LISTS.values():
        azure.on("GET", path, Answer({"error": {"code": "AuthorizationFailed", "message": "No."}}, 403))

    with pytest.raises(AzureError) as caught:
        await side.reader.read(Tier.ALL)

    assert caught.value.code == "AuthorizationFailed"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_passing_trouble_is_tried_once_more(azure: ArmServer, side: ArmSide, status: int) -> None:
    azure.on("GET", CONNECTION, Answer(status=status), Answer(connection()))

    found = await side.reader.read_connection(ResourceId(CONNECTION))

    assert found.status == PENDING


async def test_a_lasting_trouble_is_told_after_the_second_try(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION, Answer(status=503))

    with pytest.raises(AzureError, match="503"):
        await side.reader.read_connection(ResourceId(CONNECTION))

    assert len(azure.seen) == 2


async def test_a_trouble_that_asks_to_wait_is_not_tried_again_before_that(azure: ArmServer, side: ArmSide) -> None:
    azure.everything_empty()
    azure.on("GET", LISTS["endpoints"], Answer(status=503, headers={"Retry-After": "3600"}))

    error = (await side.reader.read(Tier.CONNECTIONS)).failures[Kind.ENDPOINTS]

    assert isinstance(error, AzureError)
    assert "503" in error.message
    assert error.retry_after == 3600
    assert len(azure.requests("GET", "privateEndpoints")) == 1


async def test_silence_ends_a_question_early_and_a_write_is_waited_for(
    azure: ArmServer, side: ArmSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "SILENCE_SECONDS", 0.2)
    never, gone_quiet = asyncio.Event(), asyncio.Event()

    async def half(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        await answer.write(b'{"value": [')
        gone_quiet.set()
        await never.wait()
        return answer

    async def slow(request: web.Request) -> web.StreamResponse:
        with suppress(TimeoutError):
            await asyncio.wait_for(never.wait(), 0.5)
        return web.json_response(connection())

    azure.everything_empty()
    azure.on("GET", LISTS["endpoints"], half)
    error = (await side.reader.read(Tier.CONNECTIONS)).failures[Kind.ENDPOINTS]
    assert isinstance(error, UnreachableError)
    assert "no answer came in time" in error.message
    assert gone_quiet.is_set()

    azure.on("PUT", CONNECTION, slow)
    assert (await side.writer.put(ResourceId(CONNECTION), connection()))["name"] == "pe.guid"


def connection() -> dict[str, Any]:
    state = {"status": "pending", "description": "please", "actionsRequired": "None"}
    return {"id": CONNECTION, "name": "pe.guid", "properties": {"privateLinkServiceConnectionState": state}}


async def test_a_connection_is_one_get(azure: ArmServer, side: ArmSide) -> None:
    azure.on("GET", CONNECTION, Answer(connection()))

    found = await side.reader.read_connection(ResourceId(CONNECTION))

    assert (found.name, found.status, found.description) == ("pe.guid", PENDING, "please")
    assert len(azure.seen) == 1


async def test_something_else_than_a_connection_is_not_found(azure: ArmServer, side: ArmSide) -> None:
    with pytest.raises(NotFoundError, match="not the id of a connection"):
        await side.reader.read_connection(ResourceId(SERVICE))

    assert not azure.seen


# Health of the balancers' members


def balancer(*names: str, probe: bool = True) -> LoadBalancer:
    rules = tuple(
        LoadBalancingRule(
            id=BALANCER.child("loadBalancingRules", name),
            name=name,
            pool_id=BALANCER.child("backendAddressPools", "pool"),
            probe_id=BALANCER.child("probes", "probe") if probe else None,
        )
        for name in names
    )
    return LoadBalancer(id=BALANCER, name="lb", rules=rules)


def health_of(rule: str) -> str:
    return f"{BALANCER}/loadBalancingRules/{rule}/health"


HEALTH = {
    "up": 1,
    "down": 1,
    "loadBalancerBackendAddresses": [
        {"ipAddress": "10.0.1.5", "networkInterfaceIPConfigurationId": f"{GROUP}/x", "state": "Up"},
        {"ipAddress": "10.0.1.6", "state": "Down", "reason": "Down_Probe_TcpProbeTimeout"},
    ],
}


async def test_health_is_asked_of_every_rule_and_waited_for(azure: ArmServer, side: ArmSide) -> None:
    for rule in ("http", "https"):
        result = f"/operationResults/{rule}"
        headers = {"Location": "{arm}" + result, "x-ms-retry-after-ms": "1"}
        azure.on("POST", health_of(rule), Answer(status=202, headers=headers))
        azure.on("GET", result, Answer(status=202, headers=headers), Answer(HEALTH))

    health = (await side.reader.read_health([balancer("http", "https")])).health

    assert [(h.balancer_id, h.rule_id.name) for h in health] == [(BALANCER, "http"), (BALANCER, "https")]
    assert [(m.address, m.up, m.reason) for m in health[0].members] == [
        ("10.0.1.5", True, ""),
        ("10.0.1.6", False, "Down_Probe_TcpProbeTimeout"),
    ]
    assert azure.requests("POST")[0].query["api-version"] == "2024-05-01"


async def test_rules_without_a_probe_are_not_asked(azure: ArmServer, side: ArmSide) -> None:
    assert await side.reader.read_health([balancer("http", probe=False)]) == HealthReading()
    assert not azure.seen


NIC = ResourceId(f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic/ipConfigurations/one")


@pytest.mark.parametrize(
    ("pool", "asked"),
    [({}, 0), ({"member_ids": (NIC,)}, 1), ({"addresses": (BackendAddress("one", "10.9.0.4"),)}, 1)],
    ids=["empty", "interface", "address alone"],
)
async def test_only_rules_whose_pool_has_members_are_asked(
    azure: ArmServer, side: ArmSide, pool: dict[str, Any], asked: int
) -> None:
    azure.on("POST", health_of("http"), Answer(HEALTH))
    pools = (BackendAddressPool(BALANCER.child("backendAddressPools", "POOL"), "pool", **pool),)

    health = await side.reader.read_health([replace(balancer("http"), pools=pools)])

    assert len(health.health) == len(azure.requests("POST")) == asked


@pytest.mark.parametrize("status", [400, 403, 404, 405])
async def test_health_that_azure_does_not_tell_is_left_out(azure: ArmServer, side: ArmSide, status: int) -> None:
    azure.on("POST", health_of("http"), Answer({"error": {"code": "No", "message": "No."}}, status))
    azure.on("POST", health_of("https"), Answer(HEALTH))

    health = (await side.reader.read_health([balancer("http", "https")])).health

    assert [h.rule_id.name for h in health] == ["https"]


async def test_no_health_is_told_when_no_right_allows_it(azure: ArmServer, side: ArmSide) -> None:
    azure.on("POST", health_of("http"), Answer({"error": {"code": "AuthorizationFailed", "message": "No."}}, 403))

    answer = await side.reader.read_health([balancer("http")])

    assert [rule.name for rule in answer.refused] == ["http"]
    assert answer.health == ()


async def test_health_that_takes_too_long_is_left_out(azure: ArmServer, settings: Settings) -> None:
    headers = {"Location": "{arm}/operationResults/http", "Retry-After": "3600"}
    azure.on("POST", health_of("http"), Answer(status=202, headers=headers))
    azure.on("GET", "/operationResults/http", Answer(status=202, headers=headers))
    reader = Reader(Road(settings, Side.ISV), health_patience=0.1)

    health = await reader.read_health([balancer("http")])
    await reader.close()

    assert health == HealthReading()
    assert azure.requests("GET", "operationResults")


async def test_health_in_trouble_is_an_error_and_not_an_old_truth(azure: ArmServer, side: ArmSide) -> None:
    azure.on("POST", health_of("http"), Answer(status=503))

    with pytest.raises(AzureError):
        await side.reader.read_health([balancer("http")])
