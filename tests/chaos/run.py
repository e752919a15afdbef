"""One run: both parts at the same time, for so many minutes."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.report import Report
from tests.chaos.requests import EveryRequest
from tests.chaos.storm import Storm


def chaos(seed: int, minutes: float) -> Report:
    """Everything, and what was counted."""
    report = Report(seed)
    until, interrupted = time.time() + minutes * 60, threading.Event()

    def over() -> bool:
        return interrupted.is_set() or time.time() >= until

    with tempfile.TemporaryDirectory(prefix="plstui-chaos-") as name:
        parts = [part(Path(name), seed, report) for part in (Storm, EveryRequest)]
        threads = [threading.Thread(target=_run, args=(part, over, report)) for part in parts]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            interrupted.set()
            for thread in threads:
                thread.join()
    return report


def _run(part: Storm | EveryRequest, over: Callable[[], bool], report: Report) -> None:
    try:
        part.run(over)
    except Exception as error:  # noqa: BLE001 - told with the counts, whatever it was.
        report.wrong("other errors", f"{type(part).__name__} ended: {type(error).__name__}: {error}")
