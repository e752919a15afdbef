"""What a person is asked when a login fails for want of an answer: whether a server is the right one, a passphrase."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from plstui.domain.question import Ask, Question
from plstui.domain.text import clean
from plstui.probe.route import RouteError
from plstui.probe.ssh.hostkeys import add
from plstui.probe.ssh.login import Answers, LockedError, StrangerError
from plstui.probe.threads import in_thread

MOST_TRIES = 3
"""Wrong passphrases until nobody is asked for that key again, as `ssh` has it."""


class Doorkeeper:
    """Asks each thing once, one after the other. What was answered is kept in memory: a connection can be made anew
    without asking, also where known_hosts is /dev/null.
    """

    def __init__(self, ask: Ask | None) -> None:
        self._passphrases: dict[Path, str] = {}
        self._trusted: set[str] = set()
        self._asking = asyncio.Lock()
        self._ask = ask
        self._tries: dict[Path, int] = {}
        self._refused: set[str] = set()
        """Lines of known_hosts that a person has said no to."""

    def answers(self) -> Answers:
        """What has been answered until now."""
        return Answers(dict(self._passphrases), frozenset(self._trusted))

    async def can_help(self, error: RouteError, answers: Answers) -> bool:
        """Whether an answer has come that makes another login worth trying than with `answers`. Raises `RouteError`."""
        async with self._asking:
            if isinstance(error, StrangerError):
                return error.entry in self._trusted or await self._trusts(error)
            if isinstance(error, LockedError):
                return await self._unlocks(error, answers.passphrases)
        return False

    async def _trusts(self, error: StrangerError) -> bool:
        if self._ask is None or error.entry in self._refused:
            return False
        question = Question(
            title=f"Is this {clean(error.name, 60)}?",
            text=f"plstui has not met it before. Its host key is {error.shown}. "
            + (f"Yes writes it to {error.file}." if error.file else "Yes is kept in memory until plstui ends."),
            yes="Trust it",
        )
        if await self._ask(question) is None:
            self._refused.add(error.entry)
            return False
        if file := error.file:
            try:
                await in_thread(lambda: add(file, error.entry))
            except OSError as trouble:
                raise RouteError(f"{file} cannot be written: {trouble.strerror}.") from None
        self._trusted.add(error.entry)
        return True

    async def _unlocks(self, error: LockedError, tried: Mapping[Path, str]) -> bool:
        if self._ask is None:
            return False
        if any(self._passphrases.get(file, tried.get(file)) != tried.get(file) for file in error.files):
            # Another login has asked in the meantime.
            return True
        for file in error.files:
            wrong = self._passphrases.pop(file, None) is not None
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
                self._passphrases[file] = answer
                return True
            # No is no for as long as this runs.
            self._tries[file] = MOST_TRIES
        return False
