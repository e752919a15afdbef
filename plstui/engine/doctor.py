"""Reads all that a diagnosis looks at: one LIST per type, and no type that cannot be read stops the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from plstui.domain.az import run_command_line
from plstui.domain.change import Ready, RunScript
from plstui.domain.errors import AzureError, CredentialsError, PlstuiError, UnreachableError
from plstui.domain.findings.machines import seeming_ill
from plstui.domain.findings.names import unnamed
from plstui.domain.ids import ResourceId
from plstui.domain.probe import TargetResult
from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.domain.snapshot import Reading, Snapshot, Tier
from plstui.domain.tasks import to_the_end
from plstui.domain.world import World
from plstui.engine.gate import Gate
from plstui.engine.ports import CloudReader

BOOT_PATIENCE = 120.0
"""Seconds for a machine's agent to answer: half a minute is usual, and from one that hangs nothing comes at all."""


class Doctor:
    """Examines the sides that are configured."""

    def __init__(
        self,
        subscriptions: Mapping[Side, str],
        readers: Mapping[Side, CloudReader],
    ) -> None:
        self._subscriptions = subscriptions
        self._readers = readers

    async def examine(self, results: Sequence[TargetResult] = (), *, inside: Gate | None = None) -> World:
        """Everything there is to know; with `inside` also what `look_inside` finds out through that gate.

        A side that cannot be read is in `failures`. Raises its `PlstuiError` when no side can be read.
        """
        looks = await to_the_end(self._look(side, reader) for side, reader in self._readers.items())
        seen = dict(zip(self._readers, looks, strict=True))
        failures = {side: look for side, look in seen.items() if isinstance(look, PlstuiError)}
        if failures and len(failures) == len(seen):
            raise next(iter(failures.values()))
        snapshots = {side: self._empty(side) if isinstance(look, PlstuiError) else look for side, look in seen.items()}
        world = World(snapshots.get(Side.ISV), snapshots.get(Side.CUSTOMER), results=tuple(results), failures=failures)
        return await self.look_inside(world, inside) if inside else world

    def _empty(self, side: Side) -> Snapshot:
        return Snapshot(side=side, subscription=self._subscriptions[side])

    async def _look(self, side: Side, reader: CloudReader) -> Snapshot | PlstuiError:
        """One side with all that a diagnosis wants of it, or why it cannot be read."""
        try:
            reading = await reader.read(Tier.ALL | Tier.NAMES | Tier.ACCOUNT)
            snapshot = self._empty(side).fold(reading, datetime.now(UTC))
            if side is Side.CUSTOMER and unnamed(World(customer=snapshot)):
                # Names that are not in a private zone may be in a public one, of which there may be many.
                snapshot = snapshot.fold(await _public_names(reader), datetime.now(UTC))
            return snapshot.with_health(await reader.read_health(snapshot.balancers))
        except PlstuiError as error:
            return error

    async def look_inside(self, world: World, gate: Gate) -> World:
        """The same with what cloud-init says on machines that seem ill, or why one does not say it.

        That takes a script in each of them, which is a write: where the gate is closed nothing is asked. Raises
        `ConfigError` when the journal cannot be written.
        """
        ill = () if gate.why_not() else seeming_ill(world)
        answers = dict(zip(ill, await to_the_end(self._boot(machine, gate) for machine in ill), strict=True))
        return replace(
            world,
            boots={machine: status for machine, (status, _) in answers.items() if status},
            silent={machine: why for machine, (status, why) in answers.items() if not status},
        )

    async def _boot(self, machine: ResourceId, gate: Gate) -> tuple[str, str]:
        """What cloud-init says on a machine, and why it does not; one of them is empty."""
        side = next(side for side, own in self._subscriptions.items() if own.lower() == machine.subscription.lower())
        script = "cloud-init status"
        az = run_command_line(machine, script)
        look = Ready(side=side, target=machine, verb="probe", az=az, sends=RunScript(script))
        try:
            async with asyncio.timeout(BOOT_PATIENCE):
                printed = await gate.send(look)
        except TimeoutError:
            return "", "no answer"
        except (AzureError, UnreachableError) as error:
            return "", error.message
        status = next((line.partition(":")[2].strip() for line in printed.splitlines() if line[:7] == "status:"), "")
        return status, "" if status else "no cloud-init"


async def _public_names(reader: CloudReader) -> Reading:
    """What is in public zones; when none of it can be read, why."""
    try:
        return await reader.read(Tier.PUBLIC_NAMES)
    except CredentialsError:
        raise
    except PlstuiError as error:
        # What is in zones is not asked for where the zones cannot be listed.
        return Reading(failures={Kind.PUBLIC_ZONES: error})
