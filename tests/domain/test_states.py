"""How states look."""

from __future__ import annotations

import pytest

from plstui.domain.states import Tone, glyph_of, tone_of


@pytest.mark.parametrize(
    ("state", "tone", "glyph"),
    [
        ("Approved", Tone.GOOD, "✔"),
        ("SUCCEEDED", Tone.GOOD, "✔"),
        ("running", Tone.GOOD, "✔"),
        ("3/3", Tone.GOOD, "✔"),
        ("Pending", Tone.WAITING, "◷"),
        ("Updating", Tone.WAITING, "◷"),
        ("Rejected", Tone.BAD, "✖"),
        ("Disconnected", Tone.BAD, "⊘"),
        ("deallocated", Tone.BAD, "✖"),
        ("2/3", Tone.BAD, "✖"),
        ("0/0", Tone.BAD, "✖"),
        ("10/9/8", Tone.QUIET, "·"),
        ("Dreaming", Tone.QUIET, "·"),
        ("", Tone.QUIET, "·"),
    ],
)
def test_tones_and_glyphs(state: str, tone: Tone, glyph: str) -> None:
    assert tone_of(state) is tone
    assert glyph_of(state) == glyph


def test_a_state_may_look_worse_than_its_word() -> None:
    assert glyph_of("running", Tone.BAD) == "✖"
