"""The command line against a served sandbox, as scripts use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.served import Served, run_plstui, serve


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A world that no test here changes."""
    with serve(tmp_path_factory.mktemp("approved"), "approved") as served:
        yield served


@pytest.fixture
def pending(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path, "pending") as served:
        yield served


def test_status_shows_both_sides_and_joins_them(approved: Served) -> None:
    run = approved.plstui("status", "--json")

    assert run.exit_code == 0, run.stderr
    states = {row["name"]: row["state"] for side in ("isv", "customer") for row in run.json[side]["resources"]}
    assert states["web1"] == states["web2"] == states["web3"] == states["testVM"] == "running"
    assert states["loadBalancer"] == "3/3"
    assert states["saasPrivateLinkService"] == "Succeeded"
    assert states["saasPrivateEndpoint"] == "Approved"
    [connection] = run.json["connections"]
    assert connection["seen_from"] == ["isv", "customer"]
    assert connection["status"] == "Approved"
    assert connection["endpoint_address"].startswith("10.1.0.")
    assert connection["message"] == "Customer: Tradewinds, Order no.: 314159"
    assert connection["allowed"] == ["reject", "remove"]


def test_a_refresh_of_a_side_makes_at_most_eight_lists(approved: Served) -> None:
    before = approved.control("GET", "/counters")
    assert approved.plstui("status", "--json").exit_code == 0
    after = approved.control("GET", "/counters")

    def lists(counters: dict[str, int]) -> int:
        return sum(count for name, count in counters.items() if name.startswith("GET") and "oauth2" not in name)

    # Two sides, eight lists each, and the polls of one rule's health.
    assert lists(after) - lists(before) <= 2 * 8 + 2


def test_status_is_also_a_table_for_people(approved: Served) -> None:
    run = approved.plstui("status")

    assert run.exit_code == 0
    assert "✔ Approved" in run.stdout
    assert "🔵 ISV" in run.stdout
    assert "🟢 Customer" in run.stdout


def test_a_status_that_azure_does_not_have_is_refused(approved: Served) -> None:
    run = approved.plstui("connections", "list", "--status", "Foo")

    assert (run.exit_code, run.stdout) == (2, "")
    assert "There is no status 'Foo'; there are Pending, Approved, Rejected, Disconnected." in run.stderr
    assert approved.plstui("connections", "list", "--status", "pending").exit_code == 0


def test_approving_lets_the_page_through(pending: Served) -> None:
    [before] = pending.plstui("connections", "list", "--status", "pending", "--json").json["connections"]
    assert before["allowed"] == ["approve", "reject", "remove"]

    run = pending.plstui(
        "connections", "approve", "saasPrivateEndpoint", "--description", "Order seen", "--yes", "--json"
    )
    assert run.exit_code == 0, run.stdout
    [result] = run.json["results"]
    assert result == {
        "id": before["id"],
        "verb": "approve",
        "ok": True,
        "status": "Approved",
        "unread": None,
        "error": None,
    }

    [after] = pending.plstui("connections", "list", "--json").json["connections"]
    assert (after["status"], after["description"]) == ("Approved", "Order seen")

    probe = pending.plstui("probe", "--count", "24", "--json")
    assert probe.exit_code == 0, probe.stdout
    hosts = {target["name"]: target["hosts"] for target in probe.json["targets"]}
    assert {name: hosts[name] for name in ("web1", "web2", "web3")} == {
        "web1": {"web1": 24},
        "web2": {"web2": 24},
        "web3": {"web3": 24},
    }
    assert set(hosts["saasPrivateEndpoint"]) == {"web1", "web2", "web3"}


def test_a_pending_request_carries_no_traffic(pending: Served) -> None:
    run = pending.plstui("probe", "--count", "2", "--json", environ={"PLSTUI_PROBE_CONNECT_TIMEOUT": "1"})

    assert run.exit_code == 1
    targets = {target["name"]: target for target in run.json["targets"]}
    assert targets["web1"]["ok"]
    assert targets["saasPrivateEndpoint"]["hosts"] == {}
    assert set(targets["saasPrivateEndpoint"]["failures"]) <= {"timeout", "refused"}


def test_rejecting_and_removing_end_where_azure_ends(pending: Served) -> None:
    reject = pending.plstui("connections", "reject", "saasPrivateEndpoint", "--yes", "--json")
    assert [r["status"] for r in reject.json["results"]] == ["Rejected"]
    again = pending.plstui("connections", "reject", "saasPrivateEndpoint", "--yes", "--json")
    assert again.exit_code == 1
    assert again.json["results"][0]["error"]["message"] == "This connection is Rejected already."

    remove = pending.plstui("connections", "remove", "saasPrivateEndpoint", "--yes", "--json")
    assert remove.exit_code == 0, remove.stdout
    [left] = pending.plstui("connections", "list", "--json").json["connections"]
    assert (left["status"], left["seen_from"], left["allowed"]) == ("Disconnected", ["customer"], [])


def test_what_was_done_stands_in_the_journal(pending: Served) -> None:
    pending.plstui("connections", "approve", "saasPrivateEndpoint", "--yes")

    lines = (pending.home / ".local/state/plstui/journal.jsonl").read_text().splitlines()
    sent, entry = map(json.loads, lines)
    assert (sent["outcome"], sent["action"]) == ("sent", entry["action"])
    assert (entry["side"], entry["verb"], entry["outcome"]) == ("isv", "approve", "done")
    assert entry["az"].startswith("az network private-link-service connection update ")


def test_read_only_refuses(pending: Served) -> None:
    run = pending.plstui("--read-only", "connections", "approve", "saasPrivateEndpoint", "--json")

    assert run.exit_code == 1
    assert "read-only" in run.json["results"][0]["error"]["message"]


def test_an_unknown_target_is_not_found(approved: Served) -> None:
    run = approved.plstui("connections", "approve", "nobody", "--yes", "--json")

    assert run.exit_code == 4
    assert "nobody" in run.json["results"][0]["error"]["message"]


def test_removal_without_a_terminal_wants_yes(approved: Served) -> None:
    run = approved.plstui("connections", "remove", "saasPrivateEndpoint")

    assert run.exit_code == 2
    assert "--yes" in run.stderr


def test_a_sick_backend_is_told(tmp_path: Path) -> None:
    with serve(tmp_path, "unhealthy") as served:
        status = served.plstui("status", "--json")
        probe = served.plstui("probe", "--count", "6", "--json")

    states = {row["name"]: row["state"] for row in status.json["isv"]["resources"]}
    assert states["loadBalancer"] == "2/3"
    targets = {target["name"]: target for target in probe.json["targets"]}
    assert probe.exit_code == 1
    assert targets["web2"]["failures"] == {"refused": 6}
    assert "web2" not in targets["saasPrivateEndpoint"]["hosts"]


def test_assertions_decide_the_exit_code(approved: Served) -> None:
    assert approved.plstui("probe", "--assert", "endpoint.failures==0").exit_code == 0
    run = approved.plstui("probe", "--assert", "hosts>=4")
    assert run.exit_code == 1
    assert "FAILS: hosts>=4 (it is 3)" in run.stdout


def test_attach_by_address(approved: Served) -> None:
    run = approved.plstui(f"--sandbox={approved.ready['arm']}", "connections", "list", "--json", config=False)

    assert run.exit_code == 0, run.stderr
    assert [c["endpoint"] for c in run.json["connections"]] == ["saasPrivateEndpoint"]


def test_one_side_alone_works(approved: Served) -> None:
    config = approved.config.read_text()
    alone = approved.home / "alone.toml"
    alone.write_text(config[: config.index("[customer]")])

    run = approved.plstui("--config", str(alone), "status", "--json", config=False)

    assert run.exit_code == 0, run.stderr
    assert run.json["customer"] is None
    assert [c["seen_from"] for c in run.json["connections"]] == [["isv"]]


def test_a_wrong_subscription_is_told(approved: Served) -> None:
    nobody = "99999999-9999-4999-8999-999999999999"
    run = approved.plstui("--isv", nobody, "status", "--json")

    assert run.exit_code == 4
    assert nobody in run.json["isv"]["error"]
    assert run.json["customer"]["reachable"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("--sandbox=nowhere", "status"), 2, "There is no world 'nowhere'; there are empty,"),
        (("--sandbox=https://127.0.0.1:1", "status"), 2, "No sandbox is known at"),
        (("status",), 2, "No subscription is set."),
        (("--config", "nothing.toml", "status"), 2, "There is no settings file nothing.toml."),
        ((), 2, "The two panes need a terminal."),
        (("probe", "--count", "0"), 2, "'--count'"),
        (("probe", "--assert", "luck>3"), 2, "there is no metric 'luck'"),
        (("--sandbox", "--config", "x", "status"), 2, "leave out --config"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], exit_code: int, words: str) -> None:
    run = run_plstui(*arguments, home=tmp_path)

    assert run.exit_code == exit_code
    assert words in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def test_an_unreachable_arm_is_told(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    config = tmp_path / "config.toml"
    config.write_text(
        '[azure]\narm = "https://127.0.0.1:9"\n[isv]\nsubscription = "99999999-9999-4999-8999-999999999999"\n'
        'tenant = "t"\nclient_id = "c"\n'
        f'client_secret_file = "{secret}"\n'
    )
    run = run_plstui("--config", str(config), "status", "--json", home=tmp_path)

    assert run.exit_code == 1
    assert run.json["error"]["code"] == "Unreachable"
    assert "127.0.0.1:9" in run.json["error"]["message"]


def test_the_worlds_are_listed(tmp_path: Path) -> None:
    run = run_plstui("sandbox", "worlds", "--json", home=tmp_path)

    names = [world["name"] for world in run.json["worlds"]]
    assert names[:7] == ["empty", "deployed", "pending", "approved", "rejected", "disconnected", "unhealthy"]


def test_a_decision_that_azure_is_too_busy_for_is_sent_again_and_that_is_said(pending: Served) -> None:
    pending.control("POST", "/faults", {"faults": [{"kind": "busy", "method": "PUT", "times": 1}]})

    run = pending.plstui("connections", "approve", "saasPrivateEndpoint", "--yes", "--json")

    assert run.exit_code == 0
    [result] = run.json["results"]
    assert (result["ok"], result["status"]) == (True, "Approved")
    (line,) = run.stderr.splitlines()
    assert line.startswith("AnotherOperationInProgress: ")
    assert line.endswith("Trying again in 1 s.")


def test_a_probe_is_not_well_where_its_targets_could_not_be_listed(approved: Served) -> None:
    refused = {
        "kind": "error",
        "status": 500,
        "method": "GET",
        "type": "Microsoft.Network/loadBalancers",
        "side": "isv",
    }
    approved.control("POST", "/faults", {"faults": [refused]})
    probe = approved.plstui("probe", "--count", "1", "--json")
    status = approved.plstui("status", "--json")
    approved.control("POST", "/faults", {"faults": []})

    assert (probe.exit_code, probe.json["ok"]) == (1, False)
    assert "The ISV's balancers could not be read" in probe.stderr
    assert "endpoint" in {target["kind"] for target in probe.json["targets"]}
    assert status.exit_code == 1
    assert [known["type"] for known in status.json["isv"]["not_read"]] == ["Microsoft.Network/loadBalancers"]
    assert status.json["connections"]
