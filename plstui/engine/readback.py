"""What came of a resource that was written, read back: nothing is ever sent again."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

from plstui.domain.change import Body, Change, Shown
from plstui.domain.errors import (
    DecidedOtherwiseError,
    NotReadBackError,
    OutcomeUnknownError,
    PlstuiError,
    ThrottledError,
)
from plstui.domain.patience import TIDYING_PAUSES
from plstui.engine.ports import CloudBodies

POLL = 1.0
"""Seconds between two looks at what is being made."""


async def read_back(change: Change[Any, Any], before: Any, bodies: CloudBodies, lost: PlstuiError | None) -> Body:
    """The target's body once it shows a change that was sent; `lost` is what came instead of an answer.

    What is under way is waited for as long as the caller does. Raises `OutcomeUnknownError` when the answer was lost
    and it does not show, `NotReadBackError` when Azure has taken it and it does not show, and `DecidedOtherwiseError`
    when it has and somebody else has changed it since.
    """
    name, looks, cause = change.target.name, iter(TIDYING_PAUSES), lost
    while True:
        try:
            now = await bodies.get(change.target)
        except PlstuiError as error:
            why = f"it could not be read back: {error.message}"
            cause = lost or error
            pause = max(error.retry_after, POLL) if isinstance(error, ThrottledError) else next(looks, None)
        else:
            shown = change.shown(before, now)
            if now is not None and (shown is Shown.AS_ASKED or (shown is Shown.UNDER_WAY and lost is None)):
                return now
            if shown is Shown.OTHERWISE:
                if lost:
                    _unknown(change, f"somebody else has changed it, and {change.told(now)}", lost)
                raise DecidedOtherwiseError(name, change.told(now), now)
            why, cause = change.told(now), lost
            pause = POLL if shown is Shown.UNDER_WAY else next(looks, None)
        if pause is None:
            if lost:
                _unknown(change, why, lost)
            raise NotReadBackError(why) from cause
        await asyncio.sleep(pause)


def _unknown(change: Change[Any, Any], why: str, lost: PlstuiError) -> NoReturn:
    raise OutcomeUnknownError(why, lost, hint=change.how_to_look) from lost
