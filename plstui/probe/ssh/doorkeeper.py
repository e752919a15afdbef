"""What a person is asked when a login fails for want of an answer: whether a server is the right one, a passphrase."""

from __future__ import annotations

from pathlib import Path

from plstui.domain.question import Ask, Question
from plstui.domain.text import clean
from plstui.probe.route import RouteError
from plstui.probe.ssh.hostkeys import add
from plstui.probe.ssh.login import LockedError, StrangerError
from plstui.probe.threads import in_thread

MOST_TRIES = 3
"""Wrong passphrases until nobody is asked for that key again, as `ssh` has it."""


class Doorkeeper:
    """Asks each thing once. Passphrases are kept in memory, so that a connection can be made anew without asking."""

    def __init__(self, ask: Ask | None) -> None:
        self.passphrases: dict[Path, str] = {}
        self._ask = ask
        self._tries: dict[Path, int] = {}
        self._refused: set[str] = set()
        """Lines of known_hosts that a person has said no to."""

    async def can_help(self, error: RouteError) -> bool:
        """Whether an answer has come that makes another login worth trying. Raises `RouteError`."""
        if isinstance(error, StrangerError):
            return await self._trusts(error)
        if isinstance(error, LockedError):
            return await self._unlocks(error)
        return False

    async def _trusts(self, error: StrangerError) -> bool:
        if self._ask is None or error.entry in self._refused:
            return False
        question = Question(
            title=f"Is this {clean(error.name, 60)}?",
            text=f"plstui has not met it before. Its host key is {error.shown}. Yes writes it to {error.file}.",
            yes="Trust it",
        )
        if await self._ask(question) is None:
            self._refused.add(error.entry)
            return False
        try:
            await in_thread(lambda: add(error.file, error.entry))
        except OSError as trouble:
            raise RouteError(f"{error.file} cannot be written: {trouble.strerror}.") from None
        return True

    async def _unlocks(self, error: LockedError) -> bool:
        if self._ask is None:
            return False
        for file in error.files:
            wrong = self.passphrases.pop(file, None) is not None
            if self._tries.get(file, 0) >= MOST_TRIES:
                continue
            self._tries[file] = self._tries.get(file, 0) + 1
            question = Question(
                title="Passphrase",
                text=f"{'That was wrong. ' if wrong else ''}The key {clean(str(file), 200)} has a passphrase. "
                "It is kept in memory until plstui ends.",
                yes="Unlock",
                secret=True,
            )
            answer = await self._ask(question)
            if answer:
                self.passphrases[file] = answer
                return True
            # No is no for as long as this runs.
            self._tries[file] = MOST_TRIES
        return False
