"""The sandbox that `--sandbox` brings along: it ends with the program, whatever ends the program."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.served import PATIENCE, environment, run_plstui


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where the embedded sandbox keeps its files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


@contextmanager
def watching(home: Path, temporary: Path) -> Iterator[subprocess.Popen[str]]:
    """plstui with a sandbox of its own, once it has shown something of it."""
    with subprocess.Popen(
        [sys.executable, "-m", "plstui", "--sandbox=approved", "probe", "--watch", "--json"],
        env={**environment(home), "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ok"]
        yield process


def child_of(temporary: Path) -> int:
    """A descriptor that becomes readable when the sandbox's process ends."""
    [ready] = temporary.glob("plstui-sandbox-*/ready.json")
    pid = json.loads(ready.read_text())["pid"]
    return os.pidfd_open(pid)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells of the end of somebody else's child")
@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGHUP, 130), (signal.SIGKILL, -signal.SIGKILL)],
    ids=["interrupted", "terminated", "hung up", "killed"],
)
def test_it_ends_with_the_program_and_leaves_nothing(
    tmp_path: Path, temporary: Path, number: signal.Signals, exit_code: int
) -> None:
    with watching(tmp_path, temporary) as process:
        child = child_of(temporary)
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == exit_code
        assert errors.strip() == ""
        ended, _, _ = select.select([child], [], [], PATIENCE)
        os.close(child)

    assert ended, "the sandbox goes on"
    assert list(temporary.iterdir()) == []


def test_a_single_command_leaves_nothing(tmp_path: Path, temporary: Path) -> None:
    run = run_plstui("--sandbox=empty", "status", "--json", home=tmp_path, environ={"TMPDIR": str(temporary)})

    assert run.exit_code == 0, run.stderr
    assert run.json["isv"]["resources"] == []
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / ".local/state/plstui/sandboxes").exists()


@pytest.mark.parametrize("command", [("up",), ("down", "--yes"), ("undo", "1", "--yes")], ids=" ".join)
def test_the_lab_is_not_begun_without_a_journal(tmp_path: Path, temporary: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    environ = {"XDG_STATE_HOME": str(tmp_path / "state"), "TMPDIR": str(temporary)}
    run = run_plstui("--sandbox=empty", "lab", *command, home=tmp_path, environ=environ)

    assert (run.exit_code, run.stdout) == (2, "")
    sentence, hint = run.stderr.splitlines()
    assert sentence.startswith("plstui: The journal ")
    assert "cannot be written" in sentence
    assert "XDG_STATE_HOME" in hint
