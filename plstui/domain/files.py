"""Files that a setting, an option or a variable names: regular ones, of bounded size.

A name is all that is known of them. It may be that of a pipe, which is waited for until somebody writes to it, or of a
device, which never ends.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

LARGEST = 16 * 1024 * 1024
"""Bytes that are read of a file at most: many times the largest known_hosts or bundle of certificates."""

_BOM = "\ufeff"
"""What editors on Windows write before a text."""

_KINDS = (
    (stat.S_ISFIFO, "it is a pipe"),
    (stat.S_ISSOCK, "it is a socket"),
    (stat.S_ISCHR, "it is a device"),
    (stat.S_ISBLK, "it is a device"),
)


def open_regular(path: Path, most: int = LARGEST) -> BinaryIO:
    """A file opened for reading. Raises `OSError` with a reason in words for one that is not regular, or larger than
    `most` bytes."""
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "there is no such name for a file", str(path).replace("\0", "?"))
    # Looked at before it is opened, which alone may mean something to a device, and again after: it may be another.
    _check(os.stat(path), path, most)
    stream = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb")  # noqa: SIM115
    try:
        _check(os.fstat(stream.fileno()), path, most)
    except OSError:
        stream.close()
        raise
    return stream


def check_regular(path: Path, most: int = LARGEST) -> None:
    """Raise `OSError` as `open_regular` does: for a file that a library reads."""
    open_regular(path, most).close()


def read_bytes(path: Path, most: int = LARGEST) -> bytes:
    """What is in a file. Raises `OSError` as `open_regular` does."""
    with open_regular(path, most) as stream:
        return _taken(stream, path, most)


def read_text(path: Path, most: int = LARGEST) -> str:
    """The text in a file of UTF-8, without a mark of the byte order. Raises `OSError`, for what is no text too."""
    with open_regular(path, most) as stream:
        return text_of(stream, path, most)


def text_of(stream: BinaryIO, path: Path, most: int = LARGEST) -> str:
    """The same of a file that is open."""
    try:
        return _taken(stream, path, most).decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError:
        raise OSError(errno.EILSEQ, "it is not UTF-8 text", str(path)) from None


def _check(status: os.stat_result, path: Path, most: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    # The null device is how people name a file with nothing in it.
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == os.stat(os.devnull).st_rdev:
        return
    for is_kind, words in _KINDS:
        if is_kind(status.st_mode):
            raise OSError(errno.EINVAL, f"{words}, and has to be a file", str(path))
    if status.st_size > most:
        raise _too_large(path, most)


def _taken(stream: BinaryIO, path: Path, most: int) -> bytes:
    # Its size is no promise: it may grow, and a file of the system's own says that it has none.
    data = stream.read(most + 1)
    if len(data) > most:
        raise _too_large(path, most)
    return data


def _too_large(path: Path, most: int) -> OSError:
    return OSError(errno.EFBIG, f"it is larger than {most // 1024} KiB", str(path))
