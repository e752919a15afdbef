"""The diagnosis of the world `fleet`: how long the reading takes, and how long the rules.

    python -m tests.bench.doctor [ROUNDS]

Prints milliseconds, median and worst of the rounds: reading both sides over HTTPS, and all rules on what was read.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from plstui.arm.side import open_side
from plstui.config.load import load
from plstui.domain.findings import diagnose
from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.engine.doctor import Doctor
from tests.bench.fleet import show
from tests.support.served import Served, serve


async def examined(served: Served, rounds: int) -> None:
    """Time both halves of a diagnosis."""
    settings = load(served.config, environ={})
    sides = {side: open_side(settings, side) for side in Side}
    doctor = Doctor(
        {side: settings.side(side).subscription for side in Side},
        {side: arm.reader for side, arm in sides.items()},
    )
    reading, judging = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        world = await doctor.examine()
        reading.append((time.perf_counter() - start) * 1000)
        fresh = replace(world)  # Nothing that follows from it is known yet.
        start = time.perf_counter()
        findings = diagnose(fresh)
        judging.append((time.perf_counter() - start) * 1000)
    resources = sum(len(getattr(side, kind.field)) for side in world.sides for kind in Kind)
    show(f"reading {resources} resources of both sides", reading)
    show(f"rules on them, which find {len(findings)} things", judging)
    for arm in sides.values():
        await arm.reader.close()


def main() -> None:
    """Serve the world and print the times."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), "fleet") as served:
        asyncio.run(examined(served, rounds))


if __name__ == "__main__":
    main()
