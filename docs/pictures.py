"""Draw the pictures of the README from the program itself.

    python -m docs.pictures

Each is the real interface on the workshop's two subscriptions in memory, with keys pressed and the clock stopped:
the same source draws the same files.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from plstui.domain.connection import APPROVED
from plstui.domain.world import World
from tests.support.lab import lab, with_status
from tests.support.picture import svg
from tests.support.stage import stage

FOLDER = Path(__file__).parent


async def draw(name: str, world: World, size: tuple[int, int], keys: tuple[str, ...], until: tuple[str, ...]) -> None:
    """Press keys, wait until the screen shows what the picture is about, and write it."""
    async with stage(world, size=size, probe_count=60) as play:
        await play.press(*keys)
        seen = await play.shows(*until)
        await play.pilot.pause()
        (FOLDER / f"{name}.svg").write_text(svg(seen.strips, "plstui --sandbox"), encoding="utf-8")


async def main() -> None:
    """All pictures."""
    await draw("main", lab(), (124, 40), ("p", "1"), ("◷ Pending", "3/3", "1 of 4 targets fail"))
    await draw("confirm", lab(), (100, 30), ("a",), ("Approve this connection?",))
    await draw("probe", with_status(APPROVED), (100, 30), ("p",), ("all 4 targets answer",))


if __name__ == "__main__":
    # The pictures tell the time; it is the same everywhere.
    os.environ["TZ"] = "UTC"
    time.tzset()
    asyncio.run(main())
