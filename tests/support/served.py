"""A sandbox served by a process of its own, and plstui run against it, as a person would from a shell."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 60
"""Seconds a command may take before a test gives up; far more than it needs, for a machine that is busy."""


@dataclass(frozen=True)
class Run:
    """How one run of plstui ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.stdout)


@dataclass(frozen=True)
class Served:
    """A served sandbox."""

    directory: Path
    home: Path
    process: subprocess.Popen[str]

    @property
    def ready(self) -> dict[str, Any]:
        """What `ready.json` says."""
        document: dict[str, Any] = json.loads((self.directory / "ready.json").read_text())
        return document

    @property
    def config(self) -> Path:
        """The settings file that attaches to it."""
        return self.directory / "plstui.toml"

    def plstui(self, *arguments: str, config: bool = True, environ: dict[str, str] | None = None) -> Run:
        """Run plstui against it."""
        attach = ("--config", str(self.config)) if config else ()
        return run_plstui(*attach, *arguments, home=self.home, environ=environ)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control endpoint."""
        ready = self.ready
        return self.call(method, ready["control"] + path, ready["control_token"], body)

    def arm(self, side: str, method: str, path: str, body: Any = None, api_version: str = "2024-05-01") -> Any:
        """Call ARM as a side's service principal; `path` starts with the resource id."""
        url = f"{self.ready['arm']}{path}?api-version={api_version}"
        return self.call(method, url, self.token(side), body)

    def token(self, side: str) -> str:
        """A bearer token of a side's service principal."""
        return self.token_of(self.ready["tenants"][side], self.ready["clients"][side])

    def token_of(self, tenant: str, client: Mapping[str, str]) -> str:
        """A bearer token of any service principal; `client` holds `client_id` and `client_secret`."""
        ready = self.ready
        form = {"grant_type": "client_credentials", "scope": ready["arm"] + "/.default", **client}
        url = f"{ready['arm']}/{tenant}/oauth2/v2.0/token"
        request = urllib.request.Request(url, data=urllib.parse.urlencode(form).encode())
        with urllib.request.urlopen(request, context=self._tls(), timeout=PATIENCE) as answer:
            token: str = json.load(answer)["access_token"]
        return token

    def call(self, method: str, url: str, token: str, body: Any = None) -> Any:
        """Call any address of it with a bearer token."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, context=self._tls(), timeout=PATIENCE) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ready["ca"])


def run_plstui(*arguments: str, home: Path, environ: dict[str, str] | None = None) -> Run:
    """Run plstui with an empty home, without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "plstui", *arguments],
        env={**environment(home), **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def environment(home: Path) -> dict[str, str]:
    """The environment of a person who has just installed plstui: nothing of this machine's Azure or XDG settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLSTUI_", "AZURE_", "XDG_"))}
    return {**kept, "HOME": str(home)}


@contextmanager
def serve(tmp_path: Path, world: str = "pending", *options: str) -> Iterator[Served]:
    """Serve a sandbox for as long as the block runs."""
    directory, home = tmp_path / "sandbox", tmp_path / "home"
    home.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "plstui", "sandbox", "serve"),
            *("--world", world, "--state-dir", str(directory), *options),
        ],
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        if not process.stdout.readline():
            raise AssertionError(f"the sandbox did not start: {process.stderr.read()}")
        yield Served(directory, home, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE)
        process.stdout.close()
        process.stderr.close()
