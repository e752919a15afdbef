"""Long-running operations: what they do when their time has come, and how each provider lets a client poll them.

A failed operation is an HTTP 200 with the failure inside. Clients call the address verbatim, so it carries a signature
that is checked: a client that rebuilds it is told so here and not first in Azure.
"""

from __future__ import annotations

import asyncio
import heapq
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any
from uuid import uuid4

from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.latency import Latency, Pace

Finish = Callable[[], Any] | Callable[[], Awaitable[Any]]
"""What happens at the end of an operation. It may raise `ArmError`: the operation has then failed. What it returns is
the operation's output. A coroutine is work that takes a time of its own: the operation is over when it is."""

MOMENT = 1.0
"""Seconds that a poll waits at most for work that is under way."""

IN_PROGRESS, SUCCEEDED, FAILED, CANCELED = "InProgress", "Succeeded", "Failed", "Canceled"


@dataclass(slots=True)
class Operation:
    """One long-running operation."""

    id: str
    subscription: str
    location: str
    api_version: str
    started: datetime
    due: float
    """By the sandbox's clock, in its seconds."""
    finish: Finish
    result_id: str | None
    """The resource that the operation's result address answers with; None where it answers with no content."""
    target: str
    """The resource it works on, in lower case; empty where nobody asks."""
    on_failure: Callable[[], None]
    """Called when the operation fails, so that its resource can say so."""
    signature: str
    pace: Pace
    status: str = IN_PROGRESS
    ended: datetime | None = None
    error: ArmError | None = None
    """Why it failed, or is bound to."""
    output: Any = None
    polls: int = 0
    """How often a client has asked while it was in progress: the advice to wait grows with it."""
    task: asyncio.Task[None] | None = None
    """The work itself, where it takes a time of its own and has begun."""

    @property
    def over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.status != IN_PROGRESS


_doom: ContextVar[ArmError | None] = ContextVar("doom", default=None)


@contextmanager
def doomed(error: ArmError) -> Iterator[None]:
    """Let every operation that is started inside fail with `error` when its time has come: an injected fault."""
    token = _doom.set(error)
    try:
        yield
    finally:
        _doom.reset(token)


@dataclass(slots=True)
class Operations:
    """All operations, carried out in the order in which they are due."""

    clock: SandboxClock
    latency: Latency = Latency.NONE
    _all: dict[str, Operation] = field(default_factory=dict)
    _latest: dict[str, Operation] = field(default_factory=dict)
    """By target: the operation that was started last."""
    _due: list[tuple[float, int, Operation]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def start(
        self,
        finish: Finish,
        pace: Pace,
        *,
        subscription: str,
        location: str,
        api_version: str,
        result_id: str | None = None,
        target: str = "",
        on_failure: Callable[[], None] = lambda: None,
    ) -> Operation:
        """Begin an operation; it ends by itself, at the earliest with the next request."""
        seconds = pace.seconds * self.latency.factor
        operation = Operation(
            id=str(uuid4()),
            subscription=subscription.lower(),
            location=location,
            api_version=api_version,
            started=self.clock.now(),
            due=self.clock.time() + seconds,
            finish=finish,
            result_id=result_id,
            target=target.lower(),
            on_failure=on_failure,
            signature=secrets.token_urlsafe(24),
            pace=pace,
            error=_doom.get(),
        )
        self._all[operation.id] = operation
        if target:
            self._latest[target.lower()] = operation
        heapq.heappush(self._due, (operation.due, next(self._order), operation))
        # In a context of its own: what is bound to happen to this operation is not to happen to those it starts.
        task = asyncio.get_running_loop().create_task(self._end_in_time(seconds), context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return operation

    async def _end_in_time(self, seconds: float) -> None:
        """Nobody need ask: the other side's pane shows the end of an operation too."""
        await self.clock.sleep(seconds)
        await self.settle()

    async def settle(self) -> None:
        """End every operation whose time has come; those that do work of their own begin it, and nobody waits."""
        while self._due and self._due[0][0] <= self.clock.time() + 0.001:
            _, _, operation = heapq.heappop(self._due)
            if operation.over:
                continue
            try:
                if operation.error:
                    raise operation.error
                output = operation.finish()
            except ArmError as error:
                self._fail(operation, error)
                continue
            except Exception:
                self._fail(operation, _broken_off())
                raise
            if asyncio.iscoroutine(output):
                operation.task = asyncio.get_running_loop().create_task(
                    self._work(operation, output), context=Context()
                )
                self._tasks.add(operation.task)
                operation.task.add_done_callback(self._tasks.discard)
                # Cancelled before its first step, a task never takes up the work that it was given.
                operation.task.add_done_callback(partial(_close, output))
            else:
                self._succeed(operation, output)

    async def _work(self, operation: Operation, work: Coroutine[Any, Any, Any]) -> None:
        try:
            output = await work
        except ArmError as error:
            self._fail(operation, error)
        except Exception:
            self._fail(operation, _broken_off())
            raise
        else:
            self._succeed(operation, output)

    def _succeed(self, operation: Operation, output: Any) -> None:
        operation.output, operation.status, operation.ended = output, SUCCEEDED, self.clock.now()

    def _fail(self, operation: Operation, error: ArmError) -> None:
        operation.error, operation.status, operation.ended = error, FAILED, self.clock.now()
        operation.on_failure()

    def cancel(self, operation: Operation) -> None:
        """Give an operation up; what it has done until now stays done."""
        if not operation.over:
            operation.status, operation.ended = CANCELED, self.clock.now()
            if operation.task:
                operation.task.cancel()

    async def patience(self, operation: Operation) -> None:
        """Give work that is under way a moment to end before a poll says that it has not.

        Without latency an operation is to be over at its first poll; a machine that hangs must not hang the poll too.
        """
        if operation.task:
            await asyncio.wait({operation.task}, timeout=MOMENT if self.latency is Latency.NONE else 0)

    def find(self, operation_id: str, subscription: str) -> Operation | None:
        """An operation of a subscription by its id."""
        operation = self._all.get(operation_id.lower())
        return operation if operation and operation.subscription == subscription.lower() else None

    def under_way(self, target: str) -> Operation | None:
        """The last operation on a resource (its id in any case) if it has not ended."""
        operation = self._latest.get(target.lower())
        return operation if operation and not operation.over else None

    def close(self) -> None:
        """Forget what is still under way."""
        for task in self._tasks:
            task.cancel()

    # What the headers say

    def wait_headers(self, operation: Operation) -> dict[str, str]:
        """How long to wait before the next poll; the advice doubles while it goes unheeded, as recorded."""
        if operation.over:
            return {}
        if self.latency is Latency.NONE:
            # Without advice az waits thirty seconds, and Retry-After knows nothing shorter than one.
            return {"x-ms-retry-after-ms": "1"}
        if self.latency is Latency.FAST:
            return {"x-ms-retry-after-ms": str(max(1, round(operation.pace.seconds * self.latency.factor * 1000 / 2)))}
        if operation.pace.retry_after is None:
            return {}
        return {"Retry-After": str(min(operation.pace.retry_after * 2**operation.polls, 160))}


def _broken_off() -> ArmError:
    """How an operation ends that met an error of ours."""
    return ArmError(500, "InternalServerError", "The operation broke off.", details=())


_TICKS_OF_1970 = 621_355_968_000_000_000


def _close(work: Coroutine[Any, Any, Any], _: asyncio.Task[None]) -> None:
    work.close()


def signature_of(operation: Operation) -> dict[str, str]:
    """The parameters that the addresses of an operation carry since 2023, beside the api-version."""
    signature = operation.signature
    return {
        "t": str(_TICKS_OF_1970 + int(operation.started.timestamp() * 10_000_000)),
        "c": signature[:8],
        "s": signature[8:],
        "h": signature[::-2],
    }


def is_signed(operation: Operation, query: Mapping[str, str]) -> bool:
    """Whether a poll calls the address that was given, with every parameter."""
    given = signature_of(operation)
    return all(hmac.compare_digest(query.get(name, "").encode(), value.encode()) for name, value in given.items())


def opaque_id(operation: Operation) -> str:
    """The id of an operation as private DNS and the front door write it."""
    return urlsafe_b64encode(operation.id.encode()).decode().rstrip("=")


def operation_id(opaque: str) -> str:
    """What `opaque_id` was made from; empty for what it never made."""
    try:
        return urlsafe_b64decode(opaque + "=" * (-len(opaque) % 4)).decode()
    except ValueError:
        return ""
