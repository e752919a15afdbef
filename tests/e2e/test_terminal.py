"""plstui in a real terminal, as a person uses it."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests.support.served import environment, serve
from tests.support.terminal import PATIENCE, Terminal, terminal

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
        probed = screen.wait_for("Host: web1", "Host: web2", "Host: web3", "probed 5 targets")
        assert "saasPrivateEndpoint" in probed
        leave(screen)


@SIZES
def test_the_name_is_a_hop_once_it_was_asked_for(tmp_path: Path, size: tuple[int, int]) -> None:
    with terminal(tmp_path, [*PLSTUI, "--sandbox=approved"], size=size, environ=environment(tmp_path)) as screen:
        screen.wait_for("✔ Approved")
        screen.press("p")
        screen.wait_for("all 6 targets answer", "saas-pls.tradewinds.internal", "✔ name resolves")
        leave(screen)


def test_a_sick_backend_is_marked(tmp_path: Path) -> None:
    with terminal(tmp_path, [*PLSTUI, "--sandbox=unhealthy"], size=(160, 48), environ=environment(tmp_path)) as screen:
        screen.wait_for("web2", "2/3", "Approved")
        screen.press("p")
        screen.wait_for("Host: web1", "Host: web3", "refused")
        screen.wait_for("✔ name resolves", "2/3 → ✔ web1", " ✖ web2", "probed 6 targets")
        screen.press("w")
        screen.wait_for("looked at", "▸ ! warning", "Nothing answers on port 80 of web2.")
        screen.press("Enter")
        screen.wait_for("Doctor: web2", "What proves it", "az vm run-command invoke")
        screen.press("Escape")
        screen.wait_for("▸ ! warning", gone=("What proves it",))
        leave(screen)


def test_the_terminal_knows_its_size(tmp_path: Path) -> None:
    exported = {**environment(tmp_path), "COLUMNS": "80", "LINES": "24"}
    with terminal(tmp_path, [*PLSTUI, "--sandbox"], size=(160, 48), environ=exported) as screen:
        lines = screen.wait_for("saasPrivateEndpoint", "Pending").splitlines()
        assert (max(map(len, lines)) > 150, len(lines)) == (True, 48)
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


def pid_in(file: Path) -> int:
    return int(file.read_text())


def test_told_to_end_it_gives_the_terminal_back(tmp_path: Path) -> None:
    command = ["sh", "-c", f'echo $$ > {tmp_path}/pid; exec "$@"', "sh", *PLSTUI, "--sandbox"]
    with terminal(tmp_path, command, size=(80, 24), environ=environment(tmp_path)) as screen:
        screen.wait_for("saasPrivateEndpoint")
        os.kill(pid_in(tmp_path / "pid"), signal.SIGTERM)
        assert screen.wait_for("exit code 130", gone=("saasPrivateEndpoint",)).strip() == "exit code 130"


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells of the end of somebody else's child")
def test_a_terminal_that_is_closed_leaves_nothing_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environ = {**environment(tmp_path), "TMPDIR": str(temporary)}
    command = ["sh", "-c", f'echo $$ > {tmp_path}/pid; exec "$@"', "sh", *PLSTUI, "--sandbox"]
    with terminal(tmp_path, command, size=(80, 24), environ=environ) as screen:
        screen.wait_for("saasPrivateEndpoint")
        [ready] = temporary.glob("plstui-sandbox-*/ready.json")
        running = [os.pidfd_open(pid) for pid in (pid_in(tmp_path / "pid"), json.loads(ready.read_text())["pid"])]
    for process in running:
        ended, _, _ = select.select([process], [], [], PATIENCE)
        os.close(process)
        assert ended

    assert list(temporary.glob("plstui-*")) == []


CRASHING = """
import sys
from plstui.compose import Composer
from plstui.__main__ import main

async def connect(self):
    token = "a secret"
    raise ZeroDivisionError("in the middle\\x1b[2J")

Composer.connect = connect
sys.exit(main())
"""


def test_an_error_of_its_own_is_one_sentence_and_a_file_that_others_cannot_read(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CRASHING]
    with terminal(tmp_path, command, size=(160, 24), environ=environment(tmp_path)) as screen:
        seen = screen.wait_for("exit code 1")

    assert "plstui met an error of its own." in seen
    assert "Traceback" not in seen
    assert "a secret" not in seen
    report = tmp_path / ".local/state/plstui/last-error.txt"
    assert report.stat().st_mode & 0o777 == 0o600
    assert report.read_text().splitlines()[-1] == "ZeroDivisionError: in the middle\\x1b[2J"


def test_leaving_at_once_leaves_nothing_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environ = {**environment(tmp_path), "TMPDIR": str(temporary)}
    with terminal(tmp_path, [*PLSTUI, "--sandbox"], size=(80, 24), environ=environ) as screen:
        screen.wait_for("Customer")
        leave(screen)
        assert list(temporary.glob("plstui-*")) == []
