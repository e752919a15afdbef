"""What goes for every write to Azure: read-only is read-only, the journal knows, the watchers look again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from secrets import token_hex
from typing import TypeVar

from plstui.domain.errors import (
    AnswerLostError,
    ConfigError,
    DecidedOtherwiseError,
    NotReadBackError,
    OutcomeUnknownError,
    PlstuiError,
    RefusedError,
    UnreachableError,
)
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.engine.journal import Entry, Journal
from plstui.engine.watcher import Watcher

Result = TypeVar("Result")


class Writes:
    """Sends writes, each with a line in the journal before and after it."""

    def __init__(self, journal: Journal, watchers: Iterable[Watcher], *, read_only: bool = False) -> None:
        self._journal = journal
        self._watchers = tuple(watchers)
        self.read_only = read_only
        self.under_way: list[Entry] = []
        """The writes that Azure has not answered yet."""

    def why_not(self) -> str | None:
        """Why nothing can be written at all; None when it can."""
        return (
            "plstui was started read-only; start it without --read-only to change anything." if self.read_only else None
        )

    async def send(
        self, side: Side, verb: str, resource_id: ResourceId, az: str, call: Callable[[], Awaitable[Result]]
    ) -> Result:
        """Send one write.

        Raises `RefusedError` when plstui is read-only, `ConfigError` when the journal cannot be written, and what
        `call` raises.
        """
        if reason := self.why_not():
            raise RefusedError(reason)
        sent = Entry(token_hex(4), side, verb, resource_id, az, "sent")
        # Before the write: whoever kills us while Azure thinks finds out what may have happened.
        self._journal.add(sent)
        self.under_way.append(sent)
        try:
            result = await call()
        except BaseException as error:
            try:
                self._journal.add(_ended(sent, error))
            except ConfigError as trouble:
                # What the write came to is what a person must hear; the line above has no end, as after a crash.
                error.add_note(trouble.message)
            raise
        else:
            try:
                self._journal.add(replace(sent, outcome="done"))
            except ConfigError as trouble:
                raise ConfigError(f"Azure has done it. {trouble.message}", hint=trouble.hint) from trouble
            return result
        finally:
            self.under_way.remove(sent)
            # Azure may have changed, whatever could be written down of it.
            self.look_again()

    def look_again(self) -> None:
        """Have both sides read at once: they are known to be other than was last seen."""
        for watcher in self._watchers:
            watcher.wake(after_write=True)

    def not_reached(self, side: Side, verb: str, resource_id: ResourceId, az: str, error: UnreachableError) -> None:
        """Take note of a write that could not even be prepared, as Azure was not reached."""
        sent = Entry(token_hex(4), side, verb, resource_id, az, "sent")
        try:
            for entry in (sent, replace(_ended(sent, error), message=f"Nothing was sent: {error.message}")):
                self._journal.add(entry)
        except ConfigError as trouble:
            error.add_note(trouble.message)


def _ended(sent: Entry, error: BaseException) -> Entry:
    """The line that closes a write which raised."""
    match error:
        case NotReadBackError():
            return replace(sent, outcome="done", message=error.message)
        case DecidedOtherwiseError():
            return replace(sent, outcome="done, decided otherwise", message=error.message)
        case OutcomeUnknownError() | AnswerLostError():
            return replace(sent, outcome="unknown", message=error.message)
        case UnreachableError():
            return replace(sent, outcome="failed", message=error.message)
        case PlstuiError():
            return replace(sent, outcome=error.code, message=error.message)
    return replace(sent, outcome="interrupted", message="The answer was not waited for.")
