"""State words, and how each looks: a glyph and a tone, never a colour."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache


class Tone(StrEnum):
    """What a state means to the person looking; a theme gives it a colour."""

    GOOD = "good"
    WAITING = "waiting"
    BAD = "bad"
    QUIET = "quiet"


_GLYPHS = {Tone.GOOD: "✔", Tone.WAITING: "◷", Tone.BAD: "✖", Tone.QUIET: "·"}

_TONES = {
    Tone.GOOD: ("approved", "succeeded", "running", "up", "done"),
    Tone.WAITING: ("pending", "updating", "creating", "deleting", "starting", "stopping", "deallocating", "removing"),
    Tone.BAD: ("rejected", "disconnected", "failed", "stopped", "deallocated", "down", "canceled", "blocked"),
}
_TONE_OF_WORD = {word: tone for tone, words in _TONES.items() for word in words}


@lru_cache(maxsize=256)
def tone_of(state: str) -> Tone:
    """The tone of a state word; `2/3` counts as bad, `3/3` as good, an unknown word is quiet."""
    up, slash, total = state.partition("/")
    if slash and up.isdecimal() and total.isdecimal():
        return Tone.GOOD if up == total and total != "0" else Tone.BAD
    return _TONE_OF_WORD.get(state.lower(), Tone.QUIET)


def glyph_of(state: str, tone: Tone | None = None) -> str:
    """The glyph that stands before a state word, which may look worse than the word alone says."""
    return "⊘" if state.lower() == "disconnected" else _GLYPHS[tone or tone_of(state)]
