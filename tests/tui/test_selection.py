"""Which connection is selected among many, and finding one: by filter, by the next that waits."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from plstui.domain.connection import APPROVED, DISCONNECTED, PENDING, REJECTED
from plstui.domain.errors import UnreachableError
from plstui.domain.resources import PrivateEndpoint
from plstui.domain.sides import Side
from plstui.domain.world import Link
from plstui.tui.panes.connections import ConnectionsTable
from plstui.tui.panes.selection import Selection, matching, pending_first
from plstui.tui.widgets.resource_tree import ResourceTree
from tests.support.cloud import Cloud
from tests.support.lab import Request, crowd, lab
from tests.support.stage import Sight, Stage, stage

GONE = Request("gone", "g1", DISCONNECTED, "Order no.: 1", at_service=False)
OPEN = Request("open", "g2", APPROVED, "Order no.: 2")
ASKED = Request("asked", "g3", PENDING, "Order no.: 3")
LATER = Request("later", "g4", PENDING, "Order no.: 4")
REFUSED = Request("refused", "g5", REJECTED, "Bestellung 5, Straße")
ALL = (GONE, OPEN, ASKED, REFUSED, LATER)


def cursor(play: Stage) -> str:
    """The endpoint in the row under the cursor."""
    return play.see().line("▸ ", "Order no.").split()[3]


def rows_in(seen: Sight) -> list[str]:
    """The endpoint in each row of the table."""
    found = (re.match(r"│[ ▸] [◷✔✖⊘] \w+ +(\S+) ", line) for line in seen.lines)
    return [str(match[1]) for match in found if match]


def names(links: tuple[Link, ...]) -> list[str]:
    return [link.endpoint_name for link in links]


# Alone


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["open", "asked", "refused", "later", "gone"]),
        ("pending", ["asked", "later"]),
        ("PEND order 4", ["later"]),
        ("saasprivatelink rej", ["refused"]),
        ("STRASSE", ["refused"]),
        ("order no.: 1", ["gone"]),
        ("nothing", []),
    ],
)
def test_a_filter_finds_words_in_status_endpoint_message_and_service(text: str, found: list[str]) -> None:
    assert names(matching(lab(*ALL).links(), text)) == found


def test_an_unheld_selection_is_the_first_that_waits_and_stays_on_it() -> None:
    links = lab(OPEN, LATER).links()
    selection = Selection().follow(links, links)
    assert selection.link
    assert selection.link.endpoint_name == "later"

    more = lab(ASKED, OPEN, LATER).links()
    assert selection.follow(more, more).link == more[2]
    answered = lab(ASKED, OPEN, Request("later", "g4", APPROVED)).links()
    assert selection.follow(answered, answered).link == answered[0]


def test_a_held_selection_goes_to_whatever_took_its_place() -> None:
    links = lab(OPEN, ASKED, LATER).links()
    selection = Selection().take(links[0], links)

    less = lab(ASKED, LATER).links()
    moved = selection.follow(less, less)
    assert moved.link == less[0]
    last = Selection().take(less[1], less).follow(less[:1], less[:1])
    assert last.link == less[0]
    nothing = selection.follow((), ())
    assert nothing.link is None
    assert nothing.follow(links, links).link == links[1], "the first that waits, as at the start"


def test_a_connection_is_the_same_when_the_service_shows_it_too() -> None:
    customer = lab(OPEN, ASKED, LATER).customer
    assert customer
    endpoint: PrivateEndpoint = customer.endpoints[0]
    early = (Link(None, endpoint, endpoint.connections[0]),)
    both = lab(ASKED, LATER, OPEN).links()

    followed = Selection().take(early[0], early).follow(both, both)

    assert followed.link
    assert (followed.link.endpoint_name, followed.place) == ("open", 2)


def test_next_goes_round_and_knows_when_there_is_no_other() -> None:
    links = lab(ASKED, OPEN, LATER).links()
    first = Selection().take(links[0], links)
    assert first.next_pending(links) == links[2]
    assert Selection().take(links[2], links).next_pending(links) == links[0]
    assert Selection().take(links[1], links).next_pending(links) == links[2]
    alone = lab(ASKED, OPEN).links()
    assert Selection().take(alone[0], alone).next_pending(alone) is None
    assert Selection().next_pending(()) is None


# On the screen


async def test_the_first_request_is_selected_whichever_side_answers_first() -> None:
    def isv_is_away(cloud: Cloud) -> None:
        cloud.faults = {Side.ISV: UnreachableError("No answer.")}

    async with stage(lab(*ALL), before=isv_is_away) as play:
        await play.shows("Disconnected", "cannot be read")
        play.cloud.faults.clear()
        await play.press("r")
        await play.shows("open", "later", gone=("cannot be read",))
        assert cursor(play) == "asked"
        assert play.app.screen.query_one(ConnectionsTable).cursor == ASKED.connection_id


async def test_the_selection_stays_where_a_person_has_put_it() -> None:
    async with stage(lab(OPEN, ASKED)) as play:
        await play.shows("▸ ◷ Pending     asked")
        await play.press("down")
        await play.shows("▸ ✔ Approved    open")
        play.cloud.become(lab(OPEN, ASKED, LATER))
        await play.press("r")
        await play.shows("later", "▸ ✔ Approved    open")


def test_those_that_wait_come_first_and_the_others_stay_in_their_order() -> None:
    assert names(pending_first(lab(*ALL).links())) == ["asked", "later", "open", "refused", "gone"]


def test_after_a_decision_next_is_the_one_below_where_it_stood() -> None:
    passed_over, decided, below = ASKED, Request("decided", "g6", PENDING), LATER
    waiting = pending_first(lab(passed_over, decided, below).links())
    selection = Selection().take(waiting[1], waiting)
    after = pending_first(lab(passed_over, replace(decided, status=APPROVED), below).links())
    selection = selection.follow(after, after)
    assert (selection.link, selection.place) == (after[2], 2)

    assert selection.next_pending(after) == after[1]
    # Also when more is read, and from the top again once that is decided too.
    assert selection.follow(after, after).next_pending(after) == after[1]
    last = pending_first(lab(passed_over, replace(decided, status=APPROVED), replace(below, status=APPROVED)).links())
    assert selection.follow(last, last).next_pending(last) == last[0]


async def test_the_row_of_what_has_been_decided_goes_below_with_the_cursor() -> None:
    async with stage(lab(OPEN, ASKED, LATER)) as play:
        await play.press("a")
        await play.shows("--connection-status")
        await play.press("enter")
        seen = await play.shows("▸ ✔ Approved    asked")
        assert rows_in(seen) == ["later", "open", "asked"]


async def test_what_has_been_decided_stays_selected() -> None:
    async with stage(lab(OPEN, ASKED, LATER)) as play:
        await play.press("a")
        await play.shows("--connection-status")
        await play.press("enter")
        await play.shows("▸ ✔ Approved    asked")


async def test_next_pending_goes_from_request_to_request() -> None:
    async with stage(lab(*ALL), size=(100, 40)) as play:
        assert cursor(play) == "asked"
        await play.press("N")
        assert cursor(play) == "later"
        await play.press("N")
        assert cursor(play) == "asked"
        play.cloud.become(lab(OPEN, ASKED))
        await play.press("r")
        await play.shows("1 pending")
        await play.press("N")
        await play.shows("No other connection in the table", "▸ ◷ Pending     asked")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_filter_shows_what_matches_and_escape_shows_all(size: tuple[int, int]) -> None:
    async with stage(crowd(1000), size=size) as play:
        await play.press("/")
        typing = await play.shows("words of status")
        assert "? Help" not in typing.text, "what is typed stands where the keys stood"
        await play.press(*"pend 99")
        await play.shows("/pend 99 · 7 of 1000, 7 pending", "▸ ◷ Pending     endpoint-0099")
        assert len(play.app.screen.query_one(ConnectionsTable).rows) == 7
        await play.press("enter")
        await play.shows("? Help", "/pend 99")
        await play.press("end")
        await play.shows("▸ ◷ Pending     endpoint-0999")
        await play.press("escape")
        await play.shows("334 pending", "▸ ◷ Pending     endpoint-0999", gone=("/pend",))


async def test_escape_while_typing_forgets_the_filter() -> None:
    async with stage(lab(*ALL)) as play:
        await play.press("/", *"nowhere")
        await play.shows("/nowhere · 0 of 5", "No connection has these words")
        await play.press("a")  # Typed, too: no key of the panes is heard meanwhile.
        await play.shows("/nowherea")
        await play.press("escape")
        await play.shows("2 pending", "a Approve", gone=("/nowhere",))
        assert cursor(play) == "asked"


async def test_nothing_is_selected_where_nothing_matches() -> None:
    async with stage(lab(*ALL)) as play:
        await play.press("/", *"nowhere", "enter")
        await play.shows("a Approve")
        await play.press("a")
        await play.shows("No connection is selected.")


async def test_deciding_in_a_filter_goes_on_to_the_next_request() -> None:
    async with stage(lab(*ALL)) as play:
        await play.press("/", *"pending", "enter")
        await play.shows("2 of 5, 2 pending", "▸ ◷ Pending     asked", "a Approve")
        await play.press("a")
        await play.shows("--connection-status")
        await play.press("enter")
        await play.shows("1 of 5, 1 pending", "▸ ◷ Pending     later")


async def test_a_filter_hides_nothing_that_is_selected_in_a_tree() -> None:
    async with stage(lab(*ALL), size=(100, 40)) as play:
        await play.press("/", *"pending", "enter")
        await play.shows("2 of 5", "? Help")
        await play.press("tab", "tab")
        customer = play.app.screen.query_one("#customer").query_one(ResourceTree)
        assert customer.has_focus
        while not (customer.cursor_node and customer.cursor_node.data and customer.cursor_node.data.name == "open"):
            await play.press("down")
        await play.press("a")
        await play.shows("This connection is Approved already.")


async def test_words_of_the_filter_are_no_markup() -> None:
    async with stage(lab(*ALL)) as play:
        await play.press("/", *"[red]x", "enter")
        await play.shows("/[red]x · 0 of 5")
