"""Terminals of every size: no key on any screen ends the program, however little there is to draw on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual import events

from plstui.domain.question import Question
from plstui.tui.dialogs.question import QuestionScreen
from plstui.tui.lab.commands import LAB_COMMANDS
from plstui.tui.lab.screen import LabScreen
from plstui.tui.panes.commands import COMMANDS
from plstui.tui.panes.screen import MainScreen
from tests.support.lab import lab
from tests.support.labscreen import lab_screen
from tests.support.served import Served, serve
from tests.support.stage import Play, stage

SMALL = [(1, 1), (5, 4), (10, 10), (80, 1)]
ENDS = {"q", "ctrl+q"}
INSIDE = ("up", "down", "pageup", "pagedown", "home", "end", "tab", "b", "c", "space", "ctrl+c", "backspace")
"""Keys that are pressed in whatever a key has opened."""


def alive(play: Play) -> None:
    """Raise what has ended the program, if anything has."""
    if play.app.crash:
        raise play.app.crash
    assert play.app.return_code is None


async def back(play: Play, home: type) -> None:
    """Close what is open over a screen, without saying yes to anything."""

    def closed() -> bool:
        alive(play)
        if not isinstance(play.app.screen, home):
            play.app.screen.dismiss(None)
        return isinstance(play.app.screen, home)

    await play.until(closed)


async def hurry(play: Play, *keys: str) -> None:
    """Press keys without waiting for what each does, and then for all of it."""
    for key in keys:
        play.app.post_message(events.Key(key, key if len(key) == 1 else None))
    for _ in range(3):
        await play.pilot.pause()
    alive(play)


async def walk(play: Play, home: type, keys: list[str]) -> None:
    """Press each key on a screen, and then whatever may be pressed in what it has opened."""
    for key in keys:
        await play.pilot.press(key)
        alive(play)
        await hurry(play, *INSIDE)
        await back(play, home)


@pytest.mark.parametrize("size", SMALL, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_key_leaves_the_panes_alive(size: tuple[int, int]) -> None:
    async with stage(lab(), size=size, filled=False) as play:
        await play.until(lambda: isinstance(play.app.screen, MainScreen) and play.app.screen.context.link)
        keys = [command.key for command in COMMANDS if command.key and command.key not in {*ENDS, "l"}]
        await walk(play, MainScreen, [*keys, "ctrl+p", "enter", "escape"])
        play.app.run_worker(play.app.ask(Question("Passphrase", "The key has a passphrase.", "Unlock", secret=True)))
        await play.until(lambda: not isinstance(play.app.screen, MainScreen))
        await hurry(play, *INSIDE)
        await play.pilot.resize_terminal(80, 24)
        await play.pilot.resize_terminal(*size)
        alive(play)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("sizes"), "pending") as it:
        yield it


@pytest.mark.parametrize("size", [(1, 1)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_key_leaves_the_lab_alive(served: Served, size: tuple[int, int]) -> None:
    async with lab_screen(served, size=(80, 24)) as play:
        await play.pilot.resize_terminal(*size)
        keys = [command.key for command in LAB_COMMANDS if command.key and command.key not in {*ENDS, "escape"}]
        await walk(play, LabScreen, [*keys, "enter"])
        typed = QuestionScreen("Delete group?", [], "Delete", dangerous=True, typed="group")
        play.app.push_screen(typed)
        await play.until(lambda: play.app.screen is typed)
        await hurry(play, *INSIDE, "enter")
