"""What the tests of the probe share."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from plstui.cli.session import read_both
from plstui.probe import threads
from plstui.probe.ssh import connection, login
from tests.domain.findings.ward import Ward, ward
from tests.probe.probing import FOREVER
from tests.probe.sshd import PATIENCE, SSHD, Sshd, free_port


@dataclass(frozen=True)
class Nginx:
    """A running nginx: where it serves the page, and where it does so over TLS."""

    port: int
    tls_port: int


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home without an agent, so that no key or setting of whoever runs the tests matters."""
    path = tmp_path / "home"
    (path / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return path


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A running sshd whose host key is trusted."""
    if SSHD is None:
        pytest.skip("sshd is not installed (Debian: openssh-server)")
    with Sshd(tmp_path / "sshd") as running:
        yield running


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> float:
    """Let no time-out of a probe run out while a test lasts, so that what ends has been ended; gives their seconds."""
    for module, names in {
        connection: ("ANSWER_TIMEOUT", "LINGER", "LOGIN_TIMEOUT"),
        login: ("AUTH_TIMEOUT", "BANNER_TIMEOUT", "HANDSHAKE_TIMEOUT"),
        threads: ("LINGER",),
    }.items():
        for name in names:
            monkeypatch.setattr(module, name, FOREVER)
    return FOREVER


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    """A running nginx that serves a backend's page."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None:
        pytest.skip("nginx is not installed")
    directory, ports = tmp_path / "nginx", Nginx(free_port(), free_port())
    directory.mkdir()
    (directory / "index.html").write_text("Host: web1\n")
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(directory / "pair.pem")
    (directory / "nginx.conf").write_text(
        f"user root; pid {directory}/pid; error_log {directory}/error.log; events {{}}"
        f"http {{ access_log off; root {directory}; server {{ listen 127.0.0.1:{ports.port}; }}"
        f"server {{ listen 127.0.0.1:{ports.tls_port} ssl; ssl_certificate pair.pem;"
        "ssl_certificate_key pair.pem; } }"
    )
    command = [program, "-p", str(directory), "-c", str(directory / "nginx.conf"), "-e", str(directory / "error.log")]
    # It goes into the background once it listens.
    subprocess.run(command, check=True, timeout=PATIENCE)
    yield ports
    subprocess.run([*command, "-s", "stop"], check=True, timeout=PATIENCE)


@pytest.fixture
async def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ward]:
    """The lab as it is when it works, to be probed by scripts."""
    monkeypatch.setenv("PLSTUI_PROBE_ROUTES", "run-command")
    monkeypatch.setenv("PLSTUI_PROBE_CONNECT_TIMEOUT", "1")
    monkeypatch.setenv("PLSTUI_PROBE_READ_TIMEOUT", "1")
    async with ward(tmp_path, monkeypatch) as made:
        await read_both(made.runtime)
        yield made
