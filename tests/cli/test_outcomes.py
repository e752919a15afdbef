"""What a decision came to: every row of the table in the document for scripts, the exit code and the journal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plstui.cli.connections import decide_all, print_results
from plstui.cli.output import exit_code_of_all
from plstui.domain.connection import APPROVED, REJECTED, Verb
from plstui.domain.errors import (
    AzureError,
    DecidedOtherwiseError,
    NotReadBackError,
    OutcomeUnknownError,
    PlstuiError,
    ThrottledError,
    UnreachableError,
)
from plstui.domain.sides import Side
from plstui.domain.snapshot import Tier
from tests.support.clock import TurnedClock
from tests.support.cloud import Cloud, Prober, runtime
from tests.support.lab import Request, lab, with_status

ID = Request().connection_id.text
CONNECTION = Cloud(lab()).connection(Request().connection_id)
GONE_SILENT = UnreachableError("azure:443 does not answer: it closed the connection.")


async def decide(
    tmp_path: Path, cloud: Cloud, verb: Verb = Verb.APPROVE, target: str = ID
) -> tuple[dict[str, Any], int, list[str]]:
    """The result of one target, the exit code, and what the journal says of the outcome."""
    opened = runtime(cloud, Prober(cloud), TurnedClock(), tmp_path / "journal.jsonl")
    results = await decide_all(opened, verb, [target], None, ask=False)
    print_results(verb, results)
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_text().splitlines() if journal.exists() else []
    (result,) = results
    failures = [result.failure] if result.failure else []
    return result.document, exit_code_of_all(failures), [json.loads(line)["outcome"] for line in lines]


FAULTS: list[tuple[PlstuiError | None, dict[str, Any], int, str]] = [
    (None, {"ok": True, "status": "Approved", "unread": None, "code": None}, 0, "done"),
    (
        NotReadBackError("Azure still shows Pending; look again in a while"),
        {"ok": True, "status": None, "unread": "Azure still shows Pending; look again in a while", "code": None},
        0,
        "done",
    ),
    (
        DecidedOtherwiseError("pe", "it is Rejected now", replace(CONNECTION, status=REJECTED)),
        {"ok": False, "status": "Rejected", "unread": None, "code": "DecidedOtherwise"},
        1,
        "done, decided otherwise",
    ),
    (
        DecidedOtherwiseError("pe", "it has been removed", None),
        {"ok": False, "status": None, "unread": None, "code": "DecidedOtherwise"},
        1,
        "done, decided otherwise",
    ),
    (
        OutcomeUnknownError("Azure still shows Pending", GONE_SILENT, hint="Look."),
        {"ok": False, "status": None, "unread": "Azure still shows Pending", "code": "OutcomeUnknown"},
        1,
        "unknown",
    ),
    (
        AzureError("You may not.", status=403, code="AuthorizationFailed"),
        {"ok": False, "status": "Pending", "unread": None, "code": "AuthorizationFailed"},
        1,
        "AuthorizationFailed",
    ),
    (GONE_SILENT, {"ok": False, "status": None, "unread": None, "code": "Unreachable"}, 1, "failed"),
]


@pytest.mark.parametrize(("fault", "expected", "exit_code", "outcome"), FAULTS)
async def test_a_row_of_the_table(
    tmp_path: Path, fault: PlstuiError | None, expected: dict[str, Any], exit_code: int, outcome: str
) -> None:
    cloud = Cloud(lab())
    cloud.write_fault = fault
    document, code, journal = await decide(tmp_path, cloud)

    told = {name: document[name] for name in ("ok", "status", "unread")}
    told["code"] = document["error"]["code"] if document["error"] else None
    assert (document["id"], told, code) == (ID, expected, exit_code)
    assert journal == ["sent", outcome]


@pytest.mark.parametrize(("verb", "status"), [(Verb.APPROVE, "Approved"), (Verb.REMOVE, None)])
async def test_what_azure_has_done_is_told_also_when_the_journal_gives_out(
    tmp_path: Path, verb: Verb, status: str | None
) -> None:
    cloud, journal = Cloud(lab()), tmp_path / "journal.jsonl"

    def give_out() -> None:
        journal.rename(tmp_path / "kept.jsonl")
        journal.mkdir()

    cloud.after_write = give_out
    opened = runtime(cloud, Prober(cloud), TurnedClock(), journal)
    (result,) = await decide_all(opened, verb, [ID], None, ask=False)

    assert (result.document["ok"], result.document["status"]) == (False, status), "as it is now, not as it was before"
    assert result.failure is not None
    assert result.failure.message.startswith("Azure has done it. The journal")
    assert exit_code_of_all([result.failure]) == 2


async def test_what_is_not_possible_is_not_sent(tmp_path: Path) -> None:
    document, code, journal = await decide(tmp_path, Cloud(with_status(APPROVED)))

    assert (document["ok"], document["status"], document["error"]["code"]) == (False, "Approved", "Refused")
    assert code == 1
    assert journal == []


async def test_azure_that_is_not_reached_before_the_decision(tmp_path: Path) -> None:
    cloud = Cloud(lab())
    cloud.faults = {Side.ISV: GONE_SILENT}
    document, code, journal = await decide(tmp_path, cloud)

    assert (document["id"], document["ok"], document["status"]) == (ID, False, None)
    assert (document["error"]["code"], code) == ("Unreachable", 1)
    assert journal == ["sent", "failed"]
    assert "Nothing was sent" in (tmp_path / "journal.jsonl").read_text()


async def test_an_id_needs_no_list_at_all(tmp_path: Path) -> None:
    cloud = Cloud(lab())
    document, _, _ = await decide(tmp_path, cloud)

    assert document["ok"]
    assert cloud.reads == 1, "the connection, and nothing else"


async def test_an_id_in_another_subscription_is_not_the_isv_s(tmp_path: Path) -> None:
    elsewhere = ID.replace(ID.split("/")[2], "00000000-0000-0000-0000-000000000000")
    document, code, journal = await decide(tmp_path, Cloud(lab()), target=elsewhere)

    assert (document["error"]["code"], code, journal) == ("NotFound", 4, [])


@pytest.mark.parametrize("target", [Request().name, Request().connection_id.name])
async def test_a_customer_s_side_that_is_refused_keeps_nobody_from_deciding(tmp_path: Path, target: str) -> None:
    cloud = Cloud(lab())
    cloud.faults = {Side.CUSTOMER: AzureError("You may not.", status=403, code="AuthorizationFailed")}
    document, code, _ = await decide(tmp_path, cloud, target=target)

    assert (document["ok"], code) == (True, 0)


async def test_a_name_that_only_the_customer_knows_says_who_can_act(tmp_path: Path) -> None:
    cloud = Cloud(lab(Request(at_service=False)))
    document, code, journal = await decide(tmp_path, cloud, target=Request().name)

    assert "Only the service's owner can decide" in document["error"]["message"]
    assert (code, journal) == (1, [])


async def test_a_side_that_asks_for_fewer_requests_is_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = Cloud(lab())
    opened = runtime(cloud, Prober(cloud), TurnedClock(), tmp_path / "journal.jsonl")
    isv = opened.watchers[Side.ISV]
    cloud.faults[Side.ISV] = ThrottledError("Slower.", retry_after=0)
    real, tiers = isv.reader.read, list[Tier]()

    async def read(asked: Tier) -> Any:
        tiers.append(asked)
        if len(tiers) == 2:
            cloud.faults.clear()
        return await real(asked)

    monkeypatch.setattr(isv.reader, "read", read)
    (result,) = await decide_all(opened, Verb.APPROVE, [Request().name], None, ask=False)

    assert result.document["ok"]
    assert tiers == [Tier.CONNECTIONS] * 2
    assert "TooManyRequests: Slower. Trying again in 1 s." in capsys.readouterr().err
