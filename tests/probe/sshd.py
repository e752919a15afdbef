"""Debian's sshd as jump machine, on a port of the loopback interface, with keys and configuration of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Self

from plstui.config.settings import Ssh

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
PATIENCE = 60.0
"""Seconds until something that has to happen counts as failed."""

READER = "test-sshd-log"
"""The name of the threads that belong to the tests."""


def make_key(path: Path, *, kind: str = "ed25519", passphrase: str = "") -> Path:
    """A key pair made by ssh-keygen."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(command, check=True, timeout=PATIENCE)
    return path


def shell(command: str) -> None:
    """Run what a person is told to run."""
    subprocess.run(["sh", "-c", command], check=True, capture_output=True, timeout=PATIENCE)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _descendants(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        # It has ended in the meantime.
        return []
    return [each for child in children for each in (child, *_descendants(child))]


@dataclass
class Sshd:
    """One sshd. It accepts the key `identity` of the user who runs the tests."""

    directory: Path
    host_key_kinds: Sequence[str] = ("ed25519",)
    options: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    log: list[str] = field(default_factory=list)
    """What it has written so far."""
    _process: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.identity = make_key(self.directory / "id_ed25519")
        self.host_keys = [make_key(self.directory / f"host_{kind}", kind=kind) for kind in self.host_key_kinds]
        self.known_hosts = self.directory / "known_hosts"
        self.trust()

    @property
    def jump(self) -> str:
        """`user@host:port`."""
        return f"{getpass.getuser()}@127.0.0.1:{self.port}"

    @property
    def ssh(self) -> Ssh:
        """Settings with which it can be used."""
        return Ssh(jump=self.jump, identity_file=str(self.identity), known_hosts=str(self.known_hosts))

    def host_key(self, kind: str = "ed25519") -> str:
        """The public host key of a kind: its name and its Base64 text."""
        return " ".join((self.directory / f"host_{kind}.pub").read_text().split()[:2])

    def trust(self, kinds: Sequence[str] = ()) -> None:
        """Write its host keys, or only some of them, to `known_hosts`."""
        keys = [self.host_key(kind) for kind in kinds or self.host_key_kinds]
        self.known_hosts.write_text("".join(f"[127.0.0.1]:{self.port} {key}\n" for key in keys))

    def start(self) -> Self:
        """Start it and wait until it listens."""
        assert SSHD, "tests that come here are skipped without it"
        if os.geteuid() == 0:
            # Where it puts its unprivileged half; on a running system this is made by the service.
            Path("/run/sshd").mkdir(exist_ok=True)
        authorized = self.directory / "authorized_keys"
        authorized.write_text(Path(f"{self.identity}.pub").read_text())
        configuration = self.directory / "sshd_config"
        lines = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            *(f"HostKey {key}" for key in self.host_keys),
            f"AuthorizedKeysFile {authorized}",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "StrictModes no",
            "UsePAM no",
            "PidFile none",
            "LogLevel VERBOSE",
            *self.options,
        ]
        configuration.write_text("\n".join(lines) + "\n")
        self._process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(configuration)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        listening = Event()
        # Read all the time: an sshd whose log nobody takes stands still.
        self._reader = Thread(name=READER, target=self._read_log, args=(self._process, listening))
        self._reader.start()
        assert listening.wait(PATIENCE), "sshd does not listen"
        assert self._process.poll() is None, "\n".join(self.log)
        return self

    def _read_log(self, process: subprocess.Popen[str], listening: Event) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self.log.append(line.rstrip())
                if "Server listening" in line:
                    listening.set()
        listening.set()

    def stop(self) -> None:
        """Stop it and every connection that it serves."""
        process, self._process = self._process, None
        if process is None:
            return
        # Those that serve a connection outlive the one that listens, and may miss a polite signal while they are busy.
        for pid in _descendants(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.terminate()
        process.wait(PATIENCE)
        # It ends when the last process that serves a connection has ended.
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
