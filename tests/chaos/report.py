"""What is counted in a run, what happened in it last, and how it is told."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field

WRONG = (
    "wrong states told",
    "doubled writes",
    "journal pairs incomplete",
    "panes that did not come back in time",
    "other errors",
)
"""What must be 0."""

SCREENS = 3
"""Of how many of a kind the screen is shown."""

LAST = 60
"""Events that are shown after a failure."""


@dataclass
class Report:
    """Counts, faults that were found, and the last events. Threads share it."""

    seed: int
    began: float = field(default_factory=time.time)
    counts: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    events: deque[str] = field(default_factory=lambda: deque(maxlen=LAST))
    coverage: str = ""
    """How many of all the harms to all the requests of commands have been done."""
    slowest: float = 0.0
    """Seconds until a pane was live again after the last fault, at most."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def event(self, text: str) -> None:
        """Something happened."""
        with self._lock:
            self.events.append(f"{time.time() - self.began:7.1f} {text}")

    def count(self, what: str, number: int = 1) -> None:
        """So many more of something."""
        with self._lock:
            self.counts[what] += number

    def wrong(self, what: str, how: str, screen: str = "") -> None:
        """One more of what must be 0; `what` is one of `WRONG`, `screen` what a terminal showed then."""
        self.count(what)
        self.event(f"WRONG: {what}: {how}")
        with self._lock:
            shown = f"\n{screen}" if screen and self.counts[what] <= SCREENS else ""
            self.found.append(f"{time.time() - self.began:7.1f} {what}: {how}{shown}")

    def took(self, seconds: float) -> None:
        """A pane was live again after so long."""
        with self._lock:
            self.slowest = max(self.slowest, seconds)

    @property
    def failed(self) -> bool:
        """Whether anything is not 0 that must be, or nothing was done."""
        return any(self.counts[what] for what in WRONG)

    def table(self) -> str:
        """The counts; with what was found and the last events where something was wrong."""
        others = sorted(what for what in self.counts if what not in WRONG)
        lines = [f"chaos with seed {self.seed}, {time.time() - self.began:.0f} s", ""]
        lines += [f"{self.counts[what]:7d}  {what}" for what in (*others, *WRONG)]
        lines.append(f"{self.slowest:7.1f}  seconds until the slowest pane was live again")
        lines.append(f"{self.coverage}  harms to requests of commands that were seen")
        if self.failed:
            lines += ["", "What was found:", *self.found, "", f"The last {len(self.events)} events:", *self.events]
            lines += ["", f"Again: python -m tests.chaos --seed {self.seed} --minutes N"]
        return "\n".join(lines)
