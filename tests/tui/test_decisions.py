"""Approve, reject and remove from the keyboard: asked first, sent as edited, shown when Azure reports it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plstui.domain.connection import APPROVED, DISCONNECTED, PENDING, REJECTED
from plstui.domain.errors import AzureError
from plstui.domain.sides import Side
from plstui.domain.world import World
from plstui.tui.dialogs.confirm import ConfirmScreen
from plstui.tui.widgets.az_line import AzLine
from tests.support.lab import Request, lab, with_status
from tests.support.labscreen import panes
from tests.support.served import serve
from tests.support.stage import Stage, stage

SIZES = pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 48)], ids=["80x24", "100x30", "160x48"])
CONNECTION = Request().connection_id


def asked(play: Stage) -> bool:
    return isinstance(play.app.screen, ConfirmScreen)


@SIZES
async def test_approve_with_an_edited_description(size: tuple[int, int]) -> None:
    async with stage(lab(), size=size) as play:
        seen = await play.press("a")
        await play.until(lambda: asked(play))
        seen = await play.shows(
            "Approve this connection?", "Customer: Tradewinds, Order no.: 314159", "Approve (Enter)"
        )
        assert "privatelink-pls-microhack-rg" in seen.text
        assert "az network private-link-service connection update" in seen.text
        assert "'Approved with plstui'" in seen.text

        # The text is selected: typing replaces it, and the az line follows.
        await play.press(*"Order 314159 ok")
        await play.shows("'Order 314159 ok'", gone=("'Approved with plstui'",))
        await play.press("enter")
        await play.shows("✔ Approved", gone=("Pending", "◌ approving"))
        connection = play.cloud.connection(CONNECTION)
        assert connection.status == APPROVED
        assert connection.description == "Order 314159 ok"
        entries = [json.loads(line) for line in play.journal.read_text().splitlines()]
        assert [(e["verb"], e["outcome"]) for e in entries] == [("approve", "sent"), ("approve", "done")]
        assert "--description 'Order 314159 ok'" in entries[0]["az"]


async def test_reject_warns_and_rejects() -> None:
    async with stage(lab()) as play:
        await play.press("x")
        await play.shows("Reject this connection?", "disagree on whether a rejected connection can be")
        await play.press("enter")
        await play.shows("✖ Rejected", gone=("Pending", "◌ rejecting"))
        assert play.cloud.connection(CONNECTION).status == REJECTED
        assert play.is_red("✖ Rejected", in_line_with="saasPrivateEndpoint  10.1.0.5")


@SIZES
async def test_enter_alone_removes_nothing(size: tuple[int, int]) -> None:
    async with stage(with_status(APPROVED), size=size) as play:
        await play.press("d")
        await play.shows("Remove this connection?", "disconnected for good", "connection delete", "Keep (Esc)")
        await play.press("enter")
        await play.until(lambda: not asked(play))
        assert play.cloud.connection(CONNECTION).status == APPROVED

        await play.press("d")
        await play.until(lambda: asked(play))
        await play.press("y")
        await play.shows("⊘ Disconnected", gone=("✔ Approved",))
        assert play.cloud.sides[Side.ISV].connections() == ()
        assert play.cloud.sides[Side.CUSTOMER].endpoints[0].connections[0].status == DISCONNECTED


@pytest.mark.parametrize("way", [("tab",), ("shift+tab",), ("tab", "tab")])
async def test_no_way_leads_enter_to_a_removal_but_a_click_does(way: tuple[str, ...]) -> None:
    async with stage(with_status(APPROVED)) as play:
        await play.press("d")
        await play.until(lambda: asked(play))
        await play.press(*way, "enter")
        await play.until(lambda: not asked(play))
        assert play.cloud.connection(CONNECTION).status == APPROVED

        await play.press("d")
        await play.until(lambda: asked(play))
        await play.pilot.click("#yes")
        await play.shows("⊘ Disconnected", gone=("✔ Approved",))


@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
@pytest.mark.parametrize("key", ["x", "d"])
async def test_the_whole_command_is_in_view_where_there_is_room(size: tuple[int, int], key: str) -> None:
    status = APPROVED if key == "d" else PENDING
    async with stage(lab(Request(name="e" * 80, status=status)), size=size) as play:
        await play.press(key)
        last = "--yes" if key == "d" else "--description 'Rejected with plstui'"
        await play.shows("--service-name saasPrivateLinkService", last, "(Esc)")


@pytest.mark.parametrize("key", ["x", "d"])
async def test_a_dialog_without_room_scrolls_above_its_buttons(key: str) -> None:
    status = APPROVED if key == "d" else PENDING
    async with stage(lab(Request(name="e" * 80, status=status)), size=(40, 10)) as play:
        await play.press(key)
        buttons = ("Remove (y)", "Keep (Esc)") if key == "d" else ("Reject (Enter)", "Cancel (Esc)")
        await play.shows(*buttons)
        await play.press(*["down"] * 60)
        await play.shows("--yes" if key == "d" else "--description", *buttons)


@pytest.mark.parametrize("key", ["a", "x", "d"])
async def test_escape_does_nothing(key: str) -> None:
    async with stage(lab()) as play:
        await play.press(key)
        await play.until(lambda: asked(play))
        await play.press("escape")
        await play.until(lambda: not asked(play))
        assert play.cloud.world == lab()
        assert not play.journal.exists()


async def test_the_row_says_that_a_write_is_under_way() -> None:
    async with stage(lab()) as play:
        play.cloud.answering.clear()
        await play.press("a")
        await play.until(lambda: asked(play))
        await play.press("enter")
        seen = await play.shows("◌ approving…")
        assert "Approved" not in seen.text, "the new state appears when Azure reports it"
        assert "◷ Pending" in seen.text, "the customer's side still reports the old one"
        await play.press("x")
        await play.shows("plstui is still approving this connection.")
        play.cloud.answering.set()
        await play.shows("✔ Approved", gone=("◌ approving…", "Pending"))


async def test_one_question_at_a_time_also_when_an_earlier_write_ends_meanwhile() -> None:
    async with stage(lab(Request(), Request(name="another", guid="guid-2"))) as play:
        play.cloud.answering.clear()
        await play.press("a")
        await play.until(lambda: asked(play))
        await play.press("enter")
        await play.shows("◌ approving…")

        play.cloud.showing.clear()
        await play.press("down")
        await play.shows("▸ ◷ Pending     another")
        await play.press("a")
        play.cloud.answering.set()
        await play.shows("✔ Approved", gone=("◌ approving",))
        await play.press("a")
        await play.shows("You are about to be asked about")
        play.cloud.showing.set()
        await play.until(lambda: asked(play))
        await play.press("escape")
        await play.until(lambda: not asked(play))


async def test_what_azure_refuses_is_said_and_changes_nothing() -> None:
    async with stage(lab()) as play:
        play.cloud.write_fault = AzureError("The subscription is disabled.", status=409, code="ReadOnlyDisabled")
        await play.press("a")
        await play.until(lambda: asked(play))
        await play.press("enter")
        await play.shows("The subscription is disabled.", "◷ Pending", gone=("◌ approving",))


async def test_somebody_else_was_faster() -> None:
    async with stage(lab()) as play:
        await play.press("a")
        await play.until(lambda: asked(play))
        play.cloud.become(with_status(REJECTED))
        await play.press("enter")
        await play.shows("The connection is Rejected now", "✖ Rejected")


async def test_a_greyed_key_says_why() -> None:
    async with stage(with_status(APPROVED)) as play:
        await play.press("a")
        seen = await play.shows("This connection is Approved already.")
        off = seen.style("a Approve", in_line_with="q Quit")
        assert off.dim or off.color != seen.style("Reject", in_line_with="q Quit").color
        assert not asked(play)


async def test_read_only_says_so_everywhere() -> None:
    async with stage(lab(), read_only=True) as play:
        await play.shows("read-only")
        for key in ("a", "x", "d"):
            await play.press(key)
            assert not asked(play)
        await play.shows("plstui was started read-only")


async def test_only_the_isv_decides() -> None:
    async with stage(World(None, lab().customer)) as play:
        await play.press("a")
        await play.shows("Only the ISV can do this", "subscription with --isv.")


async def test_the_az_line_of_the_dialog_is_the_one_in_the_journal() -> None:
    async with stage(lab()) as play:
        await play.press("a")
        await play.until(lambda: asked(play))
        line = play.app.screen.query_one(AzLine).line
        await play.press("enter")
        await play.until(lambda: play.journal.exists() and play.journal.read_text().strip())
        assert json.loads(play.journal.read_text().splitlines()[0])["az"] == line


async def test_two_presses_ask_once() -> None:
    async with stage(lab()) as play:
        await play.pilot.press("a", "a")
        await play.until(lambda: asked(play))
        assert len(play.app.screen_stack) == 2


async def test_that_azure_asks_for_patience_is_told_while_it_lasts(tmp_path: Path) -> None:
    with serve(tmp_path, "pending") as served:
        async with panes(served, size=(100, 30)) as play:
            served.control("POST", "/faults", {"faults": [{"kind": "busy", "method": "PUT", "times": 1}]})
            await play.press("a")
            await play.until(lambda: isinstance(play.app.screen, ConfirmScreen), "the question")
            await play.press("enter")
            await play.shows("approving saasPrivateEndpoint: AnotherOperationInProgress")
            await play.shows("✔ Approved", gone=("Pending", "◌ approving"))
