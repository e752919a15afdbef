"""Text from the other side is harmless once it is clean."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from plstui.domain.text import clean

HOSTILE = "[bold red]x[/]\x1b[2J\x1b]0;owned\x07\nnext\u202egnihton\u200b" + "A" * 10_000


@given(st.text(), st.integers(min_value=1, max_value=50))
@example(HOSTILE, 200)
@example("\x1b" * 1000 + "x", 5)
@example("a" * 49 + " " + "b", 50)
def test_clean_text_is_one_short_visible_line(text: str, limit: int) -> None:
    line = clean(text, limit)

    assert len(line) <= limit
    assert line.isprintable()
    assert not any(unicodedata.category(char)[0] in "C" for char in line)
    assert line == " ".join(line.split())
    assert clean(line, limit) == line


@given(st.text(st.characters(categories=("Mn", "Mc", "Me")), min_size=1, max_size=5))
def test_a_mark_at_the_start_stands_on_a_sign_of_its_own(marks: str) -> None:
    assert clean(f"{marks}name", 50) == f"◌{marks}name"


@given(st.text(st.characters(categories=("L", "N", "P", "S")), max_size=50))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text, 50) == text


def test_a_hostile_message_on_one_line() -> None:
    line = clean(HOSTILE, 60)

    assert line == "[bold red]x[/][2J]0;owned nextgnihton" + "A" * 22 + "…"


def test_what_is_cut_is_marked() -> None:
    assert clean("abcdef", 6) == "abcdef"
    assert clean("abcdefg", 6) == "abcde…"
    assert clean("abcd efg", 6) == "abcd…"
    assert clean("x" + "\u200b" * 1000 + "y", 6) == "x…"


def test_nothing_is_an_empty_line() -> None:
    assert clean(None) == clean("") == clean(" \r\n\u2028 ") == ""
