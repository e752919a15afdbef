"""Approving, rejecting, removing and tagging as a person does it: one at a time, then what is under way until it shows.

Nothing is shown from here: the screen hears of it by message.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from textual.message import Message
from textual.screen import ModalScreen
from textual.worker import WorkType

from plstui.domain.change import Body
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
from plstui.engine.gate import Confirm, Gate, SomeChange
from plstui.tui.messages import Said, Troubled, WritesMoved
from plstui.tui.state import Settling
from plstui.tui.tones import BUSY
from plstui.tui.work import work

Ask = Callable[[ModalScreen[Any]], Awaitable[Any]]
"""Shows a dialog and waits for the answer."""

TAGGING = "changing tags"
"""What the row of a service says while its tags are written."""


@dataclass(frozen=True, slots=True)
class _Words:
    """How a change is told of; the names in them are harmless."""

    what: str
    """`approve saasPrivateEndpoint`"""
    doing: str
    done: str
    waiting: str
    """What Azure asks for patience with."""


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

    async def _decide(self, verb: Verb, link: Link, world: World) -> None:
        name = clean(link.endpoint_name, 60)
        words = _Words(f"{verb} {name}", f"{verb.doing} {name}", f"{verb.done} {name}", f"{verb.doing} {name}")

        async def question(decision: Decision, connection: Connection) -> Decision | None:
            from plstui.tui.dialogs.confirm import ConfirmScreen

            answer: Decision | None = await self._ask(ConfirmScreen(decision, connection, link))
            return answer

        with self._about(link.id):
            if await self._perform(decision(verb, link.id), question, words, world):
                self._settling = self._settling.written(link.id, verb)

    async def _change_tags(self, service: PrivateLinkService, world: World) -> None:
        from plstui.tui.panes.tagging import TagScreen, question_of

        name = clean(service.name, 60)
        words = _Words(f"tags of {name}", f"changing the tags of {name}", f"changed the tags of {name}", name)

        async def question(change: TagChange, body: Body) -> TagChange | None:
            return change if await self._ask(question_of(change, body, name)) else None

        with self._about(service.id):
            if change := await self._ask(TagScreen(service)):
                await self._perform(change, question, words, world)

    async def _perform(
        self, change: SomeChange, question: Confirm[SomeChange, Any], words: _Words, world: World
    ) -> bool:
        """Pass the gate with a change and tell how it goes; whether Azure has taken it."""

        async def confirm(change: SomeChange, state: object) -> SomeChange | None:
            agreed = await question(change, state)
            self._is_answered(change.target)
            if agreed is not None:
                self._tell(Said(f"{words.doing}…", BUSY))
                # The write is marked as under way right after this returns, before the message is heard.
                self._tell(WritesMoved())
            return agreed

        def retrying(error: PlstuiError, pause: float) -> None:
            self._tell(Said(f"{words.waiting}: {clean(again_in(error, pause), 300)}", Tone.WAITING))

        try:
            outcome = await self._gate.perform(change, confirm, world=world, retrying=retrying)
        except PlstuiError as error:
            self._tell(Said(f"{words.what}: {clean(str(error), 300)}", Tone.BAD))
            self._tell(Troubled(error, f"{words.what[:1].upper()}{words.what[1:]}"))
            return False
        if outcome:
            unread = f", but {clean(outcome.unread, 300)}" if outcome.unread else ""
            self._tell(Said(f"{words.done}{unread}", Tone.WAITING if unread else Tone.GOOD))
        return outcome is not None

    @contextmanager
    def _about(self, resource_id: ResourceId) -> Iterator[None]:
        """While a person is asked about something and it is done; afterwards others may be asked about."""
        try:
            yield
        finally:
            self._is_answered(resource_id)
            self._tell(WritesMoved())

    def _is_answered(self, resource_id: ResourceId) -> None:
        # By now it may be something else that somebody is being asked about.
        if self._asked == resource_id:
            self._asked = None
