"""The lab from the command line, as somebody runs it from a shell: up, waiting, again, down."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.served import PATIENCE, Run, Served, environment, run_plstui, serve

ISV_GROUP, CUSTOMER_GROUP = "privatelink-pls-microhack-rg", "privatelink-dns-microhack-rg"
NAME = "saas-pls.tradewinds.internal"
WRITES = ("PUT", "PATCH", "DELETE")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path, "empty") as served:
        yield served


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An empty sandbox for those who must not write to it."""
    with serve(tmp_path_factory.mktemp("untouched"), "empty") as served:
        yield served
        assert writes(served) == 0


def writes(served: Served) -> int:
    """The requests that change something, as the sandbox has counted them."""
    counters: dict[str, int] = served.control("GET", "/counters")
    return sum(number for what, number in counters.items() if what.startswith(WRITES))


def states(run: Run) -> dict[str, str]:
    return {step["id"]: step["state"] for step in run.json["steps"]}


def test_up_again_and_down(empty: Served) -> None:
    up = empty.plstui("lab", "up", "--approve", "--probe", "--json")

    assert up.exit_code == 0, up.stdout + up.stderr
    assert set(states(up).values()) == {"done"}
    assert len(up.json["steps"]) == 16
    shown = {step["id"]: step["shows"] for step in up.json["steps"]}
    assert shown["machines"] == "web1 10.0.1.4 zone 1 · web2 10.0.1.5 zone 2 · web3 10.0.1.6 zone 3"
    assert shown["pool"] == "3/3 up"
    assert shown["record"] == f"{NAME} → {shown['address']}"
    targets = {target["name"]: target for target in up.json["probe"]["targets"]}
    assert [set(targets[name]["hosts"]) for name in ("web1", "web2", "web3")] == [{"web1"}, {"web2"}, {"web3"}]
    assert targets["saasPrivateEndpoint"]["address"] == shown["address"]
    assert targets[NAME]["kind"] == "name"
    assert all(target["ok"] for target in targets.values())
    assert sum(step["writes"] for step in up.json["steps"]) == writes(empty)

    before = writes(empty)
    again = empty.plstui("lab", "up", "--approve", "--probe", "--json")
    assert (again.exit_code, set(states(again).values()), again.json["ok"]) == (0, {"done"}, True)
    assert [step["writes"] for step in again.json["steps"]] == [0] * 16
    assert writes(empty) == before

    down = empty.plstui("lab", "down", "--yes", "--json")
    assert (down.exit_code, [step["number"] for step in down.json["steps"]]) == (0, [17, 18, 19])
    assert empty.control("GET", "/state")["resources"] == []
    gone = writes(empty)
    assert empty.plstui("lab", "down", "--yes").exit_code == 0
    assert writes(empty) == gone


@contextmanager
def running(served: Served, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "plstui", "--config", str(served.config), *arguments],
        env=environment(served.home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    """Read progress until a line has a text."""
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if text in line:
            return
    raise AssertionError(f"it ended without {text!r}: {''.join(lines)}")


def test_up_waits_for_the_decision_and_goes_on_by_itself(empty: Served) -> None:
    with running(empty, "lab", "up", "--json") as process:
        wait_for(process, "the ISV has not decided on the request yet")
        approval = empty.plstui("connections", "approve", "saasPrivateEndpoint", "--yes")
        assert approval.exit_code == 0, approval.stderr
        out, _ = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0
    found: dict[str, Any] = {step["id"]: step["state"] for step in json.loads(out)["steps"]}
    assert (found["approval"], found["record"], found["page"]) == ("done", "done", "needed")


def test_an_interrupt_stops_the_waiting_and_nothing_else(empty: Served) -> None:
    with running(empty, "lab", "up", "--json") as process:
        wait_for(process, "the ISV has not decided on the request yet")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)

    assert (process.returncode, out) == (130, "")
    assert "Stopped waiting; the same command goes on from here." in err
    again = empty.plstui("lab", "up", "--approve", "--json")
    assert again.exit_code == 0
    assert sum(step["writes"] for step in again.json["steps"]) == 2, "the approval and the record are left"


def test_until_a_step(empty: Served) -> None:
    run = empty.plstui("lab", "up", "--until", "8", "--json")

    assert run.exit_code == 0, run.stdout
    done = [step["number"] for step in run.json["steps"] if step["state"] == "done"]
    assert done == [1, 2, 3, 4, 5, 6, 7, 8]
    assert empty.plstui("lab", "up", "--until", "service").exit_code == 0
    assert states(empty.plstui("lab", "status", "--json"))["service"] == "done"


def test_a_script_for_a_sandbox_that_stays_is_to_be_run(untouched: Served) -> None:
    run = untouched.plstui("lab", "plan", "--az")

    assert run.stdout.startswith("#!")
    assert run.stderr.startswith("Asking Azure what there is of the lab")
    assert "sandbox" not in run.stderr, "it stays, so nothing has to be said of its end"


def test_a_plan_changes_nothing_and_reads_nothing_twice(untouched: Served) -> None:
    before = Counter(untouched.control("GET", "/counters"))
    plan = untouched.plstui("lab", "plan", "--json")
    asked = Counter(untouched.control("GET", "/counters")) - before
    for kind in ("loadBalancers", "natGateways", "privateLinkServices", "privateEndpoints", "privateDnsZones/A"):
        assert asked[f"GET Microsoft.Network/{kind}"] == 1, asked
    assert asked["GET Microsoft.Compute/virtualMachines"] == 4, asked
    assert (plan.exit_code, plan.json["probe"], plan.json["ok"]) == (0, None, True)
    assert set(states(plan).values()) == {"needed"}
    assert plan.json["steps"][0]["because"] == f"there is no resource group {ISV_GROUP} yet"

    script = untouched.plstui("lab", "plan", "--az")
    assert "az network private-link-service create" in script.stdout
    assert subprocess.run(["bash", "-n"], input=script.stdout, text=True, check=False).returncode == 0


def test_the_isolated_network_has_its_pages_too(empty: Served) -> None:
    run = empty.plstui("lab", "up", "--isolated", "--approve", "--probe", "--json")

    assert run.exit_code == 0, run.stdout
    kinds = {body["type"].lower() for body in empty.control("GET", "/state")["resources"]}
    assert "microsoft.network/natgateways" not in kinds
    hosts = {target["name"]: set(target["hosts"]) for target in run.json["probe"]["targets"]}
    assert (hosts["web1"], hosts["web2"], hosts["web3"]) == ({"web1"}, {"web2"}, {"web3"})


@pytest.mark.parametrize(
    ("environ", "exit_code", "words"),
    [
        ({"PLSTUI_LAB_MESSAGE": "x" * 141}, 2, "140"),
        ({"PLSTUI_LAB_REGION": "West Erope"}, 2, "westeurope"),
        ({"PLSTUI_LAB_REGION": "westus"}, 2, "zone"),
        (
            {"PLSTUI_LAB_CUSTOMER_PREFIX": "10.0.0.0/16", "PLSTUI_LAB_CUSTOMER_SUBNET_PREFIX": "10.0.9.0/24"},
            2,
            "overlap",
        ),
        ({"PLSTUI_LAB_SIZE": "Standard_Nonsense"}, 1, "Standard_Nonsense"),
        ({"PLSTUI_LAB_PUBLIC_KEY": "/nowhere/key.pub"}, 2, "/nowhere/key.pub"),
    ],
    ids=["message", "region", "no zones", "overlap", "size", "key"],
)
def test_bad_input_is_told_before_the_first_write(
    untouched: Served, environ: dict[str, str], exit_code: int, words: str
) -> None:
    run = untouched.plstui("lab", "up", "--approve", "--json", environ=environ)

    assert (run.exit_code, list(run.json)) == (exit_code, ["error"]), run.stdout
    assert words in run.json["error"]["message"] + run.json["error"]["hint"]
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("up", "--until", "nonsense"), "There is no step 'nonsense'"),
        (("up", "--until", "17"), "There is no step '17'"),
        (("plan", "--az", "--json"), "choose one"),
        (("down",), "needs --yes"),
        (("down", "--side", "both", "--yes"), "is not one of"),
    ],
)
def test_wrong_usage(untouched: Served, arguments: tuple[str, ...], words: str) -> None:
    run = untouched.plstui("lab", *arguments)

    assert run.exit_code == 2
    assert words in run.stderr + run.stdout
    assert "Traceback" not in run.stderr


def test_a_side_that_cannot_be_read_does_not_hide_the_other(untouched: Served) -> None:
    nobody = {"PLSTUI_CUSTOMER_CLIENT_ID": "33333333-3333-4333-8333-333333333333"}
    run = untouched.plstui("lab", "status", "--json", environ=nobody)

    assert run.exit_code == 1, run.stdout
    told = {step["number"]: step for step in run.json["steps"]}
    assert told[1]["state"] == "needed"
    assert told[11]["state"] == "blocked"
    assert told[11]["because"].startswith("the Customer subscription cannot be read: ")


def test_both_sides_that_cannot_be_read_are_an_error(untouched: Served) -> None:
    nobody = dict.fromkeys(
        ("PLSTUI_ISV_CLIENT_ID", "PLSTUI_CUSTOMER_CLIENT_ID"), "33333333-3333-4333-8333-333333333333"
    )
    assert untouched.plstui("lab", "status", "--json", environ=nobody).exit_code == 3


def test_a_side_that_is_not_configured_is_no_failure(untouched: Served) -> None:
    run = untouched.plstui("lab", "status", "--json", environ={"PLSTUI_CUSTOMER_SUBSCRIPTION": ""})

    assert (run.exit_code, run.json["ok"]) == (0, True), run.stdout
    assert {step["state"] for step in run.json["steps"] if step["side"] == "customer"} == {"blocked"}


def test_taking_down_what_cannot_be_seen_is_not_done(untouched: Served) -> None:
    nobody = "33333333-3333-4333-8333-333333333333"
    run = untouched.plstui("lab", "down", "--side", "isv", "--isv", nobody, "--yes", "--json")

    assert run.exit_code == 4, run.stdout
    assert run.json["error"]["code"] == "SubscriptionNotFound"
    assert nobody in run.json["error"]["message"]


def test_read_only_builds_nothing(untouched: Served) -> None:
    run = untouched.plstui("--read-only", "lab", "up", "--json")

    assert run.exit_code == 1
    assert "read-only" in run.stdout


def test_other_customers_are_told_of_before_anything_is_sent(tmp_path: Path) -> None:
    with serve(tmp_path, "workshop") as served:
        before = writes(served)
        refused = served.plstui("lab", "down", "--side", "isv", "--yes", "--json")
        assert writes(served) == before

    assert refused.exit_code == 1
    assert "serves others" in refused.json["error"]["message"]
    assert "stay behind, Disconnected" in refused.stderr


def test_what_plstui_did_not_create_needs_its_name(tmp_path: Path) -> None:
    with serve(tmp_path, "approved") as served:
        before = writes(served)
        refused = served.plstui("lab", "down", "--yes", "--json")
        assert refused.exit_code == 1
        assert f"--yes-delete {ISV_GROUP}" in refused.json["error"]["hint"]
        assert writes(served) == before

        script = served.plstui("lab", "down", "--az")
        assert (script.exit_code, script.stdout) == (1, ""), "what down refuses is not printed either"
        assert f"--yes-delete {ISV_GROUP}" in script.stderr
        script = served.plstui("lab", "down", "--az", "--side", "isv", "--yes-delete", ISV_GROUP)
        assert script.exit_code == 0, script.stderr
        assert f"ISV_GROUP={ISV_GROUP}" in script.stdout
        assert CUSTOMER_GROUP not in script.stdout
        assert "1 endpoint of customers stay behind" in script.stderr
        assert writes(served) == before

        named = served.plstui(
            *("lab", "down", "--yes", "--yes-delete", ISV_GROUP, "--yes-delete", CUSTOMER_GROUP, "--json")
        )
        assert named.exit_code == 0, named.stdout + named.stderr
        assert served.control("GET", "/state")["resources"] == []


def test_an_embedded_sandbox_does_it_all(tmp_path: Path) -> None:
    run = run_plstui("lab", "up", "--sandbox=empty", "--approve", "--probe", "--json", home=tmp_path)

    assert run.exit_code == 0, run.stdout + run.stderr
    assert run.json["ok"]
    assert run.json["probe"]["ok"]


@pytest.mark.parametrize("command", ["plan", "up", "down"])
def test_a_script_for_a_sandbox_that_ends_says_so(command: str, tmp_path: Path) -> None:
    run = run_plstui("lab", command, "--sandbox=empty", "--az", home=tmp_path)

    assert run.exit_code == 0, run.stderr
    assert run.stdout.startswith("#!")
    assert "only to be read: its sandbox ends with this command" in run.stderr
