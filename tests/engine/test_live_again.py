"""How soon a pane is live again after the last fault, and that what Azure asks is heeded all the same."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from plstui.arm.faults import DEFAULT_RETRY_AFTER
from plstui.arm.transport import SILENCE_SECONDS
from plstui.domain.errors import (
    AzureError,
    PlstuiError,
    ThrottledError,
    UnreachableError,
)
from plstui.domain.snapshot import Reading, Tier
from tests.engine.parts import OFFLINE, watch

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
    isv.cloud.health_fault = OFFLINE
    while isv.clock.elapsed < 1000:
        await isv.next()
    isv.cloud.health_fault = None
    last = isv.clock.elapsed
    while isv.watcher.snapshot.health_error:
        await isv.next()

    assert isv.clock.elapsed - last <= 20 - SILENCE_SECONDS
