"""Files that somebody names: what is no file, or has no end, is refused and never waited for."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from plstui.domain.files import check_regular, read_bytes, read_text


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        yield tmp_path / "s"


def reason(path: Path, most: int = 1000) -> str:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - what it says is what is looked at
        read_text(path, most)
    assert caught.value.filename == str(path)
    return str(caught.value.strerror)


def test_a_pipe_is_not_waited_for(pipe: Path) -> None:
    assert reason(pipe) == "it is a pipe, and has to be a file"
    with pytest.raises(OSError, match="it is a pipe"):
        check_regular(pipe)


def test_a_link_to_a_pipe_is_one(pipe: Path) -> None:
    link = pipe.with_name("link")
    link.symlink_to(pipe)

    assert reason(link) == "it is a pipe, and has to be a file"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/tty"])
def test_a_device_is_not_read(device: str) -> None:
    assert reason(Path(device)) == "it is a device, and has to be a file"


def test_a_socket_and_a_folder_are_no_files(listening: Path) -> None:
    assert reason(listening) == "it is a socket, and has to be a file"
    assert reason(listening.parent) == "Is a directory"


def test_the_null_device_is_a_file_with_nothing_in_it() -> None:
    assert read_text(Path(os.devnull)) == ""


def test_no_more_is_read_than_there_may_be(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 2048)

    assert read_bytes(file, 2048) == b"x" * 2048
    file.write_bytes(b"x" * 2049)
    with pytest.raises(OSError, match="it is larger than 2 KiB"):
        read_bytes(file, 2048)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="there is no /proc here")
def test_a_size_is_no_promise() -> None:
    """Files of the system's own say that they are empty, and are not."""
    assert os.stat("/proc/self/maps").st_size == 0

    with pytest.raises(OSError, match="it is larger than 0 KiB"):
        read_bytes(Path("/proc/self/maps"), 10)


def test_a_mark_of_the_byte_order_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert read_text(file) == "a = 1\n"

    file.write_bytes("a".encode("utf-16"))
    assert reason(file) == "it is not UTF-8 text"


def test_what_can_be_no_name_is_none(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="there is no such name for a file"):
        read_text(tmp_path / "a\0b")
