"""One registry feeds keys, footer, help and palette; a command that is not possible says why."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette
from textual.widgets import Input

from plstui.domain.connection import APPROVED
from plstui.tui.commands import bindings
from plstui.tui.dialogs.details import DetailsScreen
from plstui.tui.dialogs.help import HelpScreen
from plstui.tui.keys import every_key
from plstui.tui.panes.commands import COMMANDS, Context
from plstui.tui.panes.deck import Deck
from plstui.tui.widgets.bars import CommandBar
from tests.support.lab import empty, lab, with_status
from tests.support.stage import Stage, stage

EVERY_KEY = {
    "a": "approve",
    "x": "reject",
    "d": "remove",
    "p": "probe",
    "w": "doctor",
    "r": "refresh",
    "tab": "next",
} | {
    "?": "help",
    "q": "quit",
}


async def help_text(play: Stage) -> str:
    """All of the help, however much of it is in view."""
    await play.press("?")
    await play.until(lambda: isinstance(play.app.screen, HelpScreen))
    pages = [play.see().text]
    for _ in range(4):
        pages.append((await play.press("pagedown")).text)
    return "\n".join(pages)


def test_the_keys_are_those_that_were_agreed() -> None:
    keys = {entry.key: entry.id for entry in COMMANDS if entry.key}
    assert EVERY_KEY.items() <= keys.items()
    assert len(keys) == len([entry for entry in COMMANDS if entry.key]), "no key has two commands"


def test_keys_are_plain_so_that_a_browser_leaves_them_alone() -> None:
    for binding in bindings(COMMANDS):
        assert "+" not in binding.key
        assert not binding.key.startswith("f") or len(binding.key) == 1, "function keys belong to the browser"


def test_what_destroys_is_marked() -> None:
    assert [entry.id for entry in COMMANDS if entry.dangerous] == ["remove"]


def test_before_anything_is_connected_every_command_that_needs_it_says_so() -> None:
    nothing = Context()
    for entry in COMMANDS:
        reason = entry.why_not(nothing)
        assert reason is None or reason.endswith("."), f"{entry.id} gives a sentence"
    assert {"approve", "probe", "refresh"} <= {entry.id for entry in COMMANDS if entry.why_not(nothing)}
    assert {"help", "quit", "palette"}.isdisjoint({entry.id for entry in COMMANDS if entry.why_not(nothing)})


@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
async def test_help_lists_every_command_and_sign(size: tuple[int, int]) -> None:
    async with stage(lab(), size=size) as play:
        text = await help_text(play)
        for entry in COMMANDS:
            assert entry.help.format_map(every_key({}))[:40] in text, entry.id
        for sign in ("◷ Pending", "✔ Approved", "✖ Rejected", "⊘ Disconnected", "◌ approving…", "≠"):
            assert sign in text


async def test_help_says_why_a_command_is_not_possible_now() -> None:
    async with stage(with_status(APPROVED)) as play:
        assert "Not now: This connection is Approved already." in await help_text(play)


async def test_the_footer_keeps_the_needed_keys_in_a_narrow_terminal() -> None:
    async with stage(lab(), size=(80, 24)) as play:
        footer = play.see().lines[-1]
        for key in ("a Approve", "x Reject", "d Remove", "p Probe", "w Doctor", "l Lab", "? Help", "q Quit"):
            assert key in footer


async def test_a_click_on_the_footer_is_that_key() -> None:
    async with stage(lab(), size=(160, 48)) as play:
        column = play.see().lines[-1].index("i Details")
        await play.pilot.click(CommandBar, offset=(column, 0))
        await play.until(lambda: isinstance(play.app.screen, DetailsScreen))


async def test_the_palette_finds_and_runs_a_command() -> None:
    async with stage(lab()) as play:
        await play.press(":")
        await play.until(lambda: isinstance(play.app.screen, CommandPalette))
        await play.shows("Approve  (a)", "Let this endpoint through")
        await play.pilot.press(*"details")
        await play.shows("Show everything about", gone=("Let this endpoint through",))
        await play.press("enter")
        await play.until(lambda: isinstance(play.app.screen, DetailsScreen))
        await play.shows("Customer: Tradewinds, Order no.: 314159", "Link identifier", "az network private-endpoint")


async def test_the_palette_says_why_not() -> None:
    async with stage(empty()) as play:
        await play.press(":")
        await play.shows("Not now: No connection is selected.")


async def test_the_palette_has_the_registry_s_commands_and_no_others() -> None:
    async with stage(lab(), size=(160, 48)) as play:
        await play.press(":")
        await play.until(lambda: isinstance(play.app.screen, CommandPalette))
        play.app.screen.query_one(Input).value = "q"
        await play.shows("Quit")
        assert "Screenshot" not in play.see().text


async def test_numbers_bring_sections_to_the_front() -> None:
    async with stage(lab(), size=(80, 24)) as play:
        for key, sight in (
            ("2", "not probed"),
            ("3", "Press p"),
            ("4", "Watching"),
            ("5", "Press w"),
            ("1", "Customer: Tradewinds"),
        ):
            await play.press(key)
            await play.shows(sight)
        assert play.app.screen.query_one(Deck).active == "connections"


async def test_a_click_on_a_tab_brings_it_to_the_front() -> None:
    async with stage(lab(), size=(80, 24)) as play:
        line = next(number for number, text in enumerate(play.see().lines) if "2 Backends" in text)
        column = play.see().lines[line].index("2 Backends")
        await play.pilot.click(offset=(column + 2, line))
        await play.shows("not probed")


async def test_copying_gives_the_az_line() -> None:
    async with stage(lab()) as play:
        await play.press("y")
        await play.shows("Copied")
        assert play.app.clipboard.startswith("az network private-endpoint-connection show --id /subscriptions/")


async def test_enter_shows_the_details_of_any_row() -> None:
    async with stage(lab(), size=(160, 48)) as play:
        await play.press("shift+tab", "shift+tab", "home", "down", "down", "down", "enter")
        await play.shows("🔵 loadBalancer", "Microsoft.Network/loadBalancers", "az network lb show --ids")
        await play.press("y")
        assert play.app.clipboard.startswith("az network lb show --ids /subscriptions/")
        await play.press("c")
        assert play.app.clipboard.startswith("/subscriptions/")
        assert play.app.clipboard.endswith("/loadBalancer")
        await play.press("escape")
        await play.until(lambda: len(play.app.screen_stack) == 1)


async def test_another_theme_colours_everything_at_once() -> None:
    async with stage(lab()) as play:
        dark = play.see().style("✔ 3/3")
        play.app.theme = "plstui-light"
        await play.until(lambda: play.see().style("✔ 3/3").color != dark.color)
        light = play.see().style("✔ 3/3")
        assert light.bgcolor != dark.bgcolor


@pytest.mark.parametrize("size", [(40, 14), (100, 60)], ids=["40x14", "100x60"])
@pytest.mark.parametrize("key", ["question_mark", "i"])
async def test_labels_leave_a_gap_and_most_of_the_width_to_the_values(size: tuple[int, int], key: str) -> None:
    async with stage(lab(), size=size) as play:
        await play.press(key)
        await play.until(lambda: len(play.app.screen_stack) == 2 and play.app.screen.query(".facts"))
        await play.pilot.pause()
        for grid in play.app.screen.query(".facts"):
            cells = list(grid.children)
            for label, value in zip(cells[::2], cells[1::2], strict=True):
                assert value.region.x - label.region.right == 2
                assert label.region.width <= grid.size.width / 3
