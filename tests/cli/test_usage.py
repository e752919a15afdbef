"""Wrong usage: one sentence, the next step, the right exit code, and never a traceback."""

from __future__ import annotations

import json
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from plstui.cli.main import cli, run
from tests.support.served import environment


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person who has set nothing up yet."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "PLSTUI_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.toml").write_text("[probe]\ncount = 0\n")
    return tmp_path


WRONG = [
    (("stats",), 2, "No such command 'stats'"),
    (
        ("--sandbox", "unhealthy", "status"),
        2,
        "for a world write --sandbox=unhealthy.",
    ),
    (("connections", "accept"), 2, "No such command 'accept'"),
    (("status", "--jsn"), 2, "No such option '--jsn'"),
    (("status", "more"), 2, "unexpected extra argument (more)"),
    (("--sandbox=nowhere", "status"), 2, "There is no world 'nowhere'; there are empty, deployed, pending,"),
    (("status", "--sandbox=nowhere"), 2, "There is no world 'nowhere'"),
    (("--sandbox=https://127.0.0.1:1", "status"), 2, "No sandbox is known at https://127.0.0.1:1."),
    (("--sandbox=https://example.com:443", "status"), 2, "No sandbox is known at https://example.com:443."),
    (("--sandbox=https://[", "status"), 2, "No sandbox is known at https://[."),
    (("--sandbox", "--config", "x", "status"), 2, "--sandbox brings its own settings; leave out --config."),
    (("--sandbox", "status", "--config", "x"), 2, "--sandbox brings its own settings; leave out --config."),
    (("status",), 2, "No subscription is set."),
    (("--read-only", "connections", "list"), 2, "No subscription is set."),
    (("--config", "nothing.toml", "status"), 2, "There is no settings file nothing.toml."),
    (("status", "--config", "broken.toml"), 2, "broken.toml, line 2: the value of `probe.count` is not allowed:"),
    (("connections", "--config", "broken.toml", "list"), 2, "broken.toml, line 2:"),
    (("connections", "approve"), 2, "Missing argument 'TARGET…'"),
    (("connections", "reject", "x"), 2, "Without a terminal to ask on, reject needs --yes."),
    (("connections", "remove", "x"), 2, "Without a terminal to ask on, remove needs --yes."),
    (("connections", "approve", "x", "--yes", "--description", "d" * 141), 2, "one line of at most 140"),
    (("connections", "approve", "x", "--yes", "--description", "\x1b[2Jx"), 2, "one line of at most 140"),
    (("connections", "approve", "x", "--yes", "--description", "one\ntwo"), 2, "one line of at most 140"),
    (("connections", "remove", "x", "--yes", "--description", "bye"), 2, "A removal carries no description"),
    (("--isv", "a/../b", "status"), 2, "'a/../b' is not the id of a subscription"),
    (("status", "--customer", "My own"), 2, "az account list --output table shows both."),
    (("probe", "--count", "0"), 2, "'--count'"),
    (("probe", "--assert", "luck>3"), 2, "there is no metric 'luck'"),
    (("sandbox", "serve", "--world", "nowhere"), 2, "There is no world 'nowhere'"),
    (("sandbox", "serve", "--port", "65536"), 2, "'--port'"),
    (("sandbox", "serve", "--latency", "slow"), 2, "'slow' is not one of 'none', 'fast', 'azure'"),
    (("sandbox", "serve", "--sandbox=empty"), 2, "name the world to serve with --world"),
]


@pytest.mark.parametrize(("arguments", "exit_code", "words"), WRONG, ids=[" ".join(case[0])[:60] for case in WRONG])
def test_one_sentence_and_the_next_step(
    arguments: tuple[str, ...], exit_code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == exit_code
    out, err = capsys.readouterr()

    assert out == ""
    assert err.startswith("plstui: ")
    assert words in err
    assert 1 <= len(err.splitlines()) <= 2


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [case for case in WRONG if case[0][:2] != ("sandbox", "serve")],
    ids=[" ".join(case[0])[:60] for case in WRONG if case[0][:2] != ("sandbox", "serve")],
)
def test_with_json_the_error_is_the_document(
    arguments: tuple[str, ...], exit_code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, "--json"]) == exit_code
    out, err = capsys.readouterr()

    assert err == ""
    error = json.loads(out)["error"]
    assert set(error) == {"code", "message", "hint"}
    assert error["code"] in ("Usage", "Configuration")
    assert words in error["message"]


def test_what_follows_two_dashes_is_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["connections", "approve", "--yes", "--", "--json", "--sandbox"]) == 2
    out, err = capsys.readouterr()

    assert out == ""
    assert "No subscription is set." in err


def test_the_panes_need_a_terminal(home: Path) -> None:
    for arguments in ((), ("--sandbox",), ("--sandbox=empty", "--read-only")):
        done = subprocess.run(
            [sys.executable, "-m", "plstui", *arguments],
            env=environment(home),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr == (
            "plstui: The two panes need a terminal.\n        In a script use plstui status, connections or probe.\n"
        )


@pytest.mark.parametrize("command", [("sandbox", "worlds"), ("--help",), ("status", "--json")], ids=" ".join)
def test_a_reader_that_has_had_enough_is_no_error_of_ours(home: Path, command: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "plstui", *command],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(timeout=60) == 1
        assert process.stderr.read() == b""


def test_the_worlds(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sandbox", "worlds", "--json"]) == 0
    worlds = json.loads(capsys.readouterr().out)["worlds"]

    names = [world["name"] for world in worlds]
    assert names[:7] == ["empty", "deployed", "pending", "approved", "rejected", "disconnected", "unhealthy"]
    assert all(set(world) == {"name", "what"} and world["what"] for world in worlds)

    assert run(["--read-only", "sandbox", "worlds", "--isv", ""]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in names)


@pytest.mark.parametrize("group", ["connections", "sandbox"])
def test_a_group_alone_shows_its_help(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([group]) == 2
    out, err = capsys.readouterr()

    assert out == ""
    assert err.startswith(f"Usage: plstui {group}")
    assert "\nCommands:\n" in err


def test_without_any_input_the_panes_need_a_terminal(home: Path) -> None:
    ended = subprocess.run(
        ["sh", "-c", '"$0" -m plstui --sandbox <&-', sys.executable],
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert ended.stderr.startswith("plstui: The two panes need a terminal.")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_output_that_cannot_be_written_is_told(home: Path) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "plstui", "sandbox", "worlds"],
            env=environment(home),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert ended.returncode == 1
    assert ended.stderr == "plstui: The output cannot be written: No space left on device.\n"


@pytest.mark.parametrize(
    ("encoding", "word"),
    [("latin-1", "é".encode("latin-1")), ("ascii", b"?"), ("utf-8", "é".encode())],
)
def test_what_a_stream_cannot_hold_is_replaced(home: Path, encoding: str, word: bytes) -> None:
    environ = {**environment(home), "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "plstui", "connections"]
    asked = subprocess.run([*command, "approve", "--help"], env=environ, capture_output=True, check=False)
    refused = subprocess.run([*command, "é…✔"], env=environ, capture_output=True, check=False)

    assert (asked.returncode, asked.stderr) == (0, b"")
    assert f"TARGET{'…' if encoding == 'utf-8' else '?'}".encode(encoding) in asked.stdout
    assert (refused.returncode, refused.stdout) == (2, b"")
    rest = "…✔".encode() if encoding == "utf-8" else b"??"
    assert b"plstui: No such command '" + word + rest + b"'" in refused.stderr


@pytest.mark.parametrize("is_there", [True, False], ids=["a home that cannot be written to", "no home"])
def test_an_error_of_its_own_is_told_where_it_cannot_be_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, is_there: bool
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise ZeroDivisionError("nobody has foreseen this")

    def nobody(_: int) -> None:
        raise KeyError

    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file") if is_there else "")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(cli, "main", fail)

    assert run([]) == 1
    said = capsys.readouterr().err
    assert "plstui met an error of its own." in said
    assert "ZeroDivisionError: nobody has foreseen this (not kept: " in said
