"""Which refusals of Azure pass by themselves, and how long to wait before the next try."""

from __future__ import annotations

from plstui.domain.errors import AzureError, PlstuiError, ThrottledError, UnreachableError

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 30.0)
"""Seconds before each further try: updates of a network take seconds, of a private link service up to a minute."""

LONGEST = 120.0
"""Seconds that a Retry-After is obeyed for; who asks for more is told that the lab can be taken up later."""

_PASSING = frozenset(
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
    }
)
"""Codes that ask for patience, with whatever status they come."""

_SERVER = 500


def pause_after(error: PlstuiError, tries: int) -> float | None:
    """Seconds to wait before trying again after the `tries`-th try; None when that is no use.

    A status of 0 means that a long-running operation was accepted and then failed: the resource is there, marked
    failed, and the same request mends it.
    """
    if tries > len(PAUSES):
        return None
    pause = PAUSES[tries - 1]
    if isinstance(error, ThrottledError):
        return max(error.retry_after, pause) if error.retry_after <= LONGEST else None
    if isinstance(error, UnreachableError):
        return pause
    if isinstance(error, AzureError) and error.code != "OperationTimeout":
        passing = error.code.lower() in _PASSING or error.status >= _SERVER or error.status == 0
        return pause if passing else None
    return None
