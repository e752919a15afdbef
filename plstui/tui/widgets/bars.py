"""The line at the top and the line of keys at the bottom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from plstui.domain.states import Tone
from plstui.tui.clock import NO_TIME, clock_time
from plstui.tui.commands import Command, Context, SomeCommands
from plstui.tui.messages import CommandChosen
from plstui.tui.state import Line
from plstui.tui.tones import styled

KEY_STYLE = "bold $footer-key-foreground"
OFF_STYLE = "dim $text-disabled"


class TopBar(Widget):
    """What this is, where it looks, whether it may write, and the time."""

    now: reactive[datetime] = reactive(NO_TIME)
    context: reactive[Any] = reactive(Context)
    """A context of commands that holds the gate."""
    note: reactive[Line] = reactive(Line)
    """What goes on elsewhere."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def render(self) -> Content:
        width = self.content_size.width
        left = Content.assemble(
            Content.styled("plstui", "bold $text-primary"), styled("  Azure Private Link", Tone.QUIET)
        )
        if self.where:
            left = Content.assemble(left, styled("  ·  ", Tone.QUIET), Content(self.where))
        right = Content.styled(clock_time(self.now), "$foreground-muted") if self.now != NO_TIME else Content("")
        if self.context.gate and self.context.gate.read_only:
            right = Content.assemble(Content.styled(" read-only ", "bold $text-warning"), Content("  "), right)
        if self.note.text:
            right = Content.assemble(styled(self.note.text, self.note.tone), Content("  "), right)
        gap = max(2, width - left.cell_length - right.cell_length)
        return Content.assemble(left, Content(" " * gap), right)


class CommandBar(Widget):
    """The keys that fit, in the registry's order; what is not possible now is dim, and pressing it says why."""

    context: reactive[Any] = reactive(None)
    """What the commands look at."""

    def __init__(self, commands: SomeCommands) -> None:
        super().__init__()
        self._commands = commands

    def render(self) -> Content:
        if self.context is None:
            return Content("")
        parts = [self._part(command) for command in self._shown()]
        return Content("  ").join(parts)

    def _part(self, command: Command[Any, Any]) -> Content:
        if command.why_not(self.context):
            return Content.styled(f"{command.key_text} {command.label}", OFF_STYLE)
        return Content.assemble(Content.styled(command.key_text, KEY_STYLE), Content(f" {command.label}"))

    def _shown(self) -> list[Command[Any, Any]]:
        """The commands that fit, the most needed ones first, in the order of the registry."""
        left = self.content_size.width + 2
        chosen: set[str] = set()
        for command in sorted((c for c in self._commands if c.rank), key=lambda c: c.rank):
            if _width(command) <= left:
                chosen.add(command.id)
                left -= _width(command)
        return [command for command in self._commands if command.id in chosen]

    def on_click(self, event: events.Click) -> None:
        """A click on a key is that key."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        x = offset.x
        for command in self._shown():
            if 0 <= x < _width(command) - 2:
                self.post_message(CommandChosen(command.id))
            x -= _width(command)


def _width(command: Command[Any, Any]) -> int:
    """Cells of a command in the bar, with the gap behind it."""
    return Content(f"{command.key_text} {command.label}").cell_length + 2
