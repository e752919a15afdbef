"""The one gate that every write passes, in one order.

    read-only → why not → read again → why not now → confirm → read once more → journal → send → journal → wake

What reads nothing again and asks nobody, as a part of the lab, passes the same way with less to stop it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from secrets import token_hex
from typing import Any, Generic, TypeVar

from plstui.domain.change import Change, Decide, Delete, Put, Reads, Result, RunScript, Start, State
from plstui.domain.errors import (
    AnswerLostError,
    AzureError,
    ConfigError,
    DecidedOtherwiseError,
    NotFoundError,
    NotJournaledError,
    NotReadBackError,
    OutcomeUnknownError,
    PlstuiError,
    RefusedError,
    Retrying,
    UnreachableError,
)
from plstui.domain.patience import Throttle, Waits, is_busy, persist
from plstui.domain.readback import Patience, Readback
from plstui.domain.sides import Side
from plstui.domain.world import World
from plstui.engine.journal import Entry, Journal
from plstui.engine.ports import Ends
from plstui.engine.watcher import Watcher

SomeChange = TypeVar("SomeChange", bound=Change[Any, Any])

Confirm = Callable[[SomeChange, State], Awaitable[SomeChange | None]]
"""Asks the person about a change, who sees what it is about as it was just read: what to send, or None for no."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """How a change ended that Azure has taken."""

    change: Change[Any, Result]
    """What was sent."""
    after: Result | None
    """What came of it, as it was read back."""
    unread: str = ""
    """That what came of it could not be read back, and why; empty when it could."""


async def unasked(change: SomeChange, _: object) -> SomeChange:
    """Nobody is asked: it has been agreed to before."""
    return change


def unheard(_: object) -> None:
    """Nobody hears of it."""


class Gate:
    """Performs changes."""

    def __init__(
        self, sides: Mapping[Side, Ends], journal: Journal, watchers: Iterable[Watcher], *, read_only: bool = False
    ) -> None:
        self._sides = sides
        self._journal = journal
        self._watchers = tuple(watchers)
        self.read_only = read_only
        self.patience = Patience()
        """With what is sent and read back here; a writer has its own for decisions."""
        self.under_way: list[Change[Any, Any]] = []
        """The changes that were agreed to and that Azure has not answered yet."""

    def why_not(self, change: Change[Any, Any] | None = None) -> str | None:
        """Why a change cannot be sent now, or nothing can, whatever there is in Azure; None when it can."""
        if self.read_only:
            return "plstui was started read-only; start it without --read-only to change anything."
        if change is None:
            return None
        if reason := self.absent(change.side):
            return reason
        # What reads nothing again has whoever made it see to it that a resource has one writer at a time.
        others = (other for other in self.under_way if other.target == change.target)
        busy = next(others, None) if change.reads is not Reads.NOTHING else None
        return f"plstui is still {busy.doing}." if busy else None

    def absent(self, side: Side) -> str | None:
        """Why nothing can be sent to a side; None when it is configured."""
        if side in self._sides:
            return None
        return f"Only the {side.label} can do this; give its subscription with --{side.value}."

    async def perform(
        self,
        change: Change[State, Result],
        confirm: Confirm[Any, State],
        *,
        world: World | None = None,
        retrying: Retrying | None = None,
        seen: Callable[[State], object] = unheard,
    ) -> Outcome[Result] | None:
        """Pass the gate with a change; None when the person said no.

        `world` is what was last seen, where the change is to be possible by that too. `retrying` hears of what Azure
        asks patience for, `seen` of the target each time that it is looked at before the change is sent. Raises
        `RefusedError` when it is not possible now, `ConfigError` when the journal cannot be written, and what reading
        and writing raise.
        """
        self._refuse(self.why_not(change) or (change.why_not(world) if world else None))
        with self._noted(change):
            before = await self._read(change, retrying)
        seen(before)
        self._refuse(change.why_not_now(before))
        change = change.for_what_is_there(before)
        agreed = await confirm(change, before)
        if agreed is None:
            return None
        self._refuse(self.why_not(agreed))
        self.under_way.append(agreed)
        try:
            with self._noted(agreed):
                call = await self._prepared(agreed, before, seen, retrying)
            return Outcome(agreed, await self._send(agreed, call))
        except NotReadBackError as error:
            return Outcome(agreed, None, error.message)
        finally:
            # Equal ones may be under way, too.
            self.under_way = [other for other in self.under_way if other is not agreed]

    async def send(self, change: Change[None, Result]) -> Result:
        """Pass the gate with what has been agreed to, and what comes of it. Raises as `perform`."""
        outcome = await self.perform(change, unasked)
        assert outcome is not None, "nobody was asked"
        if outcome.unread:
            raise NotReadBackError(outcome.unread)
        result: Result = outcome.after  # type: ignore[assignment]
        return result

    # Before

    async def _read(self, change: Change[State, Any], retrying: Retrying | None) -> Any:
        """What there is of the target now."""
        ends = self._sides[change.side]
        match change.reads:
            case Reads.CONNECTION:
                return await ends.reader.read_connection(change.target, retrying=retrying)
            case Reads.BODY:
                body = await persist(lambda _: ends.bodies.get(change.target), Throttle(), retrying=retrying)
                if body is None:
                    raise NotFoundError(f"{change.target.name} is not there.", status=HTTPStatus.NOT_FOUND)
                return body
            case Reads.NOTHING:
                return None

    async def _prepared(
        self, change: Change[State, Any], before: State, seen: Callable[[Any], object], retrying: Retrying | None
    ) -> Callable[[], Awaitable[Any]]:
        """What sends it. Looks once more, as the person may have taken a while."""
        writer, target = self._sides[change.side].writer, change.target
        now = before
        if change.reads is Reads.BODY:
            # Before the look: what comes between that and the write makes Azure refuse it.
            await writer.get_ready()
            now = await self._look(change, before, seen, retrying)
        request = change.request(now)
        match request:
            case Decide(status, description, expected):
                decision = await writer.prepare(
                    target, status, description, expected=expected, seen=seen, retrying=retrying
                )
                return decision.send
            case Put() if change.reads_back:
                return partial(self._put, change, now, seen, retrying)
            case Put(body, etag):
                return partial(writer.put, target, body, etag=etag)
            case Delete(wait):
                return partial(writer.delete if wait else writer.discard, target)
            case Start():
                return partial(writer.start, target)
            case RunScript(script, windows):
                return partial(writer.run_command, target, script, windows=windows)
        raise AssertionError(f"nobody knows how to send {type(request).__name__}")

    async def _look(
        self, change: Change[State, Any], before: State, seen: Callable[[Any], object], retrying: Retrying | None
    ) -> Any:
        """What there is of the target by now. Raises `RefusedError` where somebody has changed what matters."""
        now = await self._read(change, retrying)
        seen(now)
        self._refuse(change.why_not_now(now) or change.why_stale(before, now))
        return now

    # Sent

    async def _send(self, change: Change[Any, Result], call: Callable[[], Awaitable[Any]]) -> Any:
        """Send it, with a line in the journal before and after."""
        sent = _entry(change)
        # Before the write: whoever kills us while Azure thinks finds out what may have happened.
        self._journal.add(sent)
        try:
            after = await call()
        except BaseException as error:
            try:
                self._journal.add(_ended(sent, error))
            except ConfigError as trouble:
                # What the write came to is what a person must hear; the line above has no end, as after a crash.
                error.add_note(trouble.message)
            raise
        else:
            try:
                self._journal.add(replace(sent, outcome="done"))
            except ConfigError as trouble:
                raise NotJournaledError(trouble, after) from trouble
            return after
        finally:
            # Azure may have changed, whatever could be written down of it.
            self._look_again()

    async def _put(
        self, change: Change[State, Any], before: State, seen: Callable[[Any], object], retrying: Retrying | None
    ) -> Any:
        """Write a body, once, and see what came of it; what Azure was not ready for is made and sent anew."""
        ends, target = self._sides[change.side], change.target

        async def attempt(tries: int) -> tuple[Any, PlstuiError | None]:
            """What it was written to, and what came instead of an answer. Raises what Azure has not taken it for."""
            now = before if tries == 1 else await self._look(change, before, seen, retrying)
            request = change.request(now)
            assert isinstance(request, Put), "it was one before"
            try:
                await ends.writer.put(target, request.body, etag=request.etag)
            except AnswerLostError as error:
                return now, error
            except AzureError as error:
                if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise
                return now, error
            return now, None

        if change.reads is Reads.BODY:
            waits = Waits(self.patience.busy, Throttle(self.patience.throttled), is_busy)
            was, lost = await persist(attempt, waits, retrying=retrying)
        else:
            was, lost = await attempt(1)
        readback = Readback(
            target.name,
            self.patience,
            hint=change.how_to_look,
            lost=lost,
            must_show=change.must_show,
            retrying=retrying,
        )
        return await readback.see(
            partial(ends.bodies.get, target), lambda now: (change.shown(was, now), change.told(now))
        )

    def _look_again(self) -> None:
        """Have both sides read at once: they are known to be other than was last seen."""
        for watcher in self._watchers:
            watcher.wake(after_write=True)

    @contextmanager
    def _noted(self, change: Change[Any, Any]) -> Iterator[None]:
        """What cannot be sent because Azure is not reached inside stands in the journal as well.

        And where the target is no longer what somebody has seen, both sides are read at once.
        """
        try:
            yield
        except RefusedError:
            self._look_again()
            raise
        except UnreachableError as error:
            sent = _entry(change)
            try:
                for entry in (sent, replace(_ended(sent, error), message=f"Nothing was sent: {error.message}")):
                    self._journal.add(entry)
            except ConfigError as trouble:
                error.add_note(trouble.message)
            raise

    @staticmethod
    def _refuse(reason: str | None) -> None:
        if reason:
            raise RefusedError(reason)


def _entry(change: Change[Any, Any]) -> Entry:
    """The line that says that a change is being sent."""
    return Entry(token_hex(4), change.side, change.verb, change.target, change.az, "sent")


def _ended(sent: Entry, error: BaseException) -> Entry:
    """The line that closes a write which raised."""
    match error:
        case NotReadBackError():
            return replace(sent, outcome="done", message=error.message)
        case DecidedOtherwiseError():
            return replace(sent, outcome="done, decided otherwise", message=error.message)
        case OutcomeUnknownError() | AnswerLostError():
            return replace(sent, outcome="unknown", message=error.message)
        case UnreachableError():
            return replace(sent, outcome="failed", message=error.message)
        case PlstuiError():
            return replace(sent, outcome=error.code, message=error.message)
    return replace(sent, outcome="interrupted", message="The answer was not waited for.")
