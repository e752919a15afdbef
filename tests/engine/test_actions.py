"""The one gate that every write passes: its order, and what stops at it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from plstui.domain.connection import (
    APPROVED,
    DISCONNECTED,
    PENDING,
    REJECTED,
    Connection,
    ConnectionStatus,
    Seen,
    Verb,
    unheard,
)
from plstui.domain.errors import (
    AzureError,
    ConfigError,
    NotFoundError,
    NotReadBackError,
    PlstuiError,
    RefusedError,
    Retrying,
)
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.snapshot import Tier
from plstui.domain.world import Link, World
from plstui.engine.actions import MAX_DESCRIPTION, Actions, Confirm, Intent
from plstui.engine.journal import Journal
from plstui.engine.watcher import Watcher
from plstui.engine.writes import Writes
from tests.engine.parts import NotingReader, PassingClock
from tests.support.cloud import Cloud, Prepared, Writer
from tests.support.lab import Request, lab, with_status


@dataclass
class Gate:
    """The gate with a cloud behind it, and a log of the order in which it is passed."""

    cloud: Cloud
    actions: Actions
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
    def link(self) -> Link:
        """The workshop's one connection, as the panes show it."""
        [link] = self.cloud.world.links()
        return link

    @property
    def entries(self) -> list[dict[str, str]]:
        """What stands in the journal."""
        text = self.journal.read_text() if self.journal.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    @property
    def status(self) -> ConnectionStatus:
        """What Azure says."""
        return self.cloud.connection(Request().connection_id).status

    def say(self, answer: str | Callable[[Intent], str | None] | None) -> Confirm:
        """A person who answers the question."""

        async def confirm(intent: Intent) -> str | None:
            self.log.append(f"asked to {intent.verb}, {intent.connection.status}, {intent.description!r}")
            return answer(intent) if callable(answer) else answer

        return confirm


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


def gate(tmp_path: Path, world: World | None = None, *, read_only: bool = False, journal: Path | None = None) -> Gate:
    cloud, clock, log = Cloud(world or lab()), PassingClock(), list[str]()
    readers = tuple(NotingReader(cloud, side) for side in Side)
    watchers = tuple(
        Watcher(side, "s", reader, clock=clock, jitter=lambda: 1.0) for side, reader in zip(Side, readers, strict=True)
    )
    path = journal or tmp_path / "journal.jsonl"
    reader, writer = LoggingReader(cloud, log), LoggingWriter(cloud, log)
    actions = Actions(reader, writer, Writes(Journal(path), watchers, read_only=read_only))
    return Gate(cloud, actions, path, clock, watchers, readers, log, reader.read_one, writer.sent)


async def read_at_once_after(azure: Gate, answer: str | None) -> list[Side]:
    """The sides that are read at once after an attempt to approve, instead of after a wait."""
    panes = [watcher.snapshots() for watcher in azure.watchers]
    for snapshots in panes:
        await anext(snapshots)
    try:
        await azure.actions.perform(Verb.APPROVE, azure.link, azure.say(answer))
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


async def test_the_order_of_the_gate(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    outcome = await azure.actions.perform(Verb.APPROVE, azure.link, azure.say("Order 314159"))

    assert azure.log == [
        "read",
        "asked to approve, Pending, 'Approved with plstui'",
        "sent Approved, 'Order 314159', expecting Pending",
    ]
    assert outcome is not None
    assert outcome.connection is not None
    assert (outcome.connection.status, outcome.connection.description) == (APPROVED, "Order 314159")
    sent, entry = azure.entries
    assert (sent["outcome"], sent["message"]) == ("sent", "")
    assert [sent[key] for key in ("action", "verb", "id", "az")] == [
        entry[key] for key in ("action", "verb", "id", "az")
    ]
    assert (entry["side"], entry["verb"], entry["outcome"]) == ("isv", "approve", "done")
    assert entry["id"] == Request().connection_id.text
    assert entry["az"] == outcome.intent.az()
    assert "--description 'Order 314159'" in entry["az"]
    assert azure.actions.under_way == {}


async def test_a_removal_sends_no_text(tmp_path: Path) -> None:
    azure = gate(tmp_path, with_status(APPROVED))
    outcome = await azure.actions.perform(Verb.REMOVE, azure.link, azure.say(lambda intent: intent.description))

    assert azure.log == ["read", "asked to remove, Approved, ''", "sent a removal"]
    assert outcome is not None
    assert outcome.connection is None
    assert azure.link.status == DISCONNECTED
    assert azure.entries[0]["az"].endswith(" --yes")


async def test_read_only_comes_before_everything(tmp_path: Path) -> None:
    azure = gate(tmp_path, read_only=True)

    for verb in Verb:
        with pytest.raises(RefusedError, match="started read-only"):
            await azure.actions.perform(verb, azure.link, azure.say("yes"))
    assert azure.log == []
    assert azure.entries == []
    assert azure.status == PENDING


async def test_what_is_not_legal_is_not_asked(tmp_path: Path) -> None:
    azure = gate(tmp_path, with_status(APPROVED))

    with pytest.raises(RefusedError, match="This connection is Approved already"):
        await azure.actions.perform(Verb.APPROVE, azure.link, azure.say("yes"))
    assert azure.log == []


async def test_what_somebody_else_has_done_meanwhile_is_seen(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    shown = azure.link
    azure.cloud.become(with_status(APPROVED))

    with pytest.raises(RefusedError, match="This connection is Approved already"):
        await azure.actions.perform(Verb.APPROVE, shown, azure.say("yes"))
    assert azure.log == ["read"]
    assert azure.entries == []


async def test_what_changes_while_the_person_thinks_is_not_overwritten(tmp_path: Path) -> None:
    azure = gate(tmp_path)

    def dither(intent: Intent) -> str:
        azure.cloud.become(with_status(REJECTED))
        return intent.description

    with pytest.raises(RefusedError, match="Rejected now"):
        await azure.actions.perform(Verb.APPROVE, azure.link, azure.say(dither))
    assert azure.status == REJECTED
    assert azure.entries == [], "nothing was sent"


async def test_a_connection_that_is_gone_is_told(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    shown = azure.link
    azure.cloud.become(with_status(DISCONNECTED, at_service=False))

    with pytest.raises(NotFoundError):
        await azure.actions.perform(Verb.APPROVE, shown, azure.say("yes"))
    assert azure.log == ["read"]


async def test_no_means_no(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    outcome = await azure.actions.perform(Verb.REJECT, azure.link, azure.say(None))

    assert outcome is None
    assert azure.log == ["read", "asked to reject, Pending, 'Rejected with plstui'"]
    assert azure.entries == []
    assert azure.status == PENDING


async def test_an_empty_description_is_the_persons_choice(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    await azure.actions.perform(Verb.APPROVE, azure.link, azure.say(""))

    assert azure.log[-1] == "sent Approved, '', expecting Pending"


async def test_a_description_is_one_harmless_line_of_a_length_that_azure_takes(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    await azure.actions.perform(Verb.APPROVE, azure.link, azure.say("a\n\x1b[2Jb" + "c" * 500))

    description = azure.cloud.connection(Request().connection_id).description
    assert description.startswith("a [2Jbccc")
    assert len(description) == MAX_DESCRIPTION


async def test_azures_answer_is_journaled_and_told(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    azure.cloud.write_fault = AzureError("You may not do that.", status=403, code="AuthorizationFailed")

    with pytest.raises(AzureError, match="You may not"):
        await azure.actions.perform(Verb.APPROVE, azure.link, azure.say("yes"))
    sent, entry = azure.entries
    assert (sent["outcome"], sent["message"]) == ("sent", "")
    assert [sent[key] for key in ("action", "verb", "id", "az")] == [
        entry[key] for key in ("action", "verb", "id", "az")
    ]
    assert (entry["outcome"], entry["message"]) == ("AuthorizationFailed", "You may not do that.")
    assert azure.actions.under_way == {}


async def test_what_azure_has_taken_is_done_also_when_it_cannot_be_read_back(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    azure.cloud.write_fault = NotReadBackError("it could not be read back: Too many requests.")

    outcome = await azure.actions.perform(Verb.APPROVE, azure.link, azure.say("yes"))

    assert outcome is not None
    assert outcome.connection is None
    assert outcome.unread == "it could not be read back: Too many requests."
    assert (azure.entries[-1]["outcome"], azure.entries[-1]["message"]) == ("done", outcome.unread)
    assert azure.actions.under_way == {}


@pytest.mark.parametrize("fault", [None, AzureError("No.", status=500)], ids=["done", "failed"])
async def test_both_sides_are_read_at_once_after_a_write(tmp_path: Path, fault: AzureError | None) -> None:
    azure = gate(tmp_path)
    azure.cloud.write_fault = fault

    assert await read_at_once_after(azure, "yes") == [Side.ISV, Side.CUSTOMER]


async def test_after_a_no_nobody_hurries(tmp_path: Path) -> None:
    assert await read_at_once_after(gate(tmp_path), None) == []


async def test_while_azure_works_the_row_says_so_and_nothing_else_is_sent(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    azure.cloud.answering.clear()
    first = asyncio.create_task(azure.actions.perform(Verb.APPROVE, azure.link, azure.say("yes")))
    await azure.sent.wait()

    assert azure.actions.under_way == {Request().connection_id: Verb.APPROVE}
    assert azure.actions.why_not(Verb.REMOVE, azure.link) == "plstui is still approving this connection."
    assert azure.status == PENDING
    with pytest.raises(RefusedError, match="still approving"):
        await azure.actions.perform(Verb.REMOVE, azure.link, azure.say("yes"))

    azure.cloud.answering.set()
    await first
    assert azure.actions.why_not(Verb.REMOVE, azure.link) is None


async def test_two_dialogs_for_one_connection_send_once(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    azure.cloud.answering.clear()
    answered = asyncio.Event()

    async def second_dialog(intent: Intent) -> str:
        await answered.wait()
        return intent.description

    slow = asyncio.create_task(azure.actions.perform(Verb.REJECT, azure.link, second_dialog))
    await azure.read.wait()
    quick = asyncio.create_task(azure.actions.perform(Verb.APPROVE, azure.link, azure.say("yes")))
    await azure.sent.wait()
    answered.set()
    with pytest.raises(RefusedError, match="still approving"):
        await slow

    azure.cloud.answering.set()
    await quick
    assert [entry["verb"] for entry in azure.entries] == ["approve", "approve"]


async def test_a_write_that_is_not_waited_for_is_journaled(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    azure.cloud.answering.clear()
    write = asyncio.create_task(azure.actions.perform(Verb.APPROVE, azure.link, azure.say("yes")))
    await azure.sent.wait()
    assert [entry["outcome"] for entry in azure.entries] == ["sent"]
    write.cancel()
    with pytest.raises(asyncio.CancelledError):
        await write

    sent, entry = azure.entries
    assert (sent["outcome"], sent["message"]) == ("sent", "")
    assert [sent[key] for key in ("action", "verb", "id", "az")] == [
        entry[key] for key in ("action", "verb", "id", "az")
    ]
    assert (entry["outcome"], entry["message"]) == ("interrupted", "The answer was not waited for.")
    assert azure.actions.under_way == {}


async def test_without_a_journal_nothing_is_sent(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    azure = gate(tmp_path, journal=tmp_path / "file" / "journal.jsonl")

    with pytest.raises(ConfigError, match="cannot be written"):
        await azure.actions.perform(Verb.APPROVE, azure.link, azure.say("yes"))
    assert azure.log == ["read", "asked to approve, Pending, 'Approved with plstui'"]
    assert azure.status == PENDING


async def test_only_the_owner_decides(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    [seen_by_the_customer] = World(None, azure.cloud.world.customer).links()

    assert azure.actions.why_not(Verb.APPROVE, None) == "No connection is selected."
    with pytest.raises(PlstuiError, match="Only the service's owner can decide"):
        await azure.actions.perform(Verb.APPROVE, seen_by_the_customer, azure.say("yes"))
    assert azure.log == []


async def test_a_link_in_another_case_is_the_same_connection(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    link = azure.link
    assert link.service_side is not None
    shouted = replace(link, service_side=replace(link.service_side, id=ResourceId(link.id.text.upper())))
    azure.actions.under_way[link.id] = Verb.REJECT

    assert "still rejecting" in (azure.actions.why_not(Verb.APPROVE, shouted) or "")
