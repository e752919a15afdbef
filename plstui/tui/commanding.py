"""A screen whose keys, palette and help come from a part of the registry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.reactive import var
from textual.screen import Screen

from plstui.domain.text import clean
from plstui.tui.commands import SomeCommands, command
from plstui.tui.details import Details
from plstui.tui.messages import CommandChosen

LONGEST = 600
"""Characters of a reason: it may quote names that somebody else has given."""


class CommandingScreen(Screen[None]):
    """Runs its commands whichever way they are asked for, or says why not."""

    commands: ClassVar[SomeCommands] = ()
    context: var[Any] = var(None)
    """What the commands look at to say whether they are possible now."""

    def action_command(self, command_id: str) -> None:
        """A key of the registry was pressed."""
        self.run_command(command_id)

    def run_command(self, command_id: str) -> None:
        """Do it, or say why not."""
        chosen = command(command_id, self.commands)
        reason = chosen.why_not(self.context)
        if reason:
            self.notify(clean(reason, LONGEST), title=chosen.label, severity="warning", markup=False)
        else:
            chosen.run(self)

    @on(CommandChosen)
    def _run_chosen(self, event: CommandChosen) -> None:
        # The second click of two may come after the first has opened or left a screen.
        if self.is_active:
            self.run_command(event.command_id)

    def show_help(self) -> None:
        from plstui.tui.dialogs.help import HelpScreen

        self.app.push_screen(HelpScreen(self.commands, self.context))

    def push_details(self, details: Details | None) -> None:
        """Show everything about something, if there is such a thing."""
        from plstui.tui.dialogs.details import DetailsScreen

        # Two clicks on a row ask for its details twice.
        if details and self.is_active:
            self.app.push_screen(DetailsScreen(details))

    def show_palette(self) -> None:
        self.app.action_command_palette()

    def choose_theme(self) -> None:
        self.app.search_themes()

    def leave(self) -> None:
        self.app.call_later(self.app.action_quit)

    def running(self) -> Iterable[tuple[str, str]]:
        """What goes on here that leaving would cut short or wait for no longer: kinds of work, and what of each."""
        return ()
