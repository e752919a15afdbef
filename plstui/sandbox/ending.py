"""How a served sandbox ends: when it is told to, and always."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

GRACE = 10.0
"""Seconds from a signal until the sandbox is ended by force: what holds it up then would do so for ever."""


class Ending:
    """Tells the event loop of a signal, and ends the process should the loop have no time for it."""

    def __init__(self, grace: float = GRACE) -> None:
        """For the task that it is made in."""
        self._grace = grace
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._stopped = asyncio.Event()
        self._serving = False
        self._timer: threading.Timer | None = None
        self.last_resort: Callable[[], None] = lambda: None
        """Removes what must not outlive the process. Called in a thread of its own, perhaps a second time."""

    def heed(self, *numbers: signal.Signals) -> None:
        """End at these signals, unless they are ignored: `nohup` has a sandbox outlive its terminal."""
        for number in numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:
                # Not the event loop's own way: whatever a script keeps the loop busy with, Python looks at signals.
                signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._set_deadline()
        # A loop that is closed has nothing left to end.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self.when_ready()
        # Nobody waits for a large world that is still being built.
        if not self._serving and self._task:
            self._task.cancel()

    def when_ready(self) -> None:
        """End as soon as the sandbox serves, or now if it does."""
        self._stopped.set()

    async def wait(self) -> None:
        """Serve until it is time to end; from then on the process is over soon, whatever happens."""
        self._serving = True
        await self._stopped.wait()
        self._set_deadline()

    def _set_deadline(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(self._grace, self._by_force)
            self._timer.daemon = True
            self._timer.start()

    def _by_force(self) -> None:
        try:
            self.last_resort()
        finally:
            sys.stderr.write("plstui: The sandbox was too busy to end by itself, and was ended by force.\n")
            sys.stderr.flush()
            os._exit(1)
