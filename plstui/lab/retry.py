"""How patient the lab is with Azure: it builds and removes much, and waits for what others do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from plstui.domain import patience
from plstui.domain.errors import (
    UNREADABLE,
    AzureError,
    DecidedOtherwiseError,
    NotFoundError,
    PlstuiError,
    UnreachableError,
    again_in,
)
from plstui.domain.patience import BUILDING_PAUSES, PauseOf, passes, pause_among
from plstui.engine.ports import Clock

SECOND_CHANCES = 2
"""Further tries of what Azure accepted and then did not do: it may be a passing trouble, or its last word."""

LATE_CHANCES = 5
"""Further tries while Azure does not know of what it has just made: half a minute, and mostly it is a few seconds."""

_NO_SUCH_REFERENCE = "invalidresourcereference"

NOT_AS_REQUESTED = "NotAsRequested"
"""Our own code for a write that Azure says it has done, and whose result is another."""

TIMED_OUT = "OperationTimeout"
"""The code of what was given up because it took too long: trying again would take as long."""

Result = TypeVar("Result")


def pause_after(error: PlstuiError, tries: int) -> float | None:
    """Seconds to wait before trying again after the `tries`-th try; None when that is no use.

    A status of 0 means that a long-running operation was accepted and then failed: the resource is there, marked
    failed, and the same request may mend it. Of a write whose answer was lost nobody knows whether it was taken, so
    whoever tries again looks first.
    """
    if isinstance(error, DecidedOtherwiseError) or error.code == TIMED_OUT:
        return None  # What somebody else has decided is not decided over.
    failed_later = isinstance(error, AzureError) and error.status == 0 and tries <= SECOND_CHANCES
    return pause_among(BUILDING_PAUSES, error, tries) if passes(error) or failed_later else None


def pause_after_write(error: PlstuiError, tries: int) -> float | None:
    """The same for a write whose group, parent and references are known to be there, or that was itself accepted.

    That Azure does not find them, or shows what was before, passes: not every one of its servers has heard of it yet.
    """
    is_absence = isinstance(error, NotFoundError) and error.is_absence
    if is_absence or error.code == NOT_AS_REQUESTED or error.code.lower() == _NO_SUCH_REFERENCE:
        return BUILDING_PAUSES[tries - 1] if tries <= LATE_CHANCES else None
    return pause_after(error, tries)


def pause_after_read(error: PlstuiError, tries: int) -> float | None:
    """The same for a first look, which a person waits for: that nobody answers is told at once.

    By then the cloud has asked twice already. An answer that makes no sense will make none the next time.
    """
    at_once = isinstance(error, UnreachableError) or error.code == UNREADABLE
    return None if at_once else pause_after(error, tries)


async def persist(
    attempt: Callable[[int], Awaitable[Result]],
    clock: Clock,
    say: Callable[[str], None],
    pause_of: PauseOf = pause_after,
) -> Result:
    """Try, and again after a pause on a clock while Azure asks for patience.

    `attempt` is given the number of the try, from 1 on; `say` hears of each that failed. Raises `PlstuiError`.
    """
    return await patience.persist(
        attempt,
        pause_of,
        retrying=lambda error, pause: say(again_in(error, pause)),
        sleep=lambda seconds: sleep(clock, seconds),
    )


async def sleep(clock: Clock, seconds: float) -> None:
    """Let time pass on a clock."""
    await clock.wait(asyncio.Event(), seconds)
