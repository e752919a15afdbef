"""How often a side is asked, for what, and what is shown when it does not answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from plstui.domain.connection import APPROVED
from plstui.domain.errors import (
    AzureError,
    CredentialsError,
    SignInPendingError,
    ThrottledError,
)
from plstui.domain.sides import Side
from plstui.domain.snapshot import Tier
from plstui.engine.watcher import Watcher
from tests.engine.parts import OFFLINE, START, NotingReader, PassingClock, watch
from tests.support.cloud import Cloud
from tests.support.lab import lab, with_status

CONNECTIONS, ALL = Tier.CONNECTIONS, Tier.ALL
MACHINES = Tier.CONNECTIONS | Tier.MACHINES


async def test_the_first_content_is_everything() -> None:
    isv = watch()
    snapshot = await isv.next()

    assert isv.reader.asked == [ALL]
    assert snapshot.reachable
    assert (snapshot.subscription, snapshot.tenant) == ("subscription", "tenant")
    assert snapshot.services == isv.cloud.sides[Side.ISV].services
    assert snapshot.health == ()

    assert (await isv.next()).health == isv.cloud.sides[Side.ISV].health
    assert isv.clock.waits == []


async def test_tiers_are_read_at_their_pace() -> None:
    isv = watch()
    await isv.settle()
    # Ten plain ticks, then the twelfth since the start, with everything.
    await isv.next(15)

    ticks = [asked for asked in isv.reader.asked if asked != "health"]
    assert ticks == [
        *(CONNECTIONS, CONNECTIONS, MACHINES),
        *(CONNECTIONS, CONNECTIONS, MACHINES),
        *(CONNECTIONS, CONNECTIONS, MACHINES),
        *(CONNECTIONS, CONNECTIONS, ALL),
    ]
    assert isv.reader.asked.count("health") == 3
    assert isv.clock.waits == [5.0] * 12


async def test_a_side_without_balancers_is_not_asked_for_health() -> None:
    isv = watch()
    isv.cloud.sides[Side.ISV] = replace(isv.cloud.sides[Side.ISV], balancers=())
    await isv.next(8)

    assert "health" not in isv.reader.asked


async def test_something_under_way_is_watched_closely() -> None:
    isv = watch()
    side = isv.cloud.sides[Side.ISV]
    isv.cloud.sides[Side.ISV] = replace(side, services=(replace(side.services[0], provisioning_state="Updating"),))
    await isv.next(3)
    assert isv.clock.waits == [1.0]

    isv.cloud.sides[Side.ISV] = side
    await isv.next()
    assert isv.clock.waits == [1.0, 1.0]
    await isv.next()
    assert isv.clock.waits == [1.0, 1.0, 5.0]


async def test_a_minute_after_a_write_too() -> None:
    isv = watch()
    await isv.settle()
    isv.clock.while_waiting = lambda: isv.watcher.wake(after_write=True)
    await isv.next()
    written = isv.clock.elapsed
    while isv.clock.waits[1:].count(5.0) == 0:
        await isv.next()

    assert isv.clock.waits[1:] == [1.0] * 60 + [5.0]
    assert isv.clock.elapsed - written == 60 + 5


async def test_when_nothing_changes_for_five_minutes_it_is_asked_less() -> None:
    isv = watch()
    await isv.settle()
    while isv.clock.elapsed < 300:
        await isv.next()
    assert set(isv.clock.waits) == {5.0}

    while isv.clock.waits.count(15.0) < 3:
        await isv.next()
    isv.cloud.become(with_status(APPROVED))
    while (await isv.next()).connections()[0].status != APPROVED:
        pass
    isv.clock.waits.clear()
    await isv.next(5)
    assert set(isv.clock.waits) == {5.0}


async def test_waking_reads_the_connections_first_and_then_everything() -> None:
    isv = watch()
    await isv.settle()
    isv.cloud.become(with_status(APPROVED))
    isv.clock.while_waiting = isv.watcher.wake

    snapshot = await isv.next()
    assert [c.status for c in snapshot.connections()] == [APPROVED]
    assert isv.reader.asked == [CONNECTIONS]
    await isv.next(2)
    assert isv.reader.asked == [CONNECTIONS, ALL, "health"]
    assert isv.clock.elapsed == 2.5
    await isv.next()
    assert isv.clock.waits == [5.0, 5.0]


async def test_waking_during_a_refresh_makes_one_more_follow() -> None:
    isv = watch()
    await isv.settle()

    def twice() -> None:
        isv.watcher.wake()
        isv.watcher.wake()

    isv.reader.during = twice
    await isv.next(4)

    assert isv.reader.asked == [CONNECTIONS, CONNECTIONS, ALL, "health"]
    # The second wait was over before it began.
    assert isv.clock.elapsed == 5.0
    isv.reader.asked.clear()
    await isv.next()
    assert isv.reader.asked == [MACHINES]
    assert isv.clock.elapsed == 10.0


async def test_what_cannot_be_read_stays_and_is_marked() -> None:
    isv = watch()
    good = await isv.settle()
    isv.cloud.faults[Side.ISV] = OFFLINE
    first = await isv.next()
    second = await isv.next()

    assert first.services == second.services == good.services
    assert not first.reachable
    assert first.error == "Azure did not answer."
    assert first.error_code == "Unreachable"
    assert first.stale_since == second.stale_since == START + timedelta(seconds=5)
    assert isv.watcher.failure is OFFLINE
    assert isv.watcher.snapshot == second


async def test_after_a_failure_everything_is_read_anew() -> None:
    isv = watch()
    await isv.settle()
    isv.cloud.faults[Side.ISV] = OFFLINE
    await isv.next(2)
    isv.cloud.faults.clear()
    snapshot = await isv.next()

    assert isv.reader.asked == [CONNECTIONS, ALL, ALL]
    assert snapshot.reachable
    assert (snapshot.stale_since, snapshot.error, snapshot.error_code) == (None, "", "")
    assert isv.watcher.failure is None


async def test_a_side_that_was_never_seen_says_why() -> None:
    isv = watch()
    isv.cloud.faults[Side.ISV] = CredentialsError("Nobody is signed in.", hint="Run az login.")
    snapshot = await isv.next()

    assert (snapshot.read_at, snapshot.services) == (None, ())
    assert (snapshot.error, snapshot.error_code) == ("Nobody is signed in. Run az login.", "Credentials")
    isv.cloud.faults.clear()
    assert (await isv.next()).reachable
    assert isv.reader.asked == [ALL, ALL]


async def test_backing_off_doubles_up_to_five_seconds_and_ends_with_the_first_answer() -> None:
    isv = watch(interval=1.0)
    isv.cloud.faults[Side.ISV] = OFFLINE
    await isv.next(6)
    assert isv.clock.waits == [1.0, 2.0, 4.0, 5.0, 5.0]

    isv.cloud.faults.clear()
    await isv.next(3)
    assert isv.clock.waits[5:] == [5.0, 1.0]


async def test_a_person_who_is_signing_in_is_not_backed_off_from() -> None:
    isv = watch()
    isv.cloud.faults[Side.ISV] = SignInPendingError("Open example.org and enter the code.")
    await isv.next(5)

    assert not isv.watcher.snapshot.reachable
    assert isv.clock.waits == [5.0] * 4


async def test_a_failure_that_lasts_for_days_is_no_failure_of_ours() -> None:
    isv = watch()
    isv.cloud.faults[Side.ISV] = OFFLINE
    snapshot = await isv.next(2000)

    assert isv.clock.waits[-1] == 5.0
    assert snapshot.stale_since == START


@pytest.mark.parametrize(("interval", "first", "longest"), [(0.1, 0.1, 5.0), (120.0, 120.0, 120.0)])
async def test_a_side_that_fails_is_never_asked_more_often(interval: float, first: float, longest: float) -> None:
    isv = watch(interval)
    isv.cloud.faults[Side.ISV] = OFFLINE
    await isv.next(15)

    assert isv.clock.waits[0] == first
    assert isv.clock.waits[-1] == longest


async def test_azure_says_how_long_to_wait() -> None:
    isv = watch(jitter=1.1)
    await isv.settle()
    isv.cloud.faults[Side.ISV] = ThrottledError("Too many requests.", retry_after=17.0)
    await isv.next(2)
    assert isv.clock.waits == [5.5, 17.0]

    isv.cloud.faults[Side.ISV] = ThrottledError("Too many requests.", retry_after=90.0)
    await isv.next(2)
    assert isv.clock.waits[2:] == [17.0, 90.0]
    in_trouble = AzureError("In trouble.", status=503)
    in_trouble.retry_after = 33.0
    isv.cloud.faults[Side.ISV] = in_trouble
    await isv.next(2)
    assert isv.clock.waits[4:] == [90.0, 33.0]
    isv.cloud.faults[Side.ISV] = OFFLINE
    await isv.next(2)
    assert isv.clock.waits[6:] == [33.0, 5.5]


async def test_a_refresh_on_request_that_fails_is_not_tried_twice() -> None:
    isv = watch()
    await isv.settle()
    isv.cloud.faults[Side.ISV] = OFFLINE
    isv.clock.while_waiting = isv.watcher.wake
    await isv.next()
    isv.cloud.faults.clear()
    await isv.next()

    assert isv.reader.asked == [CONNECTIONS, ALL]
    assert isv.clock.waits == [5.0, 5.0]


async def test_health_that_takes_long_holds_up_nothing_and_does_not_pile_up() -> None:
    isv = watch()
    isv.cloud.health_told.clear()
    await isv.next(16)

    assert isv.clock.elapsed == 15 * 5
    assert isv.reader.asked.count("health") == 1
    isv.cloud.health_told.set()
    before = isv.clock.elapsed
    assert (await isv.next()).health == isv.cloud.sides[Side.ISV].health
    assert isv.clock.elapsed == before, "it is shown as soon as it has come"

    await isv.next(4)
    assert isv.reader.asked.count("health") == 2


async def test_health_that_cannot_be_read_is_told_and_the_rest_is_current() -> None:
    isv = watch()
    good = await isv.settle()
    isv.cloud.health_fault = OFFLINE
    stale = await isv.next(4)

    assert isv.reader.asked == [CONNECTIONS, CONNECTIONS, MACHINES, "health"]
    assert stale.reachable
    assert (stale.error, isv.watcher.failure) == ("", None)
    assert stale.health == good.health
    assert (stale.health_error, isv.watcher.health_failure) == ("Azure did not answer.", OFFLINE)
    assert stale.health_stale_since == START + timedelta(seconds=15)

    again = await isv.next(2)
    assert isv.reader.asked[4:] == [CONNECTIONS, "health"]
    assert again.health_stale_since == START + timedelta(seconds=15)
    isv.cloud.health_fault = None
    current = await isv.next(2)
    assert (current.health_stale_since, current.health_error, isv.watcher.health_failure) == (None, "", None)
    assert set(isv.clock.waits) == {5.0}


async def test_health_says_nothing_of_a_side_that_cannot_be_read() -> None:
    isv = watch()
    isv.cloud.health_told.clear()
    await isv.next()
    isv.cloud.faults[Side.ISV] = OFFLINE
    stale = await isv.next()
    assert isv.reader.asked == [ALL, "health", CONNECTIONS]

    isv.cloud.faults.clear()
    isv.cloud.health_told.set()
    with_health = await isv.next()
    assert with_health.health == isv.cloud.sides[Side.ISV].health
    assert (with_health.stale_since, with_health.error) == (stale.stale_since, "Azure did not answer.")


async def test_azure_says_how_long_to_wait_with_questions_about_health() -> None:
    isv = watch()
    isv.cloud.health_fault = ThrottledError("Too many requests.", retry_after=31.0)
    await isv.next(2)
    assert isv.watcher.snapshot.health_error.startswith("Too many requests.")
    isv.cloud.health_fault = None
    while isv.reader.asked.count("health") < 2:
        await isv.next()

    # The tick that comes first after 31 seconds.
    assert isv.clock.elapsed == 35
    assert set(isv.clock.waits) == {5.0}


async def test_health_of_a_balancer_that_is_gone_is_forgotten() -> None:
    isv = watch()
    await isv.settle()
    isv.cloud.sides[Side.ISV] = replace(isv.cloud.sides[Side.ISV], balancers=())

    assert (await isv.next(4)).health == ()


async def test_watching_no_longer_ends_the_question_about_health() -> None:
    isv = watch()
    isv.cloud.health_told.clear()
    await isv.next(2)
    assert len(asyncio.all_tasks()) == 2
    await isv.snapshots.aclose()

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_nobody_has_foreseen_in_a_question_about_health_is_not_passed_over() -> None:
    isv = watch()
    isv.cloud.health_fault = ZeroDivisionError()  # type: ignore[assignment]
    await isv.next()

    with pytest.raises(ZeroDivisionError):
        await isv.next()


async def test_the_pace_is_jittered_so_that_two_watchers_do_not_ask_in_step() -> None:
    cloud, clock = Cloud(lab()), PassingClock()
    watcher = Watcher(Side.ISV, "s", NotingReader(cloud, Side.ISV), clock=clock)
    snapshots = watcher.snapshots()
    for _ in range(20):
        await anext(snapshots)

    assert len(set(clock.waits)) > 1
    assert all(4.5 <= wait <= 5.5 for wait in clock.waits)
