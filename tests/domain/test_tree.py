"""A side as rows: parents before children, with the badge each type calls for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from plstui.domain.connection import APPROVED
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.states import Tone
from plstui.domain.tree import TreeRow, rows
from tests.support.lab import ENDPOINT_ADDRESS, Request, lab, with_status

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def of(wanted: Side, down: tuple[str, ...] = ()) -> Snapshot:
    snapshot = lab(down=down).side(wanted)
    assert snapshot is not None
    return snapshot


def named(snapshot: Snapshot) -> dict[str, TreeRow]:
    return {row.name: row for row in rows(snapshot)}


@pytest.mark.parametrize("side", Side)
def test_every_row_comes_after_its_parent_and_once(side: Side) -> None:
    seen: set[ResourceId] = set()
    for row in rows(of(side)):
        assert row.parent_id is None or row.parent_id in seen
        assert row.id not in seen
        seen.add(row.id)
    assert len(seen) > 5


@pytest.mark.parametrize("side", Side)
def test_without_its_group_nothing_is_lost_or_left_hanging(side: Side) -> None:
    whole, alone = of(side), replace(of(side), groups=())

    assert {row.id for row in rows(alone)} == {row.id for row in rows(whole)} - {g.id for g in whole.groups}
    seen: set[ResourceId] = set()
    for row in rows(alone):
        assert row.parent_id is None or row.parent_id in seen
        seen.add(row.id)


def test_the_badges_of_the_provider() -> None:
    tree = named(of(Side.ISV, down=("web2",)))

    assert (tree["loadBalancer"].state, tree["loadBalancer"].tone) == ("2/3", Tone.BAD)
    assert (tree["web1"].state, tree["web1"].tone) == ("running", Tone.GOOD)
    assert (tree["web2"].state, tree["web2"].tone) == ("running", Tone.BAD)
    assert tree["web2"].detail == "no answer to the health probe 10.0.1.5 zone 2"
    assert tree["saasPrivateLinkService"].state == "Succeeded"
    connection = tree[Request().connection_id.name]
    assert (connection.state, connection.tone, connection.parent_id) == (
        "Pending",
        Tone.WAITING,
        tree["saasPrivateLinkService"].id,
    )
    assert tree["saas"].parent_id == tree["virtualNetwork"].id


def test_the_badges_of_the_customer() -> None:
    customer = with_status(APPROVED).customer
    assert customer is not None
    tree = named(customer)

    assert (tree["saasPrivateEndpoint"].state, tree["saasPrivateEndpoint"].detail) == ("Approved", ENDPOINT_ADDRESS)
    assert tree["testVM"].state == "running"
    assert tree["spoke-vnet"].detail == "10.1.0.0/16"


def test_without_an_answer_about_health_the_balancer_says_what_it_knows() -> None:
    tree = named(replace(of(Side.ISV), health=()))

    assert (tree["loadBalancer"].state, tree["web2"].tone) == ("Succeeded", Tone.GOOD)


def test_an_old_answer_about_health_is_no_good_news_and_says_so() -> None:
    well = named(of(Side.ISV).health_failed("Not now.", NOON))["loadBalancer"]
    sick = named(of(Side.ISV, down=("web2",)).health_failed("Not now.", NOON))["loadBalancer"]

    assert (well.state, well.tone, well.detail) == ("3/3", Tone.WAITING, "health is stale 10.0.1.7")
    assert (sick.state, sick.tone) == ("2/3", Tone.BAD)


def test_an_interface_hangs_under_what_it_belongs_to() -> None:
    provider, customer = named(of(Side.ISV)), named(of(Side.CUSTOMER))

    assert provider["web1-nic"].parent_id == provider["web1"].id
    [nic] = [row for row in customer.values() if ".nic." in row.name]
    assert nic.parent_id == customer["saasPrivateEndpoint"].id


def test_an_endpoint_without_connections_shows_its_own_state() -> None:
    customer = of(Side.CUSTOMER)
    bare = replace(customer, endpoints=(replace(customer.endpoints[0], connections=()),))

    assert named(bare)["saasPrivateEndpoint"].state == "Succeeded"
