"""A machine's files. They exist in memory alone; no path here is a path of the host."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class File:
    """A regular file."""

    content: str
    """Text; bytes that are not UTF-8 are kept as surrogate escapes."""
    mode: int = 0o644
    owner: str = "root:root"


class Disk:
    """Files by absolute path, and the folders they stand in."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self._folders = {"/", "/etc", "/home", "/root", "/tmp", "/var", "/var/log", "/usr/bin", "/usr/sbin"}

    def read(self, path: str) -> str | None:
        """A file's content; None when there is no such file."""
        file = self._files.get(_clean(path))
        return file.content if file else None

    def file(self, path: str) -> File | None:
        """The file at a path; None when there is none."""
        return self._files.get(_clean(path))

    def write(self, path: str, content: str, *, mode: int | None = None, owner: str | None = None) -> None:
        """Create or replace a file, making its folders; an existing file keeps mode and owner unless told."""
        path = _clean(path)
        self.make_folder(posixpath.dirname(path))
        old = self._files.get(path, File(""))
        self._files[path] = File(content, old.mode if mode is None else mode, owner or old.owner)

    def append(self, path: str, content: str) -> None:
        """Add to the end of a file, creating it."""
        self.write(path, (self.read(path) or "") + content)

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it."""
        path = _clean(path)
        while path not in self._folders:
            self._folders.add(path)
            path = posixpath.dirname(path)

    def remove(self, path: str) -> bool:
        """Remove a file, or a folder with all that is in it; whether there was one."""
        path = _clean(path)
        below = [known for known in (*self._files, *self._folders) if known == path or known.startswith(path + "/")]
        for known in below:
            self._files.pop(known, None)
            self._folders.discard(known)
        return bool(below)

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        return _clean(path) in self._files or self.is_folder(path)

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        return _clean(path) in self._folders

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted."""
        start = _clean(folder).rstrip("/") + "/"
        paths = (path for path in (*self._files, *self._folders) if path.startswith(start) and path != start)
        return sorted({path[len(start) :].split("/", 1)[0] for path in paths})


def _clean(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))
