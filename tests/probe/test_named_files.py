"""Files that the SSH settings name: what is no file, or has no end, is refused and never waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plstui.probe.ssh.hostkeys import KnownHosts
from plstui.probe.ssh.identities import Identities


def test_a_key_without_end_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "key.pub")
    files = (Path("/dev/zero"), tmp_path / "pipe", tmp_path / "key")
    with Identities(files, use_agent=False) as identities:
        assert list(identities.candidates()) == []

    assert identities.troubles == [
        "/dev/zero cannot be read: it is a device, and has to be a file",
        f"{tmp_path / 'pipe'} cannot be read: it is a pipe, and has to be a file",
    ]
    assert identities.missing == [str(tmp_path / "key")]


def test_known_hosts_without_end_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file in (Path("/dev/zero"), tmp_path / "pipe"):
        with pytest.raises(OSError, match="and has to be a file"):
            KnownHosts([file])
    KnownHosts([Path(os.devnull), tmp_path / "gone"])
