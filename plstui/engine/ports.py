"""What the use cases need of the outside world. `arm/` and `probe/` provide it; `compose.py` joins the two.

They provide it without importing this file (the layers forbid it): a class with these methods is enough.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from plstui.domain.connection import Connection, ConnectionStatus, Seen, unheard
from plstui.domain.errors import Retrying
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Target, TargetResult
from plstui.domain.resources import BalancerHealth, LoadBalancer
from plstui.domain.snapshot import HealthReading, Reading, Tier


class CloudReader(Protocol):
    """Reads one side. Every method raises `PlstuiError` and nothing else."""

    async def read(self, tiers: Tier) -> Reading:
        """One refresh, one LIST a type. A type that cannot be read takes nothing else away.

        Raises `CredentialsError`, and what the first type raised when none could be read.
        """

    async def read_health(self, balancers: Sequence[LoadBalancer]) -> HealthReading:
        """Ask balancers for the health of their rules' members; a rule that Azure does not tell it of is left out.

        A long-running POST per rule, so this is a refresh of its own and bounded likewise.
        """

    async def read_connection(self, connection_id: ResourceId, *, retrying: Retrying | None = None) -> Connection:
        """One connection as the service reports it now; `retrying` hears of the waits that Azure asks for."""

    async def close(self) -> None:
        """Give back sockets and tokens."""


class PreparedDecision(Protocol):
    """A decision on a connection that has not been sent."""

    async def send(self) -> Connection | None:
        """Send it, once, and see what came of it: the connection as asked for and read back, None when it is gone.

        Raises `NotReadBackError` when Azure has taken it and it does not show, `DecidedOtherwiseError` when somebody
        else has decided since, `OutcomeUnknownError` when the answer is lost and it does not show, and otherwise a
        `PlstuiError` that says why Azure has not taken it.
        """


class CloudBodies(Protocol):
    """One side's resources as ARM's JSON, to be read. Every method raises `PlstuiError` and nothing else."""

    async def get(self, resource_id: ResourceId) -> dict[str, Any] | None:
        """A resource as it is now; None when it is not there. Machines and run commands come with their view."""

    async def collect(self, path: str, kind: str, **query: str) -> list[dict[str, Any]]:
        """All items of a list at a path; `kind` is the full type that says the api-version."""

    async def health(self, rule_id: ResourceId) -> BalancerHealth:
        """How the members behind a load-balancing rule are."""


class CloudWriter(Protocol):
    """Writes to one side; the gate's alone. Every method raises `PlstuiError` and nothing else.

    What writes raises `AnswerLostError` where it may have been done all the same.
    """

    async def get_ready(self) -> None:
        """Do ahead what the first write would wait for."""

    async def prepare(
        self,
        connection_id: ResourceId,
        wanted: ConnectionStatus | None,
        description: str,
        *,
        expected: ConnectionStatus,
        seen: Seen = unheard,
        retrying: Retrying | None = None,
    ) -> PreparedDecision:
        """Read a connection anew, so that its status and description can be set (or it be removed, for None).

        All else that it carries stays. Nothing is sent; `seen` hears of each look at it. Raises `RefusedError` when the
        connection is no longer in the `expected` status that the person saw.
        """

    async def put(self, resource_id: ResourceId, body: dict[str, Any], *, etag: str | None = None) -> dict[str, Any]:
        """Create or change a resource and wait until Azure is done; what it then is.

        `etag` is what it must still have, and empty when it must not be there yet; None for whatever is there.
        """

    async def delete(self, resource_id: ResourceId) -> None:
        """Delete a resource and wait until Azure is done; one that is not there is no error."""

    async def discard(self, resource_id: ResourceId) -> None:
        """Have a resource deleted and do not wait for it; one that is not there is no error."""

    async def start(self, machine_id: ResourceId) -> None:
        """Start a machine and wait until it runs."""

    async def run_command(self, machine_id: ResourceId, script: str, *, windows: bool = False) -> str:
        """What a script prints, run by a machine's agent: by a shell, or by PowerShell."""


class Ends(Protocol):
    """All there is of one side. Who is given this may write; compose gives it to the gate alone."""

    @property
    def reader(self) -> CloudReader:
        """Reads it as facts."""

    @property
    def bodies(self) -> CloudBodies:
        """Reads it as JSON."""

    @property
    def writer(self) -> CloudWriter:
        """Writes to it."""


class Prober(Protocol):
    """Fetches the page from targets, all at once."""

    def probe(self, targets: Sequence[Target], count: int) -> AsyncIterator[TargetResult]:
        """Yield each target's result as soon as its `count` attempts are over. Failures are results, not errors."""

    async def close(self) -> None:
        """Close every connection to a jump machine, also those that hang."""


class Clock(Protocol):
    """Time, so that tests can turn it."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for the event, at most so long; whether it came."""


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps, as macOS's only steady clock does: what was read before that is not fresh after."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.clock_gettime(_STEADY)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for the event, at most so long; whether it came."""
        try:
            async with asyncio.timeout(seconds):
                return await event.wait()
        except TimeoutError:
            return False
