"""What a command imports: to read Azure neither the management SDK, nor azure-identity, nor paramiko."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.served import PATIENCE, Served, environment, serve

SCRIPT = (
    "import json, sys; from plstui.cli.main import run; code = run(sys.argv[1:]);"
    "print(json.dumps([code, *sorted(sys.modules)]), file=sys.stderr)"
)
HEAVY = ("azure.mgmt.network", "azure.mgmt.compute", "azure.mgmt.resource", "azure.identity", "msal", "paramiko")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("pending")) as sandbox:
        yield sandbox


def imported(served: Served, *command: str) -> list[str]:
    """The modules that a command that ends well has imported."""
    arguments = ["--config", str(served.config), *command]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env=environment(served.home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    modules: list[str]
    code, *modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return modules


@pytest.mark.parametrize("command", ["status", "connections list", "services list", "lab plan", "lab status"])
def test_what_reads_imports_nothing_that_writes(served: Served, command: str) -> None:
    modules = imported(served, *command.split())

    assert "plstui.arm.road" in modules
    assert [name for name in HEAVY if name in modules] == []


def test_what_writes_imports_the_sdk(served: Served) -> None:
    assert "azure.mgmt.network" in imported(served, "connections", "reject", "saasPrivateEndpoint", "--yes")
