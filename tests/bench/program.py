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
QUIET = 0.25
"""Seconds without output after which a program is at rest; the clock on the screen moves once a second."""


class Program:
    """A running program; `output` is all that it has written since the last key."""

    def __init__(self, terminal: int, process: subprocess.Popen[bytes]) -> None:
        self._terminal = terminal
        self._process = process
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
                self._read()
        return (time.perf_counter() - self._since) * 1000

    def rest(self) -> None:
        """Let it paint what it still has to, so that the next key's time is its own."""
        while select.select([self._terminal], [], [], QUIET)[0]:
            self._read()

    def ended(self) -> float:
        """Milliseconds from the last key until the process has ended."""
        while self._process.poll() is None:
            if time.perf_counter() - self._since > PATIENCE:
                raise SystemExit(f"the program went on:\n{self.output[-2000:]}")
            if select.select([self._terminal], [], [], 0.01)[0]:
                self._read()
        return (time.perf_counter() - self._since) * 1000

    def _read(self) -> None:
        try:
            self.output += os.read(self._terminal, 65536).decode(errors="replace")
        except OSError:  # Linux says so when nobody holds the other end any more.
            time.sleep(0.001)


@contextmanager
def program(command: list[str]) -> Iterator[Program]:
    """Run a command in a terminal of 160 by 48 for as long as the block runs."""
    terminal, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, SIZE)
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home}
        process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=environment)
        os.close(inner)
        running = Program(terminal, process)
        try:
            yield running
        finally:
            process.terminate()
            process.wait()
            os.close(terminal)
