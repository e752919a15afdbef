"""`plstui` without a command: the two panes."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from typing import TYPE_CHECKING

from plstui.cli.output import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_USAGE,
    exit_code_of,
    is_terminal,
    print_error,
    print_left_behind,
)
from plstui.cli.signals import ending_signals
from plstui.compose import Composer, Options

if TYPE_CHECKING:
    from plstui.tui.app import PlstuiApp

LEAVING_TIME = 10
"""Seconds from being told to end until the operating system ends what is left: closing a terminal that is gone may
hang. An embedded sandbox notices and ends too."""


def open_panes(options: Options) -> int:
    """Run the terminal interface until it is left; returns the exit code. Raises what the interface itself met."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        print_error(
            "The two panes need a terminal.",
            "In a script use plstui status, connections or probe.",
            "NoTerminal",
            as_json=False,
        )
        return EXIT_USAGE
    for name in ("COLUMNS", "LINES"):
        # Where they are exported they tell of another time; the terminal knows its size, and when it changes.
        os.environ.pop(name, None)
    composer = Composer(options)
    try:
        from plstui.tui.app import PlstuiApp

        if keys := composer.keys():
            # Not otherwise: it has to know every command, and what they know takes a moment to import.
            from plstui.tui.keys import check

            check(keys)
        app = PlstuiApp(composer.connect, where=composer.where, keys=keys)
        composer.ask = app.ask
        asyncio.run(_run(app))
    finally:
        asyncio.run(composer.close())
        print_left_behind(composer.left_behind())
        # All of it goes with the process; looking for cycles in it first takes a second where there are thousands.
        gc.freeze()
    if app.crash:
        raise app.crash
    if app.failure:
        print_error(app.failure.message, app.failure.hint, app.failure.code, as_json=False)
        return exit_code_of(app.failure)
    return app.return_code or EXIT_OK


async def _run(app: PlstuiApp) -> None:
    """Run the app; whoever ends the program from outside gets the terminal back as it was, and exit code 130."""

    def leave() -> None:
        signal.alarm(LEAVING_TIME)
        app.exit(return_code=EXIT_INTERRUPTED)

    loop = asyncio.get_running_loop()
    # Ctrl+\ is for a program that hangs; while this one does not, it leaves in good order.
    for number in (*ending_signals(), signal.SIGQUIT):
        loop.add_signal_handler(number, leave)
    await app.run_async()
