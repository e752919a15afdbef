"""How the room is shared out, and what stays where it was when rows come and go."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from plstui.domain.connection import APPROVED, PENDING
from plstui.domain.sides import Side
from plstui.domain.world import World
from plstui.tui.panes.connections import ConnectionsTable
from tests.support.lab import Request, crowd, empty, lab
from tests.support.stage import Stage, stage

EIGHTEEN = tuple(
    Request(f"endpoint-{n:02}", f"g{n}", APPROVED if n % 3 else PENDING, address=f"10.1.0.{n + 5}") for n in range(18)
)


def rows_on_screen(play: Stage) -> list[str]:
    """The endpoints whose rows of the table of connections are on the screen."""
    found = re.findall(r"^│[▸ ] (?:[◷✔] \w+) +(endpoint-\d+)", play.see().text, re.MULTILINE)
    return [str(name) for name in found]


async def test_the_connections_have_the_room_that_the_sections_below_do_not_need() -> None:
    async with stage(lab(*EIGHTEEN), size=(160, 48)) as play:
        await play.shows("10.0.1.4:80", "Press p to fetch", "Press w to find out", "Watching")
        assert len(rows_on_screen(play)) >= 14
        assert rows_on_screen(play)[:6] == [f"endpoint-{n:02}" for n in (0, 3, 6, 9, 12, 15)], "pending first"


async def test_a_section_that_has_something_to_say_gets_its_share_back() -> None:
    async with stage(lab(*EIGHTEEN), size=(160, 48)) as play:
        before = len(rows_on_screen(play))
        probe, doctor = (play.app.screen.query_one(name) for name in ("#probe", "#doctor"))
        assert probe.size.height == 4, "as high as the backends beside it"
        assert doctor.size.height <= 3, "as high as the activity beside it"
        await play.press("p")
        await play.until(lambda: probe.size.height >= 8, "room for what the probe brings")
        assert 6 <= len(rows_on_screen(play)) < before
        assert doctor.size.height <= 6


async def test_thousands_at_120_columns_have_most_of_the_room() -> None:
    async with stage(crowd(1000), size=(120, 40)) as play:
        await play.shows("334 pending")
        await play.until(lambda: len(rows_on_screen(play)) >= 12, "twelve rows")


@pytest.mark.parametrize(("world", "lines"), [(empty(), 2), (lab(), 4)], ids=["empty", "one"])
async def test_on_a_small_screen_the_panes_have_the_room_that_the_tables_do_not_need(world: World, lines: int) -> None:
    async with stage(world, size=(80, 24)) as play:
        await play.until(lambda: play.app.screen.query_one("#deck").size.height == lines, f"{lines} lines")
        await play.press("p" if lines > 2 else "1")
        if lines > 2:
            await play.until(lambda: play.app.screen.query_one("#deck").size.height == 8, "its share")


async def test_a_request_that_comes_is_seen_at_the_top_and_the_cursor_stays() -> None:
    async with stage(lab(*EIGHTEEN), size=(160, 48)) as play:
        await play.press("down", "down")
        table = play.app.screen.query_one(ConnectionsTable)
        assert table.cursor == EIGHTEEN[6].connection_id
        new = Request("endpoint-99", "g99", PENDING, address="10.1.0.99")
        play.cloud.become(lab(new, *EIGHTEEN))
        await play.press("r")
        await play.shows("7 pending")
        assert table.cursor == EIGHTEEN[6].connection_id
        assert rows_on_screen(play)[0] == "endpoint-99"


async def test_rows_that_come_above_move_nothing_that_is_looked_at() -> None:
    world = crowd(300)
    async with stage(world, size=(100, 30)) as play:
        await play.press("end", *["up"] * 20)
        line = next(n for n, text in enumerate(play.see().lines) if "▸ ✔ Approved" in text)
        name = play.see().lines[line].split()[3]
        table = play.app.screen.query_one(ConnectionsTable)
        assert world.isv
        [service] = world.isv.services
        first = service.connections[1]
        changed = replace(
            service, connections=(replace(first, status=PENDING), *service.connections[:1], *service.connections[2:])
        )
        play.cloud.sides[Side.ISV] = replace(world.isv, services=(changed,))
        await play.press("r")
        await play.shows("101 pending")
        assert name in play.see().lines[line]
        assert "▸" in play.see().lines[line]

        # Also where somebody has scrolled away from the cursor.
        table.scroll_to(y=200, animate=False, force=True)
        await play.pilot.pause()
        top = rows_on_screen(play)[0]
        play.cloud.sides[Side.ISV] = world.isv
        await play.press("r")
        await play.shows("100 pending")
        assert rows_on_screen(play)[0] == top
