"""A sandbox ends when it is told to, however busy it is, and what it could not do is said in a sentence."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.served import PATIENCE, Served, environment, serve

RUN_COMMAND = "/runCommand"
BUSY = """
import asyncio, signal, sys
from plstui.sandbox.ending import Ending

async def main():
    ending = Ending(grace=0.2)
    ending.last_resort = lambda: print("removed", flush=True)
    ending.heed(signal.SIGTERM)
    print("begun", flush=True)
    while True:
        pass

asyncio.run(main())
"""
GARBAGE = (
    b"GARBAGE\r\n\r\n",
    b"\x16\x03\x01" + bytes(range(256)) * 20,
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde",
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 100\r\n\r\nab",
    b"SSH-2.0-x\r\n\xff\xff\xff\xff" + b"a" * 300,
    b"SSH-1.5-x\r\n",
)


def ended(sandbox: Served) -> str:
    """What a sandbox has said on standard error by the time that a signal has ended it in good order."""
    sandbox.process.send_signal(signal.SIGTERM)
    assert sandbox.process.wait(timeout=PATIENCE) == 0
    assert not sandbox.directory.exists()
    assert sandbox.process.stderr is not None
    return sandbox.process.stderr.read()


def resource_id(sandbox: Served, name: str) -> str:
    """The id of one of the sandbox's machines."""
    resources = sandbox.control("GET", "/state")["resources"]
    machines = [one["id"] for one in resources if one["type"].lower() == "microsoft.compute/virtualmachines"]
    return next(str(each) for each in machines if each.endswith(f"/{name}"))


def ssh_to(sandbox: Served, name: str, script: str) -> subprocess.Popen[str]:
    """OpenSSH, running a script that has begun."""
    process = subprocess.Popen(
        ["ssh", "-F", str(sandbox.directory / "ssh_config"), name, f"echo begun; {script}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.skipif(not shutil.which("ssh"), reason="OpenSSH's client is not installed")
def test_scripts_that_eat_all_they_can_keep_nobody_waiting(tmp_path: Path) -> None:
    """Others are answered while they run, and a signal ends the sandbox and its secrets all the same."""
    with serve(tmp_path, "approved") as served:
        web1, groups = (
            resource_id(served, "web1"),
            f"/subscriptions/{served.ready['subscriptions']['isv']}/resourcegroups",
        )
        jobs = "for i in $(seq 30000); do while :; do sleep 0; done & done; sleep 1000"
        body = {"commandId": "RunShellScript", "script": [f"sh -c '{jobs}'; while :; do sleep 1000; done"]}
        served.arm("isv", "POST", web1 + RUN_COMMAND, body, "2024-07-01")
        hungry = [
            ssh_to(served, "web1", "printf 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' | grep -E '(a+)+$'; sleep 1000"),
            ssh_to(served, "web2", "seq 100000 >f; while :; do sort -rn f | tail -1; sleep 0.01; done; sleep 1000"),
            ssh_to(served, "web3", "while :; do :; done; sleep 1000"),
        ]
        try:
            for _ in range(5):
                assert served.arm("isv", "GET", groups, api_version="2021-04-01")["value"]
            assert served.plstui("connections", "list").exit_code == 0
            assert [process.poll() for process in hungry[:1]] == [None]
            assert ended(served) == ""
        finally:
            for process in hungry:
                process.kill()
                process.communicate()


def test_an_event_loop_that_never_looks_up_is_ended_by_force() -> None:
    process = subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (1, "removed\n")
    assert err == "plstui: The sandbox was too busy to end by itself, and was ended by force.\n"


def test_a_world_that_is_still_being_built_is_given_up(tmp_path: Path) -> None:
    directory = tmp_path / "sandbox"
    process = subprocess.Popen(
        [sys.executable, "-m", "plstui", "sandbox", "serve", "--world", "fleet", "--state-dir", str(directory)],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (directory / "id_ed25519").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, "", "")
    assert not directory.exists()


def test_garbage_leaves_no_trace(tmp_path: Path) -> None:
    with serve(tmp_path, "approved") as served:
        arm = int(served.ready["arm"].rpartition(":")[2])
        ports = [
            int(line.split()[1])
            for line in (served.directory / "ssh_config").read_text().splitlines()
            if "Port" in line
        ]
        context = ssl.create_default_context(cafile=served.ready["ca"])
        for garbage in GARBAGE:
            sent = garbage.replace(b"PORT", str(arm).encode())
            for port in (arm, ports[0]):
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    connection.sendall(sent)
            with (
                socket.create_connection(("127.0.0.1", arm)) as plain,
                context.wrap_socket(plain, server_hostname="localhost") as connection,
                suppress(OSError),
            ):
                connection.sendall(sent)
        assert served.plstui("status").exit_code == 0
        assert ended(served) == ""


def limited(kind: int, limit: int) -> Callable[[], None]:
    """Lets a process have so much of something."""
    return lambda: resource.setrlimit(kind, (limit, limit))


def test_a_disk_that_takes_no_more_is_told_in_a_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "plstui", "sandbox", "serve", "--world", "empty", "--state-dir", str(tmp_path / "s")],
        env={**environment(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        preexec_fn=limited(resource.RLIMIT_FSIZE, 900),
    )
    assert done.returncode == 2
    assert done.stderr == f"plstui: The sandbox cannot be served: {os.strerror(errno.EFBIG)}.\n"
    assert not (tmp_path / "s").exists()


def test_too_many_open_files_are_told_in_a_sentence_and_pass(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "plstui", "sandbox", "serve", "--world", "approved", "--state-dir", str(tmp_path / "s")],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=limited(resource.RLIMIT_NOFILE, 80),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    served = Served(tmp_path / "s", tmp_path, process)
    try:
        assert "ready" in process.stdout.readline()
        port = int(served.ready["arm"].rpartition(":")[2])
        many = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
        assert process.stderr.readline() == f"plstui: Nobody can connect to the sandbox: {os.strerror(errno.EMFILE)}.\n"
        for connection in many:
            connection.close()
        assert served.plstui("status").exit_code == 0
        assert ended(served) == ""
    finally:
        process.kill()
        process.communicate()
