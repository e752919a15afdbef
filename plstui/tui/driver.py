"""How the panes have the terminal, and how they give it back for a while."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

STOP: Final = signal.SIGTSTP
"""What Ctrl+Z sends where no program takes the key, and anybody may send from outside."""


class TerminalDriver(LinuxDriver):
    """Draws on standard output, and stops and goes on as a shell's jobs do.

    Textual draws on standard error, which somebody may have put into a file; and it stops itself alone, by a signal
    that nothing ends where no shell is there to go on with it.
    """

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        assert sys.__stdout__ is not None, "the panes are opened on a terminal only"
        # As standard error has it: what the terminal's encoding cannot hold must not end the drawing.
        sys.__stdout__.reconfigure(errors="replace")
        self._file = sys.__stdout__
        self._drawing = False
        self._listen()

    def _listen(self) -> None:
        """Hear of both signals between two steps of the program, never in the middle of one that draws."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(STOP, self._stop)
        loop.add_signal_handler(signal.SIGCONT, self._draw_anew)

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._drawing = True

    def stop_application_mode(self) -> None:
        self._drawing = False
        super().stop_application_mode()

    def _stop(self) -> None:
        """Give the terminal back and stop, with all that was started together; go on once in the foreground again."""
        if not self._drawing:
            return
        self.suspend_application_mode()
        loop, parent = asyncio.get_running_loop(), os.getppid()
        for number in (STOP, signal.SIGCONT):
            loop.remove_signal_handler(number)
        # Where no shell could go on with it, the operating system lets this pass.
        os.killpg(0, STOP)
        while self._in_background() and os.getppid() == parent:
            os.killpg(0, STOP)
        self._listen()
        self._start_anew()

    def _draw_anew(self) -> None:
        """Somebody has stopped the program without a word and let it go on: the terminal may be anyhow by now."""
        if self._drawing:
            self.suspend_application_mode()
            self._start_anew()

    def _start_anew(self) -> None:
        self.resume_application_mode()
        # Textual writes what changes; on an empty screen that is everything.
        self._app.refresh(layout=True)

    def _in_background(self) -> bool:
        try:
            return os.tcgetpgrp(self.fileno) != os.getpgrp()
        except OSError:  # The terminal is gone.
            return False
