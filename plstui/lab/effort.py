"""What every run at the lab has in common: it tells what happens, counts by step, and is patient with Azure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from plstui.domain.change import Ready
from plstui.domain.errors import AzureError, PlstuiError
from plstui.domain.ids import ResourceId
from plstui.domain.patience import POLL_SECONDS
from plstui.engine.gate import Gate
from plstui.engine.ports import Clock, CloudBodies
from plstui.lab.fragments import Body
from plstui.lab.guide import joined
from plstui.lab.parts import OVER, Step, StepState, state_of
from plstui.lab.progress import Event, Kind, StepStatus, Tell
from plstui.lab.retry import TIMED_OUT, pause_after, persist, sleep

PATIENCE = 1800.0
"""Seconds that somebody else's write is waited for: a group with machines takes up to fifteen minutes to go."""

Result = TypeVar("Result")


def minutes(seconds: float) -> str:
    """A time in whole minutes, in words."""
    count = round(seconds / 60)
    return f"{count} minute{'' if count == 1 else 's'}"


class StepFailedError(PlstuiError):
    """A step could not be done; the message says which and why, and the hint how to go on."""

    code = "LabStepFailed"

    def __init__(self, step: Step, cause: PlstuiError, again: str) -> None:
        super().__init__(
            f"Step {step.number}, {step.title}: {cause.message}", hint=joined(cause.hint, again), code=cause.code
        )
        self.step = step


@dataclass
class _Tally:
    """What a run has done for one step so far."""

    began: float | None = None
    ended: float | None = None
    writes: int = 0
    failure: str = ""


class Effort:
    """One run, of whatever kind."""

    def __init__(self, clock: Clock, gate: Gate, steps: Iterable[Step], tell: Tell) -> None:
        self.under_way: dict[ResourceId, str] = {}
        """The writes that Azure has not answered yet, in words: what goes on there when a run is cut short."""
        self._clock = clock
        self._gate = gate
        self._tell = tell
        self._began = clock.monotonic()
        self._tallies = {step.id: _Tally() for step in steps}

    # Step by step

    def _begin(self, step: Step) -> None:
        """Take note that a step is being worked on; again is no error, and after its end it is another go."""
        tally = self._tallies[step.id]
        if tally.began is None or tally.ended is not None:
            tally.began, tally.ended, tally.failure = self._now(), None, ""
            self._say(Kind.STEP, step, step.title)

    def _end(self, step: Step, word: str = "done") -> None:
        """Take note that nothing is left to do for a step."""
        self._tallies[step.id].ended = self._now()
        self._say(Kind.STEP, step, word)

    def _fail(self, step: Step, error: PlstuiError) -> None:
        """Take note that a step could not be done."""
        tally = self._tallies[step.id]
        tally.failure, tally.ended = error.message, self._now()
        self._say(Kind.STEP, step, f"failed: {error.message}")

    def _stop(self) -> None:
        """Take note that nothing is being worked on any more: how a step stands, Azure's last answers tell."""
        for tally in self._tallies.values():
            if tally.began is not None and tally.ended is None:
                tally.ended = self._now()

    def _with_progress(self, status: StepStatus) -> StepStatus:
        """Where a step stands, with what this run has done for it."""
        tally = self._tallies[status.step.id]
        state, because = status.state, status.because
        if tally.failure:
            state, because = StepState.FAILED, tally.failure
        elif tally.began is not None and tally.ended is None:
            state = StepState.RUNNING
        end = self._now() if tally.ended is None else tally.ended
        seconds = 0.0 if tally.began is None else end - tally.began
        return replace(status, state=state, because=because, seconds=seconds, writes=tally.writes)

    # One write

    async def _send(self, step: Step, what: str, change: Ready[Result]) -> Result:
        """Send one write for a step. Raises what the gate raises."""
        self.under_way[change.target] = what
        self._count(step)
        self._say(Kind.SENT, step, what)
        try:
            result = await self._gate.send(change)
        except PlstuiError:
            del self.under_way[change.target]
            raise
        del self.under_way[change.target]
        return result

    def _count(self, step: Step) -> None:
        """Count a write."""
        self._tallies[step.id].writes += 1

    async def _persist(
        self,
        step: Step,
        attempt: Callable[[int], Awaitable[Result]],
        pause_of: Callable[[PlstuiError, int], float | None] = pause_after,
    ) -> Result:
        """Try, and again after a pause while Azure asks for patience."""
        return await persist(attempt, self._clock, lambda text: self._say(Kind.RETRY, step, text), pause_of)

    async def _settled(self, step: Step, cloud: CloudBodies, resource_id: ResourceId) -> Body | None:
        """A resource once nothing is under way with it: somebody else's write, or our own from before.

        Raises `PlstuiError`, also when that does not end.
        """
        said, began = "", self._now()
        while True:
            body = await cloud.get(resource_id)
            state = state_of(body) if body else ""
            if state in OVER:
                return body
            waited = self._now() - began
            if waited >= PATIENCE:
                raise AzureError(
                    f"{resource_id.name} is {state}, and has not been done with for {minutes(waited)}.",
                    code=TIMED_OUT,
                    hint="Look at it in the portal.",
                )
            if state != said:
                said = state
                self._say(Kind.WAITING, step, f"waiting for {resource_id.name}: it is {state}")
            await self._pause(POLL_SECONDS)

    async def _pause(self, seconds: float) -> None:
        await sleep(self._clock, seconds)

    def _now(self) -> float:
        return self._clock.monotonic()

    def _say(self, kind: Kind, step: Step, text: str) -> None:
        self._tell(Event(kind, step, text, self._now() - self._began))
