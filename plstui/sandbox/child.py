"""The embedded sandbox: `sandbox serve` as a child process that ends with its parent."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

START_TIMEOUT = 30.0
"""Seconds the child may take to be ready; it needs about one, more on a machine that is busy."""

STOP_TIMEOUT = 0.3
"""Seconds the child may take to end by itself. A large world takes longer, to be built or to be torn down, and nobody
needs it any more: all that outlives the process is its folder."""


class ChildError(Exception):
    """The child did not start; the message is what it said last."""


class SandboxChild:
    """A served sandbox in a state directory of its own, started at once and waited for later."""

    def __init__(self, world: str) -> None:
        """Raises `ChildError` when no process can be started."""
        try:
            # The child makes the folder, so that the child removes it, also when this process is gone by then.
            self.state_dir = Path(tempfile.gettempdir()) / f"plstui-sandbox-{secrets.token_hex(8)}"
            # A file, not a pipe: nobody reads it unless the child fails, and a full pipe would stop the child.
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child.
            self._process = self._start(world)
        except OSError as error:
            raise ChildError(f"{error.filename or 'the process'}: {error.strerror}") from None

    def _start(self, world: str) -> subprocess.Popen[bytes]:
        # The child stops when its standard input ends, which the operating system sees to even if we are killed.
        return subprocess.Popen(
            [
                # -P: the folder somebody happens to be in is no place to import modules from.
                *(sys.executable, "-P", "-m", "plstui", "sandbox", "serve", "--until-stdin-closes"),
                *("--world", world, "--state-dir", str(self.state_dir)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # Ctrl-C in the terminal is for the parent, which then ends the child in good order.
            start_new_session=True,
        )

    async def ready(self) -> Path:
        """Wait until the sandbox serves; returns its settings file. Raises `ChildError` when it does not start."""
        try:
            async with asyncio.timeout(START_TIMEOUT):
                line = await self._first_line()
        except TimeoutError:
            self._process.kill()
            raise ChildError(f"it was not ready after {START_TIMEOUT:.0f} seconds") from None
        if not line:
            words = self._last_words()
            await self.stop()
            raise ChildError(words or f"it ended with exit code {self._process.returncode}")
        return self.state_dir / "plstui.toml"

    async def _first_line(self) -> bytes:
        """What the child prints when it is ready, or nothing when it ends. Not read in a thread: whoever gives up
        waiting would be kept by it."""
        lines = asyncio.StreamReader()
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), self._process.stdout
        )
        try:
            return await lines.readline()
        finally:
            pipe.close()

    def _last_words(self) -> str:
        """What the child said last, as part of a sentence: its error with the next step, or the end of a traceback."""
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip()
        _, ours, error = said.rpartition("plstui: ")
        words = " ".join(error.split()) if ours else said.rpartition("\n")[2]
        return words.removesuffix(".")

    async def stop(self) -> None:
        """End the child and remove its files; safe to call again."""
        assert self._process.stdin is not None, "opened with a pipe"
        assert self._process.stdout is not None, "opened with a pipe"
        self._process.stdin.close()
        try:
            await asyncio.to_thread(self._process.wait, STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
        self._process.stdout.close()
        self._errors.close()
        shutil.rmtree(self.state_dir, ignore_errors=True)
