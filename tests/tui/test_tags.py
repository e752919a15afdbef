"""The tags of a service by key: what is asked, what is shown, and what Azure then has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plstui.domain.tags import tags_of
from plstui.engine.runtime import Runtime
from tests.support.lab import lab
from tests.support.stage import stage
from tests.tui.test_doctor import panes

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])


def shown_tags(runtime: Runtime) -> dict[str, str]:
    """The tags of the one service, as the panes have them."""
    service = runtime.world().only_service()
    return dict(service.tags) if service else {}


@SIZES
async def test_a_tag_is_set_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    async with panes(tmp_path, monkeypatch, "pending", size) as (made, play):
        service = made.provider.service
        await play.press("t")
        await play.shows("Tags of saasPrivateLinkService", "none")
        await play.press("x", "enter")
        await play.shows("Not yet: it is no NAME=VALUE.")
        await play.press(*["equals_sign", "n", "space", "o"], "enter")
        await play.shows("Change the tags of saasPrivateLinkService?", "none → n o", "private-link-service update")
        assert tags_of(await made.get(service)) == {}
        await play.press("enter")
        await play.shows("changed the tags of saasPrivateLinkService", gone=("Change the tags",))
        assert tags_of(await made.get(service)) == {"x": "n o"}

        await play.until(lambda: shown_tags(made.runtime) == {"x": "n o"})
        await play.press("t")
        await play.shows("Tags of saasPrivateLinkService", "n o")
        await play.press("minus", "x", "enter")
        await play.shows("n o → none")
        await play.press("escape")
        await play.shows("live", gone=("Change the tags",))
        assert tags_of(await made.get(service)) == {"x": "n o"}, "no is no"
        lines = [json.loads(line) for line in made.runtime.journal.path.read_text().splitlines()]
        assert [(line["verb"], line["outcome"]) for line in lines] == [("set tags", "sent"), ("set tags", "done")]


async def test_what_is_not_possible_says_why() -> None:
    async with stage(lab(), read_only=True) as play:
        await play.press("t")
        await play.shows("plstui was started read-only")


async def test_what_comes_of_it_in_vain_is_told() -> None:
    async with stage(lab()) as play:
        await play.press("t", "x", "equals_sign", "y", "enter")
        # A cloud in memory has no bodies to read.
        await play.shows("saasPrivateLinkService is not there.")


async def test_a_tag_whose_name_holds_an_equals_sign_is_removed_and_every_tag_can_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with panes(tmp_path, monkeypatch, "pending", (80, 24)) as (made, play):
        service = made.provider.service
        tags = {"a=b": "1"} | {f"tag{number:02}": "[/red]" for number in range(45)}
        await made.put(service, {**(await made.get(service) or {}), "tags": tags})
        await play.until(lambda: shown_tags(made.runtime) == tags)
        await play.press("t")
        await play.shows("Tags of saasPrivateLinkService", "tag00", "[/red]")
        await play.press(*["down"] * 50)
        await play.shows("tag44")
        await play.press("minus", "a", "equals_sign", "b")
        await play.shows("-a=b", "Go on (Enter)")
        await play.press("enter")
        await play.shows("Change the tags", "1 → none")


async def test_a_tag_is_removed_by_what_is_shown_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with panes(tmp_path, monkeypatch, "pending", (80, 24)) as (made, play):
        service = made.provider.service
        odd, long = "two  \u202e[/x]\u200bwords", "n" * 100
        tags = {odd: "1", f"{long}a": "2", f"{long}b": "3"}
        await made.put(service, {**(await made.get(service) or {}), "tags": tags})
        await play.until(lambda: shown_tags(made.runtime) == tags)
        await play.press("t")
        seen = await play.shows("Tags of saasPrivateLinkService", "two [/x]words")
        assert all(sum(f"n{end}" in line for line in seen.lines) == 1 for end in "ab"), (
            "long names are shown to their end"
        )
        await play.press(*"-two [/x]words")
        await play.press("enter")
        await play.shows("Change the tags", "1 → none")
        await play.press("enter")
        await play.until(lambda: len(play.app.screen_stack) == 1)
        await play.shows("changed the tags of saasPrivateLinkService")
        del tags[odd]
        assert tags_of(await made.get(service)) == tags
