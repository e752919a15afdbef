"""What came of a write, read back: nothing is ever sent again.

    shows what was asked for   → that
    is being worked on         → another look, for as long as Azure may take
    shows what was before      → a few looks more
    shows something else       → somebody else has changed it

That the looking fails makes the write no failure. What Azure has taken is done all the same, and of a write whose
answer was lost nobody knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from plstui.domain.change import Shown
from plstui.domain.errors import (
    AzureError,
    DecidedOtherwiseError,
    NotReadBackError,
    OutcomeUnknownError,
    PlstuiError,
    Retrying,
    ThrottledError,
)
from plstui.domain.patience import (
    BUSY_PAUSES,
    POLL_SECONDS,
    THROTTLED_PATIENCE,
    TIDYING_PAUSES,
    Throttle,
    Waits,
    persist,
)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for a write of a person's; all in seconds."""

    busy: tuple[float, ...] = BUSY_PAUSES
    """Before each further try of a write that Azure is not ready for, and of a question that nobody answers."""
    operation: float = 300.0
    """For what Azure has taken: removing a connection takes eleven as recorded, and Azure has its bad days."""
    throttled: float = THROTTLED_PATIENCE
    """For fewer requests, in all."""
    looks: tuple[float, ...] = TIDYING_PAUSES
    """Before each further look when the old state shows: recordings show what was taken in the same second, and a
    request that hangs somewhere is not waited for."""


class Readback:
    """What came of one write."""

    def __init__(
        self,
        name: str,
        patience: Patience,
        *,
        hint: str,
        lost: PlstuiError | None = None,
        must_show: bool = False,
        retrying: Retrying | None = None,
    ) -> None:
        """`name` is of what was written to, and `lost` what came instead of an answer.

        `must_show` says that even what Azure has taken is not known to be done until it shows; `hint` is the next step
        where it is not known. `retrying` hears of the waits that Azure asks for.
        """
        self._name = name
        self._patience = patience
        self._hint = hint
        self._lost = lost
        self._must_show = must_show
        self._retrying = retrying
        self._over = asyncio.get_running_loop().time() + patience.operation
        self._waits = Waits(patience.busy, Throttle(patience.throttled))

    async def see(self, get: Callable[[], Awaitable[Result]], look: Callable[[Result], tuple[Shown, str]]) -> Result:
        """What was written to, once it shows what was asked for.

        `look` says what it shows, and as a clause what it shows instead. Raises `NotReadBackError` when Azure has taken
        it and it does not show, `DecidedOtherwiseError` when it has and somebody else has changed it since,
        `OutcomeUnknownError` when it is not known whether it was done, and what `look` raises.
        """
        looks = iter(self._patience.looks)
        while True:
            try:
                found = await self.ask(get)
            except NotReadBackError as error:
                self._unseen(error)
            shown, what = look(found)
            if shown is Shown.AS_ASKED:
                return found
            if shown is Shown.OTHERWISE:
                otherwise = DecidedOtherwiseError(self._name, what, found)
                if self._lost is None:
                    raise otherwise
                self._unseen(otherwise, f"somebody else has changed it, and {what}")
            if shown is Shown.UNDER_WAY:
                pause = POLL_SECONDS if self.is_time_for(POLL_SECONDS) else None
            else:
                pause = next(looks, None)
            if pause is None:
                self._unseen(NotReadBackError(f"{what}; look again in a while"), what)
            await asyncio.sleep(pause)

    async def ask(self, question: Callable[[], Awaitable[Result]]) -> Result:
        """An answer, asked for again as long as there is hope and time. Raises `NotReadBackError`."""
        try:
            return await persist(lambda _: question(), self._pause, retrying=self._told)
        except PlstuiError as last:
            raise NotReadBackError(f"it could not be read back: {last.message}", hint=last.hint) from last

    def is_time_for(self, pause: float) -> bool:
        """Whether there is time for a pause and a look after it."""
        return asyncio.get_running_loop().time() + pause < self._over

    def _pause(self, error: PlstuiError, _: int) -> float | None:
        """Seconds before asking again; None when that would not help. All questions share the pauses."""
        pause = self._waits(error)
        return pause if pause is not None and self.is_time_for(pause) else None

    def _told(self, error: PlstuiError, pause: float) -> None:
        """Only a wait that Azure asks for is worth telling."""
        if self._retrying and isinstance(error, ThrottledError):
            self._retrying(error, pause)

    def _unseen(self, error: AzureError, why: str = "") -> NoReturn:
        """Raise an error that says that it does not show, or where it may not be done either, that nobody knows."""
        if self._lost or self._must_show:
            raise OutcomeUnknownError(why or error.message, self._lost, hint=self._hint) from self._lost or error
        raise error
