"""The one gate that every write passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from plstui.domain.az import az_line
from plstui.domain.connection import Connection, Verb, why_not
from plstui.domain.errors import NotReadBackError, RefusedError, Retrying
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.text import clean
from plstui.domain.world import Link
from plstui.engine.ports import CloudReader, CloudWriter
from plstui.engine.writes import Writes

MAX_DESCRIPTION = 140
"""Characters in a description: the limit Azure documents for the request message, kept for the answer too."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be done: what a person is asked to confirm."""

    verb: Verb
    connection: Connection
    """As the service reported it a moment ago."""
    description: str
    """The description that will be sent; the confirmation may change it."""

    def az(self, description: str | None = None) -> str:
        """The `az` line that does the same, with this or another description."""
        return az_line(self.verb, self.connection.id, self.description if description is None else description)


Confirm = Callable[[Intent], Awaitable[str | None]]
"""Asks the person: the description to send, or None for no."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an action ended."""

    intent: Intent
    connection: Connection | None
    """The connection as Azure answered; None when it is gone."""
    unread: str = ""
    """That what came of it could not be read back, and why; empty when it could."""


class Actions:
    """Approve, reject and remove, always in the same order of checks."""

    def __init__(
        self,
        reader: CloudReader,
        writer: CloudWriter,
        writes: Writes,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._writes = writes
        self.under_way: dict[ResourceId, Verb] = {}
        """The writes Azure has not answered yet, by connection."""

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written at all."""
        return self._writes.read_only

    def why_not(self, verb: Verb, link: Link | None) -> str | None:
        """Why `verb` is not possible now; None when it is. What greys a key and refuses a command alike."""
        if reason := self._writes.why_not():
            return reason
        if link is None:
            return "No connection is selected."
        if link.id in self.under_way:
            return f"plstui is still {self.under_way[link.id].doing} this connection."
        return link.why_not(verb)

    async def perform(
        self,
        verb: Verb,
        link: Link,
        confirm: Confirm,
        *,
        description: str | None = None,
        retrying: Retrying | None = None,
    ) -> Outcome | None:
        """Pass the gate with one verb; None when the person said no. `retrying` hears of what Azure asks patience for.

        Raises `RefusedError` when it is not possible now, and what the reader and the writer raise.
        """
        self._refuse(self.why_not(verb, link))
        fresh = await self._reader.read_connection(link.id)
        self._refuse(why_not(verb, fresh))
        text = await confirm(Intent(verb, fresh, self._description(verb, fresh, description)))
        if text is None:
            return None
        intent = Intent(verb, fresh, clean(text, MAX_DESCRIPTION))
        self._refuse(self.why_not(verb, link))
        self.under_way[link.id] = verb
        try:
            after = await self._writes.send(
                Side.ISV, verb.value, link.id, intent.az(), lambda: self._send(intent, retrying)
            )
        except NotReadBackError as error:
            return Outcome(intent, error.connection, error.message)
        finally:
            del self.under_way[link.id]
        return Outcome(intent, after)

    async def _send(self, intent: Intent, retrying: Retrying | None) -> Connection | None:
        before = intent.connection
        if intent.verb.status is None:
            await self._writer.remove(before.id, retrying=retrying)
            return None
        return await self._writer.decide(
            before.id, intent.verb.status, intent.description, expected=before.status, retrying=retrying
        )

    @staticmethod
    def _description(verb: Verb, connection: Connection, given: str | None) -> str:
        """What to send when nothing is given: Azure replaces the state whole, so leaving it out would empty it."""
        if given is not None:
            return clean(given, MAX_DESCRIPTION)
        return "" if verb is Verb.REMOVE else f"{verb.done.capitalize()} with plstui"

    @staticmethod
    def _refuse(reason: str | None) -> None:
        if reason:
            raise RefusedError(reason)
