"""`python -m plstui`, and where the console script starts."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    try:
        from plstui.cli.main import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        # While modules are read: nothing is open yet.
        return 130


if __name__ == "__main__":
    sys.exit(main())
