"""How long ago things were: by what was seen, whatever somebody does to the clock."""

from __future__ import annotations

import pytest

from plstui.domain.connection import APPROVED
from plstui.domain.errors import UnreachableError
from plstui.domain.sides import Side
from tests.support.lab import lab, with_status
from tests.support.stage import stage


async def test_a_status_is_said_with_when_it_changed_as_far_as_that_was_seen() -> None:
    async with stage(lab()) as play:
        assert " earlier " in play.see().line("Customer: Tradewinds"), "since when it waits nobody knows"
        play.clock.turn(300)
        await play.until(lambda: " >5 min ago " in play.see().line("Customer: Tradewinds"))

        play.cloud.become(with_status(APPROVED))
        await play.press("r")
        seen = await play.shows("Approved", gone=("Pending",))
        assert " now " in seen.line("Customer: Tradewinds")
        play.clock.turn(300)
        await play.until(lambda: "  5 min ago " in play.see().line("Customer: Tradewinds"))


async def test_what_changed_while_a_side_could_not_be_read_was_not_seen_to_change() -> None:
    async with stage(lab()) as play:
        play.cloud.faults[Side.ISV] = UnreachableError("No answer.")
        await play.press("r")
        await play.shows("✖ stale")
        play.cloud.become(with_status(APPROVED))
        play.cloud.faults.clear()
        await play.press("r")
        seen = await play.shows("Approved", gone=("Pending", "stale"))
        assert " earlier " in seen.line("Customer: Tradewinds")


@pytest.mark.parametrize("hours", [-5, 5])
async def test_the_clock_of_the_wall_may_be_turned(hours: int) -> None:
    async with stage(lab()) as play:
        play.cloud.become(with_status(APPROVED))
        await play.press("r")
        await play.shows("Approved", gone=("Pending",))
        play.clock.set_wall(hours * 3600)
        seen = await play.turn(61)
        assert "  1 min ago " in seen.line("Customer: Tradewinds"), seen.text
        assert seen.text.count("● live ─") == 2, "nothing is older for it"

        play.cloud.faults[Side.ISV] = UnreachableError("No answer.")
        await play.turn(6)
        play.clock.set_wall(0)
        await play.turn(120)
        await play.shows("✖ stale · read 2 min ago")
