"""What passes by itself, and the one loop that tries again."""

from __future__ import annotations

import pytest

from plstui.domain.errors import (
    AnswerLostError,
    AzureError,
    CredentialsError,
    PlstuiError,
    RefusedError,
    ThrottledError,
    UnreachableError,
)
from plstui.domain.patience import THROTTLED_PATIENCE, Throttle, passes, pause_among, persist


@pytest.mark.parametrize(
    ("error", "so"),
    [
        (ThrottledError("Slower.", retry_after=1), True),
        (UnreachableError("No answer."), True),
        (AnswerLostError("No answer."), True),
        (AzureError("Busy.", status=409, code="AnotherOperationInProgress"), True),
        (AzureError("Busy.", status=429, code="RetryableError"), True),
        (AzureError("Broken.", status=502), True),
        (AzureError("No.", status=400, code="BadRequest"), False),
        (AzureError("No.", status=409, code="Conflict"), False),
        (AzureError("It failed.", code="Failed"), False),
        (CredentialsError("Who are you?"), False),
        (RefusedError("No."), False),
    ],
)
def test_what_passes_by_itself(error: PlstuiError, so: bool) -> None:
    assert passes(error) is so


def test_a_throttle_waits_as_asked_and_no_longer_in_all() -> None:
    throttle, slower = Throttle(25.0), ThrottledError("Slower.", retry_after=10)

    assert [throttle(slower) for _ in range(3)] == [10, 10, None]
    assert throttle(AzureError("Broken.", status=502)) is None


def test_a_throttle_that_is_told_of_no_time_waits_longer_each_time() -> None:
    throttle, slower = Throttle(), ThrottledError("Slower.", retry_after=0)
    pauses = [throttle(slower) or 0.0 for _ in range(4)]

    assert pauses == sorted(set(pauses))
    assert pauses[0] > 0


async def test_trying_ends_with_what_was_raised_last() -> None:
    slept: list[float] = []
    told: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def attempt(tries: int) -> str:
        raise UnreachableError(f"Try {tries}.")

    with pytest.raises(UnreachableError, match="Try 3"):
        await persist(
            attempt,
            lambda error, tries: pause_among((1.0, 2.0), error, tries),
            retrying=lambda _, pause: told.append(pause),
            sleep=sleep,
        )

    assert slept == told == [1.0, 2.0]


async def test_who_asks_for_too_long_is_not_waited_for() -> None:
    async def attempt(_: int) -> None:
        raise ThrottledError("Much slower.", retry_after=THROTTLED_PATIENCE + 1)

    with pytest.raises(ThrottledError):
        await persist(attempt, lambda error, tries: pause_among((1.0,), error, tries))


async def test_what_comes_right_is_returned() -> None:
    async def attempt(tries: int) -> int:
        if tries < 3:
            raise UnreachableError("No answer.")
        return tries

    async def sleep(_: float) -> None:
        return

    assert await persist(attempt, lambda *_: 1.0, sleep=sleep) == 3
