"""What one script may use of the program that runs it: a machine in memory has no kernel to stop what eats it."""

from __future__ import annotations

from plstui.sandbox.machines.errors import ShellSyntaxError

MOST_COMMANDS = 100_000
"""Commands one script may run. A script without end would otherwise run for ever."""
MOST_CHARACTERS = 32 * 1024 * 1024
"""Characters one script may read, print and expand, all in all; a few seconds of this program's time."""
MOST_VARIABLES = 2 * 1024 * 1024
"""Characters that the variables of one shell may hold."""

_VARIABLE = 64
"""Characters that a variable counts beside its name and value."""


class Budget:
    """One for a script and every shell, job and substitution that it starts. Spending raises `ShellSyntaxError`."""

    def __init__(self) -> None:
        self.refill()

    def refill(self) -> None:
        """Begin anew: each line typed at a prompt is a script of its own."""
        self._commands, self._characters = MOST_COMMANDS, MOST_CHARACTERS

    def command(self) -> None:
        """One more command is run."""
        self._commands -= 1
        if self._commands < 0:
            raise ShellSyntaxError(f"the sandbox ends a script after {MOST_COMMANDS:,} commands")

    def characters(self, count: int) -> None:
        """So many more characters are read, printed or expanded."""
        self._characters -= count
        if self._characters < 0:
            raise ShellSyntaxError(f"the sandbox ends a script after {MOST_CHARACTERS:,} characters")


class Variables(dict[str, str]):
    """The variables of a shell; they hold so much and no more."""

    _size = 0

    def __setitem__(self, name: str, value: str) -> None:
        size = self._size - self._of(name) + len(name) + len(value) + _VARIABLE
        if size > MOST_VARIABLES:
            raise ShellSyntaxError("Cannot allocate memory")
        self._size = size
        super().__setitem__(name, value)

    def forget(self, name: str) -> None:
        """Unset one, if it is set."""
        self._size -= self._of(name)
        self.pop(name, None)

    def _of(self, name: str) -> int:
        return len(name) + len(self[name]) + _VARIABLE if name in self else 0

    def duplicate(self) -> Variables:
        """The same for a shell within the shell."""
        other = Variables(self)
        other._size = self._size
        return other
