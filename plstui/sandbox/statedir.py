"""The files of a served sandbox: what a client needs to attach, and nothing that outlives a clean stop."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plstui.sandbox.ports import SshEndpoint

PRIVATE_DIR = 0o700
PRIVATE_FILE = 0o600


@dataclass(slots=True)
class StateDir:
    """A folder only its owner can read."""

    path: Path
    _made: bool
    """Whether the folder was made for this sandbox and goes with it."""
    _written: set[Path] = field(default_factory=set)
    _folders: set[Path] = field(default_factory=set)

    @classmethod
    def open(cls, path: Path | None) -> StateDir:
        """The folder at `path`, made if need be, or a temporary one. Raises `OSError`."""
        if path is None:
            return cls(Path(tempfile.mkdtemp(prefix="plstui-sandbox-")), True)
        made = not path.exists()
        path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIR)
        path.chmod(PRIVATE_DIR)
        return cls(path.resolve(), made)

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
        self.write("known_hosts", "".join(f"[127.0.0.1]:{e.port} {e.host_key}\n" for e in endpoints))
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
        if self._made:
            shutil.rmtree(self.path, ignore_errors=True)
            return
        for path in self._written:
            path.unlink(missing_ok=True)
        for path in self._folders:
            shutil.rmtree(path, ignore_errors=True)
