"""What the keys do, from the registry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from plstui.domain.connection import APPROVED, DISCONNECTED, PENDING, REJECTED, Verb
from plstui.domain.sides import Side
from plstui.domain.states import Tone
from plstui.tui.commands import Group, Offer
from plstui.tui.dialog import Dialog
from plstui.tui.tones import BUSY, busy_badge, styled, toned_badge

_MOVING = (
    ("↑ ↓", "Move in a tree or table."),
    ("← →", "Fold and unfold in a tree."),
    ("Enter", "Show everything about the row; in a dialog, confirm."),
    ("Esc", "Close a dialog; nothing has been done."),
    ("Mouse", "A click selects, on ▸ it folds; a double click opens; what is marked is copied."),
)


class HelpScreen(Dialog[None]):
    """Keys by group, then what the glyphs mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "dismiss", "Close"),
        Binding("q", "dismiss", "Close", id="quit"),
        Binding("?", "dismiss", "Close", id="help"),
    ]

    def __init__(self, offers: Sequence[Offer]) -> None:
        super().__init__()
        self._offers = offers
        self._palette = next((offer.key for offer in offers if offer.id == "palette"), "")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("plstui: keys")
            dialog.border_subtitle = Content("Esc close")
            with VerticalScroll():
                for group in Group:
                    if offers := [offer for offer in self._offers if offer.group is group]:
                        yield _heading(group.value)
                        with Grid(classes="facts"):
                            for offer in offers:
                                yield from self._offer(offer)
                yield _heading("Moving")
                with Grid(classes="facts"):
                    for keys, text in _MOVING:
                        yield from _row(keys, Content(text))
                yield _heading("Signs")
                yield Static(Content("\n").join(_signs()))

    def _offer(self, offer: Offer) -> Iterator[Static]:
        text = Content(offer.help)
        if offer.why_not:
            text = Content("\n").join([text, styled(f"Not now: {offer.why_not}", Tone.QUIET)])
        return _row(offer.key or f"{self._palette} {offer.label}", text, danger=offer.dangerous)


def _heading(text: str) -> Static:
    return Static(Content.styled(text, "bold $text-primary"))


def _row(keys: str, text: Content, *, danger: bool = False) -> Iterator[Static]:
    colour = "$text-error" if danger else "$footer-key-foreground"
    yield Static(Content.styled(keys, f"bold {colour}"))
    yield Static(text)


def _signs() -> Iterator[Content]:
    yield Content("  ").join(
        [Content(" "), *(toned_badge(status.word) for status in (PENDING, APPROVED, REJECTED, DISCONNECTED))]
    )
    yield Content.assemble(
        Content("   "), styled(busy_badge(Verb.APPROVE.doing), BUSY), Content("  asked for; Azure has not answered yet")
    )
    yield Content(f"   ≠  the two sides report different states   {_sides()}")


def _sides() -> str:
    return "  ".join(f"{side.marker} {side.label}" for side in Side)
