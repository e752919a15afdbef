"""Keys and clicks that come faster than a dialog can close: only what they were meant for goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from textual import events
from textual.widgets import Button

from plstui.domain.question import Question
from plstui.tui.dialogs.ask import AskScreen
from plstui.tui.dialogs.question import QuestionScreen
from plstui.tui.lab.screen import LabScreen
from plstui.tui.messages import CommandChosen, DetailsRequested
from plstui.tui.panes.screen import MainScreen
from tests.support.lab import lab
from tests.support.labscreen import lab_screen
from tests.support.served import Served, serve
from tests.support.stage import Play, stage

TRUST = Question("Is this testVM?", "plstui has not met it before.", "Trust it")
UNLOCK = Question("Passphrase", "The key ~/.ssh/id_ed25519 has a passphrase.", "Unlock", secret=True)


def hurry(play: Play, *keys: str) -> None:
    """Press keys before the first of them has done anything, as a terminal that hands over several at once."""
    for key in keys:
        play.app.post_message(events.Key(key, "\r" if key == "enter" else None))


async def settled(play: Play) -> None:
    """Let everything come to its end that is on its way."""
    for _ in range(5):
        await play.pilot.pause()
    assert play.app.crash is None
    assert play.app.return_code is None


def screens(play: Play) -> list[str]:
    return [type(screen).__name__ for screen in play.app.screen_stack]


@pytest.mark.parametrize("keys", [("enter", "enter"), ("escape", "escape")])
@pytest.mark.parametrize("opening", ["a", "x", "d", "i", "question_mark", "colon"])
async def test_two_keys_close_one_dialog(opening: str, keys: tuple[str, str]) -> None:
    async with stage(lab()) as play:
        await play.press(opening)
        await play.until(lambda: len(play.app.screen_stack) == 2)
        hurry(play, *keys)
        await settled(play)
        assert isinstance(play.app.screen_stack[0], MainScreen)


@pytest.mark.parametrize("button", ["#yes", "#no"])
async def test_a_button_that_is_pressed_twice_closes_one_dialog(button: str) -> None:
    async with stage(lab()) as play:
        await play.press("d")
        await play.shows("Remove this connection?")
        pressed = play.app.screen.query_one(button, Button)
        pressed.press()
        pressed.press()
        await settled(play)
        assert screens(play) == ["MainScreen"]


@pytest.mark.parametrize("question", [TRUST, UNLOCK], ids=["trust", "unlock"])
async def test_two_enters_answer_one_question(question: Question) -> None:
    async with stage(lab()) as play:
        asked = asyncio.create_task(play.app.ask(question))
        await play.shows(question.title)
        hurry(play, "enter", "enter")
        assert await asked is None
        await settled(play)
        assert screens(play) == ["MainScreen"]


async def test_a_question_under_something_else_goes_away_with_what_asked_it() -> None:
    async with stage(lab()) as play:
        asked = asyncio.create_task(play.app.ask(TRUST))
        await play.shows("Is this testVM?")
        play.app.action_command_palette()
        await play.until(lambda: not isinstance(play.app.screen, AskScreen))
        asked.cancel()
        await settled(play)
        assert screens(play) == ["MainScreen", "AskScreen", "CommandPalette"]
        await play.press("escape")
        await play.until(lambda: screens(play) == ["MainScreen"])
        await settled(play)


@pytest.mark.parametrize("command", ["details", "help", "palette"])
async def test_two_clicks_on_a_key_open_one_screen(command: str) -> None:
    async with stage(lab()) as play:
        for _ in range(2):
            play.app.screen.post_message(CommandChosen(command))
        await settled(play)
        assert len(play.app.screen_stack) == 2


async def test_two_clicks_on_a_row_open_its_details_once() -> None:
    async with stage(lab()) as play:
        [link] = lab().links()
        for _ in range(2):
            play.app.screen.post_message(DetailsRequested(link.id))
        await settled(play)
        assert screens(play) == ["MainScreen", "DetailsScreen"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("hurried"), "pending") as it:
        yield it


async def test_the_lab_is_left_once(served: Served) -> None:
    async with lab_screen(served) as play:
        for _ in range(2):
            play.app.screen.post_message(CommandChosen("lab-back"))
        await settled(play)
        assert screens(play) == ["MainScreen"]
        for _ in range(2):
            play.app.screen.post_message(CommandChosen("lab"))
        await settled(play)
        assert screens(play) == ["MainScreen", "LabScreen"]


async def test_two_enters_answer_one_question_of_the_lab(served: Served) -> None:
    async with lab_screen(served) as play:
        question = QuestionScreen("Take the lab down?", [], "Delete", no="Keep", dangerous=True)
        play.app.push_screen(question)
        await play.shows("Take the lab down?")
        hurry(play, "enter", "enter")
        await settled(play)
        assert isinstance(play.app.screen, LabScreen)
