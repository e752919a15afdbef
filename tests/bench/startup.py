"""How soon something is on the screen, against an empty Textual app, and how soon `status` has answered.

    python -m tests.bench.startup [ROUNDS]

Prints milliseconds (median and best of the rounds) from the start of the process and the ratio to the first frame of an
empty app: the first words, both panes painted, their content, and `plstui status --json`; attached to a sandbox that
is served already, and with one embedded. Then until both sides of the world `fleet` are filled. All programs are
started the same way and take turns in every round, so that a busy machine is busy for all of them.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tests.bench.program import program
from tests.support.served import environment, serve

EMPTY_APP = "from textual.app import App; App().run()"
EMPTY = "empty Textual app, first frame"


def frame(output: str) -> bool:
    """The alternate screen has been painted: synchronised output ended after at least a screen of cells."""
    return len(output) > 1500 and "\x1b[?1049h" in output


def painted(output: str) -> bool:
    """The main screen stands: its own keys are in the footer."""
    return "Approve" in output and "Reject" in output


def filled(output: str) -> bool:
    """Both panes show resources that only Azure can have named."""
    return "saasPrivateLinkService" in output and "saasPrivateEndpoint" in output


def fleet_filled(output: str) -> bool:
    """Both panes show groups of the world `fleet`."""
    return "core-rg" in output and "tradewinds-rg" in output


class Bench:
    """Times by what was waited for."""

    def __init__(self, home: Path) -> None:
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self._home = home

    def empty(self) -> None:
        """An empty app."""
        with program([sys.executable, "-c", EMPTY_APP]) as running:
            self.times[EMPTY].append(running.until(frame))

    def panes(self, how: str, *arguments: str) -> None:
        """The two panes."""
        with program([sys.executable, "-m", "plstui", *arguments]) as running:
            self.times[f"{how}, first words"].append(running.until(frame))
            self.times[f"{how}, panes painted"].append(running.until(painted))
            self.times[f"{how}, content"].append(running.until(filled))

    def status(self, how: str, *arguments: str) -> None:
        """`status --json`."""
        command = [sys.executable, "-m", "plstui", *arguments, "status", "--json"]
        start = time.perf_counter()
        subprocess.run(command, env=environment(self._home), stdout=subprocess.DEVNULL, check=True)
        self.times[f"{how}, status --json"].append((time.perf_counter() - start) * 1000)

    def fleet(self, how: str, *arguments: str) -> None:
        """The two panes on thousands of connections."""
        with program([sys.executable, "-m", "plstui", *arguments]) as running:
            self.times[f"{how}, fleet filled"].append(running.until(fleet_filled))

    def report(self) -> None:
        """Print what was measured."""
        empty = statistics.median(self.times[EMPTY])
        for what, times in self.times.items():
            middle = statistics.median(times)
            print(f"{what:32}   {middle:6.0f} ms   best {min(times):6.0f}   {middle / empty:5.2f} times the empty app")


def main() -> None:
    """Measure everything in turns and print the medians."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        bench = Bench(Path(small))
        with serve(Path(small)) as served, serve(Path(large), "fleet") as fleet:
            attached, many = f"--config={served.config}", f"--config={fleet.config}"
            for _ in range(rounds):
                bench.empty()
                bench.panes("attached", attached)
                bench.status("attached", attached)
                bench.panes("embedded", "--sandbox")
                bench.status("embedded", "--sandbox")
                bench.fleet("attached", many)
                bench.fleet("embedded", "--sandbox=fleet")
    bench.report()


if __name__ == "__main__":
    main()
