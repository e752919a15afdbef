"""What is said where there are no rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from plstui.domain.absence import absence
from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.domain.snapshot import NotRead, Outcome, Snapshot
from plstui.domain.world import World

NOW = datetime(2026, 3, 14, tzinfo=UTC)


def snapshot(side: Side, state: str) -> Snapshot | None:
    """A side that is `read`, `awaited`, `failed` to be read, or is `stale`; None without a word."""
    awaited = Snapshot(side=side, subscription="s")
    failed = awaited.failed("No answer.", "Unreachable", NOW)
    read = replace(awaited, answered=True)
    states = {"awaited": awaited, "read": read, "failed": failed}
    for kind in (Kind.SERVICES, Kind.ENDPOINTS):
        states[f"no {kind.field}"] = replace(read, not_read={kind: NotRead(Outcome.NOT_ALLOWED, "You may not.")})
    return {**states, "stale": replace(failed, answered=True), "": None}[state]


@pytest.mark.parametrize(
    ("isv", "customer", "said"),
    [
        ("read", "read", "Nothing."),
        ("read", "", "Nothing."),
        ("", "", "Not connected yet."),
        ("awaited", "awaited", "Reading 🔵 ISV and 🟢 Customer…"),
        ("read", "awaited", "Reading 🟢 Customer…"),
        ("failed", "awaited", "Reading 🟢 Customer… 🔵 ISV could not be read."),
        ("failed", "failed", "Whether there is a connection is not known: neither side could be read."),
        ("stale", "failed", "Whether there is a connection is not known: neither side could be read."),
        ("", "stale", "Whether there is a connection is not known: the one side could not be read."),
        ("read", "failed", "🔵 ISV shows no connection; 🟢 Customer could not be read."),
        ("no services", "read", "🟢 Customer shows no connection; 🔵 ISV could not be read."),
        ("no endpoints", "no services", "Nothing."),
        ("stale", "read", "🟢 Customer shows no connection; 🔵 ISV could not be read."),
    ],
)
def test_that_there_is_nothing_is_said_when_everything_has_been_read(isv: str, customer: str, said: str) -> None:
    world = World(snapshot(Side.ISV, isv), snapshot(Side.CUSTOMER, customer))
    assert absence(world, "Nothing.", what="connection") == said


@pytest.mark.parametrize(
    ("isv", "customer", "said"),
    [
        ("read", "awaited", "Nothing."),
        ("awaited", "read", "Reading 🔵 ISV…"),
        ("failed", "read", "Whether there is a backend is not known: 🔵 ISV could not be read."),
        ("", "read", "No backend is seen from here: 🔵 ISV is not configured."),
    ],
)
def test_only_the_sides_that_could_show_it_matter(isv: str, customer: str, said: str) -> None:
    world = World(snapshot(Side.ISV, isv), snapshot(Side.CUSTOMER, customer))
    assert absence(world, "Nothing.", what="backend", of=(Side.ISV,)) == said
