"""The real az, run against a served sandbox in the way its `az-env.sh` sets up."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.served import Served, environment

PATIENCE = 120
"""Seconds for one command; az takes one or two."""


def find_az() -> str | None:
    """The az to run: `PLSTUI_AZ`, the one beside this project's own environment, or the one on the path."""
    own = Path(__file__).parents[2] / ".venv-az" / "bin" / "az"
    return os.environ.get("PLSTUI_AZ") or (str(own) if own.exists() else shutil.which("az"))


@dataclass(frozen=True)
class Az:
    """az with an environment that a shell has after it has sourced `az-env.sh`."""

    program: str
    environ: dict[str, str]

    @classmethod
    def of(cls, served: Served, program: str, **more: str) -> Az:
        """For a served sandbox; `more` are further variables."""
        sourced = subprocess.run(
            ["bash", "-c", '. "$1" && env -0', "bash", str(served.directory / "az-env.sh")],
            env={**environment(served.home), **more},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return cls(program, dict(line.split("=", 1) for line in sourced.split("\0") if "=" in line))

    def __call__(self, *arguments: str, customer: bool = False) -> Any:
        """Run one command, which must succeed, as the ISV or as the customer; gives the JSON that it prints."""
        side = ("--subscription", self.environ["AZ_CUSTOMER"]) if customer else ()
        done = subprocess.run(
            [self.program, *arguments, *side, "--output", "json"],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"az {' '.join(arguments)}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None


@contextmanager
def outside() -> Iterator[tuple[dict[str, str], list[bytes]]]:
    """A proxy that leads nowhere: variables that point to it, and the first line of all that was sent to it."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:  # Closed: the test is over.
                    return
                with connection:
                    connection.settimeout(5)
                    seen.append(connection.recv(4096).partition(b"\r\n")[0])

        thread = threading.Thread(target=listen)
        thread.start()
        names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        try:
            yield dict.fromkeys(names, address), seen
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
