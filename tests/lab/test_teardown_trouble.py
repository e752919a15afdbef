"""Taking the lab down when something is in the way, when it is cut short, and when one side is not there."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from plstui.domain.errors import RefusedError, UnreachableError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.lab.effort import StepFailedError
from plstui.lab.inventory import take_stock
from plstui.lab.parts import StepState
from plstui.lab.progress import Kind
from plstui.sandbox.account import NETWORK
from plstui.sandbox.gateway.messages import Drop, Request, Response
from plstui.sandbox.latency import Latency
from tests.lab.down import CONNECTIONS, ENDPOINT, SERVICE, Down, down, without_guid
from tests.lab.rig import CUSTOMER_GROUP, ISV_GROUP, lab_on, names, nothing

# What is in the way


async def test_who_connects_while_the_service_is_emptied_is_removed_too(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "workshop") as az:
        service = az.account(Side.ISV).id_of(ISV_GROUP, f"Network/privateLinkServices/{SERVICE}")
        asked, tries = asyncio.Event(), 0

        def note(changed: str) -> None:
            body = az.sandbox.azure.store.get(service) if changed == service else None
            if body and body["properties"][CONNECTIONS]:
                asked.set()

        async def ask(request: Request) -> None:
            nonlocal tries
            if request.method != "DELETE" or request.path != service:
                return
            tries += 1
            if tries == 1:
                az.sandbox.azure.store.subscribe(note)
                az.sandbox.azure.clock.advance(25)
                await asked.wait()

        az.meddle = ask
        run = await down(az)

        assert tries == 2
        assert any("PrivateLinkServiceWithPrivateEndpointConnections" in text for text in run.said(Kind.RETRY))
        assert az.left() == []
        assert "3 endpoints of customers stay behind" in run.teardown.notes()[0]


async def test_a_service_that_azure_still_holds_for_connected_is_asked_again_later(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        clock = az.sandbox.azure.clock
        over = clock.time() + 30

        async def lags(request: Request) -> Response | None:
            if request.method != "DELETE" or not request.path.endswith(SERVICE) or clock.time() > over:
                return None
            code = "PrivateLinkServiceWithPrivateEndpointConnectionsCannotBeDeleted"
            return Response(400, {"error": {"code": code, "message": "It has connections."}})

        az.meddle = lags
        run = await down(az)

        assert az.left() == []
        assert az.deleted().count(SERVICE) < 9
        assert run.said(Kind.RETRY)


async def test_connections_that_come_faster_than_they_go_are_given_up(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        isv = az.account(Side.ISV)
        service = await isv.request("GET", isv.id_of(ISV_GROUP, f"Network/privateLinkServices/{SERVICE}"), NETWORK)
        connection = service["properties"][CONNECTIONS][0]["id"]

        async def comes_back(request: Request) -> Response | None:
            if request.method == "GET" and request.path == service["id"]:
                return Response(200, service)
            if request.path == connection:
                return Response(404, {"error": {"code": "NotFound", "message": "There is none."}})
            return None

        az.meddle = comes_back
        with pytest.raises(StepFailedError, match="come back as soon as they are removed: saasPrivateEndpoint"):
            await down(az)
        assert SERVICE not in az.deleted()


async def test_a_lock_is_told_before_the_first_write(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        group = f"/subscriptions/{az.sandbox.isv.subscription.id}/resourceGroups/{ISV_GROUP}"
        lock = f"{group}/providers/Microsoft.Authorization/locks/keep-it"

        async def locked(request: Request) -> Response | None:
            if request.path == f"{group}/providers/Microsoft.Authorization/locks":
                return Response(200, {"value": [{"id": lock, "name": "keep-it"}]})
            return None

        az.meddle = locked
        with pytest.raises(RefusedError, match="locked against deletion by keep-it") as error:
            await down(az)

        assert f"az lock delete --ids {lock}" in error.value.hint
        assert az.written == []


async def test_a_lock_that_only_the_refusal_tells_of_is_one_sentence_with_the_next_step(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:

        async def locked(request: Request) -> Response | None:
            if request.path.endswith("/locks"):
                message = (
                    "The client 'c' does not have authorization to perform action 'Microsoft.Authorization/locks/read'."
                )
                return Response(403, {"error": {"code": "AuthorizationFailed", "message": message}})
            if request.method == "DELETE" and request.path.endswith(CUSTOMER_GROUP):
                message = "The scope cannot perform delete operation because following scope(s) are locked."
                return Response(409, {"error": {"code": "ScopeLocked", "message": message}})
            return None

        az.meddle = locked
        with pytest.raises(StepFailedError, match="A lock keeps the resource group") as error:
            await down(az)

        assert error.value.code == "ScopeLocked"
        assert "az lock list --resource-group" in error.value.hint
        assert names(az.left())[0] == CUSTOMER_GROUP, "the ISV's group has gone all the same"
        assert ISV_GROUP not in names(az.left())


async def test_what_uses_the_network_from_outside_blocks_and_is_named(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "deployed") as az:
        isv = az.account(Side.ISV)
        await isv.put_group("other-rg")
        subnet = isv.id_of(ISV_GROUP, "Network/virtualNetworks/virtualNetwork") + "/subnets/saas"
        configuration = {"name": "ipconfig1", "properties": {"subnet": {"id": subnet}}}
        await isv.put("other-rg", "Network/networkInterfaces/guest-nic", {"ipConfigurations": [configuration]})

        with pytest.raises(StepFailedError, match="virtualNetwork") as error:
            await down(az, [ISV_GROUP])

        assert error.value.code == "ResourceGroupDeletionBlocked"
        assert "owner deletes that" in error.value.hint
        assert "guest-nic" in names(az.left())


async def test_it_ends_right_when_azure_asks_for_patience(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        plan = [
            {"kind": "busy", "method": "DELETE", "times": 1},
            {"kind": "throttle", "method": "DELETE", "type": "*/privateEndpoints", "times": 1, "retry_after": 3},
            {"kind": "fail-operation", "method": "DELETE", "type": "*/privateLinkServices", "times": 1},
            {
                "kind": "error",
                "method": "DELETE",
                "type": "Microsoft.Resources/subscriptions",
                "times": 2,
                "status": 503,
            },
        ]
        await az.sandbox.faults.load({"seed": 1, "faults": plan})
        run = await down(az)

        assert az.left() == []
        assert len(run.said(Kind.RETRY)) == 5
        assert run.writes() == len(az.written)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_it_ends_right_on_a_bad_day(tmp_path: Path, seed: int) -> None:
    async with lab_on(tmp_path, "workshop") as az:
        plan = [
            {"kind": "throttle", "rate": 0.15, "retry_after": 2},
            {"kind": "error", "rate": 0.1, "status": 503},
            {"kind": "busy", "rate": 0.2},
            {"kind": "fail-operation", "method": "DELETE", "times": 2},
        ]
        await az.sandbox.faults.load({"seed": seed, "faults": plan})
        run = await down(az)

        assert az.left() == []
        assert set(run.states().values()) == {StepState.DONE}
        assert run.said(Kind.RETRY)


async def test_read_only_is_read_only(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved", read_only=True) as az:
        with pytest.raises(RefusedError, match="read-only"):
            await down(az)
        assert az.written == []


# Cut short


@pytest.mark.parametrize(("writes", "under_way"), [(1, 1), (2, 1), (3, 1), (5, 2)])
async def test_cut_short_while_azure_is_at_it_and_taken_up_again(tmp_path: Path, writes: int, under_way: int) -> None:
    async with lab_on(tmp_path, "approved") as az:
        accepted = asyncio.Event()

        async def slow_at_last(request: Request) -> Response | None:
            if len(az.written) <= writes - under_way or request.method != "DELETE":
                return None
            az.sandbox.azure.operations.latency = Latency.AZURE
            answer = await az.sandbox.handle(request)
            if len(az.written) == writes:
                accepted.set()
            return answer

        az.meddle = slow_at_last
        first = Down(az, await take_stock(az.lab))
        running = asyncio.create_task(first.teardown.down())
        await accepted.wait()
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        assert len(first.teardown.under_way) == under_way, "what Azure still does is told"
        assert len(az.left()) > 1

        az.meddle = nothing
        az.sandbox.azure.operations.latency = Latency.NONE
        second = await down(az)

        assert az.left() == []
        assert set(second.states().values()) == {StepState.DONE}
        assert set(Counter(az.written).values()) == {1}, "what is going already is waited for, not sent again"


# One side, or one that is not there


async def test_the_isv_alone_leaves_the_customer_disconnected_and_says_whose_move_it_is(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        run = await down(az, [ISV_GROUP], (Side.ISV,))

        assert run.states() == {18: StepState.DONE}
        assert {ResourceId(text).resource_group for text in az.left()} == {CUSTOMER_GROUP}
        endpoint = az.account(Side.CUSTOMER).id_of(CUSTOMER_GROUP, f"Network/privateEndpoints/{ENDPOINT}")
        (note,) = run.teardown.notes()
        assert f"az network private-endpoint delete --ids {endpoint}" in note

        after = await down(az, [CUSTOMER_GROUP], (Side.CUSTOMER,))
        assert after.states() == {17: StepState.DONE, 19: StepState.DONE}
        assert az.left() == []


async def test_the_customer_alone_is_gone_from_the_service(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        run = await down(az, [CUSTOMER_GROUP], (Side.CUSTOMER,))

        assert without_guid(az.deleted()) == [ENDPOINT, CUSTOMER_GROUP]
        assert {ResourceId(text).resource_group for text in az.left()} == {ISV_GROUP}
        service = az.account(Side.ISV).id_of(ISV_GROUP, f"Network/privateLinkServices/{SERVICE}")
        body = await az.account(Side.ISV).request("GET", service, NETWORK)
        assert body["properties"][CONNECTIONS] == []
        assert "disappears by itself" in run.teardown.notes()[0]


@pytest.mark.parametrize("side", list(Side))
async def test_a_side_that_is_not_set_stays_and_is_told_of(tmp_path: Path, side: Side) -> None:
    async with lab_on(tmp_path, "approved", sides=(side.other,)) as az:
        await az.tag(ISV_GROUP, CUSTOMER_GROUP)
        # Whoever does not see the customer's side cannot know whose the endpoint at the service is.
        run = await down(az, (ISV_GROUP,) if side is Side.CUSTOMER else ())

        assert {ResourceId(text).resource_group for text in az.left()} == {
            ISV_GROUP if side is Side.ISV else CUSTOMER_GROUP
        }
        assert {status.step.side: status.because for status in run.teardown.statuses() if status.because} == {
            side: f"the {side.label} subscription is not set"
        }
        assert f"plstui lab down --side {side.value}" in run.teardown.notes()[0]
        with pytest.raises(RefusedError, match=f"the {side.label} subscription is not set"):
            await down(az, (), (side,))


async def test_a_side_that_does_not_answer_stays_and_is_told_of(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:

        async def cut_off(request: Request) -> None:
            if az.sandbox.customer.subscription.id in request.path:
                raise Drop

        az.meddle = cut_off
        run = Down(az, await take_stock(az.lab), [ISV_GROUP])
        await run.teardown.down()

        assert run.states() == {17: StepState.BLOCKED, 18: StepState.DONE, 19: StepState.BLOCKED}
        assert {ResourceId(text).resource_group for text in az.left()} == {CUSTOMER_GROUP}
        told, left = run.teardown.notes()
        assert "could not be read" in told
        assert ENDPOINT in left
        with pytest.raises(UnreachableError):
            await down(az, (), (Side.CUSTOMER,))


async def test_a_record_in_a_zone_that_was_there_before_stays(tmp_path: Path) -> None:
    settings = {"dns": {"kind": "public", "zone": "tradewinds.example", "group": "dns-rg"}}
    async with lab_on(tmp_path, "approved", settings=settings) as az:
        record = az.account(Side.CUSTOMER).id_of("dns-rg", "Network/dnsZones/tradewinds.example/A/saas-pls")
        properties = {"TTL": 300, "metadata": {"created-by": "plstui"}}

        async def public(request: Request) -> Response | None:
            return Response(200, {"id": record, "properties": properties}) if request.path == record else None

        az.meddle = public
        run = await down(az)

        assert "saas-pls" not in az.deleted()
        assert f"az network dns record-set a delete --yes --ids {record}" in run.teardown.notes()[0]
        del properties["metadata"]
        assert (await take_stock(az.lab)).record is None, "nobody is told to delete what is not the lab's"
