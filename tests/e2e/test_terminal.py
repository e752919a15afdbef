"""plstui in a real terminal, as a person uses it."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.served import environment, serve
from tests.support.terminal import Terminal, terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
PLSTUI = [sys.executable, "-m", "plstui"]


def leave(screen: Terminal) -> None:
    screen.press("q")
    assert "exit code 0" in screen.wait_for("exit code")


@SIZES
def test_approve_and_probe(tmp_path: Path, size: tuple[int, int]) -> None:
    with terminal(tmp_path, [*PLSTUI, "--sandbox"], size=size, environ=environment(tmp_path)) as screen:
        screen.wait_for("saasPrivateEndpoint", "Pending")
        screen.press("a")
        screen.wait_for("az network private-link-service")
        screen.press("Enter")
        approved = screen.wait_for("Approved", gone=("Pending",))
        assert len(re.findall("Approved", approved)) >= 2, approved

        screen.press("p")
        probed = screen.wait_for("Host: web1", "Host: web2", "Host: web3")
        assert "saasPrivateEndpoint" in probed
        leave(screen)


def test_a_sick_backend_is_marked(tmp_path: Path) -> None:
    with terminal(tmp_path, [*PLSTUI, "--sandbox=unhealthy"], size=(160, 48), environ=environment(tmp_path)) as screen:
        screen.wait_for("web2", "2/3", "Approved")
        screen.press("p")
        screen.wait_for("Host: web1", "Host: web3", "refused")
        leave(screen)


def test_two_programs_watch_one_world(tmp_path: Path) -> None:
    with serve(tmp_path, "pending") as served:
        command = [*PLSTUI, "--config", str(served.config)]
        home = environment(served.home)
        with (
            terminal(tmp_path, command, size=(160, 48), environ=home) as one,
            terminal(tmp_path, command, size=(160, 48), environ=home) as two,
        ):
            one.wait_for("Pending", "saasPrivateEndpoint")
            two.wait_for("Pending", "saasPrivateEndpoint")
            one.press("a")
            one.wait_for("az network private-link-service")
            one.press("Enter")
            one.wait_for("Approved", gone=("Pending",))
            two.wait_for("Approved", gone=("Pending",))
            leave(one)
            leave(two)


def test_leaving_at_once_leaves_nothing_behind(tmp_path: Path) -> None:
    with terminal(tmp_path, [*PLSTUI, "--sandbox"], size=(80, 24), environ=environment(tmp_path)) as screen:
        screen.wait_for("Customer")
        leave(screen)
