"""What the doctor reads, and what it does where it may not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from plstui.domain.errors import AzureError, ThrottledError
from plstui.domain.findings import diagnose, healthy
from plstui.domain.findings.finding import Severity
from plstui.domain.findings.machines import seeming_ill
from plstui.domain.ids import ResourceId
from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.domain.snapshot import Outcome, Tier
from plstui.engine import doctor
from plstui.sandbox.gateway.messages import Drop, Request, Response
from tests.domain.findings.ward import Meddle, Ward, ward

LISTED = [kind for kind in (Tier.ALL | Tier.NAMES).kinds if kind.count("/") == 1 and kind is not Kind.GROUPS]
IN_ZONES = [Kind.ZONE_LINKS, Kind.RECORDS]

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
    world = await approved.world()

    assert set(asked.values()) <= {1, 2}  # A long-running question is one POST and a look at its answer.
    for side in Side:
        snapshot = world.side(side)
        assert snapshot is not None
        root = f"GET /subscriptions/{snapshot.subscription}/providers/"
        assert [kind for kind in LISTED if not asked[root + kind]] == []
        assert snapshot.not_read == {}
    assert {verb.partition(" ")[0] for verb in asked} <= {"GET", "POST"}
    assert [path for path in asked if path.startswith("POST")] == [f"POST {approved.provider.rule}/health"]
    assert world.isv is not None
    assert len(world.isv.health[0].members) == 3
    assert world.customer is not None
    assert world.customer.records
    assert world.customer.zone_links


@pytest.mark.parametrize("kind", [*LISTED, *IN_ZONES])
async def test_a_type_that_may_not_be_listed_is_unread_and_the_rest_is_there(approved: Ward, kind: Kind) -> None:
    approved.meddle = refusing(kind)

    world = await approved.world()

    for side in Side if kind not in IN_ZONES else (Side.CUSTOMER,):
        snapshot = world.side(side)
        assert snapshot is not None
        assert list(snapshot.not_read) == [kind]
        assert snapshot.outcome(kind) is Outcome.NOT_ALLOWED
        assert snapshot.networks or kind is Kind.NETWORKS
    assert {finding.rule for finding in diagnose(world) if finding.severity is not Severity.INFO} == {"not-looked-at"}


@pytest.mark.parametrize("kind", ["Microsoft.Resources/providers", "Microsoft.Authorization/permissions"])
async def test_without_a_word_on_the_account_the_rest_is_judged(approved: Ward, kind: str) -> None:
    approved.meddle = refusing(kind)
    await approved.decide("Rejected")

    world = await approved.world()

    assert diagnose(world)[0].rule == "connection-rejected"
    other = Kind.PERMISSIONS if kind.endswith("providers") else Kind.PROVIDERS
    assert all(world.knows(side, other) for side in Side)


async def test_who_may_not_ask_the_balancer_does_without(approved: Ward) -> None:
    async def meddle(request: Request) -> Response | None:
        return FORBIDDEN if request.path.endswith("/health") else None

    approved.meddle = meddle

    world = await approved.world()

    assert world.isv is not None
    assert world.isv.health == ()
    assert world.isv.health_refused == (approved.provider.rule,)


async def test_a_side_that_does_not_answer_does_not_stop_the_other(approved: Ward) -> None:
    async def meddle(request: Request) -> Response | None:
        theirs = approved.box.customer.subscription.id in request.path
        busy = {"error": {"code": "TooManyRequests", "message": "Slower, please."}}
        return Response(429, busy, {"Retry-After": "7"}) if theirs else None

    approved.meddle = meddle

    world = await approved.world()

    assert [snapshot.side for snapshot in world.sides if snapshot.reachable] == [Side.ISV]
    failure = world.failures[Side.CUSTOMER]
    assert isinstance(failure, ThrottledError)
    assert failure.retry_after == 7
    assert healthy(diagnose(world))


async def test_where_no_side_answers_there_is_nothing_to_say(approved: Ward) -> None:
    async def meddle(request: Request) -> Response | None:
        return None if "/oauth2/" in request.path else BROKEN

    approved.meddle = meddle

    with pytest.raises(AzureError):
        await approved.world()


# Inside the machines


async def test_only_machines_that_seem_ill_are_asked_and_only_when_that_is_wanted(approved: Ward) -> None:
    asked: list[str] = []

    async def note(request: Request) -> None:
        if request.path.endswith("/runCommand"):
            asked.append(ResourceId(request.path.rpartition("/")[0]).name)

    approved.meddle = note
    await approved.world(probe=True)
    assert asked == []
    await approved.box.network.break_web("web2")
    await approved.world()
    assert asked == []

    world = await approved.world(probe=True)

    assert asked == ["web2"]
    assert world.boots == {approved.provider.machines[1]: "done"}
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
    approved.runtime.gate.read_only = True
    approved.meddle = note

    world = await approved.world(probe=True)

    assert seeming_ill(world) == (approved.provider.machines[1],)
    assert sent == []
    assert world.boots == {}


async def test_a_machine_that_hangs_is_not_waited_for_without_end(
    approved: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "BOOT_PATIENCE", 0.2)
    await approved.box.network.hang_machine("web2")

    world = await approved.world(probe=True)

    assert world.boots == {}
    finding = diagnose(world)[0]
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

    world = await approved.world(probe=True)

    assert world.boots == {web3: "done"}
    assert set(world.silent) == {web1, web2}
    assert "closed the connection" in world.silent[web1]
    assert "may not do that" in world.silent[web2]
    assert [finding.rule for finding in diagnose(world)][:3] == ["page-missing"] * 3
