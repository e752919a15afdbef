"""Both ends of a connection are found without a right on the other side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plstui.domain.connection import APPROVED, DISCONNECTED, PENDING, REJECTED, ConnectionStatus, Verb
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.world import Link, World
from tests.support.lab import ENDPOINT_ADDRESS, MESSAGE, SERVICE_ID, Request, crowd, empty, lab, with_status


def only(world: World) -> Link:
    [link] = world.links()
    return link


def with_endpoint(world: World, **changes: object) -> World:
    """The world with its one endpoint changed."""
    assert world.customer is not None
    [endpoint] = world.customer.endpoints
    return replace(world, customer=replace(world.customer, endpoints=(replace(endpoint, **changes),)))  # type: ignore[arg-type]


def with_target(world: World, target: str) -> World:
    """The world with its one endpoint asking for another target."""
    assert world.customer is not None
    [own] = world.customer.endpoints[0].connections
    return with_endpoint(world, connections=(replace(own, target=target),))


def side(world: World, wanted: Side) -> Snapshot:
    snapshot = world.side(wanted)
    assert snapshot is not None
    return snapshot


def test_the_two_ends_are_one_link() -> None:
    link = only(lab())

    assert link.seen_from == (Side.ISV, Side.CUSTOMER)
    assert link.id == Request().connection_id
    assert (link.endpoint_name, link.service_name) == ("saasPrivateEndpoint", "saasPrivateLinkService")
    assert (link.message, link.endpoint_address) == (MESSAGE, ENDPOINT_ADDRESS)
    assert link.allowed == (Verb.APPROVE, Verb.REJECT, Verb.REMOVE)
    assert link.agrees


def test_joined_by_name_where_the_endpoints_id_is_withheld() -> None:
    world = lab()
    isv = side(world, Side.ISV)
    [service] = isv.services
    [connection] = service.connections
    blind = replace(service, connections=(replace(connection, endpoint_id=None),))

    link = only(replace(world, isv=replace(isv, services=(blind,))))

    assert link.seen_from == (Side.ISV, Side.CUSTOMER)
    assert link.endpoint_id == Request().endpoint_id


def test_joined_by_id_where_the_name_says_nothing() -> None:
    assert only(with_endpoint(lab(), resource_guid="")).seen_from == (Side.ISV, Side.CUSTOMER)
    assert only(with_endpoint(lab(), resource_guid="another-guid")).seen_from == (Side.ISV, Side.CUSTOMER)


def test_joined_in_any_case() -> None:
    world = lab()
    customer = side(world, Side.CUSTOMER)
    [endpoint] = customer.endpoints
    shouted = with_endpoint(
        world, name=endpoint.name.upper(), resource_guid=endpoint.resource_guid.upper(), id=ResourceId(endpoint.id.key)
    )

    assert only(shouted).seen_from == (Side.ISV, Side.CUSTOMER)


def test_an_endpoint_that_asked_by_alias_is_joined() -> None:
    world = lab()
    alias = side(world, Side.ISV).services[0].alias

    assert only(with_target(world, alias.upper())).seen_from == (Side.ISV, Side.CUSTOMER)
    alone = only(World(None, with_target(world, alias).customer))
    assert alone.service_name == alias


def test_one_side_alone() -> None:
    world = lab()

    provider = only(World(world.isv, None))
    assert provider.seen_from == (Side.ISV,)
    assert (provider.message, provider.endpoint_address) == ("", "")
    assert provider.endpoint_name == "saasPrivateEndpoint"

    consumer = only(World(None, world.customer))
    assert consumer.seen_from == (Side.CUSTOMER,)
    assert consumer.status == PENDING
    assert consumer.service_name == "saasPrivateLinkService"
    assert consumer.allowed == ()
    assert "Only the service's owner" in (consumer.why_not(Verb.APPROVE) or "")


def test_after_a_removal_only_the_customer_sees_it() -> None:
    link = only(with_status(DISCONNECTED, at_service=False))

    assert link.seen_from == (Side.CUSTOMER,)
    assert link.status == DISCONNECTED
    assert link.allowed == ()
    assert "deletes the endpoint and asks again" in (link.why_not(Verb.APPROVE) or "")


def test_the_services_word_decides_and_a_difference_is_told() -> None:
    world = World(with_status(APPROVED).isv, with_status(PENDING).customer)

    assert only(world).status == APPROVED
    assert not only(world).agrees


def test_another_customers_connection_is_seen_from_the_service() -> None:
    links = crowd(12).links()

    assert len(links) == 12
    assert sum(link.seen_from == (Side.ISV,) for link in links) == 7
    assert len({link.id for link in links}) == 12


def test_an_endpoint_with_dots_in_its_name_keeps_them() -> None:
    world = lab(Request(name="contoso.prod.endpoint", at_customer=False))
    isv = side(world, Side.ISV)
    [service] = isv.services
    blind = replace(service, connections=tuple(replace(c, endpoint_id=None) for c in service.connections))

    for seen in (world, replace(world, isv=replace(isv, services=(blind,)))):
        assert only(seen).endpoint_name == "contoso.prod.endpoint"
        assert seen.find("contoso.prod.endpoint") == seen.links()


def test_endpoints_to_azures_own_services_are_left_out() -> None:
    storage = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"
    customer = with_target(lab(), storage).customer

    assert World(None, customer).links() == ()


def test_two_empty_sides_have_no_links() -> None:
    assert empty().links() == World().links() == ()


@pytest.mark.parametrize(
    "target",
    [
        "saasPrivateEndpoint",
        "SAASPRIVATEENDPOINT",
        " saasPrivateEndpoint ",
        Request().connection_id.name,
        Request().connection_id.text,
        Request().connection_id.text.upper(),
        Request().endpoint_id.text.lower(),
    ],
)
def test_a_target_is_found_in_any_case(target: str) -> None:
    assert lab().find(target) == lab().links()


@pytest.mark.parametrize("target", ["", "saas", "saasPrivateEndpoint.", SERVICE_ID.text])
def test_a_part_of_a_name_is_no_target(target: str) -> None:
    assert lab().find(target) == ()


def test_a_name_that_two_endpoints_share_finds_both_and_the_full_name_one() -> None:
    first, second = Request(), Request(guid="another-guid", status=REJECTED, at_customer=False)
    world = lab(first, second)

    assert [link.id for link in world.find("saasPrivateEndpoint")] == [first.connection_id, second.connection_id]
    [link] = world.find(second.connection_id.name)
    assert link.status == REJECTED


@pytest.mark.parametrize("status", [PENDING, REJECTED], ids=str)
def test_the_isv_alone_reads_the_message_of_a_request_that_waits(status: ConnectionStatus) -> None:
    world = lab(Request(status=status, description="as the service has it"))

    link = only(World(world.isv, None))

    assert link.description == "as the service has it"
    assert link.message == (link.description if status == PENDING else "")
