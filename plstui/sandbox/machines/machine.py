"""One virtual machine: its disk, whether it is on, and the servers that make it real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.machines import cloudinit
from plstui.sandbox.machines.budget import Budget
from plstui.sandbox.machines.commands import load
from plstui.sandbox.machines.guest import Guest
from plstui.sandbox.machines.image import Image
from plstui.sandbox.machines.network import Network
from plstui.sandbox.machines.shell.interpreter import NOT_FOUND, Shell
from plstui.sandbox.machines.shell.streams import Sink, Streams
from plstui.sandbox.ports import CommandOutput

if TYPE_CHECKING:
    from plstui.sandbox.machines.sshd import HostKey, SshServer

SSH_PORT = 22

BOOT_PATIENCE = 1.0
"""Seconds that switching on waits for the services of a machine; a unit may well wait for ever."""


class SwitchedOffError(Exception):
    """The machine is off."""


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """What Azure gives a machine at its creation."""

    id: str
    """The resource id as ARM answers it."""
    name: str
    computer_name: str
    user: str
    keys: tuple[str, ...]
    """Public keys, one line each."""
    custom_data: str
    """Base64; empty for none."""
    vm_id: str
    image: Image
    windows: bool = False
    """A Windows machine is on its network and runs nothing of ours."""


class Machine:
    """A machine that can be started, stopped and hung; its disk outlives that."""

    def __init__(
        self,
        spec: MachineSpec,
        network: Network,
        clock: SandboxClock,
        new_host_key: Callable[[], str],
        ssh_port: int = 0,
    ) -> None:
        """`new_host_key` makes a private key as OpenSSH's file; `ssh_port` is taken for SSH if it is free."""
        self.spec = spec
        self.guest = Guest(spec.computer_name, spec.user, spec.image, network, clock)
        self.guest.services.run_script = self._run_as_root
        self.on_ports_changed: Callable[[], None] = lambda: None
        """Called when a port of the machine opens or closes."""
        self.guest.services.on_change = lambda: self.on_ports_changed()
        self.ssh_port = 0
        """The SSH server's port on 127.0.0.1; stays the same while the machine exists, if it can. 0 for none."""
        self.running = False
        self._off = asyncio.Event()
        self._off.set()
        self._booted = False
        self._boot: asyncio.Task[None] | None = None
        """What begins with the machine: cloud-init the first time, its services each time after."""
        self._changing = asyncio.Lock()
        """Held while it is switched on or off: that takes several steps."""
        self._network = network
        self._new_host_key = new_host_key
        self._wanted_port = ssh_port
        self._host_key: HostKey | None = None
        self._sshd: SshServer | None = None

    @property
    def hung(self) -> bool:
        """Whether it is on and answers nothing."""
        return self.running and not self.guest.answering.is_set()

    @property
    def host_key(self) -> str:
        """The public host key as one line; empty before the first start and on Windows."""
        return self._host_key.public if self._host_key else ""

    def listener(self, port: int) -> int | None:
        """The port on 127.0.0.1 behind one of the machine's ports; None when nothing listens there."""
        if port == SSH_PORT and self._sshd:
            return self.ssh_port
        web = self.guest.services.listener(port)
        return web.real_port if web else None

    def tell_source(self, port: int, client_port: int, address: str) -> None:
        """Tell the web server on a port which address a connection, known by its real port, comes from."""
        if web := self.guest.services.listener(port):
            web.sources[client_port] = address

    async def start(self) -> None:
        """Switch on. The first time, cloud-init begins too; `booted` is its end."""
        async with self._changing:
            if self.running:
                return
            self.running = True
            self.guest.answering.set()
            self.guest.services.power_on()
            self._off.clear()
            if self.spec.windows:
                return
            try:
                await self._start_ssh()
            except OSError:
                self.running = False
                self._off.set()
                raise
            # It may take its time, and nobody should wait for it who does not want to.
            boot = self.guest.services.boot() if self._booted else self._run_cloud_init()
            self._boot = asyncio.get_running_loop().create_task(boot)
            first = not self._booted
        if not first:
            # Its services are up in a moment, unless one of them waits for something.
            await asyncio.wait([self._boot], timeout=BOOT_PATIENCE)

    async def booted(self) -> None:
        """Return when cloud-init, or what else begins with the machine, has ended."""
        if self._boot:
            await asyncio.wait([self._boot])
            if not self._boot.cancelled():
                self._boot.result()

    async def _run_cloud_init(self) -> None:
        load()
        try:
            user_data = cloudinit.decode(self.spec.custom_data)
        except ValueError:
            self.guest.cloud_init_status = "error"
        else:
            try:
                await cloudinit.first_boot(self.guest, user_data)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                # A part of a kind that nobody thought of ends cloud-init, never the machine.
                self.guest.cloud_init_status = "error"
        self._booted = True
        self.guest.cloud_init_over.set()

    async def _start_ssh(self) -> None:
        # Slow to import, and worlds without machines do without it.
        from plstui.sandbox.machines.session import SessionFactory
        from plstui.sandbox.machines.sshd import HostKey, SshServer

        self._host_key = self._host_key or HostKey(self._new_host_key())
        sessions = SessionFactory(self.guest)
        sshd = SshServer(sessions, self._network, self.spec.user, self.spec.keys)
        self.ssh_port = await sshd.start(self._host_key, self.ssh_port or self._wanted_port)
        self._sshd = sshd

    async def stop(self) -> None:
        """Switch off; every server closes, every connection ends."""
        async with self._changing:
            if not self.running:
                return
            self.running = False
            self._off.set()
            if self._boot:
                self._boot.cancel()
                await asyncio.wait([self._boot])
            await self._stop_ssh()
            await self.guest.services.halt()

    async def _stop_ssh(self) -> None:
        sshd, self._sshd = self._sshd, None
        if sshd:
            await sshd.stop()

    async def hang(self) -> None:
        """Answer nothing from now on, until `resume`."""
        async with self._changing:
            if not self.running or self.hung:
                return
            self.guest.answering.clear()
            if self._sshd:
                await self._sshd.mute()
        self.on_ports_changed()

    async def resume(self) -> None:
        """Answer again, also what was asked meanwhile."""
        async with self._changing:
            if self._sshd and self.hung:
                await self._sshd.unmute()
            self.guest.answering.set()
        self.on_ports_changed()

    async def break_web(self) -> None:
        """Stop every web server for good."""
        for name in self.guest.services.serving():
            self.guest.services.disable(name)
            await self.guest.services.stop(name)

    async def change_host_key(self) -> None:
        """Come up with another host key, as a machine that was set up anew does."""
        async with self._changing:
            self._host_key = None
            if self._sshd:
                await self._stop_ssh()
                await self._start_ssh()
                if self.hung:
                    await self._sshd.mute()

    async def run_command(self, script: str) -> CommandOutput:
        """Run a script as root, as the machine's agent does. Waits while the machine hangs.

        Raises `SwitchedOffError` when the machine is off or goes off before the script has ended.
        """
        if self.spec.windows:
            return CommandOutput(NOT_FOUND, "", "Windows machines run nothing in the sandbox.\n")
        if self._off.is_set():
            raise SwitchedOffError
        out, err = Sink(), Sink()
        work = asyncio.ensure_future(Shell(self.guest, "root").run(script, Streams(out=out.write, err=err.write)))
        off = asyncio.ensure_future(self._off.wait())
        try:
            await asyncio.wait([work, off], return_when=asyncio.FIRST_COMPLETED)
            if off.done():
                raise SwitchedOffError
            return CommandOutput(work.result(), out.text, err.text)
        finally:
            work.cancel()
            off.cancel()

    async def _run_as_root(self, line: str, budget: Budget | None) -> int:
        return await Shell(self.guest, "root", budget=budget).run(line, Streams())
