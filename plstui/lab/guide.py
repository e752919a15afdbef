"""What a person does next, in the words of the place where it is read: commands in a shell, keys in the panes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plstui.domain.sides import Side
from plstui.domain.text import clean, sentence


@dataclass(frozen=True, slots=True)
class Guide:
    """Clauses without a full stop, to be joined to a hint. None begins with what would be another in capitals."""

    up: str
    """How building is taken up again."""
    down: str
    """How taking down is taken up again."""
    undo: str
    """How taking a step back is taken up again."""
    doctor: str
    """Who looks for the reason when what is waited for does not come."""
    naming: str
    """How names are given that have to be typed; `{names}` and `{options}` stand for them."""
    side: str
    """What takes one side down; `{side}` stands for its word on the command line."""

    def name(self, names: Sequence[str]) -> str:
        """How these names are given."""
        tidy = [clean(name) for name in names]
        options = " ".join(f"--yes-delete {name}" for name in tidy)
        return self.naming.format(names=" and ".join(tidy), options=options)

    def down_side(self, side: Side) -> str:
        """What takes this side down."""
        return self.side.format(side=side.value)


def joined(hint: str, clause: str) -> str:
    """A hint that also says how to go on; a command at its end stays one that can be copied."""
    if not hint:
        return sentence(clause)
    return f"{hint[:-1]}; {clause}." if hint.endswith(".") else hint


_AGAIN = "the same command goes on from there"

COMMANDS = Guide(
    up=_AGAIN,
    down=_AGAIN,
    undo=_AGAIN,
    doctor="run plstui doctor to look for the reason",
    naming="type {names}, or give {options}",
    side="plstui lab down --side {side}",
)
