"""A key that is held down does what it was pressed for, once, and nothing in what that opens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.widgets import Input

from plstui.domain.connection import APPROVED, REJECTED
from plstui.domain.question import Question
from plstui.tui.dialogs.confirm import ConfirmScreen
from plstui.tui.dialogs.question import QuestionScreen
from plstui.tui.held_keys import PAUSE, HeldKeys
from plstui.tui.panes.filter_line import FilterLine
from plstui.tui.panes.screen import MainScreen
from tests.support.clock import TurnedClock
from tests.support.lab import Request, lab, with_status
from tests.support.labscreen import lab_screen
from tests.support.served import Served, serve
from tests.support.stage import Stage, stage

CONNECTION = Request().connection_id
PANES, DIALOG, OTHER = "panes", "dialog", "another dialog"


def test_a_repeat_does_nothing_in_what_was_opened_meanwhile() -> None:
    clock = TurnedClock()
    held = HeldKeys(clock.monotonic)
    assert not held.strays("a", PANES, {PANES})
    clock.turn(PAUSE * 0.66)
    assert not held.strays("a", PANES, {PANES})
    for _ in range(60):
        clock.turn(0.03)
        assert held.strays("a", DIALOG, {PANES, DIALOG})
    clock.turn(0.03)
    assert not held.strays("a", PANES, {PANES}), "what was there when it was pressed takes its repeats"
    assert held.strays("a", OTHER, {PANES, OTHER})


def test_another_key_or_a_pause_ends_it() -> None:
    clock = TurnedClock()
    held = HeldKeys(clock.monotonic)
    held.strays("a", PANES, {PANES})
    assert held.strays("a", DIALOG, {PANES, DIALOG})
    assert not held.strays("b", DIALOG, {PANES, DIALOG})
    assert not held.strays("a", DIALOG, {PANES, DIALOG})
    # Closed at once, and opened again.
    held.strays("a", PANES, {PANES})
    held.strays("escape", DIALOG, {PANES, DIALOG})
    held.strays("a", PANES, {PANES})
    assert held.strays("a", DIALOG, {PANES, DIALOG})

    held.strays("x", PANES, {PANES})
    clock.turn(PAUSE)
    assert not held.strays("x", DIALOG, {PANES, DIALOG})


def test_q_twice_is_meant() -> None:
    held = HeldKeys(TurnedClock().monotonic)
    held.strays("q", PANES, {PANES})
    assert not held.strays("q", DIALOG, {PANES, DIALOG}, leaves=True)


def test_what_a_held_q_has_closed_is_all_it_closes() -> None:
    held = HeldKeys(TurnedClock().monotonic)
    held.strays("q", DIALOG, {PANES, DIALOG}, leaves=True)
    assert held.strays("q", PANES, {PANES}, leaves=True)


async def hold(play: Stage, key: str, seconds: float = 2.0) -> None:
    """Hold a key down as a desktop does: once, after half a second again, and then thirty times a second."""
    await play.pilot.press(key)
    await play.until(lambda: len(play.app.screen_stack) == 2)
    play.clock.turn(0.5)
    for _ in range(int((seconds - 0.5) * 30)):
        await play.pilot.press(key)
        play.clock.turn(1 / 30)


@pytest.mark.parametrize(
    ("key", "status", "description"),
    [("a", APPROVED, "Approved with plstui"), ("x", REJECTED, "Rejected with plstui")],
)
async def test_the_suggested_description_survives_a_held_key(key: str, status: object, description: str) -> None:
    async with stage(lab()) as play:
        await hold(play, key)
        assert play.app.screen.query_one(Input).value == description
        await play.press("enter")
        await play.until(lambda: play.cloud.connection(CONNECTION).status == status)
        assert play.cloud.connection(CONNECTION).description == description


async def test_after_a_held_key_its_letter_can_be_typed() -> None:
    async with stage(lab()) as play:
        await hold(play, "a")
        await play.press(*"Banana")
        assert play.app.screen.query_one(Input).value == "Banana"


async def test_a_held_d_removes_nothing() -> None:
    async with stage(with_status(APPROVED)) as play:
        await hold(play, "d")
        assert isinstance(play.app.screen, ConfirmScreen)
        assert play.cloud.connection(CONNECTION).status == APPROVED


async def test_a_held_y_says_yes_to_nothing_that_comes_up_meanwhile() -> None:
    async with stage(lab()) as play:
        await play.press("y")
        question = QuestionScreen("Delete all?", [], "Delete", dangerous=True)
        play.app.push_screen(question)
        await play.until(lambda: play.app.screen is question)
        for _ in range(60):
            play.clock.turn(1 / 30)
            await play.pilot.press("y")
        assert play.app.screen is question


async def test_a_held_y_trusts_nobody() -> None:
    async with stage(lab()) as play:
        await play.press("y")
        play.app.run_worker(play.app.ask(Question("Is this testVM?", "It is new.", "Trust it")))
        await play.shows("Is this testVM?")
        for _ in range(60):
            await play.pilot.press("y")
            play.clock.turn(1 / 30)
        await play.shows("Is this testVM?")


@pytest.mark.parametrize("key", ["i", "question_mark", "colon"])
async def test_a_page_that_a_held_key_has_opened_stays_open(key: str) -> None:
    async with stage(lab()) as play:
        await hold(play, key)
        assert len(play.app.screen_stack) == 2
        assert all(field.value == "" for field in play.app.screen.query(Input))


async def test_a_held_slash_filters_by_nothing() -> None:
    async with stage(lab()) as play:
        await play.press("/")
        await play.until(lambda: isinstance(play.app.focused, FilterLine))
        for _ in range(60):
            await play.pilot.press("/")
            play.clock.turn(1 / 30)
        main = play.app.screen
        assert isinstance(main, MainScreen)
        assert main.sought == ""
        await play.press(*"sea")
        assert main.sought == "sea"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("held"), "pending") as it:
        yield it


async def test_in_the_lab_too(served: Served) -> None:
    async with lab_screen(served, clock=TurnedClock()) as play:
        await play.press("a")
        await play.until(lambda: isinstance(play.app.screen, ConfirmScreen))
        await play.press(*"aaaaaaaa")
        assert play.app.screen.query_one(Input).value == "Approved with plstui"
