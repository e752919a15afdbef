"""A sandbox that comes back on its folder: after a crash, and after a clean stop where that was asked for."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.calls import openssh
from tests.support.served import PATIENCE, Served, run_plstui, serve

SAME = ("id_ed25519.pub", "isv.secret", "customer.secret", "ca.pem", "known_hosts", "ssh_config", "plstui.toml")
GROUPS = "/subscriptions/{isv}/resourcegroups"


def ended(served: Served, number: signal.Signals) -> int:
    """End a sandbox by a signal; its exit code."""
    served.process.send_signal(number)
    return served.process.wait(timeout=PATIENCE)


def files(served: Served) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in served.directory.iterdir() if path.is_file()}


def known(ready: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in ready.items() if name != "pid"}


@pytest.mark.parametrize(("options", "number"), [((), signal.SIGKILL), (("--keep",), signal.SIGTERM)])
def test_it_comes_back_as_the_one_it_was(tmp_path: Path, options: tuple[str, ...], number: signal.Signals) -> None:
    with serve(tmp_path, "approved", *options) as first:
        before, ready, token = files(first), first.ready, first.token("isv")
        groups = f"{ready['arm']}/subscriptions/{ready['subscriptions']['isv']}/resourcegroups?api-version=2021-04-01"
        ended(first, number)
        with serve(tmp_path, "approved", *options) as second:
            assert known(second.ready) == known(ready)
            after = files(second)
            assert {name: after[name] for name in SAME} == {name: before[name] for name in SAME}
            # What a client holds goes on: its token, its settings and its known hosts.
            assert second.call("GET", groups, token)["value"]
            assert second.plstui("probe", "--count", "1").exit_code == 0
            ssh = openssh(second, "web1", "hostname")
            assert (ssh.stdout, ssh.stderr, ssh.returncode) == ("web1\n", "", 0)


def test_a_stop_that_keeps_says_so_and_leaves_what_its_owner_alone_can_read(tmp_path: Path) -> None:
    with serve(tmp_path, "empty", "--keep") as served:
        assert ended(served, signal.SIGTERM) == 0
        assert served.process.stderr is not None
        said = served.process.stderr.read()
        assert said == (
            "Certificate, keys and port stay in this folder when it stops, for the next sandbox there: "
            f"{served.directory}\n"
        )
        assert stat.S_IMODE(served.directory.stat().st_mode) == 0o700
        left = set(files(served))
        # Nobody serves any more, whatever else is there.
        assert "ready.json" not in left
        for name in left - {"ca.pem"}:
            assert stat.S_IMODE((served.directory / name).stat().st_mode) == 0o600, name


def test_without_keep_the_next_clean_stop_takes_everything(tmp_path: Path) -> None:
    with serve(tmp_path, "approved", "--keep") as kept:
        ended(kept, signal.SIGTERM)
        with serve(tmp_path, "approved") as again:
            assert ended(again, signal.SIGTERM) == 0
            assert list(again.directory.iterdir()) == []


def test_a_port_that_somebody_took_is_told_and_another_can_be_named(tmp_path: Path) -> None:
    with serve(tmp_path, "empty") as crashed:
        ended(crashed, signal.SIGKILL)
        port, secrets = int(crashed.ready["arm"].rpartition(":")[2]), files(crashed)
        with socket.create_server(("127.0.0.1", port)):
            command = ("sandbox", "serve", "--world", "empty", "--state-dir", str(crashed.directory))
            run = run_plstui(*command, home=crashed.home)
            assert run.exit_code == 2
            assert run.stderr == (
                f"plstui: Port {port} on 127.0.0.1, where this sandbox was before, cannot be used: Address already in "
                "use. End what uses it, or name another with --port.\n"
            )
            assert files(crashed)["kept.json"] == secrets["kept.json"]
            with serve(tmp_path, "empty", "--port", "0") as moved:
                assert not moved.ready["arm"].endswith(f":{port}")
                assert moved.ready["control_token"] == json.loads(secrets["ready.json"])["control_token"]
                assert moved.plstui("status").exit_code == 0


@pytest.mark.parametrize("left", ["", "[]", '{"seed": "00"}', "link"])
def test_what_is_no_sandboxs_is_not_taken_for_its_keys(tmp_path: Path, left: str) -> None:
    with serve(tmp_path, "empty", "--keep") as served:
        ended(served, signal.SIGTERM)
        kept = served.directory / "kept.json"
        good = kept.read_text()
        kept.unlink()
        if left == "link":
            (tmp_path / "elsewhere").write_text(good)
            kept.symlink_to(tmp_path / "elsewhere")
        else:
            kept.write_text(left)
        run = run_plstui("sandbox", "serve", "--world", "empty", "--state-dir", str(served.directory), home=served.home)
        assert run.exit_code == 2
        assert run.stderr == (f"plstui: {kept} is not what a sandbox leaves there; remove it to begin with new keys.\n")
        kept.unlink()
        with serve(tmp_path, "empty") as again:
            assert again.plstui("status").exit_code == 0


def test_keep_without_a_folder_is_refused(tmp_path: Path) -> None:
    run = run_plstui("sandbox", "serve", "--keep", home=tmp_path)
    assert run.exit_code == 2
    assert "--keep needs a folder that the next sandbox can be given too: --state-dir DIR." in run.stderr


def test_az_goes_on(tmp_path: Path) -> None:
    """The environment that a shell has sourced is still the right one."""
    with serve(tmp_path, "empty") as crashed:
        environ = (crashed.directory / "az-env.sh").read_text()
        principals = (crashed.directory / "az" / "service_principal_entries.json").read_text()
        ended(crashed, signal.SIGKILL)
        with serve(tmp_path, "empty") as again:
            assert (again.directory / "az-env.sh").read_text() == environ
            assert (again.directory / "az" / "service_principal_entries.json").read_text() == principals
            shown = subprocess.run(
                ["bash", "-c", '. "$0" && echo "$AZ_ISV"', str(again.directory / "az-env.sh")],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=True,
            )
            assert shown.stdout.strip() == again.ready["subscriptions"]["isv"]
