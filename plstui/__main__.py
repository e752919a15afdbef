"""`python -m plstui`, and where the console script starts."""

from __future__ import annotations

import gc
import sys

YOUNG = 50_000
"""Objects that are made before Python looks for cycles among them. By itself it looks every 700, and to start makes a
hundred thousand that stay: a sixth of the time until something shows."""


def main() -> int:
    """Run the command line; returns the exit code."""
    gc.set_threshold(YOUNG)
    try:
        from plstui.cli.main import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        # While modules are read: nothing is open yet.
        return 130


if __name__ == "__main__":
    sys.exit(main())
