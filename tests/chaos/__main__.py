"""`python -m tests.chaos --minutes 10 --seed 7`: run it by hand; the exit code says whether everything held."""

from __future__ import annotations

import argparse
import sys
from random import randrange

from tests.chaos.run import chaos


def main() -> int:
    """Run, and print the counts."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long; the last rounds are finished")
    parser.add_argument("--seed", type=int, default=randrange(10**6), help="what is chosen follows from it")
    given = parser.parse_args()
    report = chaos(given.seed, given.minutes)
    sys.stdout.write(report.table() + "\n")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
