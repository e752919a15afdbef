"""Scripts in machines, for a probe that has no other way: written through the gate, and cleaned up after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from secrets import token_hex
from typing import Any, ClassVar, TypeVar

from plstui.domain.az import run_command_line, run_line
from plstui.domain.change import Body, Change, Delete, Put, Ready, Request, RunScript, Shown
from plstui.domain.errors import (
    AzureError,
    LeftBehindError,
    NotFoundError,
    PlstuiError,
    UnreachableError,
)
from plstui.domain.ids import ResourceId
from plstui.domain.patience import TIDYING_PAUSES, passes, persist
from plstui.domain.probe import Target, TargetKind
from plstui.domain.sides import Side
from plstui.domain.text import clean
from plstui.domain.vantage import starting_points
from plstui.domain.world import World
from plstui.engine.gate import Gate
from plstui.engine.leftovers import PREFIX, forgotten, started_at
from plstui.engine.ports import CloudBodies
from plstui.engine.watcher import Watcher

PATIENCE = 45.0
"""Seconds beyond what a script may take until its machine's agent counts as gone: half a minute is usual."""

NEXT = "A new probe runs a script of its own."
"""What is said where it is not known whether a script has run."""

TIDYING = 15.0
"""Seconds that looking for what killed probes have left may take: a result waits for it."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRun(Change[None, Body]):
    """A script that runs as a resource of its own; where that does not show, it may run all the same."""

    reads_back: ClassVar[bool] = True
    must_show: ClassVar[bool] = True

    body: Body = field(repr=False)

    def request(self, state: None) -> Request[Body]:
        """The resource."""
        return Put(self.body)

    def shown(self, before: None, now: Body | None) -> Shown:
        """Whether the script has ended."""
        if now is None:
            return Shown.AS_BEFORE
        state = str(_part(now, "properties").get("provisioningState", "")).lower()
        return Shown.AS_ASKED if state in ("succeeded", "failed", "canceled") else Shown.UNDER_WAY

    def told(self, now: Body | None) -> str:
        """That it does not show, or not its end."""
        if now is not None:
            return f"the script of the run command {self.target.name} does not end"
        return f"the run command {self.target.name} does not show, and its script may still run"


class Agents:
    """Runs scripts in the machines of both sides."""

    def __init__(self, bodies: Mapping[Side, CloudBodies], gate: Gate, world: Callable[[], World]) -> None:
        self._bodies = bodies
        self._gate = gate
        self._world = world
        self._standing: dict[ResourceId, LeftBehindError] = {}
        """The scripts that stand in a machine as resources, as far as is known."""

    def starting_points(self, targets: Sequence[Target]) -> Mapping[ResourceId, Sequence[Target]]:
        """The machine to probe each target from, as both sides were last seen."""
        return starting_points(self._world(), targets)

    def why_not(self) -> str | None:
        """Why nothing can be run at all; None when it can."""
        return self._gate.why_not()

    async def is_windows(self, machine: ResourceId) -> bool:
        """Whether the machine runs Windows. Raises `PlstuiError`."""
        storage = _part(await self._machine(machine), "properties", "storageProfile", "osDisk")
        return str(storage.get("osType", "")).lower() == "windows"

    def left_behind(self) -> Sequence[LeftBehindError]:
        """What was made and has not been seen to go, for whoever leaves before that."""
        return list(self._standing.values())

    async def run_managed(
        self, machine: ResourceId, script: str, *, seconds: int, is_probe: Callable[[str], bool]
    ) -> str:
        """What a script prints that is run as a resource of its own, which is removed again, as are those that probes
        have left in the machine; `is_probe` knows them by their text.

        Raises `PlstuiError`, and of these `LeftBehindError` when it could not be removed.
        """
        side, _ = self._side_of(machine)
        run = machine.child("runCommands", f"{PREFIX}{token_hex(4)}")
        body = {
            "location": str((await self._machine(machine)).get("location", "")),
            "properties": {"source": {"script": script}, "timeoutInSeconds": seconds, "asyncExecution": False},
        }
        create, delete = run_line("create", run, {"--script": "@probe"}), _delete_line(run)
        trouble: BaseException | None = None
        try:
            async with _patience(seconds):
                said = f"The run command {run.name} may stay in {machine.name}."
                self._standing[run] = LeftBehindError(said, hint=f"Remove it: {delete}")
                view = await self._run(
                    ScriptRun(side=side, target=run, verb="probe", az=create, body=body, how_to_look=NEXT)
                )
        except BaseException as error:
            trouble = error
            raise
        finally:
            # Also when nobody waits any more, and when it is not known whether Azure has made it.
            why = await _seen_through(self._remove(side, run, delete, made=not _is_refusal(trouble)))
            if not why:
                self._standing.pop(run, None)
            # Whoever has cancelled hears nothing any more; the journal tells of one that stays.
            if why and (trouble is None or isinstance(trouble, PlstuiError)):
                said = f"{trouble.message} " if trouble else ""
                message = f"{said}The run command {run.name} stays in {machine.name}: {why}"
                raise LeftBehindError(message, hint=f"Remove it: {delete}") from trouble
        await self._remove_forgotten(side, machine, started_at(view), is_probe)
        if view.get("executionState") == "TimedOut":
            raise UnreachableError(f"The script did not end within {seconds} s.", code="ScriptTimedOut")
        if not view.get("output") and view.get("executionState", "Succeeded") != "Succeeded":
            # The first says that it failed, the second why.
            said = " ".join(filter(None, (str(view.get(name) or "").strip() for name in ("executionMessage", "error"))))
            raise AzureError(f"The script ended as {view['executionState']}: {said}", code="ScriptFailed")
        return str(view.get("output") or "")

    async def _run(self, run: ScriptRun) -> Mapping[str, Any]:
        """Have a script run, once, and see its view. Raises `OutcomeUnknownError` where it may run and does not show.

        Nothing but a refusal of Azure's comes out as `AzureError`: who hears of one tries to run it in another way.
        """
        resource = await self._gate.send(run)
        return _part(resource, "properties", "instanceView")

    async def _remove_forgotten(
        self, side: Side, machine: ResourceId, now: datetime | None, is_probe: Callable[[str], bool]
    ) -> None:
        """Remove what killed probes have left in a machine; `now` is Azure's time. What fails is left to the next."""
        bodies = self._bodies[side]
        with suppress(PlstuiError, TimeoutError):
            async with asyncio.timeout(TIDYING):
                for run in await forgotten(bodies, machine, now, is_probe) if now else ():
                    await self._gate.send(_removal(side, run, _delete_line(run)))

    async def run_action(self, machine: ResourceId, script: str, *, seconds: int, windows: bool) -> str:
        """What a script prints that is run by the machine's action. Raises `PlstuiError`."""
        side, _ = self._side_of(machine)
        az, sends = run_command_line(machine, "@probe", windows=windows), RunScript(script, windows)
        async with _patience(seconds):
            return await self._gate.send(Ready(side=side, target=machine, verb="probe", az=az, sends=sends))

    async def _remove(self, side: Side, run: ResourceId, az: str, *, made: bool) -> str:
        """Have a script's resource removed, and why it still stands; empty when it does not.

        Where that cannot be seen, one that was `made` does.
        """
        bodies = self._bodies[side]
        try:
            await persist(lambda _: self._gate.send(_removal(side, run, az)), _pause_of_removal)
        except PlstuiError as error:
            why = error.message
        else:
            return ""
        try:
            return why if await bodies.get(run) is not None else ""
        except PlstuiError:
            return why if made else ""

    async def _machine(self, machine: ResourceId) -> dict[str, Any]:
        _, bodies = self._side_of(machine)
        body = await bodies.get(machine)
        if body is None:
            raise NotFoundError(f"The machine {machine.name} is not there.", status=404)
        return body

    def _side_of(self, machine: ResourceId) -> tuple[Side, CloudBodies]:
        world = self._world()
        for side, bodies in self._bodies.items():
            seen = world.side(side)
            if seen and any(other.id == machine for other in seen.machines):
                return side, bodies
        raise NotFoundError(f"The machine {machine.name} is not there any more.", status=404)


class BalancersOpinion:
    """What the balancer finds of a backend that could not be probed: all there is to know then."""

    def __init__(self, isv: Watcher | None) -> None:
        self._isv = isv
        self._reading = asyncio.Lock()

    async def __call__(self, target: Target) -> str:
        """One sentence; empty where no balancer was asked, or none says."""
        if self._isv is None or target.kind is not TargetKind.BACKEND:
            return ""
        async with self._reading:
            # Asked once, as it may take half a minute.
            seen = self._isv.snapshot if self._isv.snapshot.health else await self._isv.refresh_health()
        machine = next((machine for machine in seen.machines if machine.id == target.resource_id), None)
        members = seen.member_health(machine) if machine else ()
        if not members:
            return ""
        down = next((member.reason for member in members if not member.up), None)
        return f"Not probed; the balancer finds it {'up' if down is None else f'down ({clean(down, 60)})'}."


def _removal(side: Side, run: ResourceId, az: str) -> Ready[None]:
    return Ready(side=side, target=run, verb="clean up", az=az, sends=Delete(wait=False))


def _delete_line(run: ResourceId) -> str:
    return run_line("delete", run, {"--yes": True})


@asynccontextmanager
async def _patience(seconds: float) -> AsyncIterator[None]:
    limit = seconds + PATIENCE
    try:
        async with asyncio.timeout(limit):
            yield
    except TimeoutError:
        message = f"The machine's agent did not answer within {limit:.0f} s."
        raise UnreachableError(message, code="AgentSilent") from None


async def _seen_through(work: Coroutine[None, None, Result]) -> Result:
    """See a piece of work through, even while this is being cancelled."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    finally:
        await asyncio.wait([task])


def _is_refusal(error: BaseException | None) -> bool:
    """Whether Azure has not even begun to make what was asked for."""
    return isinstance(error, AzureError) and 400 <= error.status < 500


def _pause_of_removal(error: PlstuiError, tries: int) -> float | None:
    """Seconds before a script's resource is removed once more; Azure may refuse while it still makes it.

    Never as long as Azure asks for: whoever quits waits for this, and is told what stays and how to remove it.
    """
    still_made = isinstance(error, AzureError) and error.status == HTTPStatus.CONFLICT
    left = tries <= len(TIDYING_PAUSES) and (still_made or passes(error))
    return TIDYING_PAUSES[tries - 1] if left else None


def _part(body: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """A part of a body; empty where there is none."""
    for key in keys:
        inner = body.get(key)
        body = inner if isinstance(inner, dict) else {}
    return body
