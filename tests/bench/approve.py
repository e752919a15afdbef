"""From the key that approves until both panes say so, on an embedded sandbox that takes no time itself.

    python -m tests.bench.approve [ROUNDS]

Prints milliseconds, median and worst of the rounds, from Enter in the dialog until both sides' activity is on the
screen: a side tells of the new status when its pane has turned.
"""

from __future__ import annotations

import statistics
import sys

from plstui.domain.sides import Side
from tests.bench.program import program


def turned(output: str) -> bool:
    """Both sides have told of the change."""
    return all(f"{side.marker} saasPrivateEndpoint is Approved now" in output for side in Side)


def main() -> None:
    """Approve once in each round and print the times."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    times = []
    for _ in range(rounds):
        with program([sys.executable, "-m", "plstui", "--sandbox"]) as running:
            running.until(lambda output: output.count("Pending") >= 3)
            running.press("a")
            running.until(lambda output: "--connection-status" in output)
            running.press("\r")
            times.append(running.until(turned))
    print(f"approve to both panes   {statistics.median(times):5.0f} ms median   {max(times):5.0f} ms worst")


if __name__ == "__main__":
    main()
