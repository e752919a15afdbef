"""A program in a pseudo-terminal, timed from outside by what it writes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIZE = struct.pack("HHHH", 48, 160, 0, 0)
PATIENCE = 30.0


class Program:
    """A running program; `output` is all that it has written since the last key."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._since = time.perf_counter()
        self.output = ""

    def press(self, keys: str) -> None:
        """Press keys and start the watch anew."""
        self.output = ""
        self._since = time.perf_counter()
        os.write(self._terminal, keys.encode())

    def until(self, milestone: Callable[[str], bool]) -> float:
        """Milliseconds from the start or the last key until the output meets the milestone."""
        while not milestone(self.output):
            if time.perf_counter() - self._since > PATIENCE:
                raise SystemExit(f"the program showed only:\n{self.output[-2000:]}")
            if select.select([self._terminal], [], [], 0.01)[0]:
                self.output += os.read(self._terminal, 65536).decode(errors="replace")
        return (time.perf_counter() - self._since) * 1000


@contextmanager
def program(command: list[str]) -> Iterator[Program]:
    """Run a command in a terminal of 160 by 48 for as long as the block runs."""
    terminal, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, SIZE)
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home}
        running = Program(terminal)
        process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=environment)
        os.close(inner)
        try:
            yield running
        finally:
            process.terminate()
            process.wait()
            os.close(terminal)
