"""The one gate that every write passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from plstui.domain.az import az_line
from plstui.domain.connection import Connection, Seen, Verb, unheard, why_not
from plstui.domain.errors import NotReadBackError, RefusedError, Retrying, UnreachableError
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
    """The connection as it was read back; None when it is gone, or could not be read."""
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
        return self._busy_with(link.id) or link.why_not(verb)

    def _busy_with(self, connection_id: ResourceId) -> str | None:
        """Why nothing can be sent for a connection now, whatever its status; None when it can."""
        verb = self.under_way.get(connection_id)
        return f"plstui is still {verb.doing} this connection." if verb else None

    async def perform(
        self,
        verb: Verb,
        target: Link | ResourceId,
        confirm: Confirm,
        *,
        description: str | None = None,
        retrying: Retrying | None = None,
        seen: Seen = unheard,
    ) -> Outcome | None:
        """Pass the gate with one verb; None when the person said no. `retrying` hears of what Azure asks patience for.

        Of a connection that is named by its id nothing else need have been read. `seen` hears of the connection each
        time that it is looked at before the decision is sent. Raises `RefusedError` when it is not
        possible now, and what the reader and the writer raise.
        """
        connection_id = target if isinstance(target, ResourceId) else target.id
        self._refuse(self._writes.why_not() or self._busy_with(connection_id))
        if isinstance(target, Link):
            self._refuse(target.why_not(verb))
        text = self._description(verb, description)
        with self._noted(verb, connection_id, text):
            fresh = await self._reader.read_connection(connection_id, retrying=retrying)
        seen(fresh)
        self._refuse(why_not(verb, fresh))
        answer = await confirm(Intent(verb, fresh, text))
        if answer is None:
            return None
        intent = Intent(verb, fresh, clean(answer, MAX_DESCRIPTION))
        self._refuse(self._busy_with(connection_id))
        self.under_way[connection_id] = verb
        try:
            return await self._send(intent, seen, retrying)
        finally:
            del self.under_way[connection_id]

    async def _send(self, intent: Intent, seen: Seen, retrying: Retrying | None) -> Outcome:
        """Read once more, as the person may have taken a while, and send."""
        verb, before, text = intent.verb, intent.connection, intent.description
        with self._noted(verb, before.id, text):
            decision = await self._writer.prepare(
                before.id, verb.status, text, expected=before.status, seen=seen, retrying=retrying
            )
        try:
            after = await self._writes.send(Side.ISV, verb.value, before.id, intent.az(), decision.send)
        except NotReadBackError as error:
            return Outcome(intent, None, error.message)
        return Outcome(intent, after)

    @contextmanager
    def _noted(self, verb: Verb, connection_id: ResourceId, description: str) -> Iterator[None]:
        """What cannot be sent because Azure is not reached inside stands in the journal as well.

        And where the connection is no longer what somebody has seen, both sides are read at once.
        """
        try:
            yield
        except RefusedError:
            self._writes.look_again()
            raise
        except UnreachableError as error:
            az = az_line(verb, connection_id, description)
            self._writes.not_reached(Side.ISV, verb.value, connection_id, az, error)
            raise

    @staticmethod
    def _description(verb: Verb, given: str | None) -> str:
        """What to send when nothing is given: Azure replaces the state whole, so leaving it out would empty it."""
        if given is not None:
            return clean(given, MAX_DESCRIPTION)
        return "" if verb is Verb.REMOVE else f"{verb.done.capitalize()} with plstui"

    @staticmethod
    def _refuse(reason: str | None) -> None:
        if reason:
            raise RefusedError(reason)
