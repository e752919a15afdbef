"""A machine's files. They exist in memory alone; no path here is a path of the host."""

from __future__ import annotations

import errno
import os
import posixpath
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class File:
    """A regular file."""

    content: str
    """Text; bytes that are not UTF-8 are kept as surrogate escapes."""
    mode: int = 0o644
    owner: str = "root:root"


LARGEST = 16 * 1024 * 1024
"""Characters that all files of a machine may hold together."""
LARGEST_FILE = 1024 * 1024
"""Characters of one file: whatever is done to one takes no longer than a moment."""
MOST_NAMES = 10_000
"""Files and folders of a machine."""
LONGEST_PATH = 4096
"""Characters of a path, as in Linux."""


class Disk:
    """Files by absolute path, and the folders they stand in. It is full some day, as disks are."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self._folders: dict[str, set[str]] = {"/": set()}
        """The names in each folder."""
        self._size = 0
        for path in ("/etc", "/home", "/root", "/tmp", "/var/log", "/usr/bin", "/usr/sbin"):
            self.make_folder(path)

    def read(self, path: str) -> str | None:
        """A file's content; None when there is no such file."""
        file = self._files.get(_clean(path))
        return file.content if file else None

    def file(self, path: str) -> File | None:
        """The file at a path; None when there is none."""
        return self._files.get(_clean(path))

    def write(self, path: str, content: str, *, mode: int | None = None, owner: str | None = None) -> None:
        """Create or replace a file, making its folders; an existing file keeps mode and owner unless told.

        Raises `OSError` when the disk is full or the name too long.
        """
        path = _fitting(_clean(path))
        self.make_folder(posixpath.dirname(path))
        old = self._files.get(path)
        size = self._size + len(content) - (len(old.content) if old else 0)
        if size > LARGEST or len(content) > LARGEST_FILE:
            raise _full()
        if old is None:
            self._enter(path)
            old = File("")
        self._size = size
        self._files[path] = File(content, old.mode if mode is None else mode, owner or old.owner)

    def append(self, path: str, content: str) -> None:
        """Add to the end of a file, creating it. Raises `OSError`."""
        self.write(path, (self.read(path) or "") + content)

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it. Raises `OSError`."""
        path = _fitting(_clean(path))
        missing = []
        while path not in self._folders:
            missing.append(path)
            path = posixpath.dirname(path)
        for folder in reversed(missing):
            self._enter(folder)
            self._folders[folder] = set()

    def _enter(self, path: str) -> None:
        """Note a name in the folder above it, which is there."""
        if len(self._files) + len(self._folders) >= MOST_NAMES:
            raise _full()
        folder, name = posixpath.split(path)
        self._folders[folder].add(name)

    def remove(self, path: str) -> bool:
        """Remove a file, or a folder with all that is in it; whether there was one."""
        path = _clean(path)
        if path not in self._files and path not in self._folders:
            return False
        below = [path]
        while below:
            known = below.pop()
            below += [posixpath.join(known, name) for name in self._folders.pop(known, ())]
            file = self._files.pop(known, None)
            self._size -= len(file.content) if file else 0
        folder, name = posixpath.split(path)
        self._folders.setdefault(folder, set()).discard(name)
        return True

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        return _clean(path) in self._files or self.is_folder(path)

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        return _clean(path) in self._folders

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted."""
        return sorted(self._folders.get(_clean(folder), ()))


def _fitting(path: str) -> str:
    if len(path) > LONGEST_PATH:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    return path


def _full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _clean(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))
