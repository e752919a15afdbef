"""How often a side is asked, for what, and what is shown when it does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plstui.arm.faults import DEFAULT_RETRY_AFTER
from plstui.arm.transport import SILENCE_SECONDS
from plstui.domain.connection import APPROVED
from plstui.domain.errors import (
    AzureError,
    CredentialsError,
    PlstuiError,
    SignInPendingError,
    ThrottledError,
    UnreachableError,
)
from plstui.domain.sides import Side
from plstui.domain.snapshot import Reading, Snapshot, Tier
from plstui.engine.watcher import Watcher
from tests.engine.parts import START, NotingReader, PassingClock
from tests.support.cloud import Cloud
from tests.support.lab import lab, with_status

CONNECTIONS, ALL = Tier.CONNECTIONS, Tier.ALL
MACHINES = Tier.CONNECTIONS | Tier.MACHINES
OFFLINE = UnreachableError("Azure did not answer.")


@dataclass
class Watch:
    """A watcher of the ISV's side with everything it works with."""

    cloud: Cloud
    reader: NotingReader
    clock: PassingClock
    watcher: Watcher
    snapshots: AsyncGenerator[Snapshot, None]

    async def next(self, count: int = 1) -> Snapshot:
        """The last of the next snapshots."""
        for _ in range(count):
            snapshot = await anext(self.snapshots)
        return snapshot

    async def settle(self) -> Snapshot:
        """Skip the first content, with its health."""
        snapshot = await self.next(2)
        self.reader.asked.clear()
        return snapshot


def watch(interval: float = 5.0, jitter: float = 1.0) -> Watch:
    cloud, clock = Cloud(lab()), PassingClock()
    reader = NotingReader(cloud, Side.ISV)
    watcher = Watcher(
        Side.ISV, "subscription", reader, tenant="tenant", interval=interval, clock=clock, jitter=lambda: jitter
    )
    return Watch(cloud, reader, clock, watcher, watcher.snapshots())


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


# Each is how a read fails: the seconds it takes for that, the error, and the seconds that Azure asks to wait.
DROP = (0.0, OFFLINE, 0.0)
STALL = (SILENCE_SECONDS, UnreachableError("No answer came in time."), 0.0)
DEFAULT = (0.1, ThrottledError("Too many requests.", retry_after=DEFAULT_RETRY_AFTER), DEFAULT_RETRY_AFTER)


def throttled(seconds: float) -> tuple[float, PlstuiError, float]:
    return 0.1, ThrottledError("Too many requests.", retry_after=seconds), seconds


def in_trouble(seconds: float | None) -> tuple[float, PlstuiError, float]:
    error = AzureError("In trouble.", status=503)
    error.retry_after = seconds
    return 0.1, error, seconds or 0.0


ASKED = st.floats(0, 120, allow_nan=False)
FAULTS = st.lists(
    st.one_of(
        st.sampled_from([DROP, STALL, DEFAULT]), st.builds(throttled, ASKED), st.builds(in_trouble, st.none() | ASKED)
    ),
    min_size=1,
    max_size=20,
)
A_FULL_READ = 5.0
"""Seconds of everything, over connections that have to be made anew: more than thousands of connections take."""


@given(FAULTS, st.floats(0.9, 1.1))
def test_after_the_last_fault_a_pane_is_live_within_twenty_seconds_or_what_azure_asks_and_five(
    faults: list[tuple[float, PlstuiError, float]], jitter: float
) -> None:
    async def live_again() -> None:
        isv = watch(jitter=jitter)
        await isv.settle()
        begun = asked = 0.0
        read = isv.reader.read
        left = list(faults)

        async def failing(tiers: Tier) -> Reading:
            nonlocal begun, asked
            if not left:
                isv.clock.elapsed += A_FULL_READ
                return await read(tiers)
            assert isv.clock.elapsed >= begun + asked, "what Azure asks is heeded"
            begun = isv.clock.elapsed
            seconds, error, asked = left.pop(0)
            isv.clock.elapsed += seconds
            raise error

        isv.reader.read = failing  # type: ignore[method-assign]
        while left or not isv.watcher.snapshot.reachable:
            await isv.next()
        assert isv.clock.elapsed - begun <= max(20.0, faults[-1][0] + asked + A_FULL_READ) + 0.001

    asyncio.run(live_again())


async def test_health_is_not_old_for_longer_either() -> None:
    isv = watch()
    await isv.settle()
    while isv.clock.elapsed < 400:
        await isv.next()
    isv.cloud.health_fault = OFFLINE
    while not isv.watcher.snapshot.health_error:
        await isv.next()
    await isv.next(10)
    isv.cloud.health_fault = None
    last = isv.clock.elapsed
    while isv.watcher.snapshot.health_error:
        await isv.next()

    assert isv.clock.elapsed - last <= 20 - SILENCE_SECONDS


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
    isv.cloud.faults[Side.ISV] = in_trouble(33.0)[1]
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
