"""What a person is told of two snapshots."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from plstui.domain.changes import Change, ChangeKind, diff
from plstui.domain.connection import APPROVED, PENDING, REJECTED
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.world import World
from tests.support.lab import BALANCER_ID, ENDPOINT_ID, Request, lab, with_status

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)


def isv(world: World) -> Snapshot:
    assert world.isv is not None
    return replace(world.isv, read_at=NOW)


def customer(world: World) -> Snapshot:
    assert world.customer is not None
    return replace(world.customer, read_at=NOW)


def test_the_first_content_is_no_news() -> None:
    assert diff(None, isv(lab())) == ()
    assert diff(Snapshot(side=Side.ISV, subscription="s"), isv(lab())) == ()


def test_the_same_content_is_no_news() -> None:
    assert diff(isv(lab()), isv(lab())) == ()


def test_an_approval_shows_on_both_sides() -> None:
    before, after = with_status(PENDING), with_status(APPROVED)

    assert diff(isv(before), isv(after)) == (
        Change(Side.ISV, ChangeKind.CHANGED, Request().connection_id, "Pending", "Approved"),
    )
    [change] = diff(customer(before), customer(after))
    assert str(change) == "🟢 saasPrivateEndpoint is Approved now"


def test_a_request_comes_and_goes() -> None:
    second = Request(name="another", guid="guid-2", status=REJECTED)
    before, after = isv(lab()), isv(lab(Request(), second))

    assert [str(change) for change in diff(before, after)] == ["🔵 another appeared, Rejected"]
    assert [str(change) for change in diff(after, before)] == ["🔵 another is gone"]


def test_a_backend_that_fails_is_news_but_learning_or_losing_the_health_is_not() -> None:
    well, sick = isv(lab()), isv(lab(down=("web2",)))
    unknown = replace(well, health=())

    assert diff(unknown, well) == ()
    assert diff(sick, unknown) == ()
    assert diff(well, sick) == (Change(Side.ISV, ChangeKind.CHANGED, BALANCER_ID, "3/3", "2/3"),)


def test_ids_that_change_their_case_are_no_news() -> None:
    before = customer(lab())
    [endpoint] = before.endpoints
    shouted = replace(before, endpoints=(replace(endpoint, id=type(ENDPOINT_ID)(ENDPOINT_ID.text.upper())),))

    assert diff(before, shouted) == ()


def test_a_hostile_name_is_told_harmlessly() -> None:
    evil = Request().connection_id.parent
    assert evil is not None
    change = Change(Side.ISV, ChangeKind.CHANGED, evil.child("x", "\x1b[2J\u202ename"), "\x1b[1m", "a" * 100)

    assert str(change).isprintable()
    assert str(change) == "🔵 [2Jname is " + "a" * 39 + "… now"
