"""How a tone looks: always a glyph and a word, and a colour of the theme on top.

Widgets that paint their own lines take the colour from a component class, which `styles/tones.tcss` sets; widgets that
show `Content` take it from a theme variable. The two name the same colours.
"""

from __future__ import annotations

from typing import Final

from rich.style import Style
from textual.content import Content
from textual.widget import Widget

from plstui.domain.states import Tone, glyph_of, tone_of
from plstui.domain.text import clean

BUSY: Final = "busy"
"""The tone of a write that Azure has not answered yet."""

BUSY_GLYPH: Final = "◌"

COMPONENTS: Final = frozenset({"tone--good", "tone--waiting", "tone--bad", "tone--quiet", "tone--busy"})
"""The component classes of a widget that paints toned text itself."""

VARIABLES: Final = {
    Tone.GOOD.value: "$text-success",
    Tone.WAITING.value: "$text-warning",
    Tone.BAD.value: "$text-error",
    Tone.QUIET.value: "$foreground-muted",
    BUSY: "$text-accent",
}

STATE_LENGTH: Final = 24
"""Characters of a state word: Azure's are shorter, an unknown one is cut."""


def badge(state: str, tone: Tone | None = None) -> str:
    """Glyph and word of a state, harmless to show; empty for no state."""
    return f"{glyph_of(state, tone)} {clean(state, STATE_LENGTH)}" if state else ""


def busy_badge(doing: str) -> str:
    """What a row says while a write to it is under way, which is in the middle of `doing`."""
    return f"{BUSY_GLYPH} {doing}…"


def styled(text: str, tone: str = "") -> Content:
    """Text in a tone, never parsed as markup."""
    return Content.styled(text, VARIABLES[tone]) if tone else Content(text)


def toned_badge(state: str, tone: Tone | None = None) -> Content:
    """A state's badge in its colour."""
    return styled(badge(state, tone), tone or tone_of(state))


def ink(widget: Widget, tone: str) -> Style:
    """A tone's colour for text that `widget` paints itself, on whatever ground the text stands."""
    if not tone:
        return Style.null()
    # Not the partial style: that one leaves out what a colour with alpha lets through.
    return Style(color=widget.get_component_rich_style(f"tone--{tone}").color)
