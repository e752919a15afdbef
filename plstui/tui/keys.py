"""The keys that settings give to commands, looked over before anything is opened."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from plstui.domain.errors import ConfigError
from plstui.tui.commands import Keyed, Keys, keys_of
from plstui.tui.lab.commands import LAB_COMMANDS
from plstui.tui.panes.commands import COMMANDS

SCREENS: Final[Mapping[str, Sequence[Keyed]]] = {"panes": COMMANDS, "lab": LAB_COMMANDS}
"""What each screen can do."""

EVERY: Final[Mapping[str, Keyed]] = {command.id: command for screen in SCREENS.values() for command in screen}

IN_DETAILS: Final = frozenset({"details", "copy", "quit"})
"""Commands whose keys the details take too."""


def check(chosen: Mapping[str, str]) -> None:
    """Raise `ConfigError` for a key, by the id of its command, that cannot be used."""
    for command_id, key in chosen.items():
        if command_id not in EVERY:
            near = get_close_matches(command_id, EVERY, n=1, cutoff=0.0)[0]
            raise ConfigError(
                f"[keys] names a command that does not exist: {command_id}.",
                hint=f"Did you mean {near}? There are {', '.join(EVERY)}.",
            )
        if reason := _why_not(EVERY[command_id], key):
            raise ConfigError(f'[keys] cannot give {command_id} the key "{key}": {reason}.', hint="Choose another key.")
    for screen, commands in SCREENS.items():
        taken: dict[str, str] = {}
        for command in commands:
            key = chosen.get(command.id, command.key)
            if key and (other := taken.setdefault(key, command.id)) != command.id:
                raise ConfigError(
                    f'[keys] leaves two commands of the {screen} with the key "{key}": {other} and {command.id}.',
                    hint="Give one of them another key in [keys].",
                )


def every_key(chosen: Mapping[str, str]) -> Keys:
    """The keys of all commands of all screens, as a person reads them."""
    return keys_of(EVERY.values(), chosen)


def _why_not(command: Keyed, key: str) -> str | None:
    """Why a command cannot have a key, as a clause; None when it can."""
    if key == command.key:
        return None
    if len(key) != 1:
        return "a key is one character; those with names belong to dialogs, the terminal or the browser"
    if unicodedata.category(key)[0] not in "LNPS":
        return "it cannot be seen"
    if key == ",":
        return "it parts keys from one another"
    if key in "jk":
        return "it moves the cursor"
    if key == "y" and (command.dangerous or command.asks):
        return "it says yes to what this asks"
    if key == "c" and command.id in IN_DETAILS:
        return "it copies the id in the details"
    return None
