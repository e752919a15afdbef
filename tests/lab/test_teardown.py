"""Taking the lab down: all that is the lab's goes, in an order that works, and nothing else goes unasked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from plstui.domain.errors import RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.lab.effort import StepFailedError
from plstui.lab.inventory import take_stock
from plstui.lab.parts import StepState
from plstui.lab.progress import Kind
from plstui.sandbox.gateway.messages import Request
from tests.lab.down import ENDPOINT, GROUPS, SERVICE, Down, down, put_address, without_guid
from tests.lab.rig import CUSTOMER_GROUP, ISV_GROUP, lab_on, names

WORLDS = ("empty", "deployed", "pending", "approved", "rejected", "disconnected", "workshop")


@pytest.mark.parametrize("world", WORLDS)
async def test_both_subscriptions_are_empty_afterwards(tmp_path: Path, world: str) -> None:
    async with lab_on(tmp_path, world) as az:
        run = await down(az)

        assert az.left() == []
        assert set(run.states().values()) == {StepState.DONE}
        assert run.writes() == len(az.written)
        assert set(Counter(az.written).values()) <= {1}
        assert run.teardown.under_way == {}


async def test_nothing_there_costs_no_write(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "empty") as az:
        run = await down(az, ())

        assert run.states() == {17: StepState.DONE, 18: StepState.DONE, 19: StepState.DONE}
        assert az.written == []
        assert run.events == []


async def test_connections_go_first_then_the_endpoint_the_service_and_both_groups(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        run = await down(az)

        order = without_guid(az.deleted())
        assert order[:3] == [f"{ENDPOINT} at the service", ENDPOINT, SERVICE]
        assert sorted(order[3:]) == sorted(GROUPS)
        groups = [event.kind for event in run.events if event.text.endswith((*GROUPS, "-rg is gone"))]
        assert groups == [Kind.SENT, Kind.SENT, Kind.DONE, Kind.DONE], "both are under way at once"

        again = await down(az)
        assert again.writes() == 0
        assert len(az.written) == len(order)


async def test_every_write_is_in_the_journal_with_its_az_command(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "pending") as az:
        await down(az)

        journal = (tmp_path / "state" / "plstui" / "journal.jsonl").read_text()
        assert journal.count('"outcome": "done"') == len(az.written)
        assert f"az group delete --name {ISV_GROUP} --subscription {az.sandbox.isv.subscription.id} --yes" in journal
        assert "az network private-link-service connection delete" in journal
        assert "az network private-endpoint delete --ids" in journal


# What must be typed


async def test_a_group_that_plstui_did_not_create_is_not_deleted_unless_its_name_was_typed(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        await az.tag(CUSTOMER_GROUP)
        inventory = await take_stock(az.lab)
        assert [group.id.name for group in inventory.to_type()] == [ISV_GROUP]
        refused = Down(az, inventory, ())

        with pytest.raises(RefusedError, match=f"{ISV_GROUP} was not created by plstui") as error:
            await refused.teardown.down()

        assert ISV_GROUP in error.value.hint
        assert az.written == []
        assert refused.states() == {17: StepState.NEEDED, 18: StepState.BLOCKED, 19: StepState.NEEDED}

        await Down(az, inventory, [f" {ISV_GROUP.upper()} "]).teardown.down()
        assert az.left() == []


async def test_tags_of_another_program_are_not_ours(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "deployed") as az:
        path = f"/subscriptions/{az.sandbox.isv.subscription.id}/resourceGroups/{ISV_GROUP}"
        for tags in ({"created-by": "plstui"}, {"created-by": "terraform", "plstui-run": "r1"}):
            await az.account(Side.ISV).request("PATCH", path, "2022-09-01", {"tags": tags})
            with pytest.raises(RefusedError, match="not created by plstui"):
                await down(az, ())
        assert az.written == []


async def test_a_name_that_is_none_of_the_two_is_refused(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        with pytest.raises(RefusedError, match="There is no production-rg among the groups"):
            await down(az, (*GROUPS, "production-rg"))
        with pytest.raises(RefusedError, match=f"There is no {ISV_GROUP} among"):
            await down(az, (ISV_GROUP,), (Side.CUSTOMER,))
        assert az.written == []


async def test_all_that_is_the_labs_is_known_as_such(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        await az.tag(*GROUPS)
        inventory = await take_stock(az.lab)

        assert inventory.to_type() == ()
        assert [group.foreign for group in inventory.groups.values()] == [(), ()]
        listed = {content.id.name for group in inventory.groups.values() for content in group.contents}
        assert {"web1", "web1-nic", "web1-os", SERVICE, ENDPOINT, "testVM-os", "dnsLink"} <= listed

        await down(az, ())
        assert az.left() == []


async def test_what_is_not_the_labs_is_listed_and_needs_the_name_even_in_our_own_group(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        await az.tag(*GROUPS)
        foreign = await put_address(az, ISV_GROUP, "somebodys-address")
        inventory = await take_stock(az.lab)

        (group,) = inventory.to_type()
        assert [(content.id.text, content.id.type) for content in group.foreign] == [
            (foreign, "Microsoft.Network/publicIPAddresses")
        ]
        assert len(group.contents) == 1 + sum(content.is_labs for content in group.contents)
        with pytest.raises(RefusedError, match="holds what is not the lab's: somebodys-address"):
            await Down(az, inventory, ()).teardown.down()
        assert az.written == []


async def test_other_customers_are_not_cut_off_unless_the_name_was_typed(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "workshop") as az:
        await az.tag(*GROUPS)
        inventory = await take_stock(az.lab)
        strangers = [guest.endpoint_id.name for guest in inventory.guests if not guest.is_labs]
        assert strangers
        (group,) = inventory.to_type()
        assert group.doubt == f"resource group {ISV_GROUP} serves others: {', '.join(strangers)}"

        run = Down(az, inventory, ())
        with pytest.raises(RefusedError, match="serves others") as error:
            await run.teardown.down()
        assert f"--yes-delete {ISV_GROUP}" in error.value.hint
        assert az.written == []
        assert "stay behind, Disconnected" in run.teardown.notes()[0], "it is told before the first write"

        await Down(az, inventory, [ISV_GROUP]).teardown.down()
        assert az.left() == []


async def test_who_connects_after_it_was_asked_is_not_cut_off_unasked(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        await az.tag(*GROUPS)
        run = Down(az, await take_stock(az.lab), ())
        customer = az.account(Side.CUSTOMER)
        await customer.put_group("other-rg")
        asked = False

        async def ask(request: Request) -> None:
            nonlocal asked
            if request.method != "DELETE" or "privateEndpointConnections" not in request.path or asked:
                return
            asked = True
            target = {"privateLinkServiceId": request.path.partition("/privateEndpointConnections")[0]}
            subnet = customer.id_of(CUSTOMER_GROUP, "Network/virtualNetworks/spoke-vnet/subnets/InfrastructureSubnet")
            late = {"manualPrivateLinkServiceConnections": [{"name": "late", "properties": target}]}
            await customer.put("other-rg", "Network/privateEndpoints/late", {"subnet": {"id": subnet}, **late})

        az.meddle = ask
        with pytest.raises(StepFailedError, match="Since it was listed, others have connected to the service: late"):
            await run.teardown.down()
        assert not {SERVICE, ISV_GROUP} & set(az.deleted())


async def test_what_came_into_the_group_meanwhile_is_not_lost_unasked(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "approved") as az:
        await az.tag(*GROUPS)
        run = Down(az, await take_stock(az.lab), ())

        async def move_in(request: Request) -> None:
            if request.method == "DELETE" and request.path.endswith(SERVICE):
                await put_address(az, ISV_GROUP, "late-address")

        az.meddle = move_in
        with pytest.raises(StepFailedError, match="late-address") as error:
            await run.teardown.down()

        assert error.value.step.number == 18
        assert ISV_GROUP not in az.deleted()
        assert "late-address" in names(az.left())
        assert run.states() == {17: StepState.DONE, 18: StepState.FAILED, 19: StepState.DONE}


async def test_what_came_in_since_the_name_was_typed_is_looked_at_first(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "deployed") as az:
        await put_address(az, ISV_GROUP, "seen-address")
        inventory = await take_stock(az.lab)
        await put_address(az, ISV_GROUP, "unseen-address")

        with pytest.raises(StepFailedError, match="Since it was listed, unseen-address came into"):
            await Down(az, inventory).teardown.down()
        assert ISV_GROUP not in az.deleted()

        await down(az)
        assert az.left() == []


async def test_nothing_outside_the_two_groups_is_touched(tmp_path: Path) -> None:
    async with lab_on(tmp_path, "workshop") as az:
        await az.account(Side.ISV).put_group("production-rg")
        await put_address(az, "production-rg", "address-in-use")
        others = {party.subscription.id for party in az.sandbox.customers}

        def of_others() -> set[str]:
            bodies = [body["id"] for body in az.sandbox.azure.store]
            return {text for text in bodies if ResourceId(text).subscription in others}

        before = of_others()
        run = await down(az)

        assert names(az.left()) == ["production-rg", "address-in-use"]
        assert before <= of_others()
        (note,) = run.teardown.notes()
        assert "2 endpoints of customers stay behind, Disconnected" in note
        assert "az network private-endpoint delete --ids" in note
        statuses = {
            connection["properties"]["privateLinkServiceConnectionState"]["status"]
            for body in map(az.sandbox.azure.store.get, before)
            if body and body["type"] == "Microsoft.Network/privateEndpoints"
            for connection in body["properties"]["manualPrivateLinkServiceConnections"]
        }
        assert statuses == {"Disconnected"}
