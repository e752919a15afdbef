"""Signing in from a shell: tokens that end in between, an az that hands over none, and streams that hold less."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.served import PATIENCE, Run, Served, environment, serve

NETWORK = "Microsoft.Network"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path, "empty") as served:
        yield served


@pytest.fixture(scope="module")
def pending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("pending"), "pending") as served:
        yield served


def test_a_lab_is_built_though_tokens_end_meanwhile(empty: Served) -> None:
    ends = [
        {"kind": "expire-tokens", "type": f"{NETWORK}/{type_}", "method": method, "times": 1}
        for type_, method in (("virtualNetworks", "PUT"), ("loadBalancers", "PUT"), ("privateLinkServices", "GET"))
    ]
    empty.control("POST", "/faults", {"faults": ends})

    run = empty.plstui("lab", "up", "--approve", "--json")

    assert run.exit_code == 0, run.stdout + run.stderr
    assert [step["state"] for step in run.json["steps"]] == ["done"] * 15 + ["needed"], "all but the probe"


def as_az(served: Served, folder: Path, script: str) -> Run:
    """What `plstui status --json` ends with for somebody whose `az` is this script."""
    folder.mkdir(exist_ok=True)
    program = folder / "az"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    settings = folder / "c.toml"
    arm, subscription = served.ready["arm"], served.ready["subscriptions"]["isv"]
    settings.write_text(
        f'[azure]\narm = "{arm}"\nca = "{served.ready["ca"]}"\n[isv]\nsubscription = "{subscription}"\n'
    )
    path = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), "PLSTUI_CONFIG": "~/c.toml"}
    return served.plstui("status", "--json", config=False, environ=path)


def test_an_az_without_an_end_of_its_token_is_a_failed_sign_in(pending: Served, tmp_path: Path) -> None:
    run = as_az(pending, tmp_path, f"echo '{json.dumps({'accessToken': 't', 'expiresOn': None})}'")

    assert (run.exit_code, run.stderr) == (3, "")
    assert run.json["error"]["code"] == "Credentials"


def test_the_command_that_az_tells_is_printed_whole(pending: Served, tmp_path: Path) -> None:
    command = f'az login --tenant "t" --claims-challenge "{"eyJh" * 500}"'
    said = (
        f"ERROR: AADSTS50076: More factors. Trace ID: 1\nInteractive authentication is needed. Please run:\n{command}"
    )
    run = as_az(pending, tmp_path, f"echo {shlex.quote(said)} >&2; exit 1")

    assert run.exit_code == 3
    assert run.json["error"]["message"] == "az gave no token: AADSTS50076: More factors."
    assert run.json["error"]["hint"] == f"Sign in with: {command}"


@pytest.mark.parametrize(
    ("encoding", "command"),
    [
        ("latin-1", ("connections", "list")),
        ("ascii", ("doctor",)),
        ("latin-1", ("lab", "plan")),
        ("ascii", ("status", "--json")),
    ],
)
def test_what_a_stream_cannot_hold_is_replaced(pending: Served, encoding: str, command: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "plstui", "--config", str(pending.config), *command],
        env={**environment(pending.home), "PYTHONIOENCODING": encoding},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    printed = ended.stdout.decode(encoding)

    assert ended.returncode == (1 if command == ("doctor",) else 0), ended.stderr
    assert b"Traceback" not in ended.stderr
    assert b"error of its own" not in ended.stderr
    assert json.loads(printed)["connections"] if "--json" in command else "?" in printed
