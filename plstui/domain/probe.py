"""What is probed, and what came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side


class TargetKind(StrEnum):
    """What stands at an address."""

    BACKEND = "backend"
    BALANCER = "balancer"
    """A balancer's frontend, asked from inside its network."""
    ENDPOINT = "endpoint"
    NAME = "name"
    """A name that the machine at the other end resolves."""


class Failure(StrEnum):
    """Why an attempt brought no page."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    RESET = "reset"
    NO_ROUTE = "no route"
    NOT_FOUND = "name not found"
    WRONG_PAGE = "wrong page"
    TLS = "TLS on a plain port"
    JUMP = "jump machine"
    """The machine the probe starts from could not be used; the target itself was not asked."""


@dataclass(frozen=True, slots=True)
class Target:
    """One address to fetch the page from, and the side it is reached from."""

    name: str
    kind: TargetKind
    side: Side
    address: str
    port: int
    resource_id: ResourceId | None = None
    endpoint_id: ResourceId | None = None
    """For a name: the endpoint that it is to lead to."""
    behind: frozenset[str] = frozenset()
    """Names and addresses of the machines behind a balancer, in lower case."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One fresh connection to a target. With neither host nor failure it tells nothing of the target."""

    host: str | None = None
    """The hostname on the page; None when there was no such page."""
    failure: Failure | None = None
    error: str = ""
    """What went wrong, in words; harmless to show."""
    connect_ms: float | None = None
    """Milliseconds until the connection stood."""
    first_byte_ms: float | None = None
    """Milliseconds from there to the first byte of the answer."""
    resolved: str = ""
    """The address that the name of the target was found to have; empty where that is not known."""


@dataclass(frozen=True, slots=True)
class TargetResult:
    """All attempts at one target."""

    target: Target
    route: str
    """How it was reached, like `ssh testVM`."""
    attempts: tuple[Attempt, ...]

    @property
    def ok(self) -> bool:
        """Whether every attempt that tells anything brought a backend's page, and one did."""
        return bool(self.hosts) and not self.failures

    @property
    def silent(self) -> bool:
        """Whether no attempt tells anything of the target: it is neither well nor failing."""
        return bool(self.attempts) and not self.hosts and not self.failures

    @property
    def hosts(self) -> dict[str, int]:
        """How often each backend answered, by name."""
        return dict(sorted(Counter(a.host for a in self.attempts if a.host).items()))

    @property
    def failures(self) -> dict[str, int]:
        """How often each kind of failure happened."""
        return dict(sorted(Counter(a.failure.value for a in self.attempts if a.failure).items()))

    @property
    def error(self) -> str:
        """What went wrong first, in words; empty when nothing did."""
        return next((attempt.error for attempt in self.attempts if attempt.failure), "")

    @property
    def untold(self) -> str:
        """Why attempts tell nothing of the target, in words; empty when all of them do."""
        return next((a.error for a in self.attempts if a.host is None and a.failure is None), "")

    @property
    def resolved(self) -> tuple[str, ...]:
        """The addresses that the target's name was found to have."""
        return tuple(sorted({a.resolved for a in self.attempts if a.resolved}))

    def error_of(self, failure: str) -> str:
        """What was said of the first failure of this kind."""
        return next((attempt.error for attempt in self.attempts if attempt.failure == failure), "")

    @property
    def connect_ms(self) -> tuple[float, float] | None:
        """Milliseconds to connect, p50 and p95; None when no attempt connected."""
        return _p50_p95([a.connect_ms for a in self.attempts if a.connect_ms is not None])

    @property
    def first_byte_ms(self) -> tuple[float, float] | None:
        """Milliseconds from connect to the first byte, p50 and p95; None when none came."""
        return _p50_p95([a.first_byte_ms for a in self.attempts if a.first_byte_ms is not None])


def _p50_p95(values: list[float]) -> tuple[float, float] | None:
    """Nearest-rank percentiles: with few samples, a value that was really measured."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[(len(ranked) - 1) // 2], ranked[min(len(ranked) - 1, -(-len(ranked) * 95 // 100) - 1)]


def all_well(results: Sequence[TargetResult]) -> bool:
    """Whether every target that anything is told of answered every time, and one did."""
    told = [result for result in results if not result.silent]
    return bool(told) and all(result.ok for result in told)
