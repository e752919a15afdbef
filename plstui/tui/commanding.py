"""A screen whose keys, palette and help come from a part of the registry."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from textual import on
from textual.reactive import var
from textual.screen import Screen

from plstui.domain.text import clean
from plstui.engine.ports import Clock
from plstui.tui.clock import NO_TIME
from plstui.tui.commands import LONGEST, Command, Keys, Offer
from plstui.tui.details import Details
from plstui.tui.messages import CommandChosen, OpenDetails, OpenHelp
from plstui.tui.work import work

ContextT = TypeVar("ContextT")
HostT = TypeVar("HostT")


class CommandingScreen(Screen[None], Generic[ContextT, HostT]):
    """Runs its commands whichever way they are asked for, or says why not."""

    context: var[ContextT]
    """What the commands look at to say whether they are possible now."""
    offers: var[tuple[Offer, ...]] = var(())
    """The commands as they stood when the context changed."""

    now: var[datetime] = var(NO_TIME)
    steady: var[float] = var(0.0)
    """Seconds that nobody can put forward or back: how long ago something was is told by these."""
    read_only: var[bool] = var(False)

    def __init__(self, commands: Sequence[Command[ContextT, HostT]], keys: Keys, clock: Clock) -> None:
        super().__init__()
        self._commands = commands
        self.keys = keys
        self.clock = clock

    def on_mount(self) -> None:
        self.run_worker(work(self._tick), name="clock")

    async def _tick(self) -> None:
        never = asyncio.Event()
        while True:
            self.now, self.steady = self.clock.now(), self.clock.monotonic()
            # Not from here: a worker goes on for a moment when the screen's widgets are already gone.
            self.call_later(self.ticked)
            await self.clock.wait(never, 1.0)

    def ticked(self) -> None:
        """Another second has passed."""

    @property
    @abstractmethod
    def host(self) -> HostT:
        """This screen, as its commands know it."""

    def watch_context(self) -> None:
        self.offers = self.offered()

    def offered(self) -> tuple[Offer, ...]:
        """The commands as they stand in this moment."""
        return tuple(command.offer(self.context, self.keys) for command in self._commands)

    def action_command(self, command_id: str) -> None:
        """A key of the registry was pressed."""
        self.run_command(command_id)

    def run_command(self, command_id: str) -> None:
        """Do it, or say why not. Raises `StopIteration` for a command that is none of this screen's."""
        chosen = next(command for command in self._commands if command.id == command_id)
        reason = chosen.why_not(self.context)
        if reason:
            self.notify(clean(reason, LONGEST), title=chosen.label, severity="warning", markup=False)
        else:
            chosen.run(self.host)

    @on(CommandChosen)
    def _run_chosen(self, event: CommandChosen) -> None:
        # The second click of two may come after the first has opened or left a screen.
        if self.is_active:
            self.run_command(event.command_id)

    def show_help(self) -> None:
        self.post_message(OpenHelp(self.offered()))

    def open_details(self, details: Details | None) -> None:
        """Show everything about something, if there is such a thing."""
        if details:
            self.post_message(OpenDetails(details))

    def show_palette(self) -> None:
        self.app.action_command_palette()

    def choose_theme(self) -> None:
        self.app.search_themes()

    def leave(self) -> None:
        self.app.call_later(self.app.action_quit)

    def running(self) -> Iterable[tuple[str, str]]:
        """What goes on here that leaving would cut short or wait for no longer: kinds of work, and what of each."""
        return ()
