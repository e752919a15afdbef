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

from plstui.domain.findings import diagnose, healthy, rules
from plstui.domain.findings.finding import Severity
from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.domain.world import World
from plstui.lab.steps import workshop
from tests.domain.findings.ward import Ward, altered, blinded, told, ward


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


def only(world: World, side: Side) -> World:
    """What somebody knows who has one of the two subscriptions."""
    return replace(world, customer=None) if side is Side.ISV else replace(world, isv=None)


@pytest.mark.parametrize("side", list(Side))
async def test_one_side_alone_is_well(approved: Ward, side: Side) -> None:
    assert healthy(diagnose(only(await approved.world(), side)))


@pytest.mark.parametrize(("side", "fix"), [(Side.ISV, "approve"), (Side.CUSTOMER, "")])
async def test_one_side_alone_sees_what_is_wrong(approved: Ward, side: Side, fix: str) -> None:
    await approved.decide("Rejected")

    finding = told(only(await approved.world(), side))[0]

    assert (finding.rule, finding.fix) == ("connection-rejected", fix)
    assert bool(finding.az) is bool(fix)


# What could not be read

EVERY_TYPE = [kind for kind in Kind if kind not in (Kind.PROVIDERS, Kind.PERMISSIONS)]


@pytest.mark.parametrize("kind", EVERY_TYPE)
async def test_a_type_that_may_not_be_read_makes_nothing_ill(approved: Ward, kind: Kind) -> None:
    findings = diagnose(blinded(await approved.world(), kind))

    assert [finding.evidence["types"] for finding in findings if finding.rule == "not-looked-at"] == [kind, kind]
    assert healthy([finding for finding in findings if finding.rule != "not-looked-at"])


async def test_who_may_read_next_to_nothing_is_told_just_that(approved: Ward) -> None:
    none = blinded(await approved.world(), *Kind)

    assert [finding.rule for finding in diagnose(none)] == ["not-looked-at", "not-looked-at"]
    assert diagnose(World()) == ()


# What others write

EVIL = "\x1b[2J[bold]x[]$(reboot)';`id`\u202e"


async def test_hostile_names_stay_words(approved: Ward) -> None:
    await approved.decide("Rejected")

    def rename(service: dict[str, Any]) -> None:
        (connection,) = service["properties"]["privateEndpointConnections"]
        connection["id"] += EVIL
        connection["name"] += EVIL

    world = altered(await approved.world(), await approved.get(approved.provider.service), rename)

    finding = told(world)[0]

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
    world = await approved.world()
    listed = [one.id for side in world.sides for kind in EVERY_TYPE for one in getattr(side, kind.field)]
    bodies = [await approved.get(resource_id) for resource_id in listed]
    places = [(body, path) for body in bodies for path in paths(body) if path != ("id",)]

    for number, (raw, (*before, last)) in enumerate(places):

        def odd(body: Any, before: list[str | int] = before, last: str | int = last, number: int = number) -> None:
            for key in before:
                body = body[key]
            body[last] = SHAPES[(number + turn) % len(SHAPES)]

        diagnose(altered(world, raw, odd))


def test_every_rule_is_a_sentence_of_its_own() -> None:
    documented = [rule.__doc__ for rule in rules()]

    assert all(documented)
    assert len(set(documented)) == len(documented)
