"""Help and version: at once, and without what takes long to import."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from plstui import __version__
from plstui.cli.main import run

COMMANDS = (
    (),
    ("status",),
    ("connections",),
    ("connections", "list"),
    ("connections", "approve"),
    ("connections", "reject"),
    ("connections", "remove"),
    ("services",),
    ("services", "list"),
    ("services", "show"),
    ("services", "set"),
    ("probe",),
    ("sandbox",),
    ("sandbox", "worlds"),
    ("sandbox", "serve"),
)
EVERY_COMMAND = pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
HEAVY = ("azure", "msal", "textual", "rich", "paramiko", "asyncssh", "aiohttp", "trustme", "cryptography", "yaml")


@EVERY_COMMAND
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself(
    command: tuple[str, ...], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, option]) == 0
    out, err = capsys.readouterr()

    assert err == ""
    assert out.startswith(" ".join(("Usage: plstui", *command)))
    for name in ("--sandbox", "--config", "--isv", "--customer", "--read-only", "--version", "--help"):
        assert name in out


@EVERY_COMMAND
def test_the_version_is_told_after_any_command(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--version"]) == 0
    assert capsys.readouterr() == (f"plstui {__version__}\n", "")


def test_the_options_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    for command, options in {
        ("status",): ("--json",),
        ("connections", "list"): ("--status", "--json"),
        ("connections", "approve"): ("TARGET…", "--description", "--yes", "--json"),
        ("services", "set"): ("--tag", "--remove-tag", "--yes", "--json"),
        ("probe",): ("--count", "--assert", "--watch", "--json"),
        ("sandbox", "worlds"): ("--json",),
        ("sandbox", "serve"): ("--world", "--port", "--state-dir", "--latency"),
    }.items():
        assert run([*command, "--help"]) == 0
        text = capsys.readouterr().out
        assert [option for option in options if option not in text] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("--help",),
        *((*command, "--help") for command in COMMANDS[1:]),
        # What is refused at once is refused without waiting, too.
        ("--sandbox=nowhere", "status"),
        ("sandbox", "worlds"),
        ("--config", "nothing.toml"),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(arguments: tuple[str, ...]) -> None:
    program = (
        "import json, sys; from plstui.cli.main import run; run(sys.argv[1:]);"
        f"print(json.dumps([name for name in {HEAVY} if name in sys.modules]), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert json.loads(done.stderr.splitlines()[-1]) == []


def test_the_module_is_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "plstui", "--version"], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout == f"plstui {__version__}\n"
