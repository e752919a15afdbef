"""Taking single steps of the lab back from the command line, as somebody does it from a shell."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_lab import ISV_GROUP, states, writes
from tests.support.served import Served, environment, serve
from tests.support.terminal import terminal

SERVICE = "saasPrivateLinkService"


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Served]:
    """The ISV's half, in a group that plstui did not create."""
    with serve(tmp_path, "deployed") as served:
        yield served


def left(served: Served) -> set[str]:
    """The names of all that is there."""
    return {body["name"] for body in served.control("GET", "/state")["resources"]}


def test_step_by_step_back_to_nothing(tmp_path: Path) -> None:
    with serve(tmp_path, "empty") as served:
        assert served.plstui("lab", "up", "--until", "isv-network", "--json").exit_code == 0
        needed = served.plstui("lab", "undo", "1", "--yes", "--json")
        assert needed.exit_code == 1
        assert "Step 2, Isolated network, still needs it" in needed.json["error"]["message"]

        run = served.plstui("lab", "undo", "isv-network", "--yes", "--json")
        assert (run.exit_code, states(run), run.json["ok"]) == (0, {"isv-network": "needed"}, True), run.stderr
        assert run.json["steps"][0]["writes"] == 5
        assert left(served) == {ISV_GROUP}
        assert "deletion of virtual network virtualNetwork" in run.stderr

        assert served.plstui("lab", "undo", "1", "--yes").exit_code == 0
        assert left(served) == set()
        nothing = served.plstui("lab", "undo", "1", "--yes")
        assert (nothing.exit_code, "nothing to undo" in nothing.stderr) == (1, True)


def test_what_is_in_a_group_of_somebody_elses_needs_its_name(deployed: Served) -> None:
    before = writes(deployed)
    refused = deployed.plstui("lab", "undo", "service", "--yes", "--json")
    assert refused.exit_code == 1
    assert "was not created by plstui" in refused.json["error"]["message"]
    assert f"--yes-delete {SERVICE}" in refused.json["error"]["hint"]
    assert writes(deployed) == before

    named = deployed.plstui("lab", "undo", "service", "--yes", "--yes-delete", SERVICE, "--json")
    assert named.exit_code == 0, named.stdout + named.stderr
    assert writes(deployed) == before + 1


def test_wrong_usage(deployed: Served) -> None:
    before = writes(deployed)
    asked = deployed.plstui("lab", "undo", "service")
    assert (asked.exit_code, "needs --yes" in asked.stderr) == (2, True)
    unknown = deployed.plstui("lab", "undo", "17", "--yes")
    assert (unknown.exit_code, "There is no step '17'" in unknown.stderr) == (2, True)
    other = deployed.plstui("lab", "undo", "service", "--yes", "--yes-delete", "production")
    assert (other.exit_code, "There is no production" in other.stderr) == (1, True)
    read_only = deployed.plstui("--read-only", "lab", "undo", "service", "--yes", "--yes-delete", SERVICE)
    assert (read_only.exit_code, "read-only" in read_only.stderr) == (1, True)
    assert writes(deployed) == before


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
@pytest.mark.parametrize(("typed", "gone"), [(SERVICE, True), ("something else", False)])
def test_the_name_is_asked_for(deployed: Served, tmp_path: Path, typed: str, gone: bool) -> None:
    command = [sys.executable, "-m", "plstui", "--config", str(deployed.config), "lab", "undo", "service"]
    with terminal(tmp_path, command, size=(120, 40), environ=environment(tmp_path)) as screen:
        screen.wait_for("was not created by plstui", f"Type its name to take it back: {SERVICE}")
        screen.tmux("send-keys", "-l", typed)
        screen.press("Enter")
        screen.wait_for("exit code 0" if gone else "exit code 130")

    assert (SERVICE not in left(deployed)) is gone
