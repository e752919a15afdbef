"""The route through Azure: its agent in a machine runs a script that fetches the page. Slow, and always there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from secrets import token_hex
from typing import Protocol

from plstui.config.settings import Probe
from plstui.domain.errors import AzureError, LeftBehindError, PlstuiError
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Attempt, Failure, Target
from plstui.domain.tasks import together
from plstui.domain.text import clean
from plstui.probe.agent.output import OutputError, read
from plstui.probe.agent.script import MOST_TARGETS, USABLE, Asked, is_probe, powershell_script, shell_script
from plstui.probe.route import NOT_PROBED, Report, RouteError, balanced_back

NOBODY = "No running machine is known in the target's network that could run a script."


class Machines(Protocol):
    """The machines of both sides, as far as a script can be run in them. What asks Azure raises `PlstuiError`."""

    def starting_points(self, targets: Sequence[Target]) -> Mapping[ResourceId, Sequence[Target]]:
        """The machine to probe each target from. Targets for which there is none are left out."""

    def why_not(self) -> str | None:
        """Why nothing can be run at all; None when it can."""

    async def is_windows(self, machine: ResourceId) -> bool:
        """Whether the machine runs Windows, and so PowerShell."""

    async def run_managed(
        self, machine: ResourceId, script: str, *, seconds: int, is_probe: Callable[[str], bool]
    ) -> str:
        """What a script prints that is run as a resource of its own, which is gone afterwards, whatever happens.

        `is_probe` knows the scripts of probes: one that was killed may have left its own there, which goes too.
        """

    async def run_action(self, machine: ResourceId, script: str, *, seconds: int, windows: bool) -> str:
        """What a script prints that is run by the machine's action, one at a time."""


class AgentRoute:
    """Runs one script for all targets that start from the same machine."""

    def __init__(self, machines: Machines, probe: Probe) -> None:
        self._machines = machines
        self._probe = probe

    async def fetch(self, targets: Sequence[Target], count: int, report: Report) -> None:
        """Fetch the page from each target; as often as the little that Azure shows of an output has room for."""
        if reason := self._machines.why_not():
            raise RouteError(f"No script can be run in a machine: {reason}")
        usable = [target for target in targets if USABLE.fullmatch(target.address)]
        starts = self._machines.starting_points(usable)
        if not starts:
            raise RouteError(NOBODY)
        troubles: list[str] = []
        reported: set[Target] = set()

        def told(target: Target, attempt: Attempt, route: str) -> None:
            reported.add(target)
            report(target, attempt, route)

        async def start(machine: ResourceId, wanted: Sequence[Target]) -> None:
            try:
                for some in _batches(wanted):
                    await self._fetch_from(machine, some, count, told)
            except RouteError as error:
                troubles.append(str(error))

        await together(start(machine, wanted) for machine, wanted in starts.items())
        if not reported:
            raise RouteError(" ".join(dict.fromkeys(troubles)))
        for target in targets:
            if target in reported:
                continue
            known = target in usable
            why = (" ".join(dict.fromkeys(troubles)) or NOBODY) if known else "The target has no usable address."
            report(target, Attempt(failure=Failure.JUMP if known else Failure.NOT_FOUND, error=why), "")

    async def _fetch_from(self, machine: ResourceId, targets: Sequence[Target], count: int, report: Report) -> None:
        """Probe targets from one machine. Raises `RouteError`; nothing was reported of these then."""
        asked = Asked(token_hex(4), targets, count, self._probe)
        try:
            windows = await self._machines.is_windows(machine)
        except PlstuiError as error:
            raise RouteError(f"{_name(machine)} cannot be looked at: {error}") from None
        script = powershell_script(asked) if windows else shell_script(asked)
        try:
            found, way = await self._run(machine, script, asked, windows=windows)
        except LeftBehindError as error:
            # Told of each target rather than passed over: another way might work, and nobody would hear of it.
            for target in targets:
                report(target, Attempt(failure=Failure.JUMP, error=clean(str(error), 600)), NOT_PROBED)
            return
        route, names = f"{way} in {_name(machine)}", frozenset({machine.name.lower()})
        for place, target in enumerate(targets):
            attempts = found.get(place, ())
            for attempt in attempts:
                report(target, balanced_back(attempt, target, names), route)
            if not attempts:
                cut = "What the script printed of this target was cut off: Azure shows 4,096 bytes."
                report(target, Attempt(failure=Failure.JUMP, error=cut), route)

    async def _run(
        self, machine: ResourceId, script: str, asked: Asked, *, windows: bool
    ) -> tuple[dict[int, tuple[Attempt, ...]], str]:
        """What the script found, and which of the two ways it was run. Raises `RouteError` and `LeftBehindError`."""
        machines, seconds = self._machines, asked.seconds
        ways: tuple[tuple[str, Callable[[], Awaitable[str]]], ...] = (
            ("managed run command", lambda: machines.run_managed(machine, script, seconds=seconds, is_probe=is_probe)),
            ("action run command", lambda: machines.run_action(machine, script, seconds=seconds, windows=windows)),
        )
        troubles = []
        for way, run in ways:
            try:
                return read(await run(), asked.nonce, asked.count), way
            except AzureError as error:
                troubles.append(f"The {way} in {_name(machine)} did not work: {clean(error.message, 300)}")
            except OutputError as error:
                troubles.append(f"The {way} in {_name(machine)} brought nothing: {error}")
            except LeftBehindError:
                raise
            except PlstuiError as error:
                # Who is not let in, or does not get through, need not try the other way.
                raise RouteError(f"No script can be run in {_name(machine)}: {clean(str(error), 300)}") from None
        raise RouteError(" ".join(troubles))

    async def close(self) -> None:
        """Nothing is kept."""


def _batches(targets: Sequence[Target]) -> Iterator[Sequence[Target]]:
    for start in range(0, len(targets), MOST_TARGETS):
        yield targets[start : start + MOST_TARGETS]


def _name(machine: ResourceId) -> str:
    return clean(machine.name, 60)
