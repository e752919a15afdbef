"""The lab in a real terminal: from an empty sandbox to the page and back to nothing, by keys."""

from __future__ import annotations

import re
import shutil
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.served import environment
from tests.support.terminal import terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])


@SIZES
def test_up_to_the_page_and_down_again(tmp_path: Path, size: tuple[int, int]) -> None:
    command = [sys.executable, "-m", "plstui", "--sandbox=empty"]
    with terminal(tmp_path, command, size=size, environ=environment(tmp_path)) as screen:
        screen.wait_for("There is nothing in this", "live")
        screen.press("l")
        screen.wait_for("0 of 16 steps done", "Three machines in three zones")

        screen.press("End", "u")
        screen.wait_for("Build steps 1 to 16?", "resource group privatelink-pls-microhack-rg")
        screen.press("Enter")
        screen.wait_for("waiting", "a approves saasPrivateEndpoint")
        # The panes have filled meanwhile.
        screen.press("Escape")
        panes = screen.wait_for("1 Connections", "lab: a to approve", "web1", "web2", "web3", "Pending")
        assert len(re.findall("running", panes)) >= 3, panes
        screen.press("l")
        screen.wait_for("waiting")
        screen.press("a")
        screen.wait_for("Approve this connection?", "az network private-link-service connection update")
        screen.press("Enter")
        # Targets answer in any order, and the low screen has the last three lines of the log.
        opened = ("saas-pls.tradewinds.internal", "✔ Host: web3") if size[1] > 24 else ("✔ Host: web",)
        screen.wait_for("16 of 16 steps done", *opened)

        screen.press("t")
        screen.wait_for("Take the lab down?", "web1-os")
        screen.press("y")
        screen.wait_for("0 of 16 steps done", "Delete the ISV's resource group")
        screen.press("Escape")
        screen.wait_for("1 Connections", "There is nothing in this", gone=("✔ Succeeded", "✔ running"))
        screen.press("q")
        assert "exit code 0" in screen.wait_for("exit code")


@SIZES
@pytest.mark.parametrize("world", ["empty", "approved"])
def test_every_step_by_a_key_of_its_own(tmp_path: Path, world: str, size: tuple[int, int]) -> None:
    """One `n` for each step that is not done, and Enter where that asks; what is there before is taken down first."""
    command = [sys.executable, "-m", "plstui", f"--sandbox={world}"]
    with terminal(tmp_path, command, size=size, environ=environment(tmp_path)) as screen:
        screen.wait_for("1 Connections", "live", gone=("eading",))
        screen.press("l")
        screen.wait_for("of 16 steps done")
        if world != "empty":
            screen.press("t")
            screen.wait_for("Take the lab down?")
            screen.press("y")
            for group in ("privatelink-pls-microhack-rg", "privatelink-dns-microhack-rg"):
                screen.wait_for(f"Delete {group}?")
                screen.press(group, "Enter")
        screen.wait_for("0 of 16 steps done", gone=("◌",))
        steps = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15]
        for number, following in pairwise([*steps, 16]):
            assert re.search(rf"▸ \S+ +{number}  ", screen.wait_for("steps done")), "the cursor is on what comes next"
            screen.press("n")
            screen.wait_for("Approve this connection?" if number == 13 else f"Build step {number}?")
            screen.press("Enter")
            screen.wait_for(f"▸ {'🔵' if following < 11 or following == 13 else '🟢'} {following:>2}  ", gone=("◌",))
        screen.press("n")
        log = "  🟢 16  "
        screen.wait_for("16 of 16 steps done", log, gone=("◌", "✖"))
        screen.press("Enter")
        opened = screen.wait_for("✔ Host: web", gone=(log,))
        assert opened.count("✔ Host: web") >= (5 if size[1] > 24 else 1), opened
        # One after the other: a terminal takes a key that follows Escape at once for that key with Alt.
        screen.press("Escape")
        screen.wait_for(log)
        screen.press("Escape")
        screen.wait_for("1 Connections", "Approved")
        screen.press("q")
        assert "exit code 0" in screen.wait_for("exit code")
