"""The lab by one key a step: from nothing, from whatever a world has left, and after a connection has ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from plstui.sandbox.scenarios import WORLDS
from plstui.tui.dialogs.confirm import ConfirmScreen
from plstui.tui.dialogs.question import QuestionScreen
from plstui.tui.lab.screen import LabScreen
from tests.support.labscreen import NARROW, lab_screen, panes
from tests.support.served import serve
from tests.support.stage import Play

GROUPS = ("privatelink-pls-microhack-rg", "privatelink-dns-microhack-rg")
ENDPOINT = "saasPrivateEndpoint"

QUICK = ("empty", "approved")
"""Worlds in which everybody waits for this test; all others have it in the slow stage."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home of a person who has just installed plstui."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.delenv(f"XDG_{name}_HOME", raising=False)


def under_cursor(play: Play) -> str:
    """The row of the step under the cursor; empty while there is none."""
    return next((line for line in play.see().lines if "▸" in line and ("🔵" in line or "🟢" in line)), "")


async def question(play: Play, *texts: str) -> None:
    """A question about the lab is on the screen, with these texts somewhere in it."""
    await play.until(lambda: isinstance(play.app.screen, QuestionScreen), f"a question with {texts}")
    await play.shows(*texts)


async def steps_to_the_page(play: Play, done: int = 0) -> None:
    """Press `n` for each step that is left, and Enter where that is asked about, until the page has come."""
    while done < 16:
        await play.until(lambda: isinstance(play.app.screen, LabScreen), "the lab screen")
        await play.press("n")
        await _taken(play, done)
        done = _done(play)
    await play.until(lambda: isinstance(play.app.screen, LabScreen), "the lab screen")
    await play.press("enter")
    seen = await play.shows("What came of it", gone=("✖",))
    for target in ("web1", "web2", "web3", ENDPOINT, "saas-pls.tradewinds.internal"):
        assert "✔ Host: web" in seen.line(f"  {target}  ", "✔ Host:")


async def _taken(play: Play, done: int) -> None:
    """Agree to what is asked, if anything is, and wait until more than so many steps are done."""

    def asked() -> bool:
        return isinstance(play.app.screen, (QuestionScreen, ConfirmScreen))

    def over() -> bool:
        return _done(play) > done and "◌" not in play.see().text

    await play.until(lambda: asked() or over(), f"what comes after {done} steps")
    if asked():
        assert "Not yet" not in play.see().text, play.see().text
        await play.press("enter")
        await play.until(over, f"more than {done} steps done")


def _done(play: Play) -> int:
    """How many steps the screen says are done; -1 while it says nothing."""
    before, found, _ = play.see().text.partition(" of 16 steps done")
    return int(before.split()[-1]) if found else -1


async def take_down(play: Play, *groups: str) -> None:
    """Delete all that the lab has, and type the names of groups that plstui did not create."""
    await play.press("t")
    await question(play, "Take the lab down?")
    await play.press("y")
    for group in groups:
        await question(play, f"Delete {group}?")
        await play.pilot.press(*group)
        await play.press("enter")
    await play.shows("0 of 16 steps done", gone=("◌",))


@pytest.mark.parametrize(
    "world", [pytest.param(world, marks=() if world in QUICK else pytest.mark.slow) for world in WORLDS]
)
async def test_every_world_comes_down_and_every_step_is_taken_from_nothing(tmp_path: Path, world: str) -> None:
    with serve(tmp_path, world) as served:
        # The low screen: it is painted often while somebody waits, and there is less of it.
        async with lab_screen(served, size=NARROW) as play:
            if world not in ("empty", "fleet"):
                await take_down(play, *(GROUPS[:1] if world == "deployed" else GROUPS))
            await play.until(lambda: "Resource group" in under_cursor(play), "the cursor on the first step")
            await steps_to_the_page(play)


async def undo(play: Play, title: str, name: str) -> None:
    """Take the step under the cursor back, with the name typed of what goes."""
    assert title in under_cursor(play)
    await play.press("d")
    await question(play, f"{title}?", "Careful", f"Type {name}", "az ")
    await play.pilot.press(*name)
    await play.press("enter")
    await play.until(lambda: isinstance(play.app.screen, LabScreen), "the lab screen")


async def test_a_removed_connection_is_asked_for_again_from_the_finding(tmp_path: Path) -> None:
    with serve(tmp_path, "disconnected") as served:
        async with panes(served, size=(100, 30)) as play:
            await play.press("w")
            await play.shows("The ISV has removed the connection of saasPrivateEndpoint", "l opens step 12")
            await play.press("l")
            await play.shows("⊘ blocked", "undo step 15, then step 12, which deletes")
            assert "Private endpoint" in under_cursor(play)
            await play.press("n")
            await play.shows("Press d on that step, then n.")
            # Whose record it is shows only in where it leads: it goes first, or it would be somebody else's then.
            await play.press("d")
            await play.shows("Step 15, A name for it, still needs it:")
            await play.press("end", "up")
            await undo(play, "A name for it", "saas-pls")
            await play.shows("13 of 16 steps done", gone=("◌",))
            await play.press("home", *["down"] * 11)
            await undo(play, "Private endpoint", ENDPOINT)
            await play.shows("11 of 16 steps done", gone=("◌", "⊘"))
            assert "Private endpoint" in under_cursor(play), "the cursor is on what comes next"
            await steps_to_the_page(play, done=11)
            await play.press("escape", "escape")
            await play.shows("✔ Approved", "✔ 3/3")


async def test_a_rejected_request_is_approved_after_all_or_made_anew(tmp_path: Path) -> None:
    with serve(tmp_path, "rejected") as served:
        async with lab_screen(served, size=NARROW) as play:
            await play.until(lambda: "Approve the request" in under_cursor(play), "the cursor on the decision")
            await play.press("n")
            await play.until(lambda: isinstance(play.app.screen, ConfirmScreen), "the decision")
            await play.press("escape")
            await play.until(lambda: isinstance(play.app.screen, LabScreen), "the lab screen")
            await play.press("home", *["down"] * 11)
            await undo(play, "Private endpoint", ENDPOINT)
            await play.shows("11 of 16 steps done", gone=("◌", "⊘"))
            await steps_to_the_page(play, done=11)
