"""Virtual machines with their power state, in one LIST."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from plstui.arm import mapping
from plstui.arm.lists import ResourceList
from plstui.arm.road import Road
from plstui.domain.errors import AzureError
from plstui.domain.ids import ResourceId
from plstui.domain.resources import Kind, VirtualMachine


class MachineList:
    """Lists a subscription's machines.

    `$expand=instanceView` gives machines and power states in one call. Azure's contract promises that for a filtered
    LIST only, yet clients that leave the filter out are common. Should Azure refuse or ignore it, power states come by
    `statusOnly`, whose machines may lack zones and interfaces; a whole LIST takes the place of the next one when a
    machine is new. So a refresh makes one call, but for the one in which Azure refuses.
    """

    def __init__(self, road: Road) -> None:
        path = f"providers/{Kind.MACHINES}"
        self._expanded = ResourceList(road, path, mapping.machine, Kind.MACHINES, **{"$expand": "instanceView"})
        self._plain = ResourceList(road, path, mapping.machine, Kind.MACHINES)
        self._powers = ResourceList(road, path, mapping.machine, Kind.MACHINES, statusOnly="true")
        self._expands = True
        self._whole: dict[ResourceId, VirtualMachine] = {}
        self._power: dict[ResourceId, str] = {}
        self._list_whole = False

    async def read(self) -> tuple[VirtualMachine, ...]:
        """The machines now. Raises `PlstuiError`."""
        if self._expands and (machines := await self._read_expanded()) is not None:
            return machines
        return await self._read_apart()

    async def _read_expanded(self) -> tuple[VirtualMachine, ...] | None:
        """Everything in one call; None, now and for good, when Azure refuses or ignores the wish for power states."""
        try:
            machines = await self._expanded.read()
        except AzureError as error:
            if error.status != HTTPStatus.BAD_REQUEST:
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
            machines = await self._plain.read()
            self._whole = {machine.id: machine for machine in machines}
        else:
            machines = await self._powers.read()
            self._power = {machine.id: machine.power_state for machine in machines}
            self._list_whole = any(machine.id not in self._whole for machine in machines)
        return tuple(self._joined(machine) for machine in machines)

    def _joined(self, machine: VirtualMachine) -> VirtualMachine:
        whole = self._whole.get(machine.id)
        if whole is None:
            return machine
        known = replace(whole, provisioning_state=machine.provisioning_state or whole.provisioning_state)
        return replace(known, power_state=self._power.get(machine.id, ""))
