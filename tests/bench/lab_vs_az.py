"""The whole lab by plstui and by az, each on an empty sandbox of its own with the same latency.

    python -m tests.bench.lab_vs_az

Prints seconds for the critical path: the durations of the operations that truly wait for each other, which nothing can
undercut; for the engine, from the first look to the last step; for the command's start, as `plstui lab plan` takes it
with all checks and the first look; for the whole command `plstui lab up`; and for the script that plstui prints for az,
command after command and without the page at its end. It judges nothing: what was aimed at stands beside the numbers.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from plstui.lab import scripts
from plstui.lab.parts import Part, Wait, Want
from plstui.lab.steps import Workshop
from plstui.sandbox.azure import Azure
from plstui.sandbox.latency import Latency
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.compute import machines
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.providers.privatedns import operations as dns
from plstui.sandbox.providers.privatelink import connections
from plstui.sandbox.sandbox import Sandbox
from tests.conformance import labs
from tests.conformance.az import find_az
from tests.support.served import Served, serve

LATENCY = Latency.FAST
PATIENCE = 900
"""Seconds that az may take."""
FASTER, CLOSE = 10.0, 1.3
"""How many times as fast as az the command is to be, and how near to the critical path the engine."""


def main() -> int:
    """Measure and print; gives the exit code."""
    program = find_az()
    if program is None:
        print("az is not there; .ci/run installs it, and PLSTUI_AZ names another one.", file=sys.stderr)
        return 2
    with empty_sandbox() as served:
        start, command = by_command(served)
    with empty_sandbox() as served:
        engine, path, chain = asyncio.run(by_engine(served))
    with empty_sandbox() as served:
        count, script = asyncio.run(by_az(served, program))
    lines = (
        ("critical path", path, " > ".join(chain)),
        ("plstui's engine", engine, f"{engine / path:.2f} times the critical path; aim: at most {CLOSE}"),
        ("plstui's start", start, "plstui lab plan, on the same sandbox"),
        ("plstui lab up", command, f"{command / (path + start):.2f} times the critical path and the start"),
        (f"az, {count} commands", script, f"{script / command:.1f} times the command; aim: at least {FASTER:.0f}"),
        ("", script, f"{script / engine:.1f} times the engine"),
    )
    for what, seconds, how in lines:
        print(f"{what:<18}{seconds:8.2f} s   {how}".rstrip())
    return 0


@contextmanager
def empty_sandbox() -> Iterator[Served]:
    """A sandbox for as long as the block runs."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), "empty", "--latency", LATENCY.value) as served:
        yield served


def key_of(served: Served) -> Path:
    """A public key for the machines."""
    return served.directory / "id_ed25519.pub"


def by_command(served: Served) -> tuple[float, float]:
    """Seconds that `plstui lab plan` takes, which writes nothing, and then `plstui lab up`."""
    return timed(served, "lab", "plan", "--json"), timed(served, "lab", "up", "--approve", "--json")


def timed(served: Served, *arguments: str) -> float:
    """Seconds that a command takes. Exits with what it says when it fails."""
    start = time.perf_counter()
    run = served.plstui(*arguments, environ={"PLSTUI_LAB_PUBLIC_KEY": str(key_of(served))})
    taken = time.perf_counter() - start
    if run.exit_code:
        raise SystemExit(run.stderr + run.stdout)
    return taken


async def by_engine(served: Served) -> tuple[float, float, list[str]]:
    """Seconds that the engine takes, seconds of the critical path and the parts on it."""
    async with labs.session(served, key_of(served), {}) as plstui:
        start = time.perf_counter()
        run = await plstui.plan()
        await run.up(plstui.lab.workshop.steps)
        taken = time.perf_counter() - start
        return taken, *critical_path(plstui.lab.workshop)


async def by_az(served: Served, program: str) -> tuple[int, float]:
    """How many commands az is given, and the seconds that they take."""
    async with labs.session(served, key_of(served), {}) as plstui:
        run = await plstui.plan()
        statuses = [status for status in run.statuses() if not status.step.opens_page]
        script = scripts.script(plstui.lab.workshop, statuses)
    start = time.perf_counter()
    labs.run_script(served, program, script, PATIENCE)
    return script.count("\naz ") + script.count("=$(az "), time.perf_counter() - start


def critical_path(workshop: Workshop) -> tuple[float, list[str]]:
    """Seconds of the longest chain of operations of which each needs the one before, and its parts that take time."""
    parts = {part.key: part for step in workshop.steps for part in step.parts}

    @cache
    def until(key: str) -> tuple[float, tuple[str, ...]]:
        before, chain = max((until(need) for need in parts[key].needs), default=(0.0, ()))
        own = duration(parts[key], parts)
        return before + own, (*chain, key) if own else chain

    seconds, chain = max(map(until, parts))
    return seconds, list(chain)


def duration(part: Part, parts: Mapping[str, Part]) -> float:
    """Seconds of the operation that brings a part about, on a sandbox with `LATENCY`."""
    if isinstance(part, Wait):
        return connections.DECISION.seconds * LATENCY.factor if part.decision else 0.0
    pieces = [other.key for other in parts.values() if isinstance(other, Want) and other.id == part.id]
    if any(need in pieces for need in part.needs):
        # A piece can be sent with the resource that it is a piece of.
        return 0.0
    kind = part.id.type.lower()
    if kind == "microsoft.network/networkinterfaces" and pieces[0] == part.key:
        # A new interface is there at once.
        return 0.0
    return paces().get(kind, 0.0) * LATENCY.factor


@cache
def paces() -> dict[str, float]:
    """Azure's own durations in seconds, by the type that is written; what is missing here is there at once."""
    Sandbox(Azure())  # Its gateway imports every type.
    own = {
        "microsoft.compute/virtualmachines": machines.CREATE.seconds,
        "microsoft.network/privatednszones": dns.WRITE.seconds,
        "microsoft.network/privatednszones/virtualnetworklinks": dns.WRITE.seconds,
    }
    return {
        kind.type.lower(): kind.put_pace.seconds
        for kind in _kinds(ResourceEndpoint)
        if issubclass(kind, NetworkEndpoint)
    } | own


def _kinds(base: type[ResourceEndpoint]) -> Iterator[type[ResourceEndpoint]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


if __name__ == "__main__":
    sys.exit(main())
