"""Virtual machines with their power state, in one LIST."""

from __future__ import annotations

from dataclasses import replace

from azure.core.exceptions import HttpResponseError

from plstui.arm import mapping
from plstui.arm.clients import Clients
from plstui.arm.fields import every
from plstui.arm.versions import COMPUTE_API
from plstui.domain.ids import ResourceId
from plstui.domain.resources import VirtualMachine

_BAD_REQUEST = 400


class MachineList:
    """Lists a subscription's machines.

    `$expand=instanceView` gives machines and power states in one call. Azure's contract promises that for a filtered
    LIST only, yet clients that leave the filter out are common. Should Azure refuse or ignore it, power states come by
    `statusOnly`, whose machines may lack zones and interfaces; a whole LIST takes the place of the next one when a
    machine is new. So a refresh makes one call, but for the one in which Azure refuses.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._expands = True
        self._whole: dict[ResourceId, VirtualMachine] = {}
        self._power: dict[ResourceId, str] = {}
        self._list_whole = False

    async def read(self) -> tuple[VirtualMachine, ...]:
        """The machines now. Raises what the SDK raises."""
        if self._expands and (machines := await self._read_expanded()) is not None:
            return machines
        return await self._read_apart()

    async def _read_expanded(self) -> tuple[VirtualMachine, ...] | None:
        """Everything in one call; None, now and for good, when Azure refuses or ignores the wish for power states."""
        try:
            machines = await self._list(expand="instanceView")
        except HttpResponseError as error:
            if error.status_code != _BAD_REQUEST:
                raise
            machines = ()
        else:
            if not machines or any(machine.power_state for machine in machines):
                return machines
        self._expands = False
        self._whole = {machine.id: machine for machine in machines}
        return None

    async def _read_apart(self) -> tuple[VirtualMachine, ...]:
        if self._list_whole:
            self._list_whole = False
            machines = await self._list()
            self._whole = {machine.id: machine for machine in machines}
        else:
            machines = await self._list(status_only="true")
            self._power = {machine.id: machine.power_state for machine in machines}
            self._list_whole = any(machine.id not in self._whole for machine in machines)
        return tuple(self._joined(machine) for machine in machines)

    def _joined(self, machine: VirtualMachine) -> VirtualMachine:
        whole = self._whole.get(machine.id)
        if whole is None:
            return machine
        known = replace(whole, provisioning_state=machine.provisioning_state or whole.provisioning_state)
        return replace(known, power_state=self._power.get(machine.id, ""))

    async def _list(self, **options: str) -> tuple[VirtualMachine, ...]:
        models = self._clients.compute.virtual_machines.list_all(api_version=COMPUTE_API, **options)
        return every(mapping.machine, [model async for model in models])
