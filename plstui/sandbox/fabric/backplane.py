"""The running network: machines that follow their resources, and the balancers that probe them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.fabric.health import BAD_STATUS, NO_ANSWER, NO_HTTP, HealthMonitor, Probe, services_before
from plstui.sandbox.fabric.proxyheader import probe_header
from plstui.sandbox.fabric.routing import Delivery, Dropped, Router
from plstui.sandbox.fabric.security import PROBE_SOURCE
from plstui.sandbox.fabric.topology import BALANCER, MACHINE, NIC, Attachment, Topology, properties, top_level
from plstui.sandbox.fabric.vantage import Vantage
from plstui.sandbox.keyring import Keyring
from plstui.sandbox.machines.http import BrokenReplyError, EmptyReplyError, fetch
from plstui.sandbox.machines.image import Image
from plstui.sandbox.machines.machine import Machine, MachineSpec, SwitchedOffError
from plstui.sandbox.machines.network import ConnectError, OutOfReachError, RefusedError, TimedOutError
from plstui.sandbox.ports import CommandOutput, Json, MemberHealth, ResourceView, SshEndpoint

SERVICE = "microsoft.network/privatelinkservices"
_DECIDES_FLOWS = frozenset({"microsoft.network/networksecuritygroups", "microsoft.network/virtualnetworks"})
"""Types whose change may let a probe through that was stopped before, or the other way round."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class RunningNetwork:
    """Keeps machines and probes in step with the resources. It is the resource providers' `Backplane`.

    Before `start` it only takes notes of what changes.
    """

    def __init__(self, resources: ResourceView, clock: SandboxClock, keyring: Keyring | None = None) -> None:
        self._view = resources
        self._clock = clock
        self._keyring = keyring or Keyring()
        self._host_keys: Counter[str] = Counter()
        """By machine's id, how many host keys there have been: one that is made anew has another."""
        self._topology = Topology(resources)
        self._health = HealthMonitor(self._topology, self._check, clock)
        self._router = Router(self._topology, self._health.is_up)
        self._machines: dict[str, Machine] = {}
        self._unplugged: set[str] = set()
        """Machines that were stopped from outside, whatever Azure thinks."""
        self._dirty_machines: dict[str, None] = {}
        self._dirty_balancers: set[str] = set()
        self._started = False
        self._worker: asyncio.Task[None] | None = None
        self.ssh_ports: dict[str, int] = {}
        """By machine's id, the port that its SSH server had before a restart, as long as it has not been on since."""
        self.on_machines_changed: Callable[[], None] = lambda: None
        """Called when an SSH server, its port or its host key came, went or changed."""
        for kind in (NIC, MACHINE, BALANCER):
            for body in resources.of_type(kind):
                self._resource_changed(str(body["id"]))
        resources.subscribe(self._resource_changed)

    # Following the resources

    def _resource_changed(self, resource_id: str) -> None:
        """Note what must be looked at again. Cheap: it runs with every write to any resource."""
        kind, key = top_level(resource_id)
        if kind == NIC:
            self._dirty_balancers |= self._topology.nic_changed(key)
        elif kind == BALANCER:
            self._topology.balancer_changed(key)
            self._dirty_balancers.add(key)
        elif kind == MACHINE:
            self._topology.machine_changed(key)
            self._dirty_machines[key] = None
        elif kind == SERVICE:
            # Its PROXY protocol setting decides what a balancer's probes send.
            self._dirty_balancers |= self._health.balancers()
        elif kind in _DECIDES_FLOWS:
            self._health.wake()
        else:
            return
        self._schedule()

    def _schedule(self) -> None:
        idle = self._worker is None or self._worker.done()
        if self._started and idle and (self._dirty_machines or self._dirty_balancers):
            self._worker = asyncio.get_running_loop().create_task(self._reconcile())

    async def _reconcile(self) -> None:
        while self._dirty_machines or self._dirty_balancers:
            machines, self._dirty_machines = self._dirty_machines, {}
            balancers, self._dirty_balancers = self._dirty_balancers, set()
            await asyncio.gather(*(self._follow(machine_id) for machine_id in machines))
            for balancer_id in balancers:
                proxied = services_before(self._topology, balancer_id)
                self._health.balancer_changed(balancer_id, proxy_protocol=proxied)

    async def _follow(self, machine_id: str) -> None:
        """Make one machine what its resource says."""
        body = self._view.get(machine_id)
        machine = self._machines.get(machine_id)
        if machine and (body is None or properties(body).get("vmId", machine.spec.vm_id) != machine.spec.vm_id):
            del self._machines[machine_id]
            self._unplugged.discard(machine_id)
            await machine.stop()
            self.on_machines_changed()
            machine = None
        if body is None:
            return
        wanted = _power(body)
        if wanted is False:
            self._unplugged.discard(machine_id)
        if wanted and machine is None:
            machine = self._made(body)
            self._machines[machine_id] = machine
        if machine is None or wanted is None:
            return
        if wanted and not machine.running and machine_id not in self._unplugged:
            await self._switch_on(machine)
        elif not wanted and machine.running:
            await machine.stop()

    def _made(self, body: Json) -> Machine:
        machine_id = str(body["id"]).lower()
        vantage = Vantage(
            machine_id,
            self._topology,
            self._router,
            self._clock,
            self._dial,
            lambda port: self._dial_self(machine_id, port),
        )
        port = self.ssh_ports.pop(machine_id, 0)
        machine = Machine(_spec(body), vantage, self._clock, lambda: self._new_host_key(machine_id), port)
        machine.on_ports_changed = lambda: self._ports_changed(machine_id)
        return machine

    def _new_host_key(self, machine_id: str) -> str:
        self._host_keys[machine_id] += 1
        return self._keyring.ssh_key(f"host {machine_id} {self._host_keys[machine_id]}")[0]

    def _ports_changed(self, machine_id: str) -> None:
        nics = frozenset(attachment.nic_id for attachment in self._topology.attachments(machine_id))
        # A machine that is just being deleted has no interfaces any more.
        self._health.wake(nics or None)

    async def _switch_on(self, machine: Machine) -> None:
        before = (machine.ssh_port, machine.host_key)
        try:
            await machine.start()
        except OSError as error:
            # The others go on: it is off, as a machine whose host has nothing left for it.
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"The machine {machine.spec.name} cannot be started", "exception": error}
            )
            return
        if (machine.ssh_port, machine.host_key) != before:
            self.on_machines_changed()

    # Starting and stopping

    async def start(self) -> None:
        """Bring up what the resources say, and follow them from now on."""
        self._started = True
        self._schedule()
        if self._worker:
            await self._worker

    async def stop(self) -> None:
        """Stop every machine and every probe; nothing listens afterwards."""
        self._started = False
        # Whatever a machine is in the middle of ends with it, also what the worker waits for.
        await asyncio.gather(*(machine.stop() for machine in self._machines.values()))
        if self._worker:
            await asyncio.wait([self._worker])
        await self._health.stop()
        await asyncio.gather(*(machine.stop() for machine in self._machines.values()))
        self._machines.clear()

    async def settled(self) -> None:
        """Return when every machine is what its resource says, cloud-init has ended, and health follows from probes."""
        while self._worker and not self._worker.done():
            await asyncio.shield(self._worker)
            self._schedule()
        if self._worker:
            self._worker.result()
        await asyncio.gather(*(machine.booted() for machine in self._machines.values()))
        await self._health.settled()

    # What the providers ask

    def rule_health(self, rule_id: str) -> Sequence[MemberHealth]:
        """The members behind one load-balancing rule and whether each answers its probe."""
        return self._health.of_rule(rule_id)

    async def run_command(self, vm_id: str, script: str) -> CommandOutput:
        """Run a script in a machine, as the VM agent would.

        Raises `KeyError` when the machine is not running, or no longer before the script has ended.
        """
        machine = self._machines.get(vm_id.lower())
        if machine is None:
            raise KeyError(vm_id)
        try:
            return await machine.run_command(script)
        except SwitchedOffError:
            raise KeyError(vm_id) from None

    def ssh_endpoints(self) -> Sequence[SshEndpoint]:
        """The SSH server of every machine that has one. A machine that is off keeps its place, as its address does."""
        return [
            SshEndpoint(machine.spec.id, machine.spec.name, machine.ssh_port, machine.spec.user, machine.host_key)
            for machine in self._machines.values()
            if machine.ssh_port
        ]

    def probe_now(self) -> None:
        """Probe every member of every balancer at once, instead of at the next interval."""
        self._health.wake()

    def machine_names(self) -> Sequence[str]:
        """The name of every machine that has been on."""
        return [machine.spec.name for machine in self._machines.values()]

    # Control from outside, by a machine's name or id. Each raises `KeyError` for an unknown one.

    async def stop_machine(self, name: str) -> None:
        """Pull the plug; Azure still believes that it runs."""
        machine_id, machine = self._named(name)
        self._unplugged.add(machine_id)
        await machine.stop()

    async def start_machine(self, name: str) -> None:
        """Start a machine that was stopped, or wake one that hangs."""
        machine_id, machine = self._named(name)
        self._unplugged.discard(machine_id)
        if machine.hung:
            await machine.resume()
        else:
            await self._switch_on(machine)

    async def hang_machine(self, name: str) -> None:
        """Let a machine answer nothing any more, on any port, until it is started."""
        _, machine = self._named(name)
        await machine.hang()

    async def change_host_key(self, name: str) -> None:
        """Give a machine another host key, as one that was set up anew has."""
        _, machine = self._named(name)
        await machine.change_host_key()
        self.on_machines_changed()

    async def break_web(self, name: str) -> None:
        """Stop the web servers of a machine, and keep them from starting at its next boot: port 80 is closed."""
        _, machine = self._named(name)
        await machine.break_web()

    def _named(self, name: str) -> tuple[str, Machine]:
        wanted = name.lower()
        for machine_id, machine in self._machines.items():
            if wanted in (machine_id, machine.spec.name.lower()):
                return machine_id, machine
        raise KeyError(name)

    # Connections

    async def _dial(self, delivery: Delivery) -> Streams:
        """Connect to the machine that a connection is delivered to. Raises `ConnectError`."""
        machine_id = self._topology.machine_of(delivery.target)
        machine = self._machines.get(machine_id or "")
        if machine is None or not machine.running or machine.hung or machine.spec.windows:
            raise TimedOutError
        reader, writer = await self._open(machine, delivery.port)
        machine.tell_source(delivery.port, writer.get_extra_info("sockname")[1], delivery.source)
        writer.write(delivery.header)
        return reader, writer

    async def _dial_self(self, machine_id: str, port: int) -> Streams:
        return await self._open(self._machines[machine_id], port)

    async def _open(self, machine: Machine, port: int) -> Streams:
        real_port = machine.listener(port)
        if real_port is None:
            raise RefusedError
        try:
            return await asyncio.open_connection("127.0.0.1", real_port)
        except ConnectionError:
            raise RefusedError from None
        except OSError as error:
            raise OutOfReachError(error.strerror) from None

    async def _check(self, member: Attachment, probe: Probe) -> str | None:
        """One health probe: None for success, else the reason code."""
        unreachable = NO_ANSWER if probe.protocol == "tcp" else NO_HTTP
        way = self._router.probe(member, probe.port, PROBE_SOURCE)
        if isinstance(way, Dropped):
            return unreachable
        try:
            reader, writer = await self._dial(way)
        except ConnectError:
            return unreachable
        try:
            if probe.proxy_protocol:
                writer.write(probe_header())
            if probe.protocol != "http":
                # A handshake is all that a TCP probe asks for; nothing here speaks TLS.
                return None if probe.protocol == "tcp" else unreachable
            async with asyncio.timeout(probe.interval):
                response = await fetch(reader, writer, member.address, probe.path, "GET", [])
            return None if response.status == 200 else BAD_STATUS
        except (EmptyReplyError, BrokenReplyError, OSError, TimeoutError):
            return unreachable
        finally:
            writer.close()


def _power(body: Json) -> bool | None:
    """Whether a machine is on; None while that is about to change."""
    values = properties(body)
    statuses = (values.get("instanceView") or {}).get("statuses") or []
    for status in statuses:
        code = str(status.get("code", "")).lower()
        if code.startswith("powerstate/"):
            return code == "powerstate/running"
    state = str(values.get("provisioningState", "")).lower()
    return {"succeeded": True, "deleting": False}.get(state)


def _spec(body: Json) -> MachineSpec:
    values = properties(body)
    profile: Json = values.get("osProfile") or {}
    storage: Json = values.get("storageProfile") or {}
    image: Json = storage.get("imageReference") or {}
    linux: Json = profile.get("linuxConfiguration") or {}
    keys: list[Any] = (linux.get("ssh") or {}).get("publicKeys") or []
    os_type = str((storage.get("osDisk") or {}).get("osType", "")).lower()
    name = str(body["name"])
    return MachineSpec(
        id=str(body["id"]),
        name=name,
        computer_name=str(profile.get("computerName") or name),
        user=str(profile.get("adminUsername") or "azureuser"),
        keys=tuple(str(key.get("keyData", "")) for key in keys),
        custom_data=str(profile.get("customData") or ""),
        vm_id=str(values.get("vmId", "")),
        image=Image.of(*(str(image.get(key, "")) for key in ("publisher", "offer", "sku"))),
        windows="windowsConfiguration" in profile or os_type == "windows",
    )
