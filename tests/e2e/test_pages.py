"""A list whose pages lead back to each other ends every command that lists, with one clear error."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cutting import CuttingProxy, Harm, cutting
from tests.support.served import environment, run_plstui, serve
from tests.support.terminal import terminal

WORDS = "its pages lead back to each other"


@pytest.fixture(scope="module")
def circling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CuttingProxy]:
    """A sandbox behind a proxy on which every list leads back."""
    folder = tmp_path_factory.mktemp("circling")
    with serve(folder, "approved") as served, cutting(served, folder) as proxy:
        proxy.harm(Harm.LEADS_BACK, "GET", times=None)
        yield proxy


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "connections list",
        "connections approve saasPrivateEndpoint --yes",
        "services list",
        "services show saasPrivateLinkService",
        "services set saasPrivateLinkService --tag a=b --yes",
        "doctor",
        "doctor --probe",
        "probe",
        "lab plan",
        "lab up",
        "lab down --yes",
    ],
)
def test_a_list_that_leads_back_ends_the_command(circling: CuttingProxy, tmp_path: Path, command: str) -> None:
    before = len(circling.asked())

    run = run_plstui("--config", str(circling.config), *command.split(), home=tmp_path)

    assert run.exit_code == 1
    assert run.stderr.count(WORDS) == 1
    assert "Traceback" not in run.stderr
    asked = circling.asked()[before:]
    assert {one.method for one in asked} <= {"GET", "POST"}, "nothing is written"
    assert max(Counter(one.path for one in asked).values()) <= 2


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_the_panes_say_so(circling: CuttingProxy, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "plstui", "--config", str(circling.config)]
    with terminal(tmp_path, command, size=(160, 48), environ=environment(tmp_path)) as screen:
        screen.wait_for("its pages lead", "back to each other")
        screen.press("q")
        screen.wait_for("exit code 0")
