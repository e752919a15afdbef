"""The registry as a source for Textual's command palette."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Protocol, runtime_checkable

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from plstui.tui.commands import Command, SomeCommands


@runtime_checkable
class CommandScreen(Protocol):
    """A screen that some of the registry's commands work on."""

    commands: SomeCommands
    context: Any

    def run_command(self, command_id: str) -> None:
        """Do it, or say why not."""


class RegistryProvider(Provider):
    """Every command of the registry; one that is not possible now says why."""

    async def discover(self) -> Hits:
        for command, run in self._commands():
            yield DiscoveryHit(_title(command), run, command.label, self._help(command))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command, run in self._commands():
            score = matcher.match(command.label)
            if score > 0:
                yield Hit(score, matcher.highlight(command.label), run, command.label, self._help(command))

    def _commands(self) -> Iterator[tuple[Command[Any, Any], partial[None]]]:
        screen = self.screen
        if isinstance(screen, CommandScreen):
            for command in screen.commands:
                if command.id != "palette":
                    yield command, partial(screen.run_command, command.id)

    def _help(self, command: Command[Any, Any]) -> str:
        screen = self.screen
        reason = command.why_not(screen.context) if isinstance(screen, CommandScreen) else None
        return f"Not now: {reason}" if reason else command.help


def _title(command: Command[Any, Any]) -> Content:
    return Content(f"{command.label}  ({command.key_text})" if command.key else command.label)
