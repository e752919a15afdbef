"""Every key of the lab that asks Azure for something says so before the first answer has come.

The answers are held back at the gateway, so what is on the screen cannot come from one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from plstui.compose import Composer, Options
from plstui.sandbox.gateway.messages import Request, Response
from plstui.tui.app import PlstuiApp
from plstui.tui.lab.screen import LabScreen
from tests.lab.rig import KEY, Rig, rig
from tests.support.labscreen import NARROW, WIDE
from tests.support.stage import Play


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a person with a key."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True)
    (folder / ".ssh" / "id_ed25519.pub").write_text(f"{KEY}\n")
    monkeypatch.setenv("HOME", str(folder))
    for name in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.delenv(f"XDG_{name}_HOME", raising=False)
    return folder


@dataclass
class Held:
    """A lab screen whose Azure can be made to keep its answers."""

    rig: Rig
    play: Play
    answers: asyncio.Event

    def hold(self) -> None:
        """Let no request have an answer from now on."""
        self.answers.clear()

    async def over(self) -> None:
        """Say no to what is asked, and wait until nothing goes on."""
        play = self.play
        await play.until(lambda: not isinstance(play.app.screen, LabScreen) or "◌" not in play.see().text, "an end")
        if not isinstance(play.app.screen, LabScreen):
            await play.press("escape")
        await play.shows("steps done", gone=("◌",))

    async def meddle(self, _: Request) -> Response | None:
        await self.answers.wait()
        return None


@asynccontextmanager
async def held(folder: Path, world: str, size: tuple[int, int]) -> AsyncIterator[Held]:
    """The lab screen of a world, once it says where the steps stand."""
    async with rig(folder, world) as made:
        app = PlstuiApp(Composer(Options(config=made.config)).connect, where="sandbox")
        async with app.run_test(size=size, notifications=True) as pilot:
            lab = Held(made, Play(app, pilot), asyncio.Event())
            lab.answers.set()
            await lab.play.shows("● live", gone=("reading", "Reading"))
            await lab.play.press("l")
            await lab.play.shows("steps done")
            made.meddle = lab.meddle
            yield lab
            lab.answers.set()
            await lab.over()


@pytest.mark.parametrize(
    ("world", "keys", "text"),
    [
        ("deployed", ("n",), "◌ step 11: asking Azure what there is"),
        ("deployed", ("end", "u"), "◌ steps 1 to 16: asking Azure what there is"),
        ("pending", ("a",), "◌ approval: asking the service how the request stands"),
        ("pending", ("p",), "◌ the page"),
        ("pending", ("t",), "◌ taking the lab down: asking Azure what there is"),
        ("pending", ("up", "d"), "◌ undoing step 12: asking Azure what there is"),
        ("pending", ("r",), "◌ asking Azure where the steps stand"),
    ],
    ids=["n", "u", "a", "p", "t", "d", "r"],
)
async def test_a_key_shows_that_it_works_before_azure_has_answered(
    tmp_path: Path, world: str, keys: tuple[str, ...], text: str
) -> None:
    async with held(tmp_path, world, NARROW) as lab:
        lab.hold()
        seen = await lab.play.press(*keys)
        assert isinstance(lab.play.app.screen, LabScreen)
        assert text in seen.text, seen.text


async def test_what_is_asked_for_again_is_in_the_log(tmp_path: Path) -> None:
    async with held(tmp_path, "deployed", WIDE) as lab:
        busy = Response(429, {"error": {"code": "TooManyRequests", "message": "Slow down."}}, {"Retry-After": "7"})

        async def throttled(request: Request) -> Response | None:
            return busy if request.path.endswith("/locations") else None

        lab.rig.meddle = throttled
        await lab.play.press("n")
        await lab.play.shows("↻ TooManyRequests: Slow down. Trying again in 7 s.")
        await lab.play.press("x")
        await lab.play.shows("Stopped waiting.", gone=("◌",))


async def test_whoever_stops_waiting_is_told_the_key_that_goes_on(tmp_path: Path) -> None:
    async with held(tmp_path, "pending", WIDE) as lab:
        for keys, again in (
            (("end", "u"), "Press n or u to go on from there."),
            (("t",), "Press t to go on from there."),
            (("home", *["down"] * 11, "d"), "Press d to go on from there."),
            (("p",), "Press p to open it again."),
        ):
            lab.hold()
            await lab.play.press(*keys)
            await lab.play.shows("◌")
            await lab.play.press("x")
            await lab.play.shows(f"Stopped waiting. {again}")
            lab.answers.set()
            await lab.play.shows("steps done", gone=("◌",))
