"""`plstui` without a command: the two panes."""

from __future__ import annotations

import asyncio
import sys

from plstui.cli.output import EXIT_OK, EXIT_USAGE, exit_code_of, print_error
from plstui.compose import Composer, Options


def open_panes(options: Options) -> int:
    """Run the terminal interface until it is left; returns the exit code."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print_error(
            "The two panes need a terminal.",
            "In a script use plstui status, connections or probe.",
            "NoTerminal",
            as_json=False,
        )
        return EXIT_USAGE
    composer = Composer(options)
    try:
        from plstui.tui.app import PlstuiApp

        app = PlstuiApp(composer.connect, where=composer.where)
        app.run()
    finally:
        asyncio.run(composer.close())
    if app.failure:
        print_error(app.failure.message, app.failure.hint, app.failure.code, as_json=False)
        return exit_code_of(app.failure)
    return EXIT_OK
