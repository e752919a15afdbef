"""What another tenant writes is shown as text on one line, wherever it turns up."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from textual.command import CommandPalette

from plstui.domain.connection import APPROVED
from plstui.domain.errors import AzureError
from plstui.domain.sides import Side
from plstui.tui.panes.screen import MainScreen
from tests.support.lab import Request, lab
from tests.support.stage import Sight, Stage, stage

MARKUP = "[bold red]x[/]"
MESSAGE = f"{MARKUP} \x1b[31mred\x1b]0;title\x07 line\nbreak\r\ttab \u202eright-to-left\u2066\u200b " + "y" * 10_000
NAME = "[blink]pe\x1b[2J\n\u202e"
SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])

HOSTILE = Request(name=NAME, message=MESSAGE, description=MESSAGE)


def assert_harmless(seen: Sight, size: tuple[int, int]) -> None:
    columns, rows = size
    assert len(seen.lines) == rows
    for strip in seen.strips:
        assert strip.cell_length == columns, f"a line is not {columns} cells wide: {strip.text!r}"
        for char in strip.text:
            assert unicodedata.category(char) not in {"Cc", "Cf", "Zl", "Zp", "Co", "Cs"}, f"{char!r} in {strip.text!r}"
        for segment in strip:
            assert not segment.control
            assert not (segment.style and segment.style.blink), "markup was parsed"


async def settle(play: Stage, size: tuple[int, int]) -> Sight:
    await play.pilot.pause()
    seen = play.see()
    assert_harmless(seen, size)
    return seen


@SIZES
async def test_in_panes_table_dialogs_and_activity(size: tuple[int, int]) -> None:
    async with stage(lab(HOSTILE), size=size) as play:
        seen = await settle(play, size)
        assert MARKUP in seen.line("◷ Pending", "▸ ◷"), "markup is shown, not parsed"

        for key, title in (("a", "Approve this"), ("x", "Reject this"), ("d", "Remove this"), ("i", "Connection of")):
            await play.press(key)
            await play.shows(title)
            await settle(play, size)
            await play.press("escape")
            await play.until(lambda: len(play.app.screen_stack) == 1)

        await play.press("a", "enter")
        await play.shows("✔ Approved")
        await settle(play, size)
        await play.press("4")
        await settle(play, size)
        await play.press("?")
        await settle(play, size)


@SIZES
async def test_in_errors_and_notifications(size: tuple[int, int]) -> None:
    async with stage(lab(HOSTILE), size=size) as play:
        play.cloud.write_fault = AzureError(MESSAGE, status=400, code="[red]Bad[/]")
        await play.press("a")
        await play.shows("Approve this")
        await play.press("enter")
        await play.shows(MARKUP)
        await settle(play, size)

        play.cloud.faults[Side.ISV] = AzureError(MESSAGE, status=500)
        await play.press("r")
        await play.shows("stale")
        await settle(play, size)


@SIZES
async def test_in_probe_results(size: tuple[int, int]) -> None:
    async with stage(lab(Request(name=NAME, status=APPROVED)), size=size) as play:
        await play.press("p")
        await play.shows("all 5 targets answer")
        await settle(play, size)


async def test_in_every_name_azure_returns() -> None:
    size = (160, 48)
    world = lab(HOSTILE)
    assert world.isv
    named = replace(
        world.isv,
        machines=tuple(replace(m, name=MESSAGE, power_state=MESSAGE, zones=(MESSAGE,)) for m in world.isv.machines),
        balancers=tuple(replace(b, name=MESSAGE, provisioning_state=MESSAGE) for b in world.isv.balancers),
        networks=tuple(replace(n, name=MESSAGE, address_prefixes=(MESSAGE,)) for n in world.isv.networks),
        groups=tuple(replace(g, name=MESSAGE, location=MESSAGE) for g in world.isv.groups),
        services=tuple(replace(s, name=MESSAGE, alias=MESSAGE) for s in world.isv.services),
        subscription=MESSAGE,
    )
    async with stage(replace(world, isv=named), size=size) as play:
        await settle(play, size)
        await play.press("tab", "home")
        for _ in range(9):
            await play.press("enter")
            await play.until(lambda: len(play.app.screen_stack) == 2)
            await settle(play, size)
            await play.press("escape", "down")
        await play.press("2")
        await settle(play, size)


async def test_in_the_reasons_of_palette_and_help() -> None:
    size = (160, 48)
    async with stage(lab(HOSTILE), size=size) as play:
        main = play.app.screen
        assert isinstance(main, MainScreen)
        main.context = replace(main.context, no_targets=f"[/x] {MESSAGE[:40]}")
        await play.press(":")
        await play.until(lambda: isinstance(play.app.screen, CommandPalette))
        await play.shows("Not now: [/x] [bold red]x[/]")
        await settle(play, size)
        await play.pilot.press(*"probe")
        await play.shows("Not now: [/x] [bold red]x[/]", gone=("Let this endpoint through",))
        await settle(play, size)
        await play.press("escape")
        await play.until(lambda: play.app.screen is main)
        await play.press("?", "end")
        await play.shows("Not now: [/x] [bold red]x[/]")
        await settle(play, size)


async def test_a_hostile_description_reaches_azure_cleaned() -> None:
    async with stage(lab(HOSTILE)) as play:
        await play.press("a")
        await play.shows("Approve this")
        await play.press(*"[red]ok[/]")
        await play.press("enter")
        await play.shows("✔ Approved")
        assert play.cloud.connection(HOSTILE.connection_id).description == "[red]ok[/]"
