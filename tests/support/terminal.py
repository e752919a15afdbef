"""A real terminal (tmux) with plstui in it: press keys, read the screen."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30.0
"""Seconds until a screen that does not come is a failure."""


class Terminal:
    """One tmux session on a server of its own."""

    def __init__(self, socket: str, pipe: int) -> None:
        self._socket = socket
        self._pipe = pipe

    def tmux(self, *arguments: str) -> str:
        """Run one tmux command."""
        command = ["tmux", "-L", self._socket, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        self.tmux("send-keys", *keys)

    def screen(self) -> str:
        """What the terminal shows now."""
        return self.tmux("capture-pane", "-p")

    def wait_for(self, *texts: str, gone: Sequence[str] = ()) -> str:
        """The screen, once it shows all `texts` and none of `gone`."""
        deadline = time.monotonic() + PATIENCE
        while True:
            screen = self.screen()
            if all(text in screen for text in texts) and not any(text in screen for text in gone):
                return screen
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"waited for {texts}, without {gone}; the screen shows:\n{screen}")
            # Look again when the program has written something, or after a moment in case that was before we listened.
            if select.select([self._pipe], [], [], min(left, 0.5))[0]:
                os.read(self._pipe, 65536)

    def ended(self) -> bool:
        """Whether the program has left and the shell after it has said so."""
        return "exit code" in self.screen()


@contextmanager
def terminal(
    tmp_path: Path, command: Sequence[str], *, size: tuple[int, int], environ: dict[str, str]
) -> Iterator[Terminal]:
    """A terminal of a size (columns, rows) running `command`, which then tells its exit code."""
    socket = f"plstui-{uuid.uuid4().hex[:12]}"
    fifo = tmp_path / f"{socket}.pipe"
    os.mkfifo(fifo)
    pipe = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    script = tmp_path / f"{socket}.sh"
    words = " ".join(f"'{word}'" for word in command)
    script.write_text(f'{words}\necho "exit code $?"\nread -r _\n')
    columns, rows = size
    start = ["tmux", "-L", socket, "-f", os.devnull, "new-session", "-d", "-x", str(columns), "-y", str(rows)]
    shell = shutil.which("bash") or "bash"
    subprocess.run(
        [*start, shell, str(script)], check=True, env={**environ, "TERM": "xterm-256color"}, timeout=PATIENCE
    )
    screen = Terminal(socket, pipe)
    try:
        screen.tmux("pipe-pane", f"cat > '{fifo}'")
        yield screen
    finally:
        screen.tmux("kill-server")
        os.close(pipe)
