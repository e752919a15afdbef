"""What a way to the targets has to offer, and the one that stands in when there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from plstui.domain.probe import Attempt, Failure, Target

Report = Callable[[Target, Attempt], None]
"""Hears of every attempt as it ends."""


class RouteError(Exception):
    """A route cannot be used; the message says why in words that are harmless to show."""


class Route(Protocol):
    """A way to targets. It is given all of them at once, because some ways ask for all of them in one go."""

    @property
    def text(self) -> str:
        """How targets are reached, like `ssh testVM`; empty when they are not."""

    async def fetch(self, targets: Sequence[Target], count: int, report: Report) -> None:
        """Fetch the page from each target over `count` fresh connections. Returns when every attempt was reported.

        Failures are attempts, not errors. Cancelling ends what is under way at once and leaves nothing behind.
        """

    async def close(self) -> None:
        """Give back what is kept between two probes; it is made anew when it is needed again."""


class NoRoute:
    """Stands for a side that cannot be probed, and says why for each of its targets."""

    text = ""

    def __init__(self, why: str) -> None:
        self._why = why

    async def fetch(self, targets: Sequence[Target], count: int, report: Report) -> None:
        """Report that nothing was asked."""
        report_jump(targets, count, report, self._why)

    async def close(self) -> None:
        """There is nothing to give back."""


def report_jump(targets: Sequence[Target], count: int, report: Report, why: str) -> None:
    """Report for every attempt that it could not even be started, and why."""
    for target in targets:
        for _ in range(count):
            report(target, Attempt(failure=Failure.JUMP, error=why))
