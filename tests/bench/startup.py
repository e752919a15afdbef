"""How soon something is on the screen: first frame against an empty Textual app, and both panes filled.

    python tests/bench/startup.py [ROUNDS]

Prints milliseconds (median of the rounds) from the start of the process, and the ratio. Both programs are started the
same way, in a pseudo-terminal, and their output is timed from outside.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable

EMPTY_APP = "from textual.app import App; App().run()"
SIZE = struct.pack("HHHH", 48, 160, 0, 0)
PATIENCE = 30.0


def time_until(command: list[str], *milestones: Callable[[str], bool]) -> list[float]:
    """Milliseconds from the start of `command` until its output so far meets each milestone; the program is then ended."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, SIZE)
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home}
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
        os.close(slave)
        output, reached = "", []
        try:
            while len(reached) < len(milestones):
                if time.perf_counter() - start > PATIENCE:
                    raise SystemExit(f"{command} showed only:\n{output[-2000:]}")
                if select.select([master], [], [], 0.01)[0]:
                    output += os.read(master, 65536).decode(errors="replace")
                    while len(reached) < len(milestones) and milestones[len(reached)](output):
                        reached.append((time.perf_counter() - start) * 1000)
        finally:
            process.terminate()
            process.wait()
            os.close(master)
    return reached


def frame(output: str) -> bool:
    """The alternate screen has been painted: synchronised output ended after at least a screen of cells."""
    return len(output) > 1500 and "\x1b[?1049h" in output


def filled(output: str) -> bool:
    """Both panes show resources that only Azure can have named."""
    return "saasPrivateLinkService" in output and "saasPrivateEndpoint" in output


def main() -> None:
    """Measure both and print the medians."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    empty = [time_until([sys.executable, "-c", EMPTY_APP], frame)[0] for _ in range(rounds)]
    ours = [time_until([sys.executable, "-m", "plstui", "--sandbox"], frame, filled) for _ in range(rounds)]
    first = statistics.median(first for first, _ in ours)
    content = statistics.median(content for _, content in ours)
    nothing = statistics.median(empty)
    print(f"empty Textual app, first frame   {nothing:7.0f} ms")
    print(f"plstui --sandbox, first frame    {first:7.0f} ms   {first / nothing:.2f} times the empty app")
    print(f"plstui --sandbox, both panes     {content:7.0f} ms")


if __name__ == "__main__":
    main()
