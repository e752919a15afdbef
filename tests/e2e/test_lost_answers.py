"""Decisions and probes through a proxy that loses answers: nothing is sent twice, and what is told is so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cutting import Asked, CuttingProxy, Harm, cutting
from tests.support.served import Run, Served, run_plstui, serve

CONNECTIONS = "/privateEndpointConnections/"

Take = Callable[[], str]
"""Gives the id of a connection that is Pending and nobody else's."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Hundreds of requests, so that each test has one of its own."""
    with serve(tmp_path_factory.mktemp("fleet"), "fleet") as served:
        yield served


@pytest.fixture(scope="module")
def take(fleet: Served) -> Take:
    run = fleet.plstui("connections", "list", "--status", "pending", "--json")
    return iter([connection["id"] for connection in run.json["connections"]]).__next__


@pytest.fixture
def proxy(fleet: Served, tmp_path: Path) -> Iterator[CuttingProxy]:
    with cutting(fleet, tmp_path) as between:
        yield between


def decide(proxy: CuttingProxy, home: Path, verb: str, target: str) -> tuple[Run, dict[str, Any], list[str]]:
    """How the command ended, its one result, and what the journal says of the outcome."""
    run = run_plstui("--config", str(proxy.config), "connections", verb, target, "--yes", "--json", home=home)
    assert "Traceback" not in run.stderr
    path = home / ".local/state/plstui/journal.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    (result,) = run.json["results"]
    return run, result, [json.loads(line)["outcome"] for line in lines]


def status(served: Served, connection: str) -> str | None:
    """What the store holds of a connection."""
    held = {
        one["id"].lower(): one["properties"]["privateLinkServiceConnectionState"]["status"]
        for body in served.control("GET", "/state")["resources"]
        for one in body.get("properties", {}).get("privateEndpointConnections", ())
    }
    return held.get(connection.lower())


TAKEN = (Harm.CUT_AFTER, Harm.HALF, Harm.NOT_HTTP, Harm.NOT_JSON)


@pytest.mark.parametrize(
    ("verb", "method", "told", "harm"),
    [
        *[("approve", "PUT", "Approved", harm) for harm in TAKEN],
        ("reject", "PUT", "Rejected", Harm.CUT_AFTER),
        ("remove", "DELETE", None, Harm.CUT_AFTER),
    ],
    ids=lambda value: value.name if isinstance(value, Harm) else str(value),
)
def test_an_answer_is_lost_and_the_decision_shows(
    fleet: Served, take: Take, proxy: CuttingProxy, tmp_path: Path, verb: str, method: str, told: str, harm: Harm
) -> None:
    connection = take()
    proxy.harm(harm, method, CONNECTIONS)
    run, result, journal = decide(proxy, tmp_path, verb, connection)

    assert (run.exit_code, result["ok"], result["status"], result["unread"]) == (0, True, told, None), run
    assert journal == ["sent", "done"]
    assert len(proxy.taken(method, CONNECTIONS)) == 1
    assert status(fleet, connection) == told


@pytest.mark.parametrize(("verb", "method"), [("approve", "PUT"), ("reject", "PUT"), ("remove", "DELETE")])
def test_a_decision_is_lost_and_nobody_says_it_was_not_done(
    fleet: Served, take: Take, proxy: CuttingProxy, tmp_path: Path, verb: str, method: str
) -> None:
    connection = take()
    proxy.harm(Harm.CUT_BEFORE, method, CONNECTIONS, times=None)
    run, result, journal = decide(proxy, tmp_path, verb, connection)

    assert (run.exit_code, result["ok"], result["status"]) == (1, False, None), run
    assert result["unread"] == "Azure still shows Pending"
    assert result["error"]["code"] == "OutcomeUnknown"
    assert "plstui connections list" in result["error"]["hint"]
    assert journal == ["sent", "unknown"]
    assert len(proxy.asked(method, CONNECTIONS)) == 1, "it is sent once"
    assert status(fleet, connection) == "Pending"


def test_a_decision_that_stalls_may_land_later(fleet: Served, take: Take, proxy: CuttingProxy, tmp_path: Path) -> None:
    connection = take()
    proxy.harm(Harm.LATE, "PUT", CONNECTIONS)
    run, result, journal = decide(proxy, tmp_path, "approve", connection)

    assert (run.exit_code, result["error"]["code"], result["status"]) == (1, "OutcomeUnknown", None), run
    assert journal == ["sent", "unknown"]
    proxy.let_go()
    proxy.wait_until(lambda: proxy.taken("PUT", CONNECTIONS))
    assert status(fleet, connection) == "Approved"


def test_what_somebody_else_decides_in_between_stays(
    fleet: Served, take: Take, proxy: CuttingProxy, tmp_path: Path
) -> None:
    connection = take()
    proxy.harm(Harm.CUT_AFTER, "PUT", CONNECTIONS)

    def reject(asked: Asked) -> None:
        if asked.method == "GET" and CONNECTIONS.lower() in asked.path.lower() and proxy.taken("PUT", CONNECTIONS):
            state = {"status": "Rejected", "description": "not you", "actionsRequired": "None"}
            fleet.arm("isv", "PUT", connection, {"properties": {"privateLinkServiceConnectionState": state}})

    proxy.choose(reject)
    run, result, journal = decide(proxy, tmp_path, "approve", connection)

    assert (run.exit_code, result["error"]["code"], result["status"]) == (1, "OutcomeUnknown", None), run
    assert "Rejected" in result["unread"]
    assert journal == ["sent", "unknown"]
    assert len(proxy.taken("PUT", CONNECTIONS)) == 1
    assert status(fleet, connection) == "Rejected"


def test_azure_that_is_not_reached_has_got_nothing(fleet: Served, take: Take, tmp_path: Path) -> None:
    with cutting(fleet, tmp_path) as proxy:
        pass
    run, result, journal = decide(proxy, tmp_path, "approve", take())

    assert (run.exit_code, result["ok"], result["status"], result["unread"]) == (1, False, None, None), run
    assert result["error"]["code"] == "Unreachable"
    assert journal == ["sent", "failed"]


def test_a_decision_by_id_lists_nothing_and_by_name_the_services(
    take: Take, proxy: CuttingProxy, tmp_path: Path
) -> None:
    def lists() -> list[str]:
        paths = [taken.path for taken in proxy.taken("GET") if "/providers/" in taken.path]
        return [path.rsplit("/", 1)[-1] for path in paths if "resourcegroups" not in path.lower()]

    run, _, _ = decide(proxy, tmp_path, "approve", take())
    assert run.exit_code == 0
    assert not {"privateLinkServices", "privateEndpoints"} & set(lists())

    run, _, _ = decide(proxy, tmp_path, "approve", take().rsplit("/", 1)[-1])
    assert run.exit_code == 0
    assert lists().count("privateLinkServices") == 1
    assert not {"loadBalancers", "virtualMachines", "networkInterfaces"} & set(lists())


def test_one_429_costs_a_wait_and_not_the_decision(fleet: Served, take: Take, tmp_path: Path) -> None:
    connection = take()
    for target in (connection, take().rsplit("/", 1)[-1]):
        fault = {"kind": "throttle", "retry_after": 1}
        plan = [{**fault, "method": method, "type": kind, "times": 1} for method, kind in (
            ("GET", "Microsoft.Network/privateLinkServices"),
            ("GET", "Microsoft.Network/privateLinkServices/privateEndpointConnections"),
            ("PUT", "Microsoft.Network/privateLinkServices/privateEndpointConnections"),
        )]  # fmt: skip
        fleet.control("POST", "/faults", {"faults": plan})
        run = fleet.plstui("connections", "approve", target, "--yes", "--json")
        happened = fleet.control("GET", "/faults")["happened"]
        fleet.control("POST", "/faults", {"faults": []})

        assert run.exit_code == 0, run
        assert "TooManyRequests" in run.stderr
        assert "Trying again in 1 s." in run.stderr
        assert happened
