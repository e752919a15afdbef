"""The gate with an Azure in memory behind it, and what it is passed with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from plstui.domain.connection import Connection, ConnectionStatus, Seen, Verb, unheard
from plstui.domain.decision import Decision, decision
from plstui.domain.errors import AzureError, Retrying
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.snapshot import Tier
from plstui.domain.world import World
from plstui.engine.gate import Confirm, Gate, Outcome
from plstui.engine.journal import Journal
from plstui.engine.watcher import Watcher
from tests.engine.parts import NotingReader, PassingClock
from tests.support.cloud import Arm, Bodies, Cloud, Prepared, Writer
from tests.support.lab import Request, lab


@dataclass
class Gateway:
    """The gate with a cloud behind it, and a log of the order in which it is passed."""

    cloud: Cloud
    gate: Gate
    journal: Path
    clock: PassingClock
    watchers: tuple[Watcher, ...]
    readers: tuple[NotingReader, ...]
    log: list[str]
    read: asyncio.Event
    """Set once a connection has been read."""
    sent: asyncio.Event
    """Set once something has been sent."""

    @property
    def entries(self) -> list[dict[str, str]]:
        """What stands in the journal."""
        text = self.journal.read_text() if self.journal.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    @property
    def status(self) -> ConnectionStatus:
        """What Azure says."""
        return self.cloud.connection(Request().connection_id).status

    def say(self, answer: str | Callable[[Decision], str | None] | None) -> Confirm[Decision, Connection]:
        """A person who answers the question with a description, or with no."""

        async def confirm(decision: Decision, connection: Connection) -> Decision | None:
            self.log.append(f"asked to {decision.verb}, {connection.status}, {decision.description!r}")
            text = answer(decision) if callable(answer) else answer
            return None if text is None else decision.described(text)

        return confirm

    async def decide(
        self,
        verb: Verb,
        answer: str | Callable[[Decision], str | None] | None = "yes",
        *,
        shown: World | None = None,
    ) -> Outcome[Connection | None] | None:
        """Decide on the one connection that the panes show, now or a while ago."""
        world = shown or self.cloud.world
        [link] = world.links()
        return await self.gate.perform(decision(verb, link.id), self.say(answer), world=world)


class LoggingReader(NotingReader):
    """Notes in the gate's log that a connection was read."""

    def __init__(self, cloud: Cloud, log: list[str]) -> None:
        super().__init__(cloud, Side.ISV)
        self._log = log
        self.read_one = asyncio.Event()

    async def read_connection(self, connection_id: ResourceId, *, retrying: Retrying | None = None) -> Connection:
        """One connection as it is now."""
        self._log.append("read")
        self.read_one.set()
        return await super().read_connection(connection_id)


@dataclass(frozen=True)
class LoggingPrepared(Prepared):
    """Says so when it is sent."""

    sent: Callable[[], None]

    async def send(self) -> Connection | None:
        """Replace the state, or take the connection away."""
        self.sent()
        return await super().send()


class LoggingWriter(Writer):
    """Notes in the gate's log what was sent."""

    def __init__(self, cloud: Cloud, log: list[str]) -> None:
        super().__init__(cloud)
        self._log = log
        self.sent = asyncio.Event()

    async def prepare(
        self,
        connection_id: ResourceId,
        wanted: ConnectionStatus | None,
        description: str,
        *,
        expected: ConnectionStatus,
        seen: Seen = unheard,
        retrying: Retrying | None = None,
    ) -> Prepared:
        """Be ready to replace the state, or to take the connection away."""
        await super().prepare(connection_id, wanted, description, expected=expected, seen=seen)
        line = f"sent {wanted}, {description!r}, expecting {expected}" if wanted else "sent a removal"

        def sent() -> None:
            self._log.append(line)
            self.sent.set()

        return LoggingPrepared(self._cloud, connection_id, wanted, description, sent)


def gate(
    tmp_path: Path, world: World | None = None, *, read_only: bool = False, journal: Path | None = None
) -> Gateway:
    cloud, clock, log = Cloud(world or lab()), PassingClock(), list[str]()
    readers = tuple(NotingReader(cloud, side) for side in Side)
    watchers = tuple(
        Watcher(side, "s", reader, clock=clock, jitter=lambda: 1.0) for side, reader in zip(Side, readers, strict=True)
    )
    path = journal or tmp_path / "journal.jsonl"
    reader, writer = LoggingReader(cloud, log), LoggingWriter(cloud, log)
    passed = Gate({Side.ISV: Arm(reader, Bodies(), writer)}, Journal(path), watchers, read_only=read_only)
    return Gateway(cloud, passed, path, clock, watchers, readers, log, reader.read_one, writer.sent)


async def read_at_once_after(azure: Gateway, answer: str | None) -> list[Side]:
    """The sides that are read at once after an attempt to approve, instead of after a wait."""
    panes = [watcher.snapshots() for watcher in azure.watchers]
    for snapshots in panes:
        await anext(snapshots)
    try:
        await azure.decide(Verb.APPROVE, answer)
    except AzureError as error:
        azure.log.append(error.code)
    found = []
    for snapshots, watcher, reader in zip(panes, azure.watchers, azure.readers, strict=True):
        before = azure.clock.elapsed
        while Tier.CONNECTIONS not in reader.asked:
            await anext(snapshots)
        if azure.clock.elapsed == before:
            found.append(watcher.snapshot.side)
    return found
