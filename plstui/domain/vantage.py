"""The machine that something is looked at from, where Azure has to run what looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plstui.domain.ids import ResourceId
from plstui.domain.probe import Target, TargetKind
from plstui.domain.resources import VirtualMachine
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.world import World

RUNNING = "running"


def starting_points(world: World, targets: Sequence[Target]) -> dict[ResourceId, list[Target]]:
    """The running machine that each target is asked from; targets are left out for which there is none.

    The customer's targets are asked from a machine in their endpoint's network, a name from where endpoints are asked.
    The ISV's are asked from the first backend that runs: its machines are there to be asked, others may not be.
    """
    asked = {target.resource_id for target in targets if target.resource_id}
    maps = {side: _Map.of(snapshot, asked) for side in Side if (snapshot := world.side(side))}
    found: dict[ResourceId, list[Target]] = {}
    for target in targets:
        near = maps[target.side].machine_near(target) if target.side in maps else None
        if near:
            found.setdefault(near.id, []).append(target)
    return found


@dataclass(frozen=True, slots=True)
class _Map:
    """Which networks of one side things are in. Two networks may use the same addresses."""

    machines: list[tuple[VirtualMachine, set[ResourceId]]]
    """Those that run, the best to start from first."""
    endpoints: dict[ResourceId, ResourceId]
    asked: set[ResourceId]
    addresses: dict[str, set[ResourceId]]

    @classmethod
    def of(cls, side: Snapshot, asked: set[ResourceId]) -> _Map:
        """The map for what is `asked`."""
        addresses: dict[str, set[ResourceId]] = {}
        owned: dict[ResourceId, set[ResourceId]] = {}
        owners = {nic: machine.id for machine in side.machines for nic in machine.interface_ids}
        for nic in side.interfaces:
            owner = nic.machine_id or owners.get(nic.id)
            for configuration in nic.ip_configurations:
                if network := _network(configuration.subnet_id):
                    addresses.setdefault(configuration.private_ip_address, set()).add(network)
                    if owner:
                        owned.setdefault(owner, set()).add(network)
        for frontend in (frontend for balancer in side.balancers for frontend in balancer.frontends):
            if network := _network(frontend.subnet_id):
                addresses.setdefault(frontend.private_ip_address, set()).add(network)
        running = [machine for machine in side.machines if machine.power_state.lower() == RUNNING]
        running.sort(key=lambda machine: (machine.id not in asked, machine.name.lower()))
        return cls(
            [(machine, owned.get(machine.id, set())) for machine in running],
            {e.id: network for e in side.endpoints if (network := _network(e.subnet_id))},
            asked,
            addresses,
        )

    def machine_near(self, target: Target) -> VirtualMachine | None:
        """The machine to ask a target from."""
        if target.kind is TargetKind.ENDPOINT:
            network = self.endpoints.get(target.resource_id) if target.resource_id else None
            networks = {network} if network else set()
        elif target.kind is TargetKind.NAME:
            networks = {network for endpoint, network in self.endpoints.items() if endpoint in self.asked}
        else:
            networks = self.addresses.get(target.address, set())
        return next((machine for machine, its in self.machines if its & networks), None)


def _network(subnet: ResourceId | None) -> ResourceId | None:
    return subnet.parent if subnet else None
