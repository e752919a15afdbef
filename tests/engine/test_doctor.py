"""What the doctor reads, and what it does where it may not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from plstui.domain import facts as kinds
from plstui.domain.errors import AzureError, ThrottledError
from plstui.domain.findings import diagnose, healthy
from plstui.domain.findings.finding import Severity
from plstui.domain.findings.machines import seeming_ill
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.engine import doctor
from plstui.sandbox.gateway.messages import Drop, Request, Response
from tests.domain.findings.ward import Meddle, Ward, ward

BROKEN = Response(500, {"error": {"code": "InternalServerError", "message": "Oh."}})
FORBIDDEN = Response(403, {"error": {"code": "AuthorizationFailed", "message": "The client may not do that."}})


@pytest.fixture
async def approved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ward]:
    """The lab as it is when it works."""
    async with ward(tmp_path, monkeypatch) as made:
        yield made


def refusing(kind: str, response: Response = FORBIDDEN) -> Meddle:
    """Answers every LIST of a type like this, whoever asks."""

    async def meddle(request: Request) -> Response | None:
        listed = request.path.lower().rstrip("/").endswith("/" + kind.rpartition("/")[2].lower())
        return response if request.method == "GET" and listed else None

    return meddle


async def test_every_type_is_listed_once_and_nothing_one_by_one(approved: Ward) -> None:
    asked: Counter[str] = Counter()

    async def count(request: Request) -> None:
        if "/oauth2/" not in request.path:
            asked[f"{request.method} {request.path}"] += 1

    approved.meddle = count
    facts = await approved.facts()

    assert set(asked.values()) <= {1, 2}  # A long-running question is one POST and a look at its answer.
    for side in Side:
        root = f"GET /subscriptions/{facts.subscriptions[side]}/providers/"
        assert {kind for kind in kinds.TYPES if asked[root + kind]} == set(kinds.TYPES)
    assert {verb.partition(" ")[0] for verb in asked} <= {"GET", "POST"}
    assert [path for path in asked if path.startswith("POST")] == [f"POST {approved.provider.rule}/health"]
    assert len(facts.health[0].members) == 3
    assert facts.of(Side.CUSTOMER, kinds.RECORD)
    assert facts.of(Side.CUSTOMER, kinds.ZONE_LINK)
    assert facts.unread == dict.fromkeys(Side, frozenset())


@pytest.mark.parametrize("kind", [*kinds.TYPES, *kinds.ZONE_TYPES])
async def test_a_type_that_may_not_be_listed_is_unread_and_the_rest_is_there(approved: Ward, kind: str) -> None:
    approved.meddle = refusing(kind)

    facts = await approved.facts()

    for side in Side if kind not in (kinds.RECORD, kinds.ZONE_LINK) else (Side.CUSTOMER,):
        assert facts.unread[side] == {kind.lower()}
        assert not facts.knows(side, kind)
        assert facts.of(side, kinds.NETWORK) or kind == kinds.NETWORK
    assert {finding.rule for finding in diagnose(facts) if finding.severity is not Severity.INFO} == {"not-looked-at"}


@pytest.mark.parametrize("kind", ["Microsoft.Resources/providers", "Microsoft.Authorization/permissions"])
async def test_without_a_word_on_the_account_the_rest_is_judged(approved: Ward, kind: str) -> None:
    approved.meddle = refusing(kind)
    await approved.decide("Rejected")

    facts = await approved.facts()

    assert diagnose(facts)[0].rule == "connection-rejected"
    other = facts.permissions if kind.endswith("providers") else {side: p for side, p in facts.providers.items() if p}
    assert set(other) == set(Side)


async def test_who_may_not_ask_the_balancer_does_without(approved: Ward) -> None:
    async def meddle(request: Request) -> Response | None:
        return FORBIDDEN if request.path.endswith("/health") else None

    approved.meddle = meddle

    facts = await approved.facts()

    assert facts.health == ()
    assert facts.forbidden == (approved.provider.rule,)


async def test_a_side_that_does_not_answer_does_not_stop_the_other(approved: Ward) -> None:
    async def meddle(request: Request) -> Response | None:
        theirs = approved.box.customer.subscription.id in request.path
        busy = {"error": {"code": "TooManyRequests", "message": "Slower, please."}}
        return Response(429, busy, {"Retry-After": "7"}) if theirs else None

    approved.meddle = meddle

    facts = await approved.facts()

    assert set(facts.bodies) == {Side.ISV}
    failure = facts.failures[Side.CUSTOMER]
    assert isinstance(failure, ThrottledError)
    assert failure.retry_after == 7
    assert healthy(diagnose(facts))


async def test_where_no_side_answers_there_is_nothing_to_say(approved: Ward) -> None:
    async def meddle(request: Request) -> Response | None:
        return None if "/oauth2/" in request.path else BROKEN

    approved.meddle = meddle

    with pytest.raises(AzureError):
        await approved.facts()


# Inside the machines


async def test_only_machines_that_seem_ill_are_asked_and_only_when_that_is_wanted(approved: Ward) -> None:
    asked: list[str] = []

    async def note(request: Request) -> None:
        if request.path.endswith("/runCommand"):
            asked.append(ResourceId(request.path.rpartition("/")[0]).name)

    approved.meddle = note
    await approved.facts(probe=True)
    assert asked == []
    await approved.box.network.break_web("web2")
    await approved.facts()
    assert asked == []

    facts = await approved.facts(probe=True)

    assert asked == ["web2"]
    assert facts.boots == {approved.provider.machines[1]: "done"}
    journal = [json.loads(line) for line in approved.runtime.journal.path.read_text("utf-8").splitlines()]
    web2 = approved.provider.machines[1]
    assert [(line["outcome"], line["id"]) for line in journal] == [("sent", web2.text), ("done", web2.text)]
    assert journal[0]["az"].endswith("--scripts 'cloud-init status'")


async def test_who_is_read_only_runs_nothing_in_a_machine(approved: Ward) -> None:
    sent: list[str] = []

    async def note(request: Request) -> None:
        if request.method == "POST" and "/runCommand" in request.path:
            sent.append(request.path)

    await approved.box.network.break_web("web2")
    approved.runtime.writes.read_only = True
    approved.meddle = note

    facts = await approved.facts(probe=True)

    assert seeming_ill(facts) == (approved.provider.machines[1],)
    assert sent == []
    assert facts.boots == {}


async def test_a_machine_that_hangs_is_not_waited_for_without_end(
    approved: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "BOOT_PATIENCE", 0.2)
    await approved.box.network.hang_machine("web2")

    facts = await approved.facts(probe=True)

    assert facts.boots == {}
    finding = diagnose(facts)[0]
    assert (finding.rule, finding.where) == ("page-missing", approved.provider.machines[1])


async def test_a_machine_that_cannot_be_asked_does_not_stop_the_others_and_says_why(approved: Ward) -> None:
    async def meddle(request: Request) -> Response | None:
        if request.path.endswith("web1/runCommand"):
            raise Drop
        return FORBIDDEN if request.path.endswith("web2/runCommand") else None

    web1, web2, web3 = approved.provider.machines
    for machine in (web1, web2, web3):
        await approved.box.network.break_web(machine.name)
    approved.meddle = meddle

    facts = await approved.facts(probe=True)

    assert facts.boots == {web3: "done"}
    assert set(facts.silent) == {web1, web2}
    assert "closed the connection" in facts.silent[web1]
    assert "may not do that" in facts.silent[web2]
    assert [finding.rule for finding in diagnose(facts)][:3] == ["page-missing"] * 3
