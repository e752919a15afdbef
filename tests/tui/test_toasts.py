"""Toasts: over no dialog, never lost to one, and one line where there is little to say."""

from __future__ import annotations

import asyncio

import pytest
from textual.widgets._toast import Toast

from plstui.domain.errors import AzureError
from plstui.domain.question import Question
from plstui.tui.app import PlstuiApp
from plstui.tui.dialogs.question import QuestionScreen
from plstui.tui.messages import Troubled
from tests.support.lab import lab
from tests.support.stage import Play, stage

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
LONG = "Azure says no, and goes on about it. " * 8


@pytest.fixture(autouse=True)
def _toasts_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toasts go by real time, which a busy machine may let pass before a test has looked."""
    monkeypatch.setattr(PlstuiApp, "NOTIFICATION_TIMEOUT", 600)


def shown(play: Play) -> list[Toast]:
    """The toasts of the screen on top that can be seen."""
    return [toast for toast in play.app.screen.query(Toast) if toast.display and toast.region]


def trouble(play: Play, text: str = LONG) -> None:
    """Let something go wrong in the panes."""
    play.app.screen_stack[0].post_message(Troubled(AzureError(text), "Probe"))


@SIZES
@pytest.mark.parametrize("key", ["a", "x", "d", "i", "question_mark", "colon"])
async def test_no_toast_lies_over_a_dialog_and_none_is_lost(size: tuple[int, int], key: str) -> None:
    async with stage(lab(), size=size) as play:
        # Before it opens, and after.
        trouble(play, "First trouble.")
        await play.until(lambda: shown(play))
        await play.press(key)
        await play.until(lambda: len(play.app.screen_stack) == 2)
        bare = play.see().text
        trouble(play)
        await play.pilot.pause()
        assert not shown(play)
        assert play.see().text == bare
        await play.press("escape")
        await play.until(lambda: any("goes on about it" in str(toast.render()) for toast in shown(play)))


@SIZES
async def test_no_toast_lies_over_a_question_that_comes_by_itself(size: tuple[int, int]) -> None:
    async with stage(lab(), size=size) as play:
        for number in range(5):
            trouble(play, f"Trouble number {number}. {LONG}")
        await play.until(lambda: shown(play))
        asked = asyncio.create_task(play.app.ask(Question("Is this testVM?", "It is new. " * 20, "Trust it")))
        await play.shows("Is this testVM?", "Trust it (y)")
        trouble(play)
        await play.pilot.pause()
        assert not shown(play)
        await play.press("escape")
        assert await asked is None


async def test_a_dialog_says_in_its_own_frame_what_it_has_to_say() -> None:
    async with stage(lab(), size=(80, 24)) as play:
        play.app.push_screen(QuestionScreen("Delete group?", [], "Delete", dangerous=True, typed="group"))
        await play.shows("Delete group?")
        await play.press(*"grou", "enter")
        seen = await play.shows("Type group to go on, or press Esc.")
        assert "╰" in seen.line("Type group to go on")


@SIZES
async def test_the_toast_after_copying_is_one_line(size: tuple[int, int]) -> None:
    async with stage(lab(), size=size) as play:
        for _ in range(3):
            await play.press("y")
        await play.until(lambda: shown(play))
        [toast] = shown(play)
        assert toast.region.height == 1
        assert "Copied the az command, if your terminal allows that." in play.see().text


async def test_the_same_toast_does_not_pile_up() -> None:
    async with stage(lab(), size=(80, 24)) as play:
        for _ in range(4):
            trouble(play)
        await play.until(lambda: shown(play))
        await play.pilot.pause()
        assert len(shown(play)) == 1
