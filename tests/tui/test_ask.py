"""What a probe asks while it connects, on the screen."""

from __future__ import annotations

import asyncio

import pytest

from plstui.domain.question import Question
from plstui.tui.panes.screen import MainScreen
from tests.support.lab import lab
from tests.support.stage import stage

TRUST = Question("Is this testVM?", "plstui has not met it before. Its host key is SHA256:abc [bold]x[/].", "Trust it")
UNLOCK = Question("Passphrase", "The key ~/.ssh/id_ed25519 has a passphrase.", "Unlock", secret=True)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_machine_is_trusted_by_its_own_key_and_not_by_habit(size: tuple[int, int]) -> None:
    async with stage(lab(), size=size) as play:
        asked = asyncio.create_task(play.app.ask(TRUST))
        await play.shows("Is this testVM?", "SHA256:abc [bold]x[/]", "Trust it (y)", "No (Esc)")
        await play.press("y")
        assert await asked == ""
        for key in ("enter", "escape"):
            asked = asyncio.create_task(play.app.ask(TRUST))
            await play.shows("Is this testVM?")
            await play.press(key)
            assert await asked is None


async def test_a_passphrase_is_not_shown() -> None:
    async with stage(lab()) as play:
        asked = asyncio.create_task(play.app.ask(UNLOCK))
        await play.shows("Passphrase", "Unlock (Enter)")
        seen = await play.press(*"yes42")
        assert "yes42" not in seen.text
        await play.press("enter")
        assert await asked == "yes42"
        asked = asyncio.create_task(play.app.ask(UNLOCK))
        await play.shows("Unlock (Enter)")
        await play.press("enter")
        assert await asked is None


async def test_a_question_goes_away_with_what_asked_it() -> None:
    async with stage(lab()) as play:
        asked = asyncio.create_task(play.app.ask(TRUST))
        await play.shows("Is this testVM?")
        asked.cancel()
        await play.until(lambda: isinstance(play.app.screen, MainScreen))
