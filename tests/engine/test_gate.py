"""The one gate that every write passes: its order, and what stops at it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from plstui.domain.change import Put, Ready, RunScript, Start
from plstui.domain.change import Request as Sent
from plstui.domain.connection import APPROVED, DISCONNECTED, PENDING, REJECTED, Connection, Verb
from plstui.domain.decision import MAX_DESCRIPTION, Decision, decision
from plstui.domain.errors import AzureError, ConfigError, NotFoundError, NotReadBackError, RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.world import World
from plstui.engine.agents import ScriptRun
from tests.engine.gateway import gate, read_at_once_after
from tests.support.lab import Request, with_status


async def test_the_order_of_the_gate(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    outcome = await azure.decide(Verb.APPROVE, "Order 314159")

    assert azure.log == [
        "read",
        "asked to approve, Pending, 'Approved with plstui'",
        "sent Approved, 'Order 314159', expecting Pending",
    ]
    assert outcome is not None
    assert outcome.after is not None
    assert (outcome.after.status, outcome.after.description) == (APPROVED, "Order 314159")
    sent, entry = azure.entries
    assert (sent["outcome"], sent["message"]) == ("sent", "")
    assert [sent[key] for key in ("action", "verb", "id", "az")] == [
        entry[key] for key in ("action", "verb", "id", "az")
    ]
    assert (entry["side"], entry["verb"], entry["outcome"]) == ("isv", "approve", "done")
    assert entry["id"] == Request().connection_id.text
    assert entry["az"] == outcome.change.az
    assert "--description 'Order 314159'" in entry["az"]
    assert azure.gate.under_way == []


async def test_a_removal_sends_no_text(tmp_path: Path) -> None:
    azure = gate(tmp_path, with_status(APPROVED))
    outcome = await azure.decide(Verb.REMOVE, lambda decision: decision.description)

    assert azure.log == ["read", "asked to remove, Approved, ''", "sent a removal"]
    assert outcome is not None
    assert outcome.after is None
    [link] = azure.cloud.world.links()
    assert link.status == DISCONNECTED
    assert azure.entries[0]["az"].endswith(" --yes")


async def test_read_only_comes_before_everything(tmp_path: Path) -> None:
    azure = gate(tmp_path, read_only=True)

    for verb in Verb:
        with pytest.raises(RefusedError, match="started read-only"):
            await azure.decide(verb)
    assert azure.log == []
    assert azure.entries == []
    assert azure.status == PENDING


async def test_what_is_not_legal_is_not_asked(tmp_path: Path) -> None:
    azure = gate(tmp_path, with_status(APPROVED))

    with pytest.raises(RefusedError, match="This connection is Approved already"):
        await azure.decide(Verb.APPROVE)
    assert azure.log == []


async def test_what_somebody_else_has_done_meanwhile_is_seen(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    shown = azure.cloud.world
    azure.cloud.become(with_status(APPROVED))

    with pytest.raises(RefusedError, match="This connection is Approved already"):
        await azure.decide(Verb.APPROVE, shown=shown)
    assert azure.log == ["read"]
    assert azure.entries == []


async def test_what_changes_while_the_person_thinks_is_not_overwritten(tmp_path: Path) -> None:
    azure = gate(tmp_path)

    def dither(decision: Decision) -> str:
        azure.cloud.become(with_status(REJECTED))
        return decision.description

    with pytest.raises(RefusedError, match="Rejected now"):
        await azure.decide(Verb.APPROVE, dither)
    assert azure.status == REJECTED
    assert azure.entries == [], "nothing was sent"


async def test_a_connection_that_is_gone_is_told(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    shown = azure.cloud.world
    azure.cloud.become(with_status(DISCONNECTED, at_service=False))

    with pytest.raises(NotFoundError):
        await azure.decide(Verb.APPROVE, shown=shown)
    assert azure.log == ["read"]


async def test_no_means_no(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    outcome = await azure.decide(Verb.REJECT, None)

    assert outcome is None
    assert azure.log == ["read", "asked to reject, Pending, 'Rejected with plstui'"]
    assert azure.entries == []
    assert azure.status == PENDING


async def test_an_empty_description_is_the_persons_choice(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    await azure.decide(Verb.APPROVE, "")

    assert azure.log[-1] == "sent Approved, '', expecting Pending"


async def test_a_description_is_one_harmless_line_of_a_length_that_azure_takes(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    await azure.decide(Verb.APPROVE, "a\n\x1b[2Jb" + "c" * 500)

    description = azure.cloud.connection(Request().connection_id).description
    assert description.startswith("a [2Jbccc")
    assert len(description) == MAX_DESCRIPTION


async def test_azures_answer_is_journaled_and_told(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    azure.cloud.write_fault = AzureError("You may not do that.", status=403, code="AuthorizationFailed")

    with pytest.raises(AzureError, match="You may not"):
        await azure.decide(Verb.APPROVE)
    sent, entry = azure.entries
    assert (sent["outcome"], sent["message"]) == ("sent", "")
    assert [sent[key] for key in ("action", "verb", "id", "az")] == [
        entry[key] for key in ("action", "verb", "id", "az")
    ]
    assert (entry["outcome"], entry["message"]) == ("AuthorizationFailed", "You may not do that.")
    assert azure.gate.under_way == []


async def test_what_azure_has_taken_is_done_also_when_it_cannot_be_read_back(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    azure.cloud.write_fault = NotReadBackError("it could not be read back: Too many requests.")

    outcome = await azure.decide(Verb.APPROVE)

    assert outcome is not None
    assert outcome.after is None
    assert outcome.unread == "it could not be read back: Too many requests."
    assert (azure.entries[-1]["outcome"], azure.entries[-1]["message"]) == ("done", outcome.unread)
    assert azure.gate.under_way == []


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
    first = asyncio.create_task(azure.decide(Verb.APPROVE))
    await azure.sent.wait()

    removal = decision(Verb.REMOVE, Request().connection_id)
    assert [(change.verb, change.target) for change in azure.gate.under_way] == [(Verb.APPROVE, removal.target)]
    assert azure.gate.why_not(removal) == "plstui is still approving this connection."
    assert azure.status == PENDING
    with pytest.raises(RefusedError, match="still approving"):
        await azure.decide(Verb.REMOVE)

    azure.cloud.answering.set()
    await first
    assert azure.gate.why_not(removal) is None


async def test_two_dialogs_for_one_connection_send_once(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    azure.cloud.answering.clear()
    answered = asyncio.Event()

    async def second_dialog(rejection: Decision, _: Connection) -> Decision:
        await answered.wait()
        return rejection

    slow = asyncio.create_task(azure.gate.perform(decision(Verb.REJECT, Request().connection_id), second_dialog))
    await azure.read.wait()
    quick = asyncio.create_task(azure.decide(Verb.APPROVE))
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
    write = asyncio.create_task(azure.decide(Verb.APPROVE))
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
    assert azure.gate.under_way == []


async def test_without_a_journal_nothing_is_sent(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    azure = gate(tmp_path, journal=tmp_path / "file" / "journal.jsonl")

    with pytest.raises(ConfigError, match="cannot be written"):
        await azure.decide(Verb.APPROVE)
    assert azure.log == ["read", "asked to approve, Pending, 'Approved with plstui'"]
    assert azure.status == PENDING


async def test_only_the_owner_decides(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    seen_by_the_customer = World(None, azure.cloud.world.customer)

    with pytest.raises(RefusedError, match="Only the service's owner can decide"):
        await azure.decide(Verb.APPROVE, shown=seen_by_the_customer)
    assert azure.log == []


async def test_a_side_that_is_not_configured_is_not_written_to(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    machine = ResourceId("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/testVM")
    start = Ready(side=Side.CUSTOMER, target=machine, verb="start", az="az vm start", sends=Start())

    with pytest.raises(RefusedError, match="Only the Customer can do this; give its subscription with --customer"):
        await azure.gate.send(start)
    assert azure.entries == []


async def test_an_id_in_another_case_is_the_same_connection(tmp_path: Path) -> None:
    azure = gate(tmp_path)
    connection_id = Request().connection_id
    azure.gate.under_way.append(decision(Verb.REJECT, connection_id))

    shouted = decision(Verb.APPROVE, ResourceId(connection_id.text.upper()))
    assert "still rejecting" in (azure.gate.why_not(shouted) or "")


SECRET = "correct horse"


@dataclass(frozen=True)
class Unknown(Sent[None]):
    """What no gate knows of."""

    body: str = SECRET


@pytest.mark.parametrize("sends", [Put({"adminPassword": SECRET}), RunScript(f"passwd {SECRET}")])
def test_no_body_and_no_script_is_shown_by_an_error(sends: Sent[Any]) -> None:
    machine = Request().connection_id
    assert SECRET not in repr(Ready(side=Side.ISV, target=machine, verb="create", az="az", sends=sends))
    run = ScriptRun(side=Side.ISV, target=machine, verb="probe", az="az", body={"script": SECRET})
    assert SECRET not in repr(run)


async def test_what_no_gate_knows_of_is_named_by_its_kind_alone(tmp_path: Path) -> None:
    unknown = Ready(side=Side.ISV, target=Request().connection_id, verb="x", az="az", sends=Unknown())
    with pytest.raises(AssertionError, match=r"nobody knows how to send Unknown$"):
        await gate(tmp_path).gate.send(unknown)
