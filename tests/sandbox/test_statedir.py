"""The folder of a served sandbox: whose it is, what is followed, and how its path is written down."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from plstui.sandbox.ports import SshEndpoint
from plstui.sandbox.server import _toml
from plstui.sandbox.statedir import LOCK, StateDir, StateDirError
from tests.support.served import serve

AWKWARD = '50% %h of "it\'s" \\n 🟢'
"""Everything that some format takes for more than a letter."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StateDir]:
    folder = StateDir.open(tmp_path / AWKWARD)
    yield folder
    folder.remove()


def test_a_link_is_no_folder_of_a_sandbox(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(theirs)

    with pytest.raises(StateDirError, match="is a symbolic link"):
        StateDir.open(tmp_path / "link")

    assert stat.S_IMODE(theirs.stat().st_mode) == 0o755
    assert not list(theirs.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o777)
    os.chown(theirs, 12345, 12345)

    with pytest.raises(StateDirError, match="belongs to somebody else"):
        StateDir.open(theirs)

    assert not list(theirs.iterdir())


def test_a_planted_link_in_the_folder_leads_nowhere(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "config").write_text("mine")
    ours = tmp_path / "ours"
    ours.mkdir()
    (ours / LOCK).touch()
    (ours / "az").symlink_to(theirs)
    (ours / "ca.pem").symlink_to(theirs / "config")

    folder = StateDir.open(ours)
    folder.write("ca.pem", "ours")
    with pytest.raises(StateDirError, match="is a symbolic link"):
        folder.folder("az")
    folder.remove()

    assert (theirs / "config").read_text() == "mine"


def test_a_lock_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / LOCK)

    with pytest.raises(StateDirError, match="was not left by a sandbox"):
        StateDir.open(tmp_path)


@pytest.mark.parametrize("name", ["two\nlines", "${HOME}", b"latin-\xe9"])
def test_a_name_that_no_client_could_be_told_is_refused(tmp_path: Path, name: str | bytes) -> None:
    path = tmp_path / os.fsdecode(name)

    with pytest.raises(StateDirError, match="name another folder"):
        StateDir.open(path)

    assert not path.exists()


def test_openssh_reads_the_paths_as_they_are(folder: StateDir) -> None:
    folder.write_ssh([SshEndpoint("id", "web1", 22, "azureuser", "ssh-ed25519 AAAA")])

    told = subprocess.run(
        ["ssh", "-G", "-F", folder.path / "ssh_config", "web1"], capture_output=True, text=True, check=True
    ).stdout

    assert f"userknownhostsfile {folder.path / 'known_hosts'}\n" in told


def test_toml_reads_the_path_as_it_is(folder: StateDir) -> None:
    assert tomllib.loads(f"path = {_toml(folder.path)}") == {"path": str(folder.path)}


def test_what_cannot_be_written_whole_is_not_left_in_part(folder: StateDir) -> None:
    (folder.path / "ready.json").mkdir()
    with pytest.raises(OSError, match=r"ready\.json"):
        folder.write("ready.json", "secret")
    (folder.path / "ready.json").rmdir()

    assert [path.name for path in folder.path.iterdir()] == [LOCK]


def test_one_file_that_cannot_be_removed_keeps_no_other(tmp_path: Path) -> None:
    folder = StateDir.open(tmp_path / "sandbox")
    for name in ("a", "b", "c"):
        folder.write(name, "secret")
    (folder.path / "b").unlink()
    (folder.path / "b").mkdir()

    with pytest.raises(OSError, match="b"):
        folder.remove()

    assert [path.name for path in folder.path.iterdir()] == ["b"]


def test_a_sandbox_serves_from_an_awkward_folder(tmp_path: Path) -> None:
    base = tmp_path / AWKWARD
    base.mkdir()
    with serve(base, "approved") as served:
        for name in ("ca.pem", "ready.json", "plstui.toml", "ssh_config", "az/config"):
            assert stat.S_IMODE((served.directory / name).stat().st_mode) == 0o600, name
        script = f'. {shlex.quote(str(served.directory / "az-env.sh"))}; printf %s "$REQUESTS_CA_BUNDLE"'
        bundle = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
        assert bundle == str(served.directory / "ca.pem")
        assert served.plstui("status").exit_code == 0
        ssh = subprocess.run(
            ["ssh", "-F", served.directory / "ssh_config", "web1", "hostname"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ssh.stdout, ssh.returncode) == ("web1\n", 0), ssh.stderr
