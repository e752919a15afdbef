"""Blocking calls beside the event loop, in threads of ours.

The loop's own pool is not used: it is small, other parts of the program wait in it, and its threads are joined at the
end of the program, which a name server that does not answer would then hold up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

LINGER = 0.4
"""Seconds to wait for a call that was made to fail. It needs a tenth: paramiko looks that often.
Longer would hold up a person who leaves."""


async def in_thread(work: Callable[[], T], *, stop: Callable[[], None] | None = None) -> T:
    """Run `work` in a thread of its own; what it returns or raises comes back.

    When the caller is cancelled, `stop` has to make `work` fail, and the thread is gone before this returns. Without
    `stop` there is no way to end it (a name lookup), and the thread is left to end by itself.
    """
    call: Future[T] = Future()
    call.set_running_or_notify_cancel()
    thread = Thread(target=_run, args=(work, call), name="plstui-probe", daemon=True)
    thread.start()
    try:
        return await asyncio.wrap_future(call)
    except asyncio.CancelledError:
        if stop:
            stop()
            over = asyncio.ensure_future(asyncio.wrap_future(call))
            await asyncio.wait([over], timeout=LINGER)
            if over.done():
                over.exception()
        raise
    finally:
        if call.done():
            thread.join()


def _run(work: Callable[[], T], call: Future[T]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - it is raised again where the call is waited for
        call.set_exception(error)
    else:
        call.set_result(result)


class Worker:
    """One thread that makes calls one after the other, for calls that may block but hardly ever do."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="plstui-probe-worker", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while job := self._jobs.get():
            job()

    def post(self, job: Callable[[], None]) -> None:
        """Have `job` done in its turn. It must not raise."""
        self._jobs.put(job)

    async def call(self, work: Callable[[], T]) -> T:
        """Have `work` done in its turn and wait for it; what it returns or raises comes back."""
        call: Future[T] = Future()
        call.set_running_or_notify_cancel()
        self.post(lambda: _run(work, call))
        return await asyncio.wrap_future(call)

    def stop(self) -> None:
        """End after the calls that were asked for so far."""
        self._jobs.put(None)

    def join(self, timeout: float) -> None:
        """Wait until it has ended."""
        self._thread.join(timeout)
