"""The JSON that other programs rely on: every field of the contract, and nothing hostile in it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from plstui.cli.documents import connection_json, side_json, target_json
from plstui.cli.output import (
    error_json,
    exit_code_of,
    exit_code_of_all,
    print_error,
    print_json,
    print_table,
    time_json,
)
from plstui.cli.tables import print_connections, print_side, print_target
from plstui.domain.connection import APPROVED, DISCONNECTED
from plstui.domain.errors import (
    AzureError,
    ConfigError,
    CredentialsError,
    NotFoundError,
    PlstuiError,
    RefusedError,
    ThrottledError,
    UnreachableError,
)
from plstui.domain.probe import Attempt, Failure, Target, TargetKind, TargetResult
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.world import World
from tests.support.lab import (
    CUSTOMER_SUBSCRIPTION,
    ENDPOINT_ADDRESS,
    ISV_SUBSCRIPTION,
    MESSAGE,
    Request,
    empty,
    lab,
    with_status,
)

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
EVIL = "[bold red]x[/]\x1b[2J\x1b]0;owned\x07\nnext\u202egnihton" + "A" * 10_000
CONNECTION = {
    *("id", "name", "service", "endpoint", "endpoint_id", "customer_subscription", "status", "description", "message"),
    *("actions_required", "link_identifier", "endpoint_location", "endpoint_address", "provisioning_state"),
    *("seen_from", "allowed"),
}
SIDE = {"subscription", "tenant", "reachable", "stale_since", "error", "resources"}
RESOURCE = {"id", "type", "name", "location", "state", "provisioning_state"}
TARGET = {
    *("name", "kind", "side", "address", "port", "route", "ok", "attempts", "hosts", "failures"),
    *("connect_ms", "first_byte_ms", "error"),
}


def only(world: World) -> dict[str, Any]:
    [link] = world.links()
    return connection_json(link)


def isv(world: World) -> Snapshot:
    assert world.isv is not None
    return replace(world.isv, read_at=NOON)


def test_a_connection_seen_from_both_sides() -> None:
    document = only(with_status(APPROVED))

    assert set(document) >= CONNECTION
    assert document["id"] == Request().connection_id.text
    assert document["name"] == Request().connection_id.name
    assert (document["service"], document["endpoint"]) == ("saasPrivateLinkService", "saasPrivateEndpoint")
    assert document["endpoint_id"] == Request().endpoint_id.text
    assert document["customer_subscription"] == CUSTOMER_SUBSCRIPTION
    assert (document["status"], document["message"]) == ("Approved", MESSAGE)
    assert document["endpoint_address"] == ENDPOINT_ADDRESS
    assert document["endpoint_location"] == "westeurope"
    assert document["link_identifier"] == "536880127"
    assert document["seen_from"] == ["isv", "customer"]
    assert document["allowed"] == ["reject", "remove"]
    assert document["actions_required"] is None


def test_what_one_side_alone_cannot_know_is_null() -> None:
    world = lab()
    provider, consumer = only(World(world.isv, None)), only(World(None, world.customer))

    assert set(provider) == set(consumer) >= CONNECTION
    assert (provider["message"], provider["endpoint_address"]) == (None, None)
    assert provider["customer_subscription"] == CUSTOMER_SUBSCRIPTION
    assert (consumer["link_identifier"], consumer["allowed"]) == (None, [])
    assert consumer["endpoint_location"] == "westeurope"
    assert only(with_status(DISCONNECTED, at_service=False))["seen_from"] == ["customer"]


def test_a_side() -> None:
    document = side_json(isv(lab(down=("web2",))))
    assert document is not None

    assert set(document) >= SIDE
    assert (document["subscription"], document["reachable"]) == (ISV_SUBSCRIPTION, True)
    assert (document["stale_since"], document["error"]) == (None, None)
    assert all(set(resource) >= RESOURCE for resource in document["resources"])
    states = {resource["name"]: resource["state"] for resource in document["resources"]}
    assert (states["loadBalancer"], states["web2"]) == ("2/3", "running")
    types = {resource["name"]: resource["type"] for resource in document["resources"]}
    assert types["web1"] == "Microsoft.Compute/virtualMachines"
    assert side_json(None) is None


def test_a_side_that_does_not_answer() -> None:
    document = side_json(isv(lab()).failed(EVIL, "Unreachable", NOON))
    assert document is not None

    assert not document["reachable"]
    assert document["stale_since"] == "2026-03-14T12:00:00.000Z"
    assert document["error"].isprintable()
    assert document["resources"]
    empty = side_json(Snapshot(side=Side.CUSTOMER, subscription="s").failed("No.", "Unreachable", NOON))
    assert empty is not None
    assert (empty["tenant"], empty["resources"]) == (None, [])


def test_a_target() -> None:
    target = Target("web1", TargetKind.BACKEND, Side.ISV, "10.0.1.4", 80)
    attempts = (
        Attempt(host="web1", connect_ms=1.234, first_byte_ms=2.345),
        Attempt(failure=Failure.TIMEOUT, error="No answer.", resolved="10.0.1.4"),
        Attempt(error="It tells nothing."),
    )
    document = target_json(TargetResult(target, "ssh web1", attempts))

    assert set(document) >= TARGET
    assert document == {
        "name": "web1",
        "kind": "backend",
        "side": "isv",
        "address": "10.0.1.4",
        "port": 80,
        "route": "ssh web1",
        "ok": False,
        "attempts": 3,
        "hosts": {"web1": 1},
        "failures": {"timeout": 1},
        "connect_ms": {"p50": 1.23, "p95": 1.23},
        "first_byte_ms": {"p50": 2.35, "p95": 2.35},
        "error": "No answer.",
        "untold": "It tells nothing.",
        "resolved": ["10.0.1.4"],
    }
    nothing = target_json(TargetResult(target, "", ()))
    assert (nothing["route"], nothing["connect_ms"], nothing["first_byte_ms"]) == (None, None, None)


def test_a_target_that_nothing_is_told_of_gets_a_neutral_mark(capsys: pytest.CaptureFixture[str]) -> None:
    target = Target("loadBalancer", TargetKind.BALANCER, Side.ISV, "10.0.1.9", 80)
    result = TargetResult(target, "ssh web1", (Attempt(error="It tells nothing."),))

    print_target(result)

    assert capsys.readouterr().out.splitlines() == [
        "· 🔵 balancer loadBalancer 10.0.1.9:80  via ssh web1",
        "      no answer  ×1: It tells nothing.",
    ]
    document = target_json(result)
    assert (document["ok"], document["hosts"], document["failures"]) == (False, {}, {})


@pytest.fixture
def hostile() -> World:
    """A customer who writes what terminals act on into every text that is his."""
    world = lab(Request(message=EVIL, description=EVIL))
    assert world.isv is not None
    assert world.customer is not None
    service, endpoint = world.isv.services[0], world.customer.endpoints[0]
    theirs = replace(service.connections[0], actions_required=EVIL, link_identifier=EVIL, endpoint_location=EVIL)
    ours = replace(endpoint.connections[0], actions_required=EVIL)
    return World(
        replace(world.isv, services=(replace(service, connections=(theirs,)),)),
        replace(world.customer, endpoints=(replace(endpoint, location=EVIL, connections=(ours,)),)),
    )


def harmless(text: str) -> bool:
    return all(line.isprintable() for line in text.splitlines()) and max(map(len, text.splitlines())) < 20_000


def test_hostile_text_is_harmless_in_json(hostile: World, capsys: pytest.CaptureFixture[str]) -> None:
    document = {
        "connections": [connection_json(link) for link in hostile.links()],
        "isv": side_json(hostile.isv),
        "customer": side_json(hostile.customer),
    }
    print_json(document)
    printed = capsys.readouterr().out

    assert printed.isascii()
    assert harmless(printed)
    assert len(printed.splitlines()) == 1
    [connection] = json.loads(printed)["connections"]
    for field in ("message", "description", "actions_required", "link_identifier", "endpoint_location"):
        assert connection[field].startswith("[bold red]x[/][2J]0;owned nextgnihtonAAA")
        assert connection[field].isprintable()
        assert len(connection[field]) == 1000


def test_hostile_text_is_harmless_in_tables(hostile: World, capsys: pytest.CaptureFixture[str]) -> None:
    for side in Side:
        print_side(side, hostile.side(side))
    print_connections(hostile.links(), hostile)
    target = Target(EVIL, TargetKind.ENDPOINT, Side.CUSTOMER, EVIL, 80)
    print_target(TargetResult(target, EVIL, (Attempt(failure=Failure.WRONG_PAGE, error=EVIL),)))
    print_error(EVIL, EVIL, "Evil", as_json=False)
    printed, complaint = capsys.readouterr()

    assert harmless(printed)
    assert harmless(complaint)
    assert "[bold red]x[/]" in printed
    assert max(len(line) for line in printed.splitlines()) < 650, "a probe error of 600 characters and its label"


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (ConfigError("x"), 2),
        (CredentialsError("x"), 3),
        (NotFoundError("x"), 4),
        (UnreachableError("x"), 1),
        (RefusedError("x"), 1),
        (AzureError("x", status=403, code="AuthorizationFailed"), 1),
        (ThrottledError("x", retry_after=3), 1),
    ],
)
def test_exit_codes(error: PlstuiError, exit_code: int) -> None:
    assert exit_code_of(error) == exit_code
    assert exit_code_of_all([error, error]) == exit_code


def test_exit_codes_of_several() -> None:
    assert exit_code_of_all([]) == 0
    assert exit_code_of_all([NotFoundError("x"), CredentialsError("x")]) == 1


def test_an_error_keeps_arms_code() -> None:
    assert error_json(AzureError("No.", hint="Ask.", code="AuthorizationFailed")) == {
        "code": "AuthorizationFailed",
        "message": "No.",
        "hint": "Ask.",
    }


def test_times_are_rfc_3339_in_utc() -> None:
    local = datetime(2026, 3, 14, 13, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))

    assert time_json(local) == "2026-03-14T12:00:00.123Z"
    assert time_json(None) is None


def test_a_table_stands_straight_whatever_letters_are_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(
        ("status", "message", "address"),
        [("◷ Pending", "注文番号", "10.1.0.5"), ("✔ Approved", "e\u0301t\u0301e", "10.1.0.6")],
    )

    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "status      message   address",
        "◷ Pending   注文番号  10.1.0.5",
        "✔ Approved  e\u0301t\u0301e       10.1.0.6",
    ]


@pytest.mark.parametrize(("at", "reading"), [(Side.CUSTOMER, "🔵 ISV"), (Side.ISV, "🟢 Customer")])
def test_what_could_not_be_read_is_not_said_to_be_nothing(
    at: Side, reading: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = empty()
    unread = Snapshot(side=at, subscription="s").failed("No answer.", "Unreachable", NOON)
    world = World(unread, sides.customer) if at is Side.ISV else World(sides.isv, unread)
    print_side(at, unread)
    print_connections((), world)
    printed = capsys.readouterr().out

    assert "No answer." in printed
    assert "  not known\n" in printed
    who = f"{at.marker} {at.label}"
    assert f"{reading} shows no private endpoint connection; {who} could not be read." in printed
    assert "nothing" not in printed

    print_side(at, sides.side(at))
    print_connections((), sides)
    assert capsys.readouterr().out.endswith("  nothing here\n\nNo private endpoint connections.\n")
