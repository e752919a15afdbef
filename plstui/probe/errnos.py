"""The system's numbers for a connection that failed."""

from __future__ import annotations

import errno

from plstui.domain.probe import Failure

FAILURES = {
    errno.ECONNREFUSED: Failure.REFUSED,
    errno.ETIMEDOUT: Failure.TIMEOUT,
    errno.EHOSTUNREACH: Failure.NO_ROUTE,
    errno.ENETUNREACH: Failure.NO_ROUTE,
    errno.ECONNRESET: Failure.RESET,
}
"""What is not among them was all the same no connection."""
