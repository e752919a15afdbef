"""The embedded sandbox as its parent has it: waited for, given up on, and told of when it does not start."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from plstui.sandbox.child import ChildError, SandboxChild
from plstui.sandbox.statedir import StateDir


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the child's files are to be."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.fixture
async def child(temporary: Path) -> AsyncIterator[SandboxChild]:
    """An embedded sandbox that has just been started."""
    child = SandboxChild("empty")
    yield child
    await child.stop()


def halted(child: SandboxChild) -> None:
    """Let it come no further, however fast it is: neither to being ready nor to hearing that it shall end."""
    child._process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, child._process.pid, os.WSTOPPED | os.WNOWAIT)


async def test_it_is_ready_and_leaves_nothing(child: SandboxChild, temporary: Path) -> None:
    settings = await child.ready()
    assert settings.is_file()

    await child.stop()
    assert left_in(temporary) == []
    await child.stop()


async def test_whoever_gives_up_waiting_is_not_kept(child: SandboxChild, temporary: Path) -> None:
    threads = threading.active_count()
    halted(child)
    waiting = asyncio.create_task(child.ready())
    await asyncio.wait([waiting], timeout=0.1)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert threading.active_count() == threads
    child._process.send_signal(signal.SIGCONT)
    await child.stop()
    assert left_in(temporary) == []


async def test_one_that_does_not_hear_is_killed(child: SandboxChild, temporary: Path) -> None:
    halted(child)

    await child.stop()

    assert child._process.returncode == -signal.SIGKILL
    assert left_in(temporary) == []


async def test_why_it_does_not_start_is_told_as_part_of_a_sentence(temporary: Path) -> None:
    with pytest.raises(ChildError) as caught:
        await SandboxChild("nowhere").ready()

    assert str(caught.value).startswith("There is no world 'nowhere'; there are empty, deployed,")
    assert str(caught.value).endswith("See plstui sandbox serve --help")
    assert left_in(temporary) == []


def test_without_a_folder_for_temporary_files_it_does_not_start(temporary: Path) -> None:
    temporary.rmdir()

    with pytest.raises(ChildError, match="No such file or directory"):
        SandboxChild("empty")


async def test_modules_are_not_taken_from_where_somebody_is(
    temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "asyncssh.py").write_text("raise SystemExit('imported from here')\n")
    monkeypatch.chdir(tmp_path)
    child = SandboxChild("empty")
    try:
        assert (await child.ready()).is_file()
    finally:
        await child.stop()


def test_a_secret_never_goes_into_a_file_that_is_already_there(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("untouched")
    elsewhere.chmod(0o666)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ".isv.secret.new").symlink_to(elsewhere)

    secret = StateDir.open(folder).write("isv.secret", "hush")
    assert secret.read_text() == "hush"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert elsewhere.read_text() == "untouched"
