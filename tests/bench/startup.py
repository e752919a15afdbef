"""How soon something is on the screen: first frame against an empty Textual app, and both panes filled.

    python -m tests.bench.startup [ROUNDS]

Prints milliseconds (median of the rounds) from the start of the process, and the ratio. Both programs are started the
same way, in a pseudo-terminal, and their output is timed from outside.
"""

from __future__ import annotations

import statistics
import sys

from tests.bench.program import program

EMPTY_APP = "from textual.app import App; App().run()"


def frame(output: str) -> bool:
    """The alternate screen has been painted: synchronised output ended after at least a screen of cells."""
    return len(output) > 1500 and "\x1b[?1049h" in output


def filled(output: str) -> bool:
    """Both panes show resources that only Azure can have named."""
    return "saasPrivateLinkService" in output and "saasPrivateEndpoint" in output


def main() -> None:
    """Measure both and print the medians."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    empty, first, content = [], [], []
    for _ in range(rounds):
        with program([sys.executable, "-c", EMPTY_APP]) as running:
            empty.append(running.until(frame))
        with program([sys.executable, "-m", "plstui", "--sandbox"]) as running:
            first.append(running.until(frame))
            content.append(running.until(filled))
    nothing, ours = statistics.median(empty), statistics.median(first)
    print(f"empty Textual app, first frame   {nothing:7.0f} ms")
    print(f"plstui --sandbox, first frame    {ours:7.0f} ms   {ours / nothing:.2f} times the empty app")
    print(f"plstui --sandbox, both panes     {statistics.median(content):7.0f} ms")


if __name__ == "__main__":
    main()
