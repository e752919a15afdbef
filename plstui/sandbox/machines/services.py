"""systemd, as far as a machine that serves a page needs it: units, what they start, and what runs."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from plstui.sandbox.machines.aside import aside
from plstui.sandbox.machines.budget import Budget
from plstui.sandbox.machines.computer import Computer
from plstui.sandbox.machines.programs import Program, find_server
from plstui.sandbox.machines.web import WebServer

_FOLDERS = ("/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system")
LONGEST_UNIT = 16 * 1024
"""Characters of a unit file that are read."""

MOST_PORTS = 16
"""Ports that a machine's web servers listen on: each is one of this computer's."""

_WANTS = "/etc/systemd/system/multi-user.target.wants"
_ALWAYS = ("ssh.service", "walinuxagent.service", "cron.service")
"""Services of the image that are simply there."""


@dataclass(slots=True)
class Unit:
    """A unit file, read: `[section]` → key → values in order."""

    name: str
    sections: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    @classmethod
    def parse(cls, name: str, text: str) -> Unit:
        """Read a unit file; lines that are no setting are passed over, as systemd does."""
        unit, section = cls(name), ""
        for line in text.replace("\\\n", " ").splitlines():
            line = line.strip()
            if line.startswith("[") and line.endswith("]"):
                section = line[1:-1].lower()
            elif "=" in line and line[0] not in "#;":
                key, _, value = line.partition("=")
                values = unit.sections.setdefault(section, {}).setdefault(key.strip().lower(), [])
                values.append(value.strip())
        return unit

    def values(self, section: str, key: str) -> list[str]:
        """Every value of a key, an empty one resetting those before it."""
        values = self.sections.get(section, {}).get(key.lower(), [])
        resets = [index for index, value in enumerate(values) if not value]
        return values[resets[-1] + 1 :] if resets else values

    def value(self, section: str, key: str) -> str:
        """The last value of a key; empty when it is not set."""
        return (self.values(section, key) or [""])[-1]


class Services:
    """The units of a machine and their processes."""

    def __init__(self, computer: Computer) -> None:
        self._computer = computer
        self._running: dict[str, list[WebServer]] = {}
        self._states: dict[str, str] = {}
        self._powered = False
        self.on_change: Callable[[], None] = lambda: None
        """Called when a port opens or closes."""
        self.run_script: Callable[[str, Budget | None], Awaitable[int]]
        """Runs a line as root, on the budget of the script that asks for it; set by the machine: it has the shell."""

    def unit(self, name: str) -> Unit | None:
        """A unit by name, with or without `.service`; None when there is no such file."""
        name = _full(name)
        for folder in _FOLDERS:
            text = self._computer.disk.read(f"{folder}/{name}")
            if text is not None:
                return Unit.parse(name, text[:LONGEST_UNIT])
        return Unit(name) if name in _ALWAYS else None

    def names(self) -> list[str]:
        """The names of all units."""
        found = {name for folder in _FOLDERS for name in self._computer.disk.names(folder) if name.endswith(".service")}
        return sorted(found | set(_ALWAYS))

    def state(self, name: str) -> str:
        """`active`, `inactive` or `failed`."""
        name = _full(name)
        return "active" if name in _ALWAYS else self._states.get(name, "inactive")

    def enable(self, name: str) -> None:
        """Start the unit at every boot."""
        self._computer.disk.write(f"{_WANTS}/{_full(name)}", "")

    def disable(self, name: str) -> None:
        """No longer start the unit at boot."""
        self._computer.disk.remove(f"{_WANTS}/{_full(name)}")

    def enabled(self, name: str) -> bool:
        """Whether the unit is started at boot."""
        return _full(name) in _ALWAYS or self._computer.disk.exists(f"{_WANTS}/{_full(name)}")

    def listener(self, port: int) -> WebServer | None:
        """The server on one of the machine's ports."""
        return next((web for webs in self._running.values() for web in webs if web.port == port), None)

    def ports(self) -> list[int]:
        """The ports that something listens on, sorted."""
        return sorted({web.port for webs in self._running.values() for web in webs})

    def serving(self) -> list[str]:
        """The units that have a port open."""
        return [name for name, servers in self._running.items() if servers]

    async def start(self, name: str, budget: Budget | None = None) -> bool:
        """Start a unit; whether it runs, or did what it had to, or its condition said not to.

        What it runs is on the `budget` of the script that starts it, so that units which start each other end too.
        """
        name = _full(name)
        unit = self.unit(name)
        if unit is None:
            return False
        if self.state(name) == "active" or not self._wanted(unit):
            return True
        state = "active" if await self._launch(unit, budget) else "failed"
        one_shot = unit.value("service", "Type") == "oneshot" and unit.value("service", "RemainAfterExit") != "yes"
        self._states[name] = "inactive" if state == "active" and one_shot else state
        self.on_change()
        return state == "active"

    async def _launch(self, unit: Unit, budget: Budget | None) -> bool:
        for line in unit.values("service", "ExecStartPre"):
            if await self.run_script(line.lstrip("-@:+!"), budget) and not line.startswith("-"):
                return False
        lines = unit.values("service", "ExecStart")
        for line in lines:
            line = line.lstrip("-@:+!")
            try:
                words = await aside(len(line), shlex.split, line)
                program = find_server(self._computer, words, unit.value("service", "WorkingDirectory"))
            except ValueError:
                return False
            if program is None:
                if await self.run_script(line, budget):
                    return False
            elif not await self._serve(unit.name, program):
                return False
        return bool(lines)

    async def _serve(self, name: str, program: Program) -> bool:
        if any(self.listener(site.port) for site in program.sites):
            # Another program has the port.
            return False
        if len(self.ports()) + len(program.sites) > MOST_PORTS:
            return False
        servers: list[WebServer] = []
        try:
            for site in program.sites:
                servers.append(await WebServer.start(site, self._computer.answering))
        except OSError as error:
            for server in servers:
                await server.stop()
            # This computer has no port or file left; the machine's own user learns that the service has failed.
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"{name} on {self._computer.computer_name} cannot be started", "exception": error}
            )
            return False
        if not self._powered:
            # The machine went off meanwhile.
            for server in servers:
                await server.stop()
            return False
        self._running.setdefault(name, []).extend(servers)
        return True

    async def stop(self, name: str) -> None:
        """Stop a unit; its ports close and its connections end."""
        name = _full(name)
        for server in self._running.pop(name, []):
            await server.stop()
        self._states.pop(name, None)
        self.on_change()

    async def restart(self, name: str, budget: Budget | None = None) -> bool:
        """Stop, then start with what the files say now."""
        await self.stop(name)
        return await self.start(name, budget)

    def power_on(self) -> None:
        """From now on units can run."""
        self._powered = True

    async def boot(self) -> None:
        """Start what is enabled."""
        for name in self._computer.disk.names(_WANTS):
            await self.start(name)

    async def halt(self) -> None:
        """End every process; nothing starts any more."""
        self._powered = False
        for name in list(self._running):
            for server in self._running.pop(name):
                await server.stop()
        self._states.clear()
        self.on_change()

    def _wanted(self, unit: Unit) -> bool:
        disk = self._computer.disk
        for condition in unit.values("unit", "ConditionPathExists"):
            negated, path = condition.startswith("!"), condition.lstrip("!|")
            if disk.exists(path) == negated:
                return False
        return True


def _full(name: str) -> str:
    return name if "." in name else f"{name}.service"
