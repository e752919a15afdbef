"""The files of a served sandbox: what a client needs to attach, and nothing that outlives a clean stop."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plstui.sandbox.ports import SshEndpoint

NAMES = (
    *("ready.json", "plstui.toml", "ca.pem", "isv.secret", "customer.secret", "az", "az-env.sh"),
    *("id_ed25519", "id_ed25519.pub", "known_hosts", "ssh_config"),
)
"""Everything that is written here."""

LOCK = ".plstui-sandbox"
"""A file that says that the folder is a sandbox's; it is locked while that sandbox runs."""

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
    _written: set[Path] = field(default_factory=set)
    _folders: set[Path] = field(default_factory=set)
    _host_keys: dict[str, str] = field(default_factory=dict)
    """By machine, the host key it had at first: a key that changes is what `known_hosts` is there to notice."""

    @classmethod
    def open(cls, path: Path | None) -> StateDir:
        """The folder at `path`, made if need be, or a temporary one.

        Raises `OSError`, and `StateDirError` for a folder that another sandbox uses, or that holds files under our
        names which no sandbox has left there: nobody's keys are overwritten.
        """
        if path is None:
            path = Path(tempfile.mkdtemp(prefix="plstui-sandbox-"))
            return cls(path, True, _take(path))
        made = not path.exists()
        path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIR)
        path = path.resolve()
        foreign = [] if (path / LOCK).exists() else [name for name in NAMES if os.path.lexists(path / name)]
        if foreign:
            raise StateDirError(
                f"{path} holds files that are no sandbox's ({', '.join(foreign)}); name another folder."
            )
        lock = _take(path)
        path.chmod(PRIVATE_DIR)
        return cls(path, made, lock)

    def file(self, name: str) -> Path:
        """The path of a file in here, to be removed at the end."""
        path = self.path / name
        self._written.add(path)
        return path

    def folder(self, name: str) -> Path:
        """The path of a folder in here, made if need be, to be removed at the end with all that is in it by then."""
        path = self.path / name
        path.mkdir(exist_ok=True, mode=PRIVATE_DIR)
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
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        half.replace(path)
        return path

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
            f'    IdentityFile "{self.path / "id_ed25519"}"\n'
            "    IdentitiesOnly yes\n"
            f'    UserKnownHostsFile "{self.path / "known_hosts"}"\n'
            "    StrictHostKeyChecking yes\n"
        )

    def remove(self) -> None:
        """Remove every file that was written, and the folder if it was made for this."""
        for path in self._written:
            path.unlink(missing_ok=True)
        for path in self._folders:
            shutil.rmtree(path, ignore_errors=True)
        (self.path / LOCK).unlink(missing_ok=True)
        os.close(self._lock)
        if self._made and not any(self.path.iterdir()):
            self.path.rmdir()


def _take(path: Path) -> int:
    """Lock a folder. Raises `StateDirError` when another sandbox has it."""
    lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
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
