"""What the keys do, from the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from plstui.domain.connection import APPROVED, DISCONNECTED, PENDING, REJECTED, Verb
from plstui.domain.sides import Side
from plstui.domain.states import Tone
from plstui.tui.commands import COMMANDS, Context, Group
from plstui.tui.tones import BUSY, busy_badge, styled, toned_badge

_MOVING = (
    ("↑ ↓", "Move in a tree or table."),
    ("← →", "Fold and unfold in a tree."),
    ("Enter", "Show everything about the row; in a dialog, confirm."),
    ("Esc", "Close a dialog; nothing has been done."),
)


class HelpScreen(ModalScreen[None]):
    """Keys by group, then what the glyphs mean."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,question_mark", "dismiss", "Close")]

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._situation = context

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("plstui: keys")
            dialog.border_subtitle = Content("Esc close")
            with VerticalScroll():
                yield Static(Content("\n").join(self._lines()))

    def _lines(self) -> Iterator[Content]:
        for group in Group:
            yield Content.styled(group.value, "bold $text-primary")
            for command in COMMANDS:
                if command.group is group:
                    reason = command.why_not(self._situation)
                    keys = command.key_text or f": {command.label}"
                    yield _line(keys, command.help, danger=command.dangerous)
                    if reason:
                        yield styled(f"{'':9}Not now: {reason}", Tone.QUIET)
            yield Content("")
        yield Content.styled("Moving", "bold $text-primary")
        for keys, text in _MOVING:
            yield _line(keys, text)
        yield Content("")
        yield Content.styled("Signs", "bold $text-primary")
        yield Content("  ").join(
            [Content(" "), *(toned_badge(status.word) for status in (PENDING, APPROVED, REJECTED, DISCONNECTED))]
        )
        yield Content.assemble(
            Content("   "), styled(busy_badge(Verb.APPROVE), BUSY), Content("  asked for; Azure has not answered yet")
        )
        yield Content(f"   ≠  the two sides report different states   {_sides()}")


def _sides() -> str:
    return "  ".join(f"{side.marker} {side.label}" for side in Side)


def _line(keys: str, text: str, *, danger: bool = False) -> Content:
    colour = "$text-error" if danger else "$footer-key-foreground"
    return Content.assemble(Content.styled(f"  {keys:<7}", f"bold {colour}"), Content(text))
