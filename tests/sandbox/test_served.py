"""A served sandbox: its files, who gets in, and what is left of it."""

from __future__ import annotations

import json
import shlex
import signal
import socket
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.calls import openssh
from tests.support.served import PATIENCE, Served, environment, run_plstui, serve


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("served"), "pending") as served:
        yield served


def status_of(served: Served, path: str, *, token: str = "", host: str = "", method: str = "GET") -> tuple[int, str]:
    """The status and the error code of a request."""
    request = urllib.request.Request(served.ready["arm"] + path, method=method)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    if host:
        request.add_header("Host", host)
    context = ssl.create_default_context(cafile=served.ready["ca"])
    try:
        with urllib.request.urlopen(request, context=context, timeout=PATIENCE) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())["error"]["code"]


def test_the_folder_and_the_secrets_are_their_owners_alone(sandbox: Served) -> None:
    assert stat.S_IMODE(sandbox.directory.stat().st_mode) == 0o700
    names = {path.name for path in sandbox.directory.iterdir()}
    assert names >= {
        "ready.json", "plstui.toml", "ca.pem", "id_ed25519", "id_ed25519.pub", "known_hosts", "ssh_config",
    }  # fmt: skip
    for name in ("ready.json", "id_ed25519", "isv.secret", "customer.secret"):
        assert stat.S_IMODE((sandbox.directory / name).stat().st_mode) == 0o600, name


def test_ready_json_says_all_that_a_client_needs(sandbox: Served) -> None:
    ready = sandbox.ready

    assert ready["arm"].startswith("https://127.0.0.1:")
    assert set(ready["subscriptions"]) == set(ready["tenants"]) == set(ready["clients"]) == {"isv", "customer"}
    assert ready["subscriptions"]["isv"] != ready["subscriptions"]["customer"]
    assert ready["tenants"]["isv"] != ready["tenants"]["customer"]
    assert ready["pid"] == sandbox.process.pid


def test_openssh_logs_in_by_name(sandbox: Served) -> None:
    direct = openssh(sandbox, "web1", "hostname")
    assert (direct.stdout, direct.returncode) == ("web1\n", 0), direct.stderr


def test_openssh_jumps_to_an_address_inside(sandbox: Served, tmp_path: Path) -> None:
    options = {
        "IdentityFile": sandbox.directory / "id_ed25519",
        "StrictHostKeyChecking": "accept-new",
        "UserKnownHostsFile": tmp_path / "known_hosts",
        "LogLevel": "ERROR",
    }
    asked = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    jumped = openssh(sandbox, *asked, "-J", "web1", "azureuser@10.0.1.5", "hostname")
    assert (jumped.stdout, jumped.returncode) == ("web2\n", 0), jumped.stderr


def test_a_stranger_gets_nothing(sandbox: Served) -> None:
    isv = sandbox.ready["subscriptions"]["isv"]
    groups = f"/subscriptions/{isv}/resourcegroups?api-version=2021-04-01"

    assert status_of(sandbox, groups) == (401, "AuthenticationFailed")
    assert status_of(sandbox, groups, token="nonsense") == (401, "InvalidAuthenticationToken")
    other = sandbox.token("customer")
    assert status_of(sandbox, groups, token=other) == (401, "InvalidAuthenticationTokenTenant")
    assert status_of(sandbox, groups, token=sandbox.token("isv"), host="evil.example") == (421, "MisdirectedRequest")
    assert status_of(sandbox, groups, token=sandbox.token("isv")) == (200, "")


def test_a_quota_is_set_from_outside(sandbox: Served) -> None:
    subscription = sandbox.ready["subscriptions"]["customer"]
    sandbox.control("POST", "/quotas", {"subscription": subscription, "name": "PrivateEndpoints", "limit": 3})

    path = f"/subscriptions/{subscription}/providers/Microsoft.Network/locations/westeurope/usages"
    limits = {one["name"]["value"]: one["limit"] for one in sandbox.arm("customer", "GET", path)["value"]}
    assert limits["PrivateEndpoints"] == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"subscription": "somebody's"}, "A quota has a subscription's id"),
        ({"name": "PrivateEndpoint"}, "There is no quota 'PrivateEndpoint'; there are virtualMachines, cores, "),
        ({"limit": None}, "a limit from 0 on"),
    ],
)
def test_a_quota_that_would_limit_nothing_is_refused(sandbox: Served, changes: dict[str, Any], words: str) -> None:
    quota = {"subscription": sandbox.ready["subscriptions"]["customer"], "name": "cores", "limit": 3}
    with pytest.raises(urllib.error.HTTPError) as refused:
        sandbox.control("POST", "/quotas", {**quota, **changes})
    with refused.value as error:
        assert error.code == 400
        assert words in json.loads(error.read())["error"]["message"]


def test_the_control_endpoint_wants_its_own_token(sandbox: Served) -> None:
    path = sandbox.ready["control"].removeprefix(sandbox.ready["arm"]) + "/state"

    assert status_of(sandbox, path) == (401, "AuthenticationFailed")
    assert status_of(sandbox, path, token=sandbox.token("isv")) == (401, "AuthenticationFailed")
    assert status_of(sandbox, path, token=sandbox.ready["control_token"]) == (200, "")


@pytest.mark.parametrize("seconds", [None, -1, 10**18])
def test_the_clock_turns_forward_and_not_for_ever(sandbox: Served, seconds: int | None) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        sandbox.control("POST", "/clock/advance", {"seconds": seconds})
    with refused.value as error:
        assert error.code == 400
        assert json.loads(error.read())["error"]["code"] == "InvalidClock"


def test_the_state_shows_both_sides_and_no_secret(sandbox: Served) -> None:
    state = sandbox.control("GET", "/state")

    ids = [resource["id"].lower() for resource in state["resources"]]
    for subscription in sandbox.ready["subscriptions"].values():
        assert any(subscription in resource_id for resource_id in ids)
    assert "customData" not in json.dumps(state)


def test_only_loopback_is_listened_on(sandbox: Served) -> None:
    """Linux lists a process's sockets; every one of them that listens is bound to 127.0.0.1."""
    inodes = set()
    for descriptor in Path(f"/proc/{sandbox.process.pid}/fd").iterdir():
        target = str(descriptor.readlink())
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{sandbox.process.pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and columns[9] in inodes:
                listening.append((table, columns[1].partition(":")[0]))
    loopback = ("tcp", socket.inet_aton("127.0.0.1")[::-1].hex().upper())
    assert len(listening) >= 5
    assert set(listening) == {loopback}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_clean_stop_leaves_no_secret(tmp_path: Path, number: signal.Signals) -> None:
    with serve(tmp_path, "empty") as served:
        directory, home = served.directory, served.home
        served.process.send_signal(number)
        assert served.process.wait(timeout=PATIENCE) == 0
        assert served.process.stderr is not None
        assert served.process.stderr.read() == ""
    assert not directory.exists()
    assert not list((home / ".local/state/plstui/sandboxes").iterdir())


def test_nobodys_keys_are_overwritten(tmp_path: Path) -> None:
    key = tmp_path / "id_ed25519"
    key.write_text("mine")

    run = run_plstui("sandbox", "serve", "--world", "empty", "--state-dir", str(tmp_path), home=tmp_path / "home")

    assert run.exit_code == 2
    assert "holds files that are no sandbox's (id_ed25519)" in run.stderr
    assert key.read_text() == "mine"


def test_a_folder_serves_one_sandbox_at_a_time(sandbox: Served) -> None:
    run = sandbox.plstui("sandbox", "serve", "--state-dir", str(sandbox.directory), config=False)

    assert run.exit_code == 2
    assert f"is used by the sandbox with process id {sandbox.process.pid}" in run.stderr
    assert sandbox.plstui("connections", "list").exit_code == 0


def test_what_a_killed_sandbox_left_is_replaced(tmp_path: Path) -> None:
    with serve(tmp_path, "empty") as killed:
        killed.process.kill()
        killed.process.wait(timeout=PATIENCE)
        old = killed.ready["arm"]
        with serve(tmp_path, "empty") as served:
            assert served.ready["arm"] != old or served.ready["pid"] != killed.process.pid
            assert served.plstui("status").exit_code == 0
    assert not (tmp_path / "sandbox" / "ready.json").exists()


def test_a_host_key_that_changes_is_noticed(tmp_path: Path) -> None:
    with serve(tmp_path, "approved") as served:
        served.control("POST", "/machines/web1/change-host-key")
        ssh = openssh(served, "web1", "hostname")
        assert ssh.returncode == 255
        assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in ssh.stderr
        probe = served.plstui("probe", "--count", "1", "--json")
    assert "CHANGED" in {target["name"]: target["error"] for target in probe.json["targets"]}["web2"]


def test_a_folder_that_was_there_stays_without_our_files(tmp_path: Path) -> None:
    (tmp_path / "sandbox").mkdir()
    mine = tmp_path / "sandbox" / "mine.txt"
    mine.write_text("mine")
    with serve(tmp_path, "empty"):
        pass
    assert list((tmp_path / "sandbox").iterdir()) == [mine]


def test_an_embedded_sandbox_ends_with_its_parent(tmp_path: Path) -> None:
    directory = tmp_path / "embedded"
    child = subprocess.Popen(
        [
            *(sys.executable, "-m", "plstui", "sandbox", "serve", "--until-stdin-closes"),
            *("--world", "empty", "--state-dir", str(directory)),
        ],
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdin is not None
    assert "ready" in child.stdout.readline()
    child.stdin.close()
    assert child.wait(timeout=PATIENCE) == 0
    child.stdout.close()
    assert not directory.exists()


def test_the_line_that_attaches_can_be_pasted(tmp_path: Path) -> None:
    directory = tmp_path / "it's a $HOME"
    command = (sys.executable, "-m", "plstui", "sandbox", "serve", "--until-stdin-closes", "--world", "empty")
    served = subprocess.run(
        [*command, "--state-dir", str(directory)],
        env=environment(tmp_path),
        input="",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    attach = served.stdout.rpartition("attach with: ")[2]
    assert shlex.split(attach) == ["plstui", "--config", str(directory / "plstui.toml")]


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        run = subprocess.run(
            [sys.executable, "-m", "plstui", "sandbox", "serve", "--world", "empty", "--port", port],
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert run.returncode == 2
    assert f"Port {port} on 127.0.0.1 cannot be used" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_machine_can_be_stopped_and_started(tmp_path: Path) -> None:
    with serve(tmp_path, "approved") as served:
        served.control("POST", "/machines/web2/stop")
        probe = served.plstui("probe", "--count", "2", "--json", environ={"PLSTUI_PROBE_CONNECT_TIMEOUT": "1"})
        targets = {target["name"]: target for target in probe.json["targets"]}
        assert targets["web1"]["ok"]
        assert not targets["web2"]["ok"]
        served.control("POST", "/machines/web2/start")
        again = served.plstui("probe", "--count", "2", "--json")
        assert {target["name"]: target["ok"] for target in again.json["targets"]}["web2"]
