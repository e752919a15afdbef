"""What a worker asks comes when it has come so far: never over another dialog, and never while somebody types."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Input

from plstui.domain.connection import APPROVED, PENDING
from plstui.domain.question import Question
from plstui.domain.tags import tags_of
from plstui.sandbox.gateway.messages import Request as Asked
from plstui.sandbox.gateway.messages import Response
from plstui.tui.dialogs.ask import AskScreen
from plstui.tui.dialogs.confirm import ConfirmScreen
from plstui.tui.dialogs.help import HelpScreen
from plstui.tui.dialogs.question import QuestionScreen
from plstui.tui.panes.connections import ConnectionsTable
from plstui.tui.panes.screen import MainScreen
from plstui.tui.panes.tagging import TagScreen
from tests.support.lab import Request, lab, with_status
from tests.support.stage import Play, stage
from tests.tui.test_doctor import panes
from tests.tui.test_hurried import hurry, screens, settled

CONNECTION = Request().connection_id
TRUST = Question("Is this testVM?", "plstui has not met it before.", "Trust it")


def typed(play: Play) -> str:
    """What stands in the line where somebody types."""
    return play.app.screen.query_one(Input).value


@pytest.mark.parametrize("key", ["a", "d"])
async def test_letters_meant_for_the_filter_answer_nothing(key: str) -> None:
    async with stage(with_status(APPROVED) if key == "d" else lab()) as play:
        play.cloud.showing.clear()
        await play.press(key, "/", *"saasp")
        play.cloud.showing.set()
        await settled(play)
        await play.press(*"riya")
        assert typed(play) == "saaspriya"
        assert screens(play) == ["MainScreen"]
        await play.press("enter")
        await play.until(lambda: isinstance(play.app.screen, ConfirmScreen), "the question")
        assert play.cloud.connection(CONNECTION).status == (APPROVED if key == "d" else PENDING)


async def test_the_enter_that_ends_the_filter_answers_no_question_that_waited_for_it() -> None:
    async with stage(lab()) as play:
        play.cloud.showing.clear()
        await play.press("a", "/", "s")
        play.cloud.showing.set()
        await settled(play)
        await play.press("enter")
        await play.until(lambda: isinstance(play.app.screen, ConfirmScreen), "the question")
        await play.press("enter", "enter")
        assert isinstance(play.app.screen, ConfirmScreen), "it may not have been seen yet"
        play.clock.turn(2)
        await play.press("enter")
        await play.shows("✔ Approved", gone=("Pending",))


async def test_no_question_opens_over_another_dialog() -> None:
    async with stage(with_status(APPROVED)) as play:
        play.cloud.showing.clear()
        await play.press("d", "question_mark")
        await play.until(lambda: isinstance(play.app.screen, HelpScreen))
        play.cloud.showing.set()
        await settled(play)
        assert screens(play) == ["MainScreen", "HelpScreen"]
        await play.press("escape")
        await play.until(lambda: screens(play) == ["MainScreen", "ConfirmScreen"])
        assert play.cloud.connection(CONNECTION).status == APPROVED


async def test_while_one_thing_is_asked_about_no_tags_are_changed() -> None:
    async with stage(with_status(APPROVED)) as play:
        play.cloud.showing.clear()
        await play.press("d", "t")
        await play.shows("You are about to be asked about", "saasPrivateEndpoint; answer that", "first.")
        assert screens(play) == ["MainScreen"]
        # What would be typed into the dialog that did not open.
        await play.press("o", "equals_sign")
        play.cloud.showing.set()
        await play.until(lambda: isinstance(play.app.screen, ConfirmScreen))
        await play.press("escape", "t")
        await play.until(lambda: isinstance(play.app.screen, TagScreen))
        assert play.cloud.connection(CONNECTION).status == APPROVED


async def test_while_tags_are_asked_about_nothing_else_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering = asyncio.Event()

    async with panes(tmp_path, monkeypatch, "pending", (100, 30)) as (made, play):
        service = made.provider.service

        async def slow(request: Asked) -> Response | None:
            if request.path.lower() == service.key:
                await answering.wait()
            return None

        made.meddle = slow
        await play.press("t")
        await play.until(lambda: isinstance(play.app.screen, TagScreen))
        await play.press("a", "equals_sign", "b", "enter")
        await play.until(lambda: isinstance(play.app.screen, MainScreen))
        for key in ("t", "a"):
            await play.press(key)
            await play.shows("You are about to be asked about", "saasPrivateLinkService; answer that", "first.")
            assert screens(play) == ["MainScreen"]
        answering.set()
        await play.until(lambda: isinstance(play.app.screen, QuestionScreen))
        answering.clear()
        await play.press("enter")

        # The row says so until Azure has answered, and no other change is begun meanwhile.
        await play.shows("◌ changing tags…", gone=("Change the tags",))
        await play.press("t")
        await play.shows("plstui is still changing the tags of this service.")
        # The others are not meant: the person may decide on the connection.
        answering.set()
        await play.shows("changed the tags of saasPrivateLinkService", gone=("◌ changing tags…",))
        assert tags_of(await made.get(service)) == {"a": "b"}
        await play.press("a")
        await play.until(lambda: isinstance(play.app.screen, ConfirmScreen))


async def test_what_a_probe_asks_waits_too_and_may_be_given_up_meanwhile() -> None:
    async with stage(lab()) as play:
        await play.press("a")
        await play.until(lambda: isinstance(play.app.screen, ConfirmScreen))
        given_up, asked = (asyncio.create_task(play.app.ask(TRUST)) for _ in range(2))
        await settled(play)
        assert screens(play) == ["MainScreen", "ConfirmScreen"]
        given_up.cancel()
        await settled(play)
        hurry(play, "escape")
        await play.until(lambda: screens(play) == ["MainScreen", "AskScreen"])
        await play.press("y")
        assert await asked == ""
        assert given_up.cancelled()
        await settled(play)
        assert screens(play) == ["MainScreen"]


async def test_questions_come_one_after_another() -> None:
    async with stage(lab()) as play:
        first, second = (asyncio.create_task(play.app.ask(TRUST)) for _ in range(2))
        await play.until(lambda: isinstance(play.app.screen, AskScreen))
        await settled(play)
        assert screens(play) == ["MainScreen", "AskScreen"]
        await play.press("y")
        assert await first == ""
        await play.until(lambda: screens(play) == ["MainScreen", "AskScreen"])
        await play.press("n", "escape")
        assert await second is None


@pytest.mark.parametrize("way", ["escape", "elsewhere"])
async def test_who_has_just_begun_to_filter_types_already(way: str) -> None:
    async with stage(lab()) as play:
        main = play.app.screen
        assert isinstance(main, MainScreen)
        main.start_filter()
        # Before the line has the focus.
        asked = asyncio.create_task(play.app.ask(TRUST))
        await settled(play)
        await play.press(*"yes")
        assert (typed(play), asked.done()) == ("yes", False)
        if way == "escape":
            await play.press("escape")
        else:
            main.query_one(ConnectionsTable).focus()
        await play.until(lambda: isinstance(play.app.screen, AskScreen))
        await play.press("y")
        assert await asked == ""
