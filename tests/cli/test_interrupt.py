"""Being stopped: exit code 130, no traceback, everything given back."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plstui.cli.signals import ending_signals
from tests.support.served import environment

PATIENCE = 60


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """An endpoint that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        yield server


@pytest.fixture
def config(silent: socket.socket, tmp_path: Path) -> Path:
    """Settings that lead to it."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    path = tmp_path / "config.toml"
    path.write_text(
        f'[azure]\narm = "https://127.0.0.1:{silent.getsockname()[1]}"\n'
        '[isv]\nsubscription = "99999999-9999-4999-8999-999999999999"\ntenant = "t"\nclient_id = "c"\n'
        f'client_secret_file = "{secret}"\n'
    )
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", [("status",), ("probe", "--watch", "--json")], ids=" ".join)
def test_stopped_while_azure_is_asked(
    silent: socket.socket, config: Path, tmp_path: Path, number: signal.Signals, command: tuple[str, ...]
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "plstui", "--config", str(config), *command],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        waiting, _ = silent.accept()
        with waiting:
            assert waiting.recv(1), "the greeting of TLS"
            process.send_signal(number)
            out, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert out == ""
    assert err.strip() == ""


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (signal.SIG_DFL, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)),
        (signal.SIG_IGN, (signal.SIGINT, signal.SIGTERM)),
    ],
    ids=["usually", "under nohup"],
)
def test_the_end_of_the_terminal_counts_unless_it_is_ignored(
    handler: signal.Handlers, expected: tuple[signal.Signals, ...]
) -> None:
    before = signal.signal(signal.SIGHUP, handler)
    try:
        assert ending_signals() == expected
    finally:
        signal.signal(signal.SIGHUP, before)


INTERRUPTED_AT_AN_IMPORT = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
from plstui.__main__ import main
sys.exit(main())
"""


def test_interrupted_while_modules_are_read(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT_AN_IMPORT, "--version"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
