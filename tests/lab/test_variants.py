"""Other labs than the usual one: without a way out, and with a Windows machine."""

from __future__ import annotations

import json
from pathlib import Path

from plstui.lab.parts import StepState
from tests.lab.rig import Rig, undone
from tests.support.served import run_plstui, serve

PASSWORD = "Tradewinds-314159"


async def test_without_a_way_out_the_fallback_serves_the_page(empty: Rig) -> None:
    async with empty.session(lab={"isolated": True}) as plstui:
        assert list(undone((await plstui.up()).statuses())) == []

    assert not [body for body in empty.sandbox.azure.store if "nat" in body["type"].rpartition("/")[2].lower()]
    for number in (1, 2, 3):
        machine = empty.body(f"web{number}")["id"]
        asked = "systemctl is-active host-page nginx; curl -s http://localhost/"
        said = await empty.sandbox.network.run_command(machine, asked)
        assert said.stdout == f"active\ninactive\nHost: web{number}"


def test_without_a_way_out_all_three_pages_come_through_the_endpoint(tmp_path: Path) -> None:
    run = run_plstui(*["lab", "up", "--sandbox=empty", "--isolated", "--approve", "--probe", "--json"], home=tmp_path)

    assert run.exit_code == 0, run.stderr
    assert {step["state"] for step in run.json["steps"]} == {"done"}
    targets = run.json["probe"]["targets"]
    assert {target["name"] for target in targets if target["kind"] == "backend"} == {"web1", "web2", "web3"}
    for target in targets:
        if target["kind"] in ("endpoint", "name"):
            assert set(target["hosts"]) == {"web1", "web2", "web3"}, target


async def test_a_windows_machine_is_built_and_its_password_never_seen_again(empty: Rig) -> None:
    async with empty.session(lab={"test_machine": "windows"}, password=PASSWORD) as plstui:
        run = await plstui.up()
        assert list(undone(run.statuses())) == []
        assert PASSWORD not in repr(run.survey)
        assert PASSWORD not in repr(plstui.events)
        again = await plstui.up()
        assert sum(status.writes for status in again.statuses()) == 0
        journal = plstui.runtime.journal.path.read_text()

    machine = empty.body("testVM")["properties"]
    assert machine["storageProfile"]["osDisk"]["osType"] == "Windows"
    assert "testVM" in journal
    assert PASSWORD not in journal
    assert PASSWORD not in json.dumps(list(empty.sandbox.azure.store))
    assert "testVM" not in [endpoint.name for endpoint in empty.sandbox.network.ssh_endpoints()]


async def test_a_windows_machine_that_is_there_keeps_its_password(empty: Rig) -> None:
    async with empty.session(lab={"test_machine": "windows"}, password=PASSWORD) as plstui:
        await plstui.up()
    empty.written.clear()
    async with empty.session(lab={"test_machine": "windows"}, password="Another-314159") as plstui:
        run = await plstui.up()

    assert list(undone(run.statuses())) == []
    assert empty.written == []


def test_a_lab_with_a_windows_machine_from_the_command_line(tmp_path: Path) -> None:
    with serve(tmp_path, "empty") as served:
        run = served.plstui("lab", "up", "--approve", "--json", environ={"PLSTUI_LAB_TEST_MACHINE": "windows"})
        state = json.dumps(served.control("GET", "/state"))
        page = served.plstui("probe", "--count", "1", "--json").json["targets"]

    assert run.exit_code == 0, run.stderr
    states = {step["id"]: step["state"] for step in run.json["steps"]}
    assert states.pop("page") == StepState.NEEDED
    assert set(states.values()) == {"done"}
    (endpoint,) = (target for target in page if target["kind"] == "endpoint")
    assert "; set [customer.ssh] jump. " in endpoint["error"], "a Windows machine lets nobody in by SSH"
    assert "Windows machines run nothing in the sandbox." in endpoint["error"], "and has an agent instead"
    (line,) = (line for line in run.stderr.splitlines() if "shown this once" in line)
    password = line.rpartition(" ")[2]
    assert len(password) >= 12
    assert password not in run.stdout
    assert password not in state
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert password.encode() not in file.read_bytes(), file
