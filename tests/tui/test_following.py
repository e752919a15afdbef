"""Logs: the newest line stays in view, whatever stood before them meanwhile, until a person scrolls up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from textual.app import App, ComposeResult
from textual.message import Message

from plstui.domain.states import Tone
from plstui.tui.clock import NO_TIME
from plstui.tui.lab.log import LabLog
from plstui.tui.lab.runs import LabSaid
from plstui.tui.lab.words import LogLine
from plstui.tui.messages import Said
from plstui.tui.panes.activity import ActivityLog
from plstui.tui.state import Event, Line
from plstui.tui.widgets.following import FollowingLog
from tests.support.lab import lab
from tests.support.labscreen import lab_screen
from tests.support.served import Served, serve
from tests.support.stage import Play, stage

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])


class Teller:
    """Tells one thing after the other, and knows the last one."""

    def __init__(self, play: Play, say: Callable[[str], Message]) -> None:
        self._play = play
        self._screen = play.app.screen
        self._say = say
        self._number = count(1)
        self.last = ""

    async def tell(self, times: int = 1) -> None:
        """Let things happen one after the other, and everybody hear of them."""
        for _ in range(times):
            self.last = f"thing number {next(self._number):04}"
            self._screen.post_message(self._say(self.last))
        await self._play.pilot.pause()

    async def shows(self) -> None:
        await self._play.shows(self.last)


@SIZES
async def test_the_activity_follows_after_any_walk(size: tuple[int, int]) -> None:
    async with stage(lab(), size=size) as play:
        teller = Teller(play, Said)
        await play.press("4")
        await teller.tell(60)
        await teller.shows()
        for opening in ("i", "a", "x", "d", "question_mark", "colon"):
            await play.press(opening)
            await play.until(lambda: len(play.app.screen_stack) == 2)
            # Before and after the frames are laid out anew, under what is on top.
            await teller.tell(2)
            await play.pilot.resize_terminal(size[0] - 7, size[1] - 5)
            await teller.tell()
            await teller.tell()
            await play.press("escape")
            await play.until(lambda: len(play.app.screen_stack) == 1)
            await teller.shows()
            await play.pilot.resize_terminal(*size)
            await teller.tell()
            await teller.shows()
        for elsewhere in ("1", "z", "tab", "3", "z", "2"):
            await play.press(elsewhere)
            await teller.tell(3)
        await play.press("4")
        await teller.shows()
        await play.press("z")
        await teller.tell()
        await teller.shows()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("following"), "pending") as it:
        yield it


@SIZES
async def test_both_logs_follow_through_the_lab(served: Served, size: tuple[int, int]) -> None:
    async with lab_screen(served, size=size) as play:
        lab_teller = Teller(play, lambda text: LabSaid(Line(text)))
        await lab_teller.tell(60)
        await lab_teller.shows()
        await play.press("question_mark")
        await lab_teller.tell(3)
        await play.press("escape")
        await lab_teller.shows()
        await play.press("escape")
        teller = Teller(play, Said)
        await play.press("4")
        await teller.tell(60)
        await lab_teller.tell(3)
        await teller.shows()
        await play.press("l")
        await teller.tell(3)
        await lab_teller.shows()
        await play.pilot.resize_terminal(size[0] - 7, size[1] - 5)
        await teller.tell(3)
        await play.press("escape")
        await teller.shows()


class LogApp(App[None]):
    """A log alone."""

    def __init__(self, log: FollowingLog) -> None:
        super().__init__()
        self.log_widget = log

    def compose(self) -> ComposeResult:
        yield self.log_widget


def fill(log: FollowingLog, lines: int) -> None:
    """Let so many lines stand in a log."""
    texts = [f"line {number:03}" for number in range(1, lines + 1)]
    if isinstance(log, ActivityLog):
        log.events = tuple(Event(NO_TIME.replace(year=2026), text) for text in texts)
    elif isinstance(log, LabLog):
        log.lines = tuple(LogLine(NO_TIME.replace(year=2026), Line(text, Tone.GOOD)) for text in texts)


@pytest.mark.parametrize("kind", [ActivityLog, LabLog])
async def test_who_scrolls_up_is_left_there_until_the_end(kind: type[FollowingLog]) -> None:
    log = kind()
    async with LogApp(log).run_test(size=(60, 12)) as pilot:
        fill(log, 3)
        log.focus()
        await pilot.pause()
        assert log.scroll_y == 0, "a short log begins at the top"
        # Keys that lead nowhere, or to the end, are no reason to stay behind.
        await pilot.press("down", "pagedown", "end", "up", "home")
        fill(log, 40)
        await pilot.pause()
        assert log.scroll_y == log.max_scroll_y > 0
        await pilot.press("down", "pagedown", "end")
        fill(log, 45)
        await pilot.resize_terminal(60, 10)
        await pilot.pause()
        assert log.scroll_y == log.max_scroll_y
        await pilot.press("up", "up", "up")
        await pilot.wait_for_animation()
        at = log.scroll_y
        assert at < log.max_scroll_y
        fill(log, 60)
        await pilot.pause()
        assert log.scroll_y == at
        await pilot.press("end")
        await pilot.wait_for_animation()
        fill(log, 70)
        await pilot.pause()
        assert log.scroll_y == log.max_scroll_y
