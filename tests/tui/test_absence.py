"""What the tables say of a side that is still being read, or that could not be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from plstui.domain.errors import UnreachableError
from plstui.domain.sides import Side
from plstui.domain.world import World
from tests.support.cloud import Cloud
from tests.support.lab import empty, lab
from tests.support.stage import stage

SIZES = pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 48)], ids=["80x24", "100x30", "160x48"])


def unreachable(cloud: Cloud) -> None:
    cloud.faults = {side: UnreachableError("No answer.") for side in Side}


def unanswered(cloud: Cloud) -> None:
    for told in cloud.read_told.values():
        told.clear()


@SIZES
@pytest.mark.parametrize("world", [empty, lab], ids=["empty", "lab"])
async def test_while_a_side_is_being_read_no_table_says_that_there_is_nothing(
    size: tuple[int, int], world: Callable[[], World]
) -> None:
    nothing = ("connection yet", "backend yet", "nothing", "Nothing", " no ", "No ")
    async with stage(world(), size=size, before=unanswered, filled=False) as play:
        await play.shows("Reading 🔵 ISV and 🟢 Customer…", gone=nothing)
        await play.press("2")
        await play.shows("Reading 🔵 ISV…", gone=nothing)
        await play.press("p")
        await play.shows("Probe", "Reading 🔵 ISV and 🟢 Customer…", gone=nothing)
        await play.press("1")

        play.cloud.read_told[Side.ISV].set()
        await play.shows(*(["Reading 🟢 Customer…"] if world is empty else ["saasPrivateEndpoint", "◷ reading…"]))
        play.cloud.read_told[Side.CUSTOMER].set()
        await play.shows("connection yet" if world is empty else "saasPrivateEndpoint", gone=("eading",))


async def test_what_one_side_shows_is_not_missing_at_the_other_before_that_is_read() -> None:
    def without_isv(cloud: Cloud) -> None:
        cloud.read_told[Side.ISV].clear()

    async with stage(lab(), size=(160, 48), before=without_isv, filled=False) as play:
        await play.shows("saasPrivateEndpoint", "◷ reading…", "saasPrivateLinkService", gone=("not there",))
        await play.press("i")
        await play.shows("Not known from", "🔵 ISV, which is being read")
        await play.press("escape")
        play.cloud.read_told[Side.ISV].set()
        await play.shows("✔ service", "🔵🟢", gone=("◷ reading…",))


@SIZES
async def test_where_no_side_can_be_read_it_is_not_known_whether_there_is_a_connection(size: tuple[int, int]) -> None:
    async with stage(empty(), size=size, before=unreachable) as play:
        await play.shows(
            "Whether there is a connection is not known: neither side could be read.", gone=("connection yet",)
        )
        del play.cloud.faults[Side.ISV]
        await play.press("r")
        seen = await play.shows("🔵 ISV shows no connection; 🟢 Customer could not be read.", gone=("not known",))
        assert "connection yet" not in seen.text
        play.cloud.faults.clear()
        await play.press("r")
        await play.shows("No private link connection yet", gone=("could not",))


async def test_where_the_one_side_cannot_be_read_it_is_not_known_either() -> None:
    async with stage(World(empty().isv, None), before=unreachable) as play:
        await play.shows("not known: the one side could not be read.", gone=("connection yet",))
