"""The machines' cloud-init, really applied: its files by nginx and Python, its commands by a shell.

Paths are moved under a folder of the test, ports to 127.0.0.1. `apt-get` and `systemctl`, which would change the
machine that runs the tests, are stood in for by scripts that note how they are called.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from plstui.lab.cloudinit import user_data

PATIENCE = 60
PYTHON = Path("/usr/bin/python3")
MACHINES = pytest.mark.parametrize("machine", ["web", "client"])
PAGE = f"Host: {socket.gethostname()}".encode()
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

APT_GET = """#!/bin/sh
echo "apt-get $*" >>"$LOG"
case "$*" in *update*) step=$UPDATE ;; *--download-only*) step=$DOWNLOAD ;; *) step=works ;; esac
case "$step" in fails) exit 100 ;; hangs) exec tail -f /dev/null ;; esac
"""
SYSTEMCTL = """#!/bin/sh
echo "systemctl $*" >>"$LOG"
"""


def config(machine: Literal["web", "client"]) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(user_data(machine))
    return document


@dataclass(frozen=True)
class Applied:
    """A machine that has been set up in a folder."""

    root: Path
    calls: list[str]
    """How the stand-ins were called."""
    output: str

    def file(self, path: str) -> Path:
        """A file of the machine."""
        return self.root / path.lstrip("/")


def apply(
    tmp_path: Path,
    machine: Literal["web", "client"],
    *,
    update: str = "works",
    download: str = "works",
    programs: tuple[str, ...] = (),
) -> Applied:
    """Do what cloud-init would: write the files, then run the commands, which have to end well.

    `update` and `download` say how `apt-get` fares; `programs` are on the machine besides the most usual ones.
    """
    root, log = tmp_path / "root", tmp_path / "calls"
    root.mkdir()
    log.touch()

    def moved(text: str) -> str:
        text = re.sub(r"/(?:var|etc)/", lambda folder: f"{root}{folder[0]}", text)
        # Nobody wants to wait for minutes until what hangs is given up.
        return re.sub(r"timeout \d+ ", "timeout 0.2 ", text) if "hangs" in (update, download) else text

    for item in config(machine).get("write_files", ()):
        # Nobody but root is there yet when cloud-init writes files.
        assert "owner" not in item
        path = Path(moved(item["path"]))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(moved(item["content"]))
        path.chmod(int(item["permissions"], 8))
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for name, text in (("apt-get", APT_GET), ("systemctl", SYSTEMCTL)):
        (binaries / name).write_text(text)
        (binaries / name).chmod(0o755)
    for name in ("sh", "mkdir", "hostname", "timeout", "tail"):
        found = shutil.which(name)
        assert found is not None, name
        (binaries / name).symlink_to(found)
    for name in programs:
        (binaries / name).symlink_to(binaries / "sh")
    script = tmp_path / "runcmd"
    script.write_text("#!/bin/sh\n" + "".join(f"{moved(command)}\n" for command in config(machine)["runcmd"]))
    done = subprocess.run(
        [binaries / "sh", script],
        env={"PATH": str(binaries), "LOG": str(log), "UPDATE": update, "DOWNLOAD": download},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return Applied(root, log.read_text().splitlines(), done.stdout)


def fetch(port: int, path: str = "/") -> tuple[bytes, str]:
    """The body and the content type of a page on this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
        return answer.read(), answer.headers.get_content_type()


@contextmanager
def nginx(machine: Applied, tmp_path: Path) -> Iterator[int]:
    """Run nginx with the machine's site; gives the port."""
    site = machine.file("/etc/nginx/sites-enabled/default").read_text()
    assert site.count("listen 80 default_server;") == 1
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        (tmp_path / "site").write_text(site.replace("listen 80 ", f"listen 127.0.0.1:{port} "))
        # The socket is handed down, so there is no moment at which a connection would be refused.
        user = "user root;" if os.geteuid() == 0 else ""
        (tmp_path / "nginx.conf").write_text(
            f"{user} daemon off; pid nginx.pid; error_log stderr; events {{}}\n"
            "http { include /etc/nginx/mime.types; access_log off; client_body_temp_path body; proxy_temp_path proxy;\n"
            "fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi; include site; }\n"
        )
        process = subprocess.Popen(
            [str(NGINX), "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", "stderr"],
            env={**os.environ, "NGINX": f"{listening.fileno()};"},
            pass_fds=[listening.fileno()],
            stderr=subprocess.PIPE,
        )
    try:
        yield port
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
        assert b"[emerg]" not in errors, errors


@MACHINES
def test_it_is_valid_for_the_real_cloud_init(machine: Literal["web", "client"], tmp_path: Path) -> None:
    cloud_init = shutil.which("cloud-init")
    if cloud_init is None:
        pytest.skip("cloud-init is not installed")
    (tmp_path / "user-data").write_text(user_data(machine))
    done = subprocess.run(
        [cloud_init, "schema", "--config-file", tmp_path / "user-data"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Valid cloud-config")


@MACHINES
def test_it_is_what_azure_takes_as_custom_data(machine: Literal["web", "client"]) -> None:
    assert user_data(machine).startswith("#cloud-config\n")
    assert user_data(machine).isascii()
    assert len(user_data(machine)) < 65_535


def test_the_page_is_the_hostname_and_nothing_else(tmp_path: Path) -> None:
    machine = apply(tmp_path, "web")

    assert machine.file("/var/www/html/index.html").read_bytes() == PAGE


def test_nginx_comes_from_the_distribution(tmp_path: Path) -> None:
    machine = apply(tmp_path, "web")

    update, download, install, reload, enable = machine.calls
    assert update.endswith(" update")
    assert download.endswith(" --download-only install nginx")
    assert install.endswith(" --no-download install nginx")
    assert (reload, enable) == ("systemctl daemon-reload", "systemctl enable --now host-page.service")
    assert not {"apt", "packages", "snap", "package_update"} & set(config("web"))


@pytest.mark.parametrize(("update", "download"), [("fails", ""), ("hangs", ""), ("works", "fails"), ("works", "hangs")])
def test_where_nothing_can_be_fetched_the_fallback_serves(tmp_path: Path, update: str, download: str) -> None:
    machine = apply(tmp_path, "web", update=update, download=download)

    assert not any("--no-download" in call for call in machine.calls)
    assert machine.calls[-1] == "systemctl enable --now host-page.service"
    assert "host-page.service serves the page" in machine.output
    assert machine.file("/var/www/html/index.html").read_bytes() == PAGE


@MACHINES
def test_an_isolated_machine_is_up_in_minutes(machine: Literal["web", "client"]) -> None:
    commands = "\n".join(config(machine)["runcmd"])
    limits = [int(seconds) for seconds in re.findall(r"timeout (\d+) apt-get \$quick", commands)]

    # An unreachable server costs ten seconds; the limits are for one that answers and then stalls.
    assert len(limits) == 2
    assert sum(limits) <= 300
    assert "Acquire::http::Timeout=10" in commands


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_serves_it(tmp_path: Path) -> None:
    machine = apply(tmp_path, "web")
    with nginx(machine, tmp_path) as port:
        assert fetch(port) == (PAGE, "text/plain")
        assert fetch(port, "/any/page?at=all") == (PAGE, "text/plain")


@pytest.mark.skipif(not PYTHON.exists(), reason=f"{PYTHON} is not installed")
def test_the_fallback_serves_the_same(tmp_path: Path) -> None:
    machine = apply(tmp_path, "web", update="fails")
    unit = ConfigParser(interpolation=None, strict=False)
    unit.read(machine.file("/etc/systemd/system/host-page.service"))
    command = shlex.split(unit["Service"]["ExecStart"])
    assert command[:4] == [str(PYTHON), "-m", "http.server", "80"]
    command[3] = "0"
    process = subprocess.Popen(
        [*command, "--bind", "127.0.0.1"],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        serving = re.search(r"port (\d+)", process.stdout.readline())
        assert serving is not None
        assert fetch(int(serving[1])) == (PAGE, "text/html")
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def test_the_fallback_gives_way_to_nginx() -> None:
    [unit] = [item["content"] for item in config("web")["write_files"] if item["path"].endswith(".service")]

    assert "ConditionPathExists=!/usr/sbin/nginx\n" in unit


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed")
    [unit] = [item["content"] for item in config("web")["write_files"] if item["path"].endswith(".service")]
    path = tmp_path / "host-page.service"
    path.write_text(unit)
    done = subprocess.run([analyze, "verify", "--man=no", path], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert path.name not in done.stderr


def test_the_test_machine_is_left_alone_when_it_has_all(tmp_path: Path) -> None:
    assert apply(tmp_path, "client", programs=("curl", "dig")).calls == []


def test_the_test_machine_gets_what_it_lacks(tmp_path: Path) -> None:
    calls = apply(tmp_path, "client", programs=("curl",)).calls

    assert len(calls) == 3
    assert calls[-1].endswith(" --no-download install curl bind9-dnsutils")


@pytest.mark.parametrize("how", ["fails", "hangs"])
def test_the_test_machine_does_without_a_network(tmp_path: Path, how: str) -> None:
    machine = apply(tmp_path, "client", update=how)

    assert len(machine.calls) == 1
    assert "the machine works without them" in machine.output
