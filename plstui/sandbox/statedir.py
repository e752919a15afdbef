"""The files of a served sandbox: what a client needs to attach, and nothing that outlives a clean stop unasked."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plstui.sandbox.ports import SshEndpoint

KEPT = "kept.json"
"""What the next sandbox on the folder has its keys from; there after a crash, and where that was asked for."""

NAMES = (
    *(KEPT, "ready.json", "plstui.toml", "ca.pem", "isv.secret", "customer.secret", "az", "az-env.sh"),
    *("id_ed25519", "id_ed25519.pub", "known_hosts", "ssh_config"),
)
"""Everything that is written here."""

LOCK = ".plstui-sandbox"
"""A file that says that the folder is a sandbox's; it is locked while that sandbox runs."""

LARGEST_FILE = 1_000_000
"""Characters of a file that are read."""

PRIVATE_DIR = 0o700
PRIVATE_FILE = 0o600


class StateDirError(Exception):
    """A folder that cannot be used; the message is one sentence."""


@dataclass(slots=True)
class StateDir:
    """A folder only its owner can read, used by one sandbox at a time."""

    path: Path
    _made: bool
    """Whether the folder was made for this sandbox and goes with it."""
    _lock: int
    """The descriptor of the lock file: the operating system frees the lock even when this process is killed."""
    keep: bool = False
    """Whether `remove` leaves the folder to another sandbox: all but what says that one is serving."""
    _written: set[Path] = field(default_factory=set)
    _folders: set[Path] = field(default_factory=set)
    _host_keys: dict[str, str] = field(default_factory=dict)
    """By machine, the host key it had at first: a key that changes is what `known_hosts` is there to notice."""

    @classmethod
    def open(cls, path: Path | None) -> StateDir:
        """The folder at `path`, made if need be, or a temporary one.

        Raises `OSError`, and `StateDirError` for a folder that another sandbox uses, that is somebody else's, or that
        holds files under our names which no sandbox has left there: nobody's keys are overwritten.
        """
        if path is None:
            path = Path(tempfile.mkdtemp(prefix="plstui-sandbox-")).absolute()
            _check_name(path)
            return cls(path, True, _take(path))
        path = Path(os.path.abspath(path))
        _check_name(path)
        made = _make(path)
        # Only its last part must be no link: /tmp itself is one on some systems.
        path = path.parent.resolve() / path.name
        _own(path)
        foreign = [] if os.path.lexists(path / LOCK) else [name for name in NAMES if os.path.lexists(path / name)]
        if foreign:
            raise StateDirError(
                f"{path} holds files that are no sandbox's ({', '.join(foreign)}); name another folder."
            )
        return cls(path, made, _take(path))

    def file(self, name: str) -> Path:
        """The path of a file in here, to be removed at the end."""
        path = self.path / name
        self._written.add(path)
        return path

    def folder(self, name: str) -> Path:
        """The path of a folder in here, made if need be, to be removed at the end with all that is in it by then."""
        path = self.path / name
        path.mkdir(exist_ok=True, mode=PRIVATE_DIR)
        _own(path)
        self._folders.add(path)
        return path

    def write(self, name: str, text: str) -> Path:
        """Write a file that only its owner can read; it is replaced whole, so that no reader sees half of it."""
        path = self.file(name)
        half = path.with_name(f".{path.name}.new")
        self._written.add(half)
        # A new file, always: one that is there already may be another's, or a link to somewhere else.
        half.unlink(missing_ok=True)
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        try:
            with open(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
            half.replace(path)
        except OSError:
            # On a full disk, half a secret is left otherwise.
            half.unlink(missing_ok=True)
            raise
        return path

    def read(self, name: str) -> str | None:
        """The text of a file in here that another sandbox has left; None when there is none. Raises `OSError`."""
        try:
            descriptor = os.open(self.file(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        with open(descriptor, encoding="utf-8", errors="replace") as stream:
            return stream.read(LARGEST_FILE)

    def write_json(self, name: str, document: dict[str, Any]) -> Path:
        """Write a JSON document."""
        return self.write(name, json.dumps(document, indent=2) + "\n")

    def write_ssh(self, endpoints: Sequence[SshEndpoint]) -> None:
        """Write what an SSH client needs to reach the machines by name, with their host keys known."""
        self._host_keys = {e.vm_id: self._host_keys.get(e.vm_id, e.host_key) for e in endpoints}
        self.write("known_hosts", "".join(f"[127.0.0.1]:{e.port} {self._host_keys[e.vm_id]}\n" for e in endpoints))
        self.write("ssh_config", "".join(self._host(endpoint) for endpoint in endpoints))

    def _host(self, endpoint: SshEndpoint) -> str:
        return (
            f"Host {endpoint.name}\n"
            "    HostName 127.0.0.1\n"
            f"    Port {endpoint.port}\n"
            f"    User {endpoint.user}\n"
            f"    IdentityFile {ssh_config_word(self.path / 'id_ed25519')}\n"
            "    IdentitiesOnly yes\n"
            f"    UserKnownHostsFile {ssh_config_word(self.path / 'known_hosts')}\n"
            "    StrictHostKeyChecking yes\n"
        )

    def remove(self) -> None:
        """Remove every file that was written, and the folder if it was made for this; unless they are to be kept."""
        gone = (self.path / "ready.json",) if self.keep else (self.path / LOCK, *self._written)
        # One that cannot be removed keeps none of the others.
        with contextlib.ExitStack() as every:
            every.callback(os.close, self._lock)
            if self._made:
                every.callback(_remove_empty, self.path)
            for path in gone:
                every.callback(path.unlink, missing_ok=True)
            for path in () if self.keep else self._folders:
                every.callback(shutil.rmtree, path, ignore_errors=True)


def _remove_empty(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not any(path.iterdir()):
            path.rmdir()


def ssh_config_word(path: Path) -> str:
    """A path as OpenSSH's client configuration takes it: in quotes, and `%` is no token."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"'


def _check_name(path: Path) -> None:
    """Refuse a folder that the files in it could not name. Raises `StateDirError`."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise StateDirError(f"The folder {text!r} has a name that is no UTF-8; name another folder.") from None
    if any(ord(char) < 32 or ord(char) == 127 for char in text) or "${" in text:
        raise StateDirError(
            f"The folder {text!r} has a name that OpenSSH's configuration cannot hold; name another folder."
        )


def _make(path: Path) -> bool:
    """Make a folder and those above it; whether it was not there before. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=PRIVATE_DIR)
    except FileExistsError:
        return False
    return True


def _own(path: Path) -> None:
    """Keep everybody else out of a folder. Raises `OSError`, and `StateDirError` for a link or somebody else's."""
    if path.is_symlink():
        raise StateDirError(f"{path} is a symbolic link; name the folder that it leads to, or another one.")
    # What is looked at is what is opened here, whatever somebody puts in its place meanwhile.
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(folder).st_uid != os.geteuid():
            raise StateDirError(f"{path} belongs to somebody else; name a folder of your own.")
        os.fchmod(folder, PRIVATE_DIR)
    finally:
        os.close(folder)


def _take(path: Path) -> int:
    """Lock a folder. Raises `StateDirError` when another sandbox has it."""
    # Without O_NONBLOCK a pipe under that name would be waited for.
    lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, PRIVATE_FILE)
    status = os.fstat(lock)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        os.close(lock)
        raise StateDirError(f"{path / LOCK} was not left by a sandbox of yours; name another folder.")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(lock, 20).decode(errors="replace").strip()
        os.close(lock)
        raise StateDirError(
            f"{path} is used by the sandbox with process id {owner}; stop it or name another folder."
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock
