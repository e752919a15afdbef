"""The operating system inside a machine: files, packages, services, and who it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.machines.computer import Computer
from plstui.sandbox.machines.errors import ShellSyntaxError
from plstui.sandbox.machines.image import Image
from plstui.sandbox.machines.network import Network
from plstui.sandbox.machines.services import Services

MOST_PROCESSES = 200
"""Shells and jobs that run in a machine at a time."""

_BUNDLED = {"debian": frozenset({"dig", "nslookup"}), "ubuntu": frozenset[str]()}
"""Programs that a distribution's cloud image lacks until their package is installed."""


class Guest(Computer):
    """What survives a restart of the machine: everything on its disk."""

    def __init__(self, computer_name: str, admin: str, image: Image, network: Network, clock: SandboxClock) -> None:
        super().__init__(computer_name, image, clock)
        self.admin = admin
        self.network = network
        self.services = Services(self)
        self.packages: set[str] = set()
        """The packages installed since the image."""
        self.cloud_init_status = "not started"
        """`done`, `error` …, as `cloud-init status` prints it."""
        self.cloud_init_over = asyncio.Event()
        self._processes = 0
        self._write_base()

    def _write_base(self) -> None:
        name = self.computer_name
        self.disk.make_folder(self.home(self.admin))
        self.disk.make_folder("/etc/systemd/system")
        self.disk.write("/etc/hostname", f"{name}\n")
        self.disk.write("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n")
        self.disk.write("/etc/os-release", self.image.os_release)
        self.disk.write(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
            f"{self.admin}:x:1000:1000:{self.admin}:{self.home(self.admin)}:/bin/bash\n",
        )

    def fork(self) -> None:
        """Have one more process. Raises `ShellSyntaxError` when there can be no more."""
        if self._processes >= MOST_PROCESSES:
            raise ShellSyntaxError("Cannot fork")
        self._processes += 1

    def reap(self) -> None:
        """A process has ended."""
        self._processes -= 1

    @contextmanager
    def process(self) -> Iterator[None]:
        """Run as a process of the machine. Raises `ShellSyntaxError`."""
        self.fork()
        try:
            yield
        finally:
            self.reap()

    def home(self, user: str) -> str:
        """A user's home folder."""
        return "/root" if user == "root" else f"/home/{user}"

    def has_program(self, name: str) -> bool:
        """Whether a command of the sandbox's shell would be on this machine."""
        needs = {"nginx": "/usr/sbin/nginx"}.get(name)
        if needs:
            return self.disk.exists(needs)
        return name not in _BUNDLED[self.image.id] or bool(self.packages & {"bind9-dnsutils", "dnsutils"})
