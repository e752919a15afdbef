"""Draw the pictures of the README from the program itself.

    python -m docs.pictures

Each is the real interface on the workshop's two subscriptions, in memory or in a served sandbox, with keys pressed and
the clock stopped: the same source draws the same files.
"""

from __future__ import annotations

import asyncio
import os
import time
from base64 import b64encode
from pathlib import Path
from tempfile import TemporaryDirectory

from plstui.domain.connection import APPROVED
from plstui.domain.world import World
from tests.support.clock import TurnedClock
from tests.support.lab import lab, with_status
from tests.support.labscreen import lab_screen, panes
from tests.support.picture import svg
from tests.support.served import serve
from tests.support.stage import stage

FOLDER = Path(__file__).parent

PUBLIC_KEY = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(range(32))
"""A key that nobody has, so that the picture is the same every time."""


async def draw(name: str, world: World, size: tuple[int, int], keys: tuple[str, ...], until: tuple[str, ...]) -> None:
    """Press keys, wait until the screen shows what the picture is about, and write it."""
    async with stage(world, size=size, probe_count=60) as play:
        await play.press(*keys)
        seen = await play.shows(*until)
        await play.pilot.pause()
        (FOLDER / f"{name}.svg").write_text(svg(seen.strips, "plstui --sandbox"), encoding="utf-8")


async def draw_lab() -> None:
    """A run that waits for the ISV's decision, and what is told of the machines."""
    clock = TurnedClock()
    with TemporaryDirectory() as folder, serve(Path(folder), "pending") as served:
        os.environ["XDG_STATE_HOME"] = folder
        key = Path(folder) / "id_ed25519.pub"
        key.write_text(f"ssh-ed25519 {b64encode(PUBLIC_KEY).decode()} workshop\n")
        async with lab_screen(served, size=(150, 40), clock=clock, override={"lab": {"public_key": str(key)}}) as play:
            await play.press("end", "u")
            await play.shows("Build steps 1 to 16?")
            await play.press("enter")
            await play.shows("◷ waiting")
            clock.turn(42)
            await play.press("home", "down", "down")
            seen = await play.shows("42 s", "web3", "zone 3", "a approves")
            (FOLDER / "lab.svg").write_text(svg(seen.strips, "plstui --sandbox"), encoding="utf-8")


async def draw_doctor() -> None:
    """A machine that does not answer: the path that ends there, and what the doctor says of it."""
    with TemporaryDirectory() as folder, serve(Path(folder), "unhealthy") as served:
        os.environ["XDG_STATE_HOME"] = folder
        async with panes(served, size=(124, 20), clock=TurnedClock()) as play:
            await play.shows("✖ 2/3")
            await play.press("w", "z")
            seen = await play.shows("web2 down", "▸ ! warning", "health = Down", gone=("● live",))
            (FOLDER / "doctor.svg").write_text(svg(seen.strips, "plstui --sandbox=unhealthy"), encoding="utf-8")


async def main() -> None:
    """All pictures."""
    await draw("main", lab(), (124, 40), ("p", "1"), ("◷ Pending", "3/3", "1 of 5 targets fail"))
    await draw("confirm", lab(), (100, 30), ("a",), ("Approve this connection?",))
    await draw("probe", with_status(APPROVED), (100, 30), ("p",), ("all 5 targets answer",))
    await draw_lab()
    await draw_doctor()


if __name__ == "__main__":
    # The pictures tell the time; it is the same everywhere.
    os.environ["TZ"] = "UTC"
    time.tzset()
    asyncio.run(main())
