"""The small parts that widgets are put together from."""

from __future__ import annotations

import shlex
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from plstui.domain.az import az_line
from plstui.domain.connection import APPROVED, DISCONNECTED, Verb
from plstui.tui.clock import age
from plstui.tui.state import Settling
from plstui.tui.widgets.az_line import broken, cut, joined
from plstui.tui.widgets.columns import GAP, Column, fit
from tests.support.lab import Request, lab, with_status


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "now"),
        (9, "now"),
        (10, "10 s"),
        (59, "50 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (7200, "2 h"),
        (47 * 3600, "47 h"),
        (48 * 3600, "2 d"),
    ],
)
def test_ages_read_as_people_say_them(seconds: int, words: str) -> None:
    assert age(timedelta(seconds=seconds)) == words


def test_a_write_settles_when_it_is_shown_or_should_have_been() -> None:
    before, after = lab().isv, with_status(APPROVED).isv
    assert before
    assert after
    connection = Request().connection_id
    settling = Settling().written(connection, Verb.APPROVE)

    assert settling.after(after).writes == {}
    # This one may have been on its way when the write ended; the one after it is what Azure reports.
    assert settling.after(before).writes == {connection: Verb.APPROVE}
    assert settling.after(before).after(before).writes == {}

    removed = Settling().written(connection, Verb.REMOVE)
    gone = with_status(DISCONNECTED, at_service=False).isv
    assert gone
    assert removed.after(before).writes == {connection: Verb.REMOVE}
    assert removed.after(gone).writes == {}


@given(st.text(max_size=80), st.integers(min_value=20, max_value=120))
def test_a_broken_az_line_is_the_same_command_for_a_shell(description: str, width: int) -> None:
    line = az_line(Verb.APPROVE, Request().connection_id, description)
    shown = list(broken(line, width))
    assert all(part.endswith(" \\") for part in shown[:-1])
    assert shlex.split("\n".join(shown).replace(" \\\n", " ")) == shlex.split(line)


@given(st.text(max_size=80), st.integers(min_value=16, max_value=120))
def test_what_is_shown_of_an_az_line_is_no_wider_than_its_place_and_reads_as_one_command(text: str, width: int) -> None:
    line = az_line(Verb.APPROVE, Request(name="endpoint" * 9).connection_id, f"it's {text}")
    shown = [part for whole in broken(line, width) for part in cut(whole, width)]
    assert max(map(cell_len, shown)) <= width
    assert shlex.split(joined("\n".join(shown))) == shlex.split(line)
    # A shell drops a backslash with the line's end after it, but for between single quotes, where none is broken.
    assert shlex.split("\n".join(shown).replace("\\\n", "")) == shlex.split(line)


def test_a_comment_leads_on_to_no_command() -> None:
    shown = list(broken("# Nothing of this can be taken back by anybody.", 24))
    assert shown == ["# Nothing of this can", "# be taken back by", "# anybody."]


def test_options_stay_with_their_values() -> None:
    shown = list(broken("az network lb show --name loadBalancer --resource-group some-group --yes", 40))
    assert shown == [
        "az network lb show --name loadBalancer \\",
        "  --resource-group some-group --yes",
    ]


COLUMNS = (Column("a", "A", 4, 10, 1), Column("b", "B", 5, 20, 3, enough=12), Column("c", "C", 6, 6, 2))


def test_columns_leave_by_rank_when_room_is_short() -> None:
    assert [column.key for column, _ in fit(COLUMNS, (4, 4, 4), 60)] == ["a", "b", "c"]
    assert [column.key for column, _ in fit(COLUMNS, (4, 4, 4), 13)] == ["a", "c"]
    assert [column.key for column, _ in fit(COLUMNS, (4, 4, 4), 5)] == ["a"]


@given(st.tuples(*[st.integers(0, 60)] * 3), st.integers(0, 100))
def test_columns_never_take_more_than_there_is(wanted: tuple[int, int, int], width: int) -> None:
    fitted = fit(COLUMNS, wanted, width)
    assert sum(size + GAP for _, size in fitted) <= width + GAP
    for column, size in fitted:
        assert column.least <= size <= column.most
