"""One side at one moment: what a refresh replaces, and what a failed one keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from plstui.domain.resources import BalancerHealth, Kind, MemberHealth
from plstui.domain.sides import Side
from plstui.domain.snapshot import HealthReading, Reading, Snapshot
from tests.support.lab import BALANCER_ID, lab

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=30)


def isv(down: tuple[str, ...] = ()) -> Snapshot:
    snapshot = lab(down=down).isv
    assert snapshot is not None
    return snapshot


def test_what_was_read_replaces_and_the_rest_stays() -> None:
    before = isv()
    after = before.fold(Reading(resources={Kind.MACHINES: (), Kind.SERVICES: before.services}), NOON)

    assert after.machines == ()
    assert after.services == before.services
    assert after.networks == before.networks
    assert after.read_at == NOON
    assert after.reachable


def test_a_failure_keeps_the_content_and_the_first_moment() -> None:
    current = isv().fold(Reading(), NOON)
    stale = current.failed("No answer.", "Unreachable", NOON).failed("Still none.", "Unreachable", LATER)

    assert stale.services == current.services
    assert (stale.stale_since, stale.error, stale.error_code) == (NOON, "Still none.", "Unreachable")
    assert stale.read_at == NOON
    assert not stale.reachable

    again = stale.fold(Reading(), LATER)
    assert (again.stale_since, again.error, again.error_code) == (None, "", "")
    assert again.reachable


def test_health_has_an_age_and_a_reason_of_its_own() -> None:
    current = isv().fold(Reading(), NOON)
    stale = current.health_failed("Not now.", NOON).health_failed("Still not.", LATER)

    assert stale.health == current.health
    assert (stale.health_stale_since, stale.health_error) == (NOON, "Still not.")
    assert stale.reachable
    assert stale.fold(Reading(), LATER).health_stale_since == NOON

    again = stale.failed("No answer.", "Unreachable", LATER).with_health(HealthReading())
    assert (again.health, again.health_stale_since, again.health_error) == ((), None, "")
    assert not again.reachable


def test_before_the_first_answer_a_side_is_not_reachable() -> None:
    assert not Snapshot(side=Side.ISV, subscription="s").reachable


def test_snapshots_that_look_the_same_are_equal() -> None:
    assert isv().fold(Reading(), NOON) == isv().fold(Reading(), LATER)
    assert isv() != isv(down=("web2",))


def test_a_machine_is_found_from_whichever_end_names_the_other() -> None:
    snapshot = isv()
    machine = snapshot.machines[0]
    [nic] = snapshot.machine_interfaces(machine)
    detached = tuple(replace(n, machine_id=None) for n in snapshot.interfaces)

    assert replace(snapshot, interfaces=detached).machine_interfaces(machine) == ()
    named = replace(machine, interface_ids=(nic.id,))
    assert replace(snapshot, interfaces=detached).machine_interfaces(named) == (replace(nic, machine_id=None),)


def test_the_health_of_a_machine() -> None:
    snapshot = isv(down=("web2",))

    assert [[m.up for m in snapshot.member_health(vm)] for vm in snapshot.machines] == [[True], [False], [True]]


def test_a_member_of_two_rules_counts_once_and_is_up_when_both_say_so() -> None:
    snapshot = isv()
    [health] = snapshot.health
    second = BalancerHealth(
        BALANCER_ID,
        BALANCER_ID.child("loadBalancingRules", "https"),
        (MemberHealth("10.0.1.4", None, False), MemberHealth("10.0.1.5", None, True)),
    )
    other = BalancerHealth(BALANCER_ID.child("x", "y"), second.rule_id, (MemberHealth("10.9.9.9", None, True),))

    both = replace(snapshot, health=(health, second, other))

    assert both.balancer_members(snapshot.balancers[0]) == {"10.0.1.4": False, "10.0.1.5": True, "10.0.1.6": True}
