"""What passes by itself, how often it is tried again, and how long is waited before that; all times in seconds.

A policy says after an error and so many tries how long to wait, or None when trying again is no use; `persist` is the
one loop that tries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVar

from plstui.domain.errors import AzureError, PlstuiError, Retrying, ThrottledError, UnreachableError

THROTTLED_PATIENCE = 120.0
"""That is waited in all while Azure asks for fewer requests: its limits refill by the second, and who would have to
wait longer is told so instead. A single wait that is asked for may take so long, too."""

POLL_SECONDS = 1.0
"""Between two looks at what is under way, where Azure does not say; the SDK's own are thirty."""

SHORTEST_PAUSE = 0.3
"""Before a second try, where Azure does not ask to wait longer."""

READ_PAUSES = (SHORTEST_PAUSE,)
"""Before each further try of a single read that met a passing trouble: whoever reads asks again soon anyway."""

LONGEST_READ_PAUSE = 2.0
"""That such a wait may take; where Azure asks for more, the read fails and says so."""

SIGN_IN_PAUSES = (SHORTEST_PAUSE, 1.0, 2.0)
"""Before each further try to get a token: everything of that side waits for it, a write that is under way too."""

LONGEST_SIGN_IN_PAUSE = 5.0
"""That such a wait may take; where Entra ID asks for more, that is told."""

BUSY_PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Before each further try of a decision that Azure is not ready for, and of a question that nobody answers: most
updates in a network take four seconds, that of a private link service eleven."""

BUILDING_PAUSES = (*BUSY_PAUSES, 15.0, 30.0, 30.0)
"""The same for what is built or removed, which may wait for anything around it: up to a minute."""

TIDYING_PAUSES = (1.0, 2.0, 4.0)
"""Before each further try of something small, when a person waits."""

PASSING_STATUSES = frozenset({500, 502, 503, 504})
"""Of gateways and of servers in trouble, which often are gone a moment later."""

PASSING_CODES = frozenset(
    {
        "retryableerror",
        "anotheroperationinprogress",
        "operationpreempted",
        "conflictingoperationinprogress",
        "internalservererror",
        "networkinternalservererror",
        "internaloperationerror",
        "allocationfailed",
        "serverbusy",
        "serviceunavailable",
        # Somebody has written between our look and our write: the next try looks again.
        "preconditionfailed",
    }
)
"""Codes that ask for patience, in lower case, with whatever status they come."""

PauseOf = Callable[[Any, int], float | None]
"""Seconds to wait after an error and so many tries; None when trying again is no use."""

Result = TypeVar("Result")


def passes(error: PlstuiError) -> bool:
    """Whether the same request may be taken a moment later.

    Of a write whose answer was lost nobody knows whether it was taken, so whoever tries again looks first.
    """
    if isinstance(error, ThrottledError | UnreachableError):
        return True
    in_trouble = isinstance(error, AzureError) and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return in_trouble or is_busy(error)


def is_busy(error: PlstuiError) -> bool:
    """Whether Azure says that something else has to come to its end first."""
    return error.code.lower() in PASSING_CODES


def as_asked(error: PlstuiError, pause: float) -> float | None:
    """A pause of ours, or as long as Azure asks to wait where that is more; None when it asks for too much."""
    asked = error.retry_after if isinstance(error, AzureError) else None
    if asked is None:
        return pause
    return max(asked, pause) if asked <= THROTTLED_PATIENCE else None


def pause_among(pauses: tuple[float, ...], error: PlstuiError, tries: int) -> float | None:
    """The pause for this try, or what Azure asks for; None when there is none left or it asks for too much."""
    return as_asked(error, pauses[tries - 1]) if tries <= len(pauses) else None


class Throttle:
    """A policy: waits as long as Azure asks for fewer requests, in all so long as one task may wait for that."""

    def __init__(self, seconds: float = THROTTLED_PATIENCE) -> None:
        self._left = seconds
        self._waits = 0

    def __call__(self, error: PlstuiError, _: int = 0) -> float | None:
        """Take a wait out of what is left; None for another error, and when that would take too long."""
        if not isinstance(error, ThrottledError):
            return None
        self._waits += 1
        # A server that asks for no wait at all gets longer ones from us.
        pause = max(error.retry_after, SHORTEST_PAUSE * self._waits)
        if pause >= self._left:
            return None
        self._left -= pause
        return pause


class Waits:
    """A policy for one task: pauses of ours for what passes by itself, and others while Azure asks for fewer requests.

    The one uses up nothing of the other.
    """

    def __init__(
        self,
        pauses: tuple[float, ...],
        throttle: Throttle,
        passing: Callable[[PlstuiError], bool] = passes,
    ) -> None:
        """`passing` says of an error whether a pause of ours helps."""
        self._pauses = iter(pauses)
        self._throttle = throttle
        self._passing = passing

    def __call__(self, error: PlstuiError, _: int = 0) -> float | None:
        """Take the next pause; None when there is none, or Azure asks for too much."""
        if isinstance(error, ThrottledError):
            return self._throttle(error)
        pause = next(self._pauses, None) if self._passing(error) else None
        return None if pause is None else as_asked(error, pause)


async def persist(
    attempt: Callable[[int], Awaitable[Result]],
    pause_of: PauseOf,
    *,
    retrying: Retrying | None = None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    passing: type[Exception] | tuple[type[Exception], ...] = PlstuiError,
) -> Result:
    """Try, and again after a pause as long as the policy has one; then what was raised last is raised.

    `attempt` is given the number of the try, from 1 on; `retrying` hears of each that another one follows.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return await attempt(tries)
        except passing as error:
            pause = pause_of(error, tries)
            if pause is None:
                raise
            if retrying and isinstance(error, PlstuiError):
                retrying(error, pause)
        await sleep(pause)
