"""Who gets how many lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plstui.tui.panes.shares import shares


@pytest.mark.parametrize(
    ("lines", "wanted", "got"),
    [
        (30, (21, 6, 3), [21, 6, 3]),
        (30, (40, 6, 3), [21, 6, 3]),
        (30, (40, 40, 40), [10, 11, 9]),
        (30, (4, 40, 3), [4, 23, 3]),
        (30, (40, 6, 40), [12, 6, 12]),
        (30, (4, 6, 3), [4, 6, 20]),
        (3, (40, 40, 40), [1, 1, 1]),
        (0, (40, 0, 3), [0, 0, 0]),
    ],
)
def test_what_some_do_not_need_the_others_get(lines: int, wanted: tuple[int, ...], got: list[int]) -> None:
    assert shares(lines, wanted, (10, 11, 9)) == got


@given(st.integers(0, 200), st.lists(st.tuples(st.integers(0, 200), st.integers(1, 20)), max_size=5))
def test_all_lines_are_given_out_and_nobody_who_wants_little_goes_short(
    lines: int, each: list[tuple[int, int]]
) -> None:
    wanted, weights = [want for want, _ in each], [weight for _, weight in each]
    got = shares(lines, wanted, weights)

    assert sum(got) == (lines if each else 0)
    for want, weight, has in zip(wanted, weights, got, strict=True):
        assert has >= min(want, lines * weight // sum(weights))
