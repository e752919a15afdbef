"""What the keys do, from the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from plstui.domain.connection import APPROVED, DISCONNECTED, PENDING, REJECTED, Verb
from plstui.domain.sides import Side
from plstui.domain.states import Tone
from plstui.tui.commands import Command, Group, SomeCommands
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

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,question_mark", "dismiss", "Close")]

    def __init__(self, commands: SomeCommands, context: object) -> None:
        super().__init__()
        self._commands = commands
        self._situation = context

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("plstui: keys")
            dialog.border_subtitle = Content("Esc close")
            with VerticalScroll():
                for group in Group:
                    if commands := [command for command in self._commands if command.group is group]:
                        yield _heading(group.value)
                        with Grid(classes="facts"):
                            for command in commands:
                                yield from self._command(command)
                yield _heading("Moving")
                with Grid(classes="facts"):
                    for keys, text in _MOVING:
                        yield from _row(keys, Content(text))
                yield _heading("Signs")
                yield Static(Content("\n").join(_signs()))

    def _command(self, command: Command[Any, Any]) -> Iterator[Static]:
        text = Content(command.help)
        if reason := command.why_not(self._situation):
            text = Content("\n").join([text, styled(f"Not now: {reason}", Tone.QUIET)])
        return _row(command.key_text or f": {command.label}", text, danger=command.dangerous)


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
        Content("   "), styled(busy_badge(Verb.APPROVE), BUSY), Content("  asked for; Azure has not answered yet")
    )
    yield Content(f"   ≠  the two sides report different states   {_sides()}")


def _sides() -> str:
    return "  ".join(f"{side.marker} {side.label}" for side in Side)
