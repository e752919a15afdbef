"""Panes whose sandbox goes down under them, in a real terminal."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests.support.served import environment, serve
from tests.support.terminal import PATIENCE, terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.mark.parametrize(("options", "number"), [((), signal.SIGKILL), (("--keep",), signal.SIGTERM)])
def test_panes_come_back_with_their_sandbox(tmp_path: Path, options: tuple[str, ...], number: signal.Signals) -> None:
    with serve(tmp_path, "approved", *options) as first:
        command = [sys.executable, "-m", "plstui", "--config", str(first.config)]
        with terminal(tmp_path, command, size=(160, 48), environ=environment(first.home)) as screen:
            screen.wait_for("✔ Approved", gone=("stale", "reading"))
            first.process.send_signal(number)
            first.process.wait(timeout=PATIENCE)
            stale = screen.wait_for("stale · read")
            assert "Approved" in stale
            with serve(tmp_path, "pending", *options):
                screen.wait_for("Pending", gone=("stale", "✔ Approved"))
                screen.press("p")
                screen.wait_for("Host: web1", "Host: web2", "Host: web3")
            screen.press("q")
            screen.wait_for("exit code 0")
