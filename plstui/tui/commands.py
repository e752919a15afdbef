"""The commands: the one registry that the keys, the footer, the help screen and the palette are made from.

Each screen has its part of it, in the order of its footer; what all screens can do stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from textual.binding import Binding

from plstui.domain.text import clean

LONGEST = 600
"""Characters of a reason: it may quote names that somebody else has given."""

ContextT = TypeVar("ContextT", contravariant=True)
HostT = TypeVar("HostT", contravariant=True)

Keys = Mapping[str, str]
"""The keys of this session as a person reads them, by the ids of their commands."""


class Group(StrEnum):
    """Where a command stands in the help."""

    CONNECTION = "The selected connection"
    LAB = "The lab"
    LOOK = "Look"
    PROGRAM = "plstui"


@dataclass(frozen=True, slots=True)
class Offer:
    """A command as a person meets it now: in the footer, the help or the palette."""

    id: str
    key: str
    """As a person reads it; empty without one."""
    label: str
    help: str
    group: Group
    dangerous: bool
    rank: int
    why_not: str | None
    """Why it is not possible now, harmless; None when it is."""


def _always(_: object) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Command(Generic[ContextT, HostT]):
    """One thing that can be done with a key: what a screen does for it, and what it looks at to say why not."""

    id: str
    key: str
    """One plain key that a browser leaves alone, unless settings name another; empty for the palette only."""
    label: str
    """One or two words, for the footer."""
    help: str
    """One sentence, for the help screen and the palette; `{quit}` stands for the key of that command."""
    group: Group
    run: Callable[[HostT], None]
    why_not: Callable[[ContextT], str | None] = _always
    """Why this is not possible now, as a sentence a person can act on; None when it is."""
    dangerous: bool = False
    """Whether this destroys something: it never happens by one key press."""
    asks: bool = False
    """Whether this may lead to a question that `y` says yes to, besides what destroys something: that always does."""
    rank: int = 0
    """Place in the footer when there is little room, 1 first; 0 to stay out of it."""

    def offer(self, context: ContextT, keys: Keys) -> Offer:
        """How the command stands now."""
        return Offer(
            self.id,
            keys[self.id],
            self.label,
            self.help.format_map(keys),
            self.group,
            self.dangerous,
            self.rank,
            clean(self.why_not(context), LONGEST) or None,
        )


class Keyed(Protocol):
    """A command of any screen, as far as keys are concerned."""

    @property
    def id(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def dangerous(self) -> bool: ...
    @property
    def asks(self) -> bool: ...


_GLYPHS = {"tab": "⇥", "escape": "Esc"}
"""How keys are written that are not their own sign."""


def keys_of(commands: Iterable[Keyed], chosen: Mapping[str, str]) -> Keys:
    """The key of each command as a person reads it, where `chosen` says which commands have other keys than usual."""
    keys = {command.id: chosen.get(command.id, command.key) for command in commands}
    return {command_id: _GLYPHS.get(key, key) for command_id, key in keys.items()}


def bindings(commands: Iterable[Command[ContextT, HostT]]) -> list[Binding]:
    """Commands as key bindings. A key whose command is not possible stays bound: pressing it says why."""
    return [
        # The id is no key: it only gives a command without one a place in Textual's keymap.
        Binding(entry.key or entry.id, f"command('{entry.id}')", entry.label, id=entry.id, show=False)
        for entry in commands
    ]


# What all screens can do


class SharedContext(Protocol):
    """What the context of every screen can tell."""

    def refresh_why_not(self) -> str | None:
        """Why nothing can be read anew now."""

    def copy_why_not(self) -> str | None:
        """Why there is no `az` command to copy."""


class SharedHost(Protocol):
    """What every screen does for commands."""

    def refresh_all(self) -> None:
        """Read anew what the screen shows."""

    def next_area(self) -> None:
        """Move the focus to the next pane or table."""

    def copy_az(self) -> None:
        """Copy the `az` commands of what is selected."""

    def show_help(self) -> None:
        """Open the help screen."""

    def show_palette(self) -> None:
        """Open the command palette."""

    def choose_theme(self) -> None:
        """Let the person pick colours."""

    def leave(self) -> None:
        """End the program."""


COPY: Command[SharedContext, SharedHost] = Command(
    "copy",
    "y",
    "Copy az",
    "Copy the az commands of what is selected.",
    Group.LOOK,
    lambda host: host.copy_az(),
    lambda context: context.copy_why_not(),
    rank=5,
)

REFRESH: Command[SharedContext, SharedHost] = Command(
    "refresh",
    "r",
    "Refresh",
    "Read everything now, without waiting for the next round.",
    Group.LOOK,
    lambda host: host.refresh_all(),
    lambda context: context.refresh_why_not(),
    rank=2,
)

NEXT_AREA: Command[SharedContext, SharedHost] = Command(
    "next",
    "tab",
    "Other pane",
    "Go to the other pane, then to what stands beside or below.",
    Group.LOOK,
    lambda host: host.next_area(),
    rank=3,
)

PROGRAM: tuple[Command[SharedContext, SharedHost], ...] = (
    Command(
        "palette",
        ":",
        "Commands",
        "Find a command by typing a part of its name.",
        Group.PROGRAM,
        lambda host: host.show_palette(),
        rank=5,
    ),
    Command(
        "theme", "", "Theme", "Choose other colours, light ones too.", Group.PROGRAM, lambda host: host.choose_theme()
    ),
    Command("help", "?", "Help", "Show this page.", Group.PROGRAM, lambda host: host.show_help(), rank=1),
    Command(
        "quit",
        "q",
        "Quit",
        "Leave, or see what still runs and leave by {quit} again; what Azure has been asked to do goes on.",
        Group.PROGRAM,
        lambda host: host.leave(),
        asks=True,
        rank=1,
    ),
)
