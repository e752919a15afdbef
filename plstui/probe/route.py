"""What a way to the targets has to offer, and several of them tried one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from plstui.domain.probe import Attempt, Failure, Target, TargetKind

Report = Callable[[Target, Attempt, str], None]
"""Hears of every attempt as it ends, and how the target was reached: like `ssh testVM`, empty when it was not."""


Opinion = Callable[[Target], Awaitable[str]]
"""What else is known of a target that could not be asked: a sentence, or empty."""


class RouteError(Exception):
    """A route cannot be used; the message says why in words that are harmless to show."""


class UnresolvedError(RouteError):
    """The machine on the way has no address that this computer knows of: the setting that names it may be wrong."""


class DistrustError(RouteError):
    """The machine on the way may not be the one it is taken for. No other route is tried, so that this is seen."""


class Route(Protocol):
    """A way to targets. It is given all of them at once, because some ways ask for all of them in one go."""

    async def fetch(self, targets: Sequence[Target], count: int, report: Report) -> None:
        """Fetch the page from each target over `count` fresh connections; fewer where a way has no room for more.

        Returns when every attempt was reported; every target has one at least. Failures are attempts, not errors.
        Raises `RouteError` when the way cannot be used, and nothing was reported then. Cancelling ends what is under
        way at once and leaves nothing behind.
        """

    async def close(self) -> None:
        """Give back what is kept between two probes; it is made anew when it is needed again."""


class Missing:
    """A way that is not open to a side, and why."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def fetch(self, targets: Sequence[Target], count: int, report: Report) -> None:
        """Raise `RouteError`."""
        raise RouteError(self._why)

    async def close(self) -> None:
        """There is nothing to give back."""


class Ladder:
    """Several ways: the first that can be used is. Where none can, every target says why."""

    def __init__(self, routes: Sequence[Route], opinion: Opinion | None = None) -> None:
        self._routes = tuple(routes)
        self._opinion = opinion

    async def fetch(self, targets: Sequence[Target], count: int, report: Report) -> None:
        """Fetch the page from each target."""
        reasons: list[str] = []
        distrusted = ""
        for route in self._routes:
            try:
                await route.fetch(targets, count, report)
            except DistrustError as error:
                reasons, distrusted = [], str(error)
                break
            except RouteError as error:
                reasons.append(str(error))
            else:
                return
        for target in targets:
            opinion = await self._opinion(target) if self._opinion else ""
            # It may end with a command, to be copied without what else there is to say.
            why = " ".join(part for part in (*reasons, opinion, distrusted) if part)
            for _ in range(count):
                report(target, Attempt(failure=Failure.JUMP, error=why), NOT_PROBED)

    async def close(self) -> None:
        """Close all of them."""
        for route in self._routes:
            await route.close()


NOT_PROBED = ""
"""Stands for a route where none was used."""


def balanced_back(attempt: Attempt, target: Target, starting_point: frozenset[str]) -> Attempt:
    """The attempt, unless it went unanswered because a balancer gave the connection back to where it came from.

    Azure drops what a member of a pool sends to itself through an internal balancer, so of three members a third of
    their own connections is lost; that tells nothing of the balancer. `starting_point` is the machine's names and
    addresses in lower case, as far as they are known.
    """
    unanswered = attempt.failure is Failure.TIMEOUT and attempt.connect_ms is None
    if target.kind is not TargetKind.BALANCER or not unanswered or starting_point.isdisjoint(target.behind):
        return attempt
    return replace(
        attempt,
        failure=None,
        error="Balanced back to the machine that asked, which Azure lets no machine do: it tells nothing.",
    )
