"""plstui as a shell's job: stopped, gone on with, ended from outside, with its streams led elsewhere."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.served import environment
from tests.support.terminal import PATIENCE, Terminal, terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

PANES = ("saasPrivateEndpoint", "web3", "🔵 ISV", "🟢 Customer", "1 Connections", "◷ Pending", "q Quit")
"""What stands in every part of the screen."""
ALT_SCREEN, OWN_SCREEN = "1 0 1", "0 1 0"
"""The alternate screen, the cursor and the mouse: as the panes have them, and as a shell does."""


@contextmanager
def panes(tmp_path: Path, *more: str) -> Iterator[Terminal]:
    """An interactive shell in which plstui runs as a job; its process id stands in `pid`."""
    (tmp_path / "rc").write_text("PS1='ready> '\n")
    shell = ["bash", "--rcfile", str(tmp_path / "rc"), "-i"]
    with terminal(tmp_path, shell, size=(100, 30), environ=environment(tmp_path)) as screen:
        screen.wait_for("ready>")
        command = f"{sys.executable} -m plstui --sandbox {' '.join(more)}"
        screen.press(f"sh -c 'echo $$ > {tmp_path}/pid; exec {command}'", "Enter")
        yield screen


def pid(tmp_path: Path) -> int:
    return int((tmp_path / "pid").read_text())


def modes(screen: Terminal) -> str:
    return screen.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}").strip()


def has(screen: Terminal, wanted: str) -> None:
    """Wait until the terminal has these modes: a program sets them one by one, before and after what it draws."""
    deadline = time.monotonic() + PATIENCE
    while (seen := modes(screen)) != wanted:
        assert time.monotonic() < deadline, f"{seen} and not {wanted}"


def prompted(screen: Terminal) -> None:
    """Wait until the shell asks for the next command: what is typed before that the panes may still take."""
    deadline = time.monotonic() + PATIENCE
    while (shown := screen.wait_for("ready>", gone=PANES)).split()[-1] != "ready>":
        assert time.monotonic() < deadline, shown


def a_shells_again(screen: Terminal) -> None:
    """The terminal is as the shell had it: what is typed is shown, and read line by line."""
    has(screen, OWN_SCREEN)
    screen.press("echo typed $(stty -a | grep -wo -e icanon -e echo -e isig | sort | xargs)", "Enter")
    screen.wait_for("typed echo icanon isig")


@pytest.mark.parametrize("how", ["key", signal.SIGTSTP, signal.SIGSTOP], ids=["Ctrl+Z", "SIGTSTP", "SIGSTOP"])
def test_a_job_that_is_stopped_comes_back_whole(tmp_path: Path, how: str | signal.Signals) -> None:
    with panes(tmp_path) as screen:
        screen.wait_for(*PANES)
        has(screen, ALT_SCREEN)
        if isinstance(how, str):
            screen.press("C-z")
        else:
            os.kill(pid(tmp_path), how)
        screen.wait_for("Stopped")
        if how != signal.SIGSTOP:  # Of that one no program hears.
            a_shells_again(screen)
        screen.press("clear; fg", "Enter")
        screen.wait_for(*PANES, gone=("ready>", "Stopped"))
        has(screen, ALT_SCREEN)

        screen.press("a")
        screen.wait_for("az network private-link-service", "--connection-status Approved")
        screen.press("C-z")
        screen.wait_for("Stopped", gone=("az network",))
        # In the background it stops again by itself, before it draws.
        screen.press("clear; bg; until jobs -s | grep -q plstui; do :; done; clear; fg", "Enter")
        screen.wait_for("az network private-link-service", "🔵 ISV", gone=("Stopped",))
        screen.press("Escape")
        screen.wait_for(*PANES, gone=("az network",))
        screen.press("q")
        prompted(screen)
        a_shells_again(screen)


def test_where_no_shell_could_go_on_with_it_it_does_not_stop(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "plstui", "--sandbox"]
    with terminal(tmp_path, command, size=(100, 30), environ=environment(tmp_path)) as screen:
        screen.wait_for(*PANES)
        screen.press("C-z", "a")
        screen.wait_for("az network private-link-service")
        screen.press("Escape")
        screen.wait_for(*PANES, gone=("az network",))
        screen.press("q")
        assert "exit code 0" in screen.wait_for("exit code")


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=str)
def test_a_signal_that_ends_it_leaves_the_terminal_whole(tmp_path: Path, number: signal.Signals) -> None:
    with panes(tmp_path) as screen:
        screen.wait_for(*PANES)
        os.kill(pid(tmp_path), number)
        prompted(screen)
        screen.press("echo it was $?", "Enter")
        screen.wait_for("it was 130")
        a_shells_again(screen)


@pytest.mark.parametrize("where", ["{}/err.log", "/dev/null"])
def test_standard_error_may_be_led_elsewhere(tmp_path: Path, where: str) -> None:
    with panes(tmp_path, f"2>{where.format(tmp_path)}") as screen:
        screen.wait_for(*PANES)
        has(screen, ALT_SCREEN)
        screen.press("a")
        screen.wait_for("az network private-link-service")
        screen.press("Escape")
        screen.wait_for(*PANES, gone=("az network",))
        screen.press("q")
        prompted(screen)
        a_shells_again(screen)
    if where.startswith("{}"):
        assert (tmp_path / "err.log").read_text() == "", "nothing of the screen is in it"


@pytest.mark.parametrize("more", ["2>&1 | cat", "</dev/null", ">/dev/null"])
def test_where_there_is_no_terminal_to_draw_on_or_to_read_from_it_says_so(tmp_path: Path, more: str) -> None:
    with panes(tmp_path, more) as screen:
        screen.wait_for("The two panes need a terminal.", "In a script use plstui status")
        a_shells_again(screen)
