"""What the commands do with both sides: on the real engine, over an Azure in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from plstui.cli.connections import decide_all, decide_one, in_status, none_is, print_results
from plstui.cli.output import exit_code_of
from plstui.cli.probe import probe_once
from plstui.cli.session import read_both, read_health, read_world
from plstui.domain.assertion import Assertion
from plstui.domain.connection import APPROVED, PENDING, ConnectionStatus, Verb
from plstui.domain.errors import AzureError, CredentialsError, NotFoundError, PlstuiError, UnreachableError
from plstui.domain.probe import Target, TargetKind, TargetResult
from plstui.domain.sides import Side
from plstui.domain.world import World
from plstui.engine.runtime import Runtime
from tests.support.clock import TurnedClock
from tests.support.cloud import Cloud, Prober, runtime
from tests.support.lab import MACHINES, Request, empty, lab, with_status

OFFLINE = UnreachableError("No answer from Azure.", hint="Look at the network.")
ID = Request().connection_id.text


def session(tmp_path: Path, world: World | None = None, *, read_only: bool = False) -> tuple[Cloud, Runtime]:
    cloud = Cloud(world or lab())
    return cloud, runtime(cloud, Prober(cloud), TurnedClock(), tmp_path / "journal.jsonl", read_only=read_only)


async def decide(
    tmp_path: Path, verb: Verb, target: str, world: World | None = None, **options: Any
) -> tuple[dict[str, Any], int]:
    """The result of one target and the exit code it asks for."""
    _, opened = session(tmp_path, world, **options)
    await read_both(opened)
    result = await decide_one(opened, verb, target, None, ask=False)
    return result.document, exit_code_of(result.failure) if result.failure else 0


async def test_both_sides_are_read_and_their_health_when_it_is_wanted(tmp_path: Path) -> None:
    _, opened = session(tmp_path, lab(down=("web2",)))
    world, failures = await read_world(opened)

    assert failures == {}
    assert world.isv is not None
    assert world.isv.health == ()
    assert [link.status for link in world.links()] == [PENDING]

    assert await read_health(opened) == {}
    isv = opened.world().isv
    assert isv is not None
    assert [health.members[1].up for health in isv.health] == [False]


async def test_health_that_fails_is_told_apart_and_keeps_nobody_from_deciding(tmp_path: Path) -> None:
    cloud, opened = session(tmp_path)
    cloud.health_fault = AzureError("Not now.", status=503)
    _, failures = await read_world(opened)

    assert failures == {}
    assert await read_health(opened) == {Side.ISV: cloud.health_fault}
    result = await decide_one(opened, Verb.APPROVE, ID, None, ask=False)
    assert result.document["ok"]


async def test_a_side_that_fails_is_not_asked_for_health(tmp_path: Path) -> None:
    cloud, opened = session(tmp_path)
    cloud.faults[Side.ISV] = OFFLINE
    await read_world(opened)
    reads = cloud.reads

    assert await read_health(opened) == {}
    assert cloud.reads == reads


async def test_a_side_that_fails_is_told_and_the_other_shown(tmp_path: Path) -> None:
    cloud, opened = session(tmp_path)
    cloud.faults[Side.CUSTOMER] = OFFLINE
    world, failures = await read_world(opened)

    assert failures == {Side.CUSTOMER: OFFLINE}
    assert [link.seen_from for link in world.links()] == [(Side.ISV,)]
    assert world.customer is not None
    assert world.customer.error == "No answer from Azure. Look at the network."


async def test_when_no_side_answers_there_is_nothing_to_show(tmp_path: Path) -> None:
    cloud, opened = session(tmp_path)
    cloud.faults = {Side.ISV: CredentialsError("Nobody is signed in."), Side.CUSTOMER: OFFLINE}

    with pytest.raises(CredentialsError):
        await read_both(opened)


@pytest.mark.parametrize(
    ("verb", "status"), [(Verb.APPROVE, "Approved"), (Verb.REJECT, "Rejected"), (Verb.REMOVE, None)]
)
async def test_a_decision(tmp_path: Path, verb: Verb, status: str | None) -> None:
    document, exit_code = await decide(tmp_path, verb, "saasPrivateEndpoint")

    assert document == {"id": ID, "verb": verb.value, "ok": True, "status": status, "unread": None, "error": None}
    assert exit_code == 0


@pytest.mark.parametrize("target", [ID.upper(), Request().connection_id.name.lower(), "SAASprivateENDPOINT"])
async def test_a_target_in_any_case(tmp_path: Path, target: str) -> None:
    document, _ = await decide(tmp_path, Verb.APPROVE, target)

    assert (document["id"], document["ok"]) == (ID, True)


async def test_a_target_that_is_not_there(tmp_path: Path) -> None:
    document, exit_code = await decide(tmp_path, Verb.APPROVE, "nobody\x1b[2J")

    assert (document["id"], document["ok"], document["status"]) == (None, False, None)
    assert document["error"] == {
        "code": "NotFound",
        "message": "There is no connection 'nobody[2J'.",
        "hint": "plstui connections list shows them.",
        "target": "nobody[2J",
    }
    assert exit_code == 4


async def test_a_name_that_is_not_unique(tmp_path: Path) -> None:
    second = Request(guid="another-guid", at_customer=False)
    document, exit_code = await decide(tmp_path, Verb.APPROVE, "saasPrivateEndpoint", lab(Request(), second))

    assert document["id"] is None
    assert document["error"]["message"] == "'saasPrivateEndpoint' names 2 connections."
    assert second.connection_id.name in document["error"]["hint"]
    assert exit_code == 1


async def test_what_is_not_possible_says_why(tmp_path: Path) -> None:
    document, exit_code = await decide(tmp_path, Verb.APPROVE, ID, with_status(APPROVED))

    assert (document["id"], document["status"], document["ok"]) == (ID, "Approved", False)
    assert document["error"]["code"] == "Refused"
    assert document["error"]["message"] == "This connection is Approved already."
    assert exit_code == 1


async def test_read_only(tmp_path: Path) -> None:
    document, exit_code = await decide(tmp_path, Verb.APPROVE, ID, read_only=True)

    assert "read-only" in document["error"]["message"]
    assert exit_code == 1


async def test_the_customer_alone_cannot_decide(tmp_path: Path) -> None:
    document, exit_code = await decide(tmp_path, Verb.APPROVE, "saasPrivateEndpoint", World(None, lab().customer))

    assert document["error"]["message"] == "Only the ISV's side can decide."
    assert exit_code == 1


@pytest.mark.parametrize(
    ("fault", "exit_code"),
    [
        (AzureError("You may not.", status=403, code="AuthorizationFailed"), 1),
        (CredentialsError("The sign-in is over."), 3),
        (NotFoundError("Gone.", code="ResourceNotFound"), 4),
    ],
)
async def test_azures_answer_decides_the_exit_code(tmp_path: Path, fault: PlstuiError, exit_code: int) -> None:
    cloud, opened = session(tmp_path)
    await read_both(opened)
    cloud.write_fault = fault
    result = await decide_one(opened, Verb.APPROVE, ID, None, ask=False)

    assert result.failure is fault
    assert result.document["error"]["code"] == fault.code
    assert exit_code_of(fault) == exit_code


TWO = (Request(), Request(name="another", guid="another-guid"))


async def test_every_target_is_decided_on_as_it_is_by_then(tmp_path: Path) -> None:
    cloud, opened = session(tmp_path, lab(*TWO))
    busy = TWO[1].connection_id
    cloud.put(replace(cloud.connection(busy), provisioning_state="Updating"), busy)

    def settle() -> None:
        cloud.put(replace(cloud.connection(busy), provisioning_state="Succeeded"), busy)

    cloud.after_write = settle
    results = await decide_all(opened, Verb.APPROVE, [TWO[0].name, TWO[1].name], None, ask=False)

    assert [result.document["ok"] for result in results] == [True, True]
    assert cloud.connection(busy).status == APPROVED


async def test_a_connection_that_is_named_twice_is_decided_on_once(tmp_path: Path) -> None:
    _, opened = session(tmp_path, lab(*TWO))
    targets = [TWO[0].name, TWO[0].name.upper(), ID, "nobody", TWO[1].name, "nobody"]
    results = await decide_all(opened, Verb.REMOVE, targets, None, ask=False)

    assert [(result.target, result.document["ok"]) for result in results] == [
        (TWO[0].name, True),
        ("nobody", False),
        (TWO[1].name, True),
    ]


async def test_a_side_that_fails_on_the_way_fails_the_targets_that_are_left(tmp_path: Path) -> None:
    cloud, opened = session(tmp_path, lab(*TWO))
    cloud.after_write = lambda: cloud.faults.update({Side.ISV: OFFLINE})
    results = await decide_all(opened, Verb.APPROVE, [TWO[0].name, TWO[1].name], None, ask=False)

    assert [result.failure for result in results] == [None, OFFLINE]
    assert cloud.connection(TWO[1].connection_id).status == PENDING


async def test_a_probe_of_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, opened = session(tmp_path, with_status(APPROVED))

    assert await probe_once(opened, 12, (), as_json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"]
    assert [target["name"] for target in document["targets"]] == [*MACHINES, "loadBalancer", "saasPrivateEndpoint"]
    assert [target["kind"] for target in document["targets"]] == ["backend"] * 3 + ["balancer", "endpoint"]
    assert [sum(target["hosts"].values()) for target in document["targets"]] == [12] * 5
    assert document["generated_at"].endswith("Z")


async def test_a_probe_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, opened = session(tmp_path, lab(down=("web2",)))

    assert await probe_once(opened, 4, (), as_json=False) == 1
    text = capsys.readouterr().out
    assert "Host: web1  ×4" in text
    assert "refused  ×4: web2 refused the connection on port 80." in text
    assert "timeout  ×4" in text


async def test_assertions_decide_instead_of_the_targets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, opened = session(tmp_path, lab(down=("web2",)))
    held, failed = Assertion.parse("backend.hosts==2"), Assertion.parse("hosts>=3")

    assert await probe_once(opened, 2, [held], as_json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["assertions"]) == (True, [{"expression": "backend.hosts==2", "ok": True}])

    assert await probe_once(opened, 2, [held, failed], as_json=False) == 1
    assert "holds: backend.hosts==2 (it is 2)\nFAILS: hosts>=3 (it is 2)\n" in capsys.readouterr().out


async def test_half_a_world_is_not_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud, opened = session(tmp_path, with_status(APPROVED))
    cloud.faults[Side.CUSTOMER] = OFFLINE

    assert await probe_once(opened, 2, [Assertion.parse("hosts==3")], as_json=True) == 1
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert not document["ok"]
    assert [target["ok"] for target in document["targets"]] == [True] * 4
    assert err.startswith("plstui: The Customer's side could not be read: No answer from Azure.")


async def test_nothing_to_probe(tmp_path: Path) -> None:
    _, opened = session(tmp_path, empty())

    with pytest.raises(NotFoundError, match="There is nothing to probe"):
        await probe_once(opened, 2, (), as_json=True)


class BackwardProber(Prober):
    """Answers in the order that was not asked for."""

    async def probe(self, targets: Sequence[Target], count: int) -> AsyncIterator[TargetResult]:
        """Yield each target's result."""
        results = [result async for result in super().probe(targets, count)]
        for result in sorted(results, key=lambda result: targets.index(result.target), reverse=True):
            yield result


async def test_targets_stand_in_a_steady_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = Cloud(with_status(APPROVED))
    opened = runtime(cloud, BackwardProber(cloud), TurnedClock(), tmp_path / "journal.jsonl")

    await probe_once(opened, 2, (), as_json=True)
    targets = json.loads(capsys.readouterr().out)["targets"]
    assert [target["kind"] for target in targets] == [
        *[TargetKind.BACKEND] * 3,
        TargetKind.BALANCER,
        TargetKind.ENDPOINT,
    ]


async def test_an_error_among_several_names_its_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, opened = session(tmp_path)
    results = await decide_all(opened, Verb.APPROVE, ["nowhere", "elsewhere"], None, ask=False)
    print_results(Verb.APPROVE, results)

    err = capsys.readouterr().err
    assert "plstui: nowhere: There is no connection" in err
    assert "plstui: elsewhere: There is no connection" in err


@pytest.mark.parametrize(
    ("others", "words"),
    [
        (1, "No connection is Pending; 1 is in another status."),
        (2, "No connection is Pending; 2 are in other statuses."),
    ],
)
def test_no_match_tells_of_the_others(others: int, words: str) -> None:
    assert none_is(ConnectionStatus.parse("pending"), others) == words


def test_a_status_is_one_of_azures_or_one_that_is_there() -> None:
    links = with_status(ConnectionStatus("Escalated")).links()

    assert in_status(links, "escalated", complete=True) == links
    assert in_status(links, "APPROVED", complete=True) == ()
    assert in_status(links, "Foo", complete=False) == ()
    with pytest.raises(click.UsageError, match=r"no status 'Foo'; there are Pending, Approved, .*, Escalated\."):
        in_status(links, "Foo", complete=True)
