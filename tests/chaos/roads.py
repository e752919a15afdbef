"""The ways to a sandbox that comes and goes: a harmful proxy for each who works with it, and plstui run on it."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from tests.chaos.sandbox import LABEL
from tests.support.cutting import CuttingProxy, _cut
from tests.support.served import PATIENCE, Served, environment

LONGEST = 180.0
"""Seconds after which a command counts as hanging: far above what any takes with everything that is done to it."""


@dataclass
class Road(CuttingProxy):
    """A proxy that says whose requests they are, and ends what it has stalled when it is healed."""

    label: str = ""
    """Who sends what comes from now on."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._serving: set[asyncio.Task[Any]] = set()

    def heal(self) -> None:
        """Let everything pass from now on, and cut who is still kept waiting."""
        super().heal()
        self._loop.call_soon_threadsafe(self._end_stalls)

    def _end_stalls(self) -> None:
        for task in self._serving:
            task.cancel()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            return await super()._serve(request.clone(headers={**request.headers, LABEL: self.label}))
        finally:
            self._serving.discard(task)

    async def _forward(self, request: web.Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        try:
            return await super()._forward(request, body)
        except (aiohttp.ClientError, OSError):
            # A server that is not there cuts its connections too.
            _cut(request)
            raise


class Box:
    """A sandbox that writes down what it does, and that can be killed and come back."""

    def __init__(self, folder: Path, world: str, *options: str) -> None:
        folder.mkdir(parents=True)
        self.folder, self.log = folder, folder / "log.jsonl"
        self._command = [
            *(sys.executable, "-m", "tests.chaos.sandbox", str(self.log), "serve", "--world", world),
            *("--state-dir", str(folder / "sandbox"), *options),
        ]
        self.start()

    def start(self) -> None:
        """Serve, again if need be; returns when it is ready."""
        with (self.folder / "errors.txt").open("ab") as errors:
            process = subprocess.Popen(
                self._command,
                env=environment(self.folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert process.stdout is not None
        with process.stdout:
            if not process.stdout.readline():
                raise AssertionError(f"the sandbox did not start: {(self.folder / 'errors.txt').read_text()[-2000:]}")
        self.served = Served(self.folder / "sandbox", self.folder, process)

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.served.process.poll() is None

    def kill(self) -> None:
        """End it as a crash does."""
        self.served.process.kill()
        self.served.process.wait(timeout=PATIENCE)

    def stop(self) -> None:
        """End it in good order."""
        self.served.process.send_signal(signal.SIGTERM)
        self.served.process.wait(timeout=PATIENCE)

    @contextmanager
    def road(self, label: str) -> Iterator[Road]:
        """A proxy of somebody's own, with settings that lead through it."""
        ready = self.served.ready
        road = Road(ready["arm"], Path(ready["ca"]), label=label)
        road.start()
        try:
            ca = self.folder / f"{label}-ca.pem"
            road.authority.cert_pem.write_to_path(str(ca))
            settings = self.served.config.read_text().replace(ready["arm"], road.address)
            road.config = self.folder / f"{label}.toml"
            road.config.write_text(settings.replace(json.dumps(ready["ca"]), json.dumps(str(ca))))
            yield road
        finally:
            road.stop()


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    began: float
    ended: float
    exit_code: int | None
    """None when it did not end in time."""
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on standard output; None when there is none."""
        try:
            return json.loads(self.out)
        except ValueError:
            return None

    @property
    def broken(self) -> str:
        """What no command may end with, whatever happens to it; empty when it did not."""
        if self.exit_code is None:
            return f"it was not over after {LONGEST:.0f} s"
        if "error of its own" in self.out + self.err or "Traceback" in self.err:
            return f"an error of its own: {self.out[-500:]} {self.err[-500:]}"
        return "" if self.exit_code in (0, 1, 3, 4) else f"exit code {self.exit_code}: {self.err[-500:]}"


def journal_of(home: Path) -> str:
    """The journal of whoever has this home; empty when nothing was written."""
    path = home / ".local/state/plstui/journal.jsonl"
    return path.read_text() if path.exists() else ""


@dataclass
class Person:
    """Somebody who runs one command after the other; each is a fork of one process, which has read the modules."""

    home: Path
    _process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.forks"],
            env=environment(self.home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def run(self, *arguments: str, environ: dict[str, str] | None = None) -> Ran:
        """Run plstui to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        out, err = self.home / "out.txt", self.home / "err.txt"
        began = time.time()
        order = {"arguments": arguments, "environ": environ or {}, "out": str(out), "err": str(err)}
        self._process.stdin.write(json.dumps(order) + "\n")
        child = int(self._process.stdout.readline())
        in_time = select.select([self._process.stdout], [], [], LONGEST)[0]
        if not in_time:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        code = int(self._process.stdout.readline())
        said = err.read_text()
        if "error of its own" in out.read_text() + said:
            said += (self.home / ".local/state/plstui/last-error.txt").read_text()
        return Ran(began, time.time(), code if in_time else None, out.read_text(), said)

    @property
    def journal(self) -> str:
        """Its journal."""
        return journal_of(self.home)

    def leave(self) -> None:
        """Run no more."""
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
