"""Keys that settings name: they work, the usual ones do not, and whatever names a key names these."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.widgets import Input

from plstui.domain.connection import APPROVED
from plstui.domain.errors import ConfigError
from plstui.engine.runtime import Runtime
from plstui.tui.app import PlstuiApp
from plstui.tui.dialogs.confirm import ConfirmScreen
from plstui.tui.dialogs.details import DetailsScreen
from plstui.tui.dialogs.help import HelpScreen
from plstui.tui.keys import EVERY, SCREENS, check, every_key
from plstui.tui.lab.screen import LabScreen
from plstui.tui.opening import OpeningScreen
from plstui.tui.panes.screen import MainScreen
from tests.support.clock import TurnedClock
from tests.support.lab import lab, with_status
from tests.support.labscreen import lab_screen
from tests.support.served import Served, serve
from tests.support.stage import look, stage

ROOT = Path(__file__).parents[2]
USUAL_BY_ID = {command.id: command.key for command in EVERY.values() if command.key}
USUAL = {command_id: key.replace("⇥", "Tab") for command_id, key in every_key({}).items()}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("keys"), "pending") as it:
        yield it


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"approve-it": "A"}, ["approve-it", "Did you mean approve?", "next-pending"]),
        ({"approve": "x"}, ["the panes", '"x"', "approve and reject", "another key in [keys]"]),
        ({"quit": "n"}, ["the lab", '"n"', "lab-next and quit", "another key in [keys]"]),
        ({"lab-next": "+", "lab-until": "+"}, ["the lab", '"+"', "lab-next and lab-until"]),
        *(
            ({"approve": key}, [f'approve the key "{key}"', "a key is one character", "Choose another key."])
            for key in ("", "AB", "f5", "ctrl+w", "ctrl+c", "enter", "escape", "tab", "up", "nonsense")
        ),
        ({"approve": " "}, ["it cannot be seen"]),
        ({"approve": "\u0301"}, ["it cannot be seen"]),
        ({"approve": ","}, ["it parts keys"]),
        ({"approve": "j"}, ["it moves the cursor"]),
        ({"remove": "y", "copy": "Y"}, ["remove", "it says yes to what this asks"]),
        *(
            ({command_id: "y", "copy": "Y"}, [command_id, "it says yes to what this asks"])
            for command_id in ("lab-next", "lab-until", "lab-undo", "lab-down", "lab-page", "quit", "tags", "probe")
        ),
        ({"quit": "c"}, ["quit", "it copies the id"]),
    ],
    ids=str,
)
def test_what_cannot_be_a_key_is_refused_with_the_next_step(chosen: dict[str, str], words: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        check(chosen)
    assert str(error.value).count("\n") == 0
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"approve": "x", "reject": "a"},
        {"theme": "T", "lab-step": "o"},
        {"approve": "A", "lab-approve": "A"},
        USUAL_BY_ID,
    ],
    ids=["none", "swapped", "for what has none", "one for each screen", "the usual ones"],
)
def test_any_other_key_is_taken(chosen: dict[str, str]) -> None:
    check(chosen)


def test_the_readme_s_keys_are_the_usual_ones_of_the_panes() -> None:
    section = (ROOT / "README.md").read_text().partition("## Keys\n")[2].partition("\n## ")[0]
    told: dict[str, str] = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for keys, does in zip(cells[::2], cells[1::2], strict=False):
            ids = [word for word in re.findall(r"`([^`]+)`", does) if word in EVERY]
            told.update(zip(ids, re.findall(r"`([^`]+)`", keys), strict=True))
    assert told == {command.id: USUAL[command.id] for command in SCREENS["panes"] if command.key}


def test_the_settings_page_names_every_command_with_its_key() -> None:
    section = (ROOT / "docs/settings.md").read_text().partition("## Keys\n")[2].partition("\n## ")[0]
    told = dict(re.findall(r"`([a-z-]+)` (?:`([^`]+)`|\(none\))", section[section.index("* Both") :]))
    assert told == USUAL


async def test_a_remapped_key_works_and_the_usual_one_does_not() -> None:
    async with stage(lab(), size=(160, 48), keys={"approve": "A", "quit": "Q", "help": "H", "filter": "."}) as play:
        footer = play.see().lines[-1]
        assert all(words in footer for words in ("A Approve", "H Help", "Q Quit"))
        assert not any(words in footer for words in ("a Approve", "? Help", "q Quit"))
        for usual in ("a", "q", "?", "/"):
            await play.press(usual)
            assert isinstance(play.app.screen, MainScreen)
            assert not isinstance(play.app.focused, Input)
        assert play.app.return_code is None
        await play.press("ctrl+c")
        await play.shows("Press Q to quit.")
        await play.press(".")
        await play.shows(". words of status")
        await play.press("escape", "A")
        await play.until(lambda: isinstance(play.app.screen, ConfirmScreen))
        await play.press("escape")
        await play.until(lambda: isinstance(play.app.screen, MainScreen))
        await play.pilot.press("Q")
        await play.until(lambda: play.app.return_code == 0)


async def test_the_first_screen_has_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stay(_: PlstuiApp) -> MainScreen:
        await asyncio.Event().wait()
        raise AssertionError("nothing ends this wait")

    # It is gone otherwise before anybody could look at it.
    monkeypatch.setattr(PlstuiApp, "open_main", stay)

    async def connect() -> Runtime:
        raise AssertionError("nobody connects in this test")

    app = PlstuiApp(connect, keys={"quit": "Q"})
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, OpeningScreen)
        assert "Q Quit" in look(app).text
        await pilot.press("q")
        assert app.return_code is None
        await pilot.press("Q")
    assert app.return_code == 0


async def test_help_and_palette_name_the_keys_there_are() -> None:
    keys = {"approve": "A", "quit": "Q", "help": "H", "palette": "!", "lab": "L"}
    async with stage(lab(), size=(160, 48), keys=keys) as play:
        await play.press("H")
        await play.until(lambda: isinstance(play.app.screen, HelpScreen))
        seen = await play.press("end")
        text = seen.text + (await play.press("home")).text
        assert "leave by Q again" in text
        assert "A approves, L opens the lab" in text
        assert "! Theme" in text
        await play.press("?")
        assert isinstance(play.app.screen, HelpScreen)
        await play.press("H")
        await play.until(lambda: isinstance(play.app.screen, MainScreen))
        await play.press("!")
        await play.until(lambda: isinstance(play.app.screen, CommandPalette))
        await play.shows("Approve  (A)")


async def test_what_the_sections_and_the_details_say_names_them_too() -> None:
    keys = {"probe": "P", "doctor": "D", "backends": "b", "copy": "Y", "details": "I", "approve": "A"}
    async with stage(lab(), size=(160, 48), keys=keys) as play:
        await play.shows("Press P to fetch", "Press D to find out", "b Backends")
        await play.press("D")
        await play.shows("A approves it", gone=("looking at everything",))
        await play.press("1", "I")
        await play.until(lambda: isinstance(play.app.screen, DetailsScreen))
        await play.shows("Y copy az · c copy id")
        await play.press("Y")
        assert play.app.clipboard.startswith("az network private-endpoint-connection show")
        await play.press("y", "i")
        assert isinstance(play.app.screen, DetailsScreen)
        await play.press("I")
        await play.until(lambda: isinstance(play.app.screen, MainScreen))


async def test_a_command_without_a_usual_key_can_have_one() -> None:
    async with stage(lab(), keys={"theme": "T"}) as play:
        await play.press("T")
        await play.until(lambda: isinstance(play.app.screen, CommandPalette))


async def test_the_key_that_leaves_says_yes_to_leaving_and_held_in_a_page_only_closes_it() -> None:
    async with stage(with_status(APPROVED), keys={"quit": "Q"}) as play:
        play.prober.hold("web1")
        await play.press("p")
        await play.shows("probing, 4 of 5")
        await play.press("?")
        await play.until(lambda: isinstance(play.app.screen, HelpScreen))
        await play.press("Q")
        await play.until(lambda: isinstance(play.app.screen, MainScreen))
        play.clock.turn(0.5)
        await play.press(*"QQQQQQQQ")
        assert isinstance(play.app.screen, MainScreen), "a held key must not leave"
        play.clock.turn(2)
        await play.press("Q")
        await play.shows("Leave while this runs?")
        await play.pilot.press("q")
        assert play.app.return_code is None
        await play.pilot.press("Q")
        await play.until(lambda: play.app.return_code == 0)


async def test_where_esc_leads_back_no_more_nobody_is_told_to_press_it(served: Served) -> None:
    async with lab_screen(served, keys={"lab-back": "b"}, clock=TurnedClock()) as play:
        await play.press("ctrl+c")
        await play.shows("Press q to quit.")
        assert "Press Esc" not in play.see().text
        await play.press("?")
        await play.until(lambda: isinstance(play.app.screen, HelpScreen))
        await play.press("ctrl+c")
        await play.shows("Press Esc to close this.")


async def test_the_lab_has_them_too(served: Served) -> None:
    keys = {"lab": "L", "lab-until": "U", "lab-approve": "A", "lab-next": "+", "lab-undo": "z", "copy": "Y"}
    async with lab_screen(served, keys=keys, clock=TurnedClock()) as play:
        seen = await play.shows("A approves saasPrivateEndpoint", "which Y copies")
        footer = seen.lines[-1]
        assert all(words in footer for words in ("+ Next", "U Until here", "A Approve", "z Undo", "Y Copy az"))
        assert not any(f" {words}" in footer for words in ("n Next", "u Until", "a Approve", "d Undo"))
        for usual in ("n", "u", "a", "d", "y"):
            await play.press(usual)
            assert isinstance(play.app.screen, LabScreen)
        assert play.app.clipboard == ""
        await play.press("?")
        await play.until(lambda: isinstance(play.app.screen, HelpScreen))
        assert "+ or U goes on from there" in play.see().text
        await play.press("escape", "A")
        await play.until(lambda: isinstance(play.app.screen, ConfirmScreen))
        await play.press("escape")
        await play.until(lambda: isinstance(play.app.screen, LabScreen))
        await play.press("Y")
        assert "az network" in play.app.clipboard
