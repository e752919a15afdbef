"""The script that plstui prints for az, and plstui itself, make the same of two empty subscriptions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import labs
from tests.conformance.az import find_az
from tests.support.served import Served, serve
from tests.support.terminal import terminal

AZ = find_az()
PATIENCE = 300
"""Seconds for a script of some forty commands, each of which takes az one or two."""

pytestmark = [
    pytest.mark.skipif(AZ is None, reason="az is not there; .ci/run installs it, and PLSTUI_AZ names another one"),
    pytest.mark.timeout(PATIENCE + 60),
]

HOSTILE = """it's "$HOME" `id` $(id) \\ 100% *; -- {ISV} ★"""


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal and the settings of whoever runs the tests are nobody's business here."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def by_az(tmp_path: Path) -> Iterator[Served]:
    with serve(_folder(tmp_path, "by-az"), "empty") as served:
        yield served


@pytest.fixture
def by_plstui(tmp_path: Path) -> Iterator[Served]:
    with serve(_folder(tmp_path, "by-plstui"), "empty") as served:
        yield served


def _folder(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


async def test_the_script_builds_what_plstui_builds(by_az: Served, by_plstui: Served) -> None:
    printed = await both_build(by_az, by_plstui, {})

    # Step 16, by address and by name.
    assert printed.count("Host: web") == 2

    await down(by_az)
    assert by_az.control("GET", "/state")["resources"] == []
    # Where nothing is left, there is nothing to do, and that is no failure.
    await down(by_az)


async def test_a_group_that_is_another_by_now_is_not_deleted(by_az: Served) -> None:
    assert AZ is not None
    key = by_az.directory / "id_ed25519.pub"
    await labs.build(by_az, key, {}, "isv-group")
    script = await labs.teardown_of(by_az, key)
    (group,) = by_az.control("GET", "/state")["resources"]
    tags = {"created-by": "plstui", "plstui-run": "another"}
    by_az.arm("isv", "PUT", group["id"], {"location": group["location"], "tags": tags}, "2022-09-01")

    with pytest.raises(AssertionError, match="no longer has the tags created-by=plstui and plstui-run=r1"):
        labs.run_script(by_az, AZ, script, PATIENCE)
    assert len(by_az.control("GET", "/state")["resources"]) == 1


async def test_without_a_way_out_and_without_a_name(by_az: Served, by_plstui: Served) -> None:
    settings = {"isolated": True, "message": HOSTILE, "dns": {"kind": "none"}}

    printed = await both_build(by_az, by_plstui, settings)

    assert printed.count("Host: web") == 1
    (endpoint,) = (one for one in by_az.control("GET", "/state")["resources"] if one["name"] == "saasPrivateEndpoint")
    (asked,) = endpoint["properties"]["manualPrivateLinkServiceConnections"]
    assert asked["properties"]["requestMessage"] == HOSTILE


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
async def test_a_windows_machine_whose_password_is_asked_for(by_az: Served, by_plstui: Served, tmp_path: Path) -> None:
    assert AZ is not None
    key, settings = by_az.directory / "id_ed25519.pub", {"test_machine": "windows", "dns": {"kind": "none"}}
    for served in (by_plstui, by_az):
        await labs.build(served, key, settings, "customer-network")
    (machine,) = (one for one in by_az.control("GET", "/state")["resources"] if one["name"] == "testVM")
    by_az.arm("customer", "DELETE", machine["id"], api_version="2024-07-01")
    lines = (await labs.script_of(by_az, key, settings)).splitlines()
    script = tmp_path / "script"
    # All of the customer's own step; nothing of it is left but the machine.
    script.write_text("\n".join([*lines[: lines.index("# 1. 🔵 Resource group")], *_step(lines, 11)]))

    with terminal(tmp_path, ["bash", str(script)], size=(120, 40), environ=labs.environment(by_az, AZ)) as screen:
        screen.wait_for("Password for the administrator")
        screen.tmux("send-keys", "-l", labs.PASSWORD)
        screen.press("Enter")
        shown = screen.wait_for("exit code")

    assert "exit code 0" in shown
    assert labs.PASSWORD not in shown
    assert labs.differences(labs.resources(by_az), labs.resources(by_plstui)) == []


def _step(lines: list[str], number: int) -> list[str]:
    """The lines of one step of a script."""
    (start,) = (at for at, line in enumerate(lines) if line.startswith(f"# {number}. "))
    return lines[start : lines.index("", start)]


async def down(served: Served) -> None:
    """Take the lab down with az."""
    assert AZ is not None
    labs.run_script(served, AZ, await labs.teardown_of(served, served.directory / "id_ed25519.pub"), PATIENCE)


async def both_build(by_az: Served, by_plstui: Served, settings: dict[str, Any]) -> str:
    """Build the lab on both sandboxes, which must be alike then; gives what the script printed."""
    assert AZ is not None
    key = by_az.directory / "id_ed25519.pub"
    await labs.build(by_plstui, key, settings)
    script = await labs.script_of(by_az, key, settings)
    printed = labs.run_script(by_az, AZ, script, PATIENCE)

    assert labs.differences(labs.resources(by_az), labs.resources(by_plstui)) == []
    # And plstui agrees: nothing is left to do but to open the page.
    again = await labs.script_of(by_az, key, settings)
    assert [line for line in again.splitlines() if line.startswith("# 1")] == ["# 16. 🟢 Open the page"]
    return printed
