"""Whole worlds: what is well is called well, and what could not be read is not called ill."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest

from plstui.domain import facts as kinds
from plstui.domain.facts import Facts
from plstui.domain.findings import RULES, diagnose, healthy
from plstui.domain.findings.finding import Severity
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.lab.steps import workshop
from tests.domain.findings.ward import Ward, altered, told, ward


class Worlds(Protocol):
    """Opens a world by its name."""

    def __call__(self, world: str) -> AbstractAsyncContextManager[Ward]: ...


@pytest.fixture
def worlds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Worlds:
    def opened(world: str) -> AbstractAsyncContextManager[Ward]:
        return ward(tmp_path, monkeypatch, world)

    return opened


@pytest.mark.parametrize("isolated", [False, True])
async def test_the_lab_as_it_is_built_is_well(worlds: Worlds, isolated: bool) -> None:
    async with worlds("empty") as built:
        built.lab = workshop(
            msgspec.structs.replace(built.runtime.lab, isolated=isolated),
            {side: watcher.snapshot.subscription for side, watcher in built.runtime.watchers.items()},
            built.lab.choices,
        )
        await built.up()

        findings = await built.findings(probe=True)

        assert [finding.rule for finding in findings] == ["idle-timeout"]
        assert healthy(findings)
        assert await built.comes()


@pytest.mark.parametrize(
    ("world", "rule", "severity"),
    [
        ("empty", "balancer-missing", Severity.ERROR),
        ("deployed", "endpoint-missing", Severity.ERROR),
        ("pending", "connection-pending", Severity.ERROR),
        ("approved", "idle-timeout", Severity.INFO),
        ("rejected", "connection-rejected", Severity.ERROR),
        ("disconnected", "connection-disconnected", Severity.ERROR),
    ],
)
async def test_the_worlds_of_the_sandbox(worlds: Worlds, world: str, rule: str, severity: Severity) -> None:
    async with worlds(world) as opened:
        finding = await opened.first()

        assert (finding.rule, finding.severity) == (rule, severity)


@pytest.mark.parametrize("world", ["pending", "deployed"])
async def test_from_anywhere_the_remedies_lead_to_the_page(worlds: Worlds, world: str) -> None:
    async with worlds(world) as opened:
        await opened.mend()

        assert await opened.comes()
        assert healthy(await opened.findings(probe=True))


# One side


def only(facts: Facts, side: Side) -> Facts:
    """What somebody knows who has one of the two subscriptions."""
    return Facts(
        subscriptions={side: facts.subscriptions[side]},
        bodies={side: facts.bodies[side]},
        health=facts.health if side is Side.ISV else (),
        providers={side: facts.providers[side]},
        permissions={side: facts.permissions[side]},
    )


@pytest.mark.parametrize("side", list(Side))
async def test_one_side_alone_is_well(approved: Ward, side: Side) -> None:
    assert healthy(diagnose(only(await approved.facts(), side)))


@pytest.mark.parametrize(("side", "fix"), [(Side.ISV, "approve"), (Side.CUSTOMER, "")])
async def test_one_side_alone_sees_what_is_wrong(approved: Ward, side: Side, fix: str) -> None:
    await approved.decide("Rejected")

    finding = told(only(await approved.facts(), side))[0]

    assert (finding.rule, finding.fix) == ("connection-rejected", fix)
    assert bool(finding.az) is bool(fix)


# What could not be read

EVERY_TYPE = (*kinds.TYPES, *kinds.ZONE_TYPES, *kinds.PUBLIC_TYPES)


def blinded(facts: Facts, kind: str) -> Facts:
    """The same for somebody who may not list a type on either side."""
    bodies = {
        side: tuple(body for body in found if not ResourceId(body["id"]).is_type(kind))
        for side, found in facts.bodies.items()
    }
    return replace(facts, bodies=bodies, unread=dict.fromkeys(Side, frozenset({kind.lower()})), health=())


@pytest.mark.parametrize("kind", EVERY_TYPE)
async def test_a_type_that_may_not_be_read_makes_nothing_ill(approved: Ward, kind: str) -> None:
    findings = diagnose(blinded(await approved.facts(), kind))

    assert [finding.evidence["types"] for finding in findings if finding.rule == "not-looked-at"] == [kind, kind]
    assert healthy([finding for finding in findings if finding.rule != "not-looked-at"])


async def test_who_may_read_next_to_nothing_is_told_just_that(approved: Ward) -> None:
    facts = await approved.facts()
    none = Facts(
        subscriptions=facts.subscriptions,
        bodies=dict.fromkeys(Side, ()),
        unread=dict.fromkeys(Side, frozenset(kind.lower() for kind in EVERY_TYPE)),
    )

    assert [finding.rule for finding in diagnose(none)] == ["not-looked-at", "not-looked-at"]
    assert diagnose(Facts()) == ()


# What others write

EVIL = "\x1b[2J[bold]x[]$(reboot)';`id`\u202e"


async def test_hostile_names_stay_words(approved: Ward) -> None:
    await approved.decide("Rejected")

    def rename(service: dict[str, Any]) -> None:
        (connection,) = service["properties"]["privateEndpointConnections"]
        connection["id"] += EVIL
        connection["name"] += EVIL

    facts = altered(await approved.facts(), Side.ISV, approved.provider.service, rename)

    finding = told(facts)[0]

    assert finding.rule == "connection-rejected"
    assert finding.az.isprintable()
    (word,) = re.findall(r"--name ('(?:[^']|'\"'\"')*')", finding.az)
    assert word.startswith("'saasPrivateEndpoint.")


SHAPES: tuple[Any, ...] = (None, "x", 7, True, [], {}, [None], [7], ["x"], [{}], {"id": None}, {"id": 7}, [{"id": 7}])

Place = tuple[str | int, ...]


def paths(value: Any, before: Place = ()) -> Iterator[Place]:
    """Where something stands in a body, whatever it is."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*before, key)
        yield from paths(inner, (*before, key))


@pytest.mark.parametrize("turn", [0, 7])
async def test_no_shape_of_an_answer_breaks_a_rule(approved: Ward, turn: int) -> None:
    """Unknown words are tolerated: a newer Azure may answer what nobody here has seen."""
    facts = await approved.facts()
    places = [(s, ResourceId(b["id"]), p) for s, found in facts.bodies.items() for b in found for p in paths(b)]

    for number, (side, resource_id, (*before, last)) in enumerate(places):

        def odd(body: Any, before: list[str | int] = before, last: str | int = last, number: int = number) -> None:
            for key in before:
                body = body[key]
            body[last] = SHAPES[(number + turn) % len(SHAPES)]

        diagnose(altered(facts, side, resource_id, odd))


def test_every_rule_is_a_sentence_of_its_own() -> None:
    documented = [rule.__doc__ for rule in RULES]

    assert all(documented)
    assert len(set(documented)) == len(documented)
