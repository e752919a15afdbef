"""Approving, rejecting, removing and tagging as a person does it: one at a time, then what is under way until it shows.

Nothing is shown from here: the screen hears of it by message.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from textual.message import Message
from textual.screen import ModalScreen
from textual.worker import WorkType

from plstui.domain.connection import CONNECTION_TYPE, Connection, Verb, endpoint_name_of
from plstui.domain.decision import Decision, decision
from plstui.domain.errors import PlstuiError, again_in
from plstui.domain.ids import ResourceId
from plstui.domain.resources import PrivateLinkService
from plstui.domain.snapshot import Snapshot
from plstui.domain.states import Tone
from plstui.domain.tags import TagChange
from plstui.domain.text import clean
from plstui.domain.world import Link, World
from plstui.engine.gate import Confirm, Gate
from plstui.tui.messages import Said, Troubled, WritesMoved
from plstui.tui.state import Settling
from plstui.tui.tones import BUSY
from plstui.tui.work import work

Ask = Callable[[ModalScreen[Any]], Awaitable[Any]]
"""Shows a dialog and waits for the answer."""

TAGGING = "changing tags"
"""What the row of a service says while its tags are written."""


class Decisions:
    """What a person decides in one session on connections and on the tags of services, through the engine's gate."""

    def __init__(self, gate: Gate, ask: Ask, tell: Callable[[Message], object]) -> None:
        self._gate = gate
        self._ask = ask
        self._tell = tell
        self._settling = Settling()
        self._asked: ResourceId | None = None
        """The connection or service that a person is being asked about."""

    @property
    def under_way(self) -> Mapping[ResourceId, str]:
        """The writes that Azure has not answered, and those whose effect no snapshot has shown yet; what each does."""
        doing = {connection_id: verb.doing for connection_id, verb in self._settling.writes.items()}
        for change in self._gate.under_way:
            if isinstance(change, Decision):
                doing[change.target] = change.verb.doing
            elif isinstance(change, TagChange):
                doing[change.target] = TAGGING
        return doing

    def look(self, snapshot: Snapshot) -> None:
        """The ISV's side as it was read now: what it shows is no longer under way."""
        self._settling = self._settling.after(snapshot)

    def why_not(self) -> str | None:
        """Why no question can be put now; None when one can."""
        if self._asked is None:
            return None
        name = self._asked.name
        name = endpoint_name_of(name) if self._asked.is_type(CONNECTION_TYPE) else name
        return f"You are about to be asked about {clean(name, 60)}; answer that first."

    def decide(self, verb: Verb, link: Link, world: World) -> WorkType[None]:
        """What asks about a connection, then does it; from this call on nothing else is asked about."""
        self._asked = link.id
        return work(self._decide, verb, link, world)

    def change_tags(self, service: PrivateLinkService, world: World) -> WorkType[None]:
        """The same about the tags of a service."""
        self._asked = service.id
        return work(self._change_tags, service, world)

    async def _change_tags(self, service: PrivateLinkService, world: World) -> None:
        from plstui.tui.panes.tagging import change_tags

        try:
            await change_tags(self._gate, service, world, self._ask, self._tell, lambda: self._is_answered(service.id))
        finally:
            self._is_answered(service.id)
            self._tell(WritesMoved())

    async def _decide(self, verb: Verb, link: Link, world: World) -> None:
        name = clean(link.endpoint_name, 60)
        try:
            outcome = await self._gate.perform(
                decision(verb, link.id),
                self._confirm(verb, link),
                world=world,
                retrying=lambda error, pause: self._tell(
                    Said(f"{verb.doing} {name}: {clean(again_in(error, pause), 300)}", Tone.WAITING)
                ),
            )
        except PlstuiError as error:
            self._tell(Said(f"{verb} {name}: {clean(str(error), 300)}", Tone.BAD))
            self._tell(Troubled(error, f"{verb.value.capitalize()} {name}"))
        else:
            if outcome:
                self._settling = self._settling.written(link.id, verb)
                unread = f", but {clean(outcome.unread, 300)}" if outcome.unread else ""
                self._tell(Said(f"{verb.done} {name}{unread}", Tone.WAITING if unread else Tone.GOOD))
        finally:
            self._is_answered(link.id)
            self._tell(WritesMoved())

    def _confirm(self, verb: Verb, link: Link) -> Confirm[Decision, Connection]:
        async def confirm(decision: Decision, connection: Connection) -> Decision | None:
            from plstui.tui.dialogs.confirm import ConfirmScreen

            answer: Decision | None = await self._ask(ConfirmScreen(decision, connection, link))
            self._is_answered(link.id)
            if answer is not None:
                self._tell(Said(f"{verb.doing} {clean(link.endpoint_name, 60)}…", BUSY))
                # The write is marked as under way right after this returns, before the message is heard.
                self._tell(WritesMoved())
            return answer

        return confirm

    def _is_answered(self, resource_id: ResourceId) -> None:
        # By now it may be something else that somebody is being asked about.
        if self._asked == resource_id:
            self._asked = None
