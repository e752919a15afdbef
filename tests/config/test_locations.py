"""Where files are: the XDG base directories."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from plstui.config import locations
from plstui.domain.errors import ConfigError

HOME = Path("/home/somebody")


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(HOME))


@pytest.mark.parametrize("environ", [{}, {"XDG_CONFIG_HOME": "", "XDG_STATE_HOME": "relative/path"}])
def test_the_usual_places(environ: dict[str, str]) -> None:
    assert locations.config_file(environ) == HOME / ".config/plstui/config.toml"
    assert locations.journal_file(environ) == HOME / ".local/state/plstui/journal.jsonl"
    assert locations.sandbox_pointer(8443, environ) == HOME / ".local/state/plstui/sandboxes/8443"


def test_xdg_moves_them() -> None:
    environ = {"XDG_CONFIG_HOME": "/etc/xdg", "XDG_STATE_HOME": "/var/state"}

    assert locations.config_file(environ) == Path("/etc/xdg/plstui/config.toml")
    assert locations.journal_file(environ) == Path("/var/state/plstui/journal.jsonl")
    assert locations.sandbox_pointer(8443, environ) == Path("/var/state/plstui/sandboxes/8443")


def test_an_empty_home_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python takes it for the root of the file system."""
    monkeypatch.setenv("HOME", "")
    own = Path(pwd.getpwuid(os.getuid()).pw_dir)

    assert locations.home() == own
    assert locations.expand("~/file") == own / "file"
    assert locations.journal_file({}) == own / ".local/state/plstui/journal.jsonl"


def test_somebody_without_a_home_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)

    with pytest.raises(ConfigError, match="knows no home folder of yours") as caught:
        locations.config_file({})
    assert "HOME" in caught.value.hint
    assert locations.config_file({"XDG_CONFIG_HOME": "/etc/xdg"}) == Path("/etc/xdg/plstui/config.toml")


def test_the_home_folder_is_written_as_in_a_shell() -> None:
    """Where a variable comes from something else than a shell, nobody has replaced it."""
    assert locations.expand("~") == HOME
    assert locations.expand("~/a/b") == HOME / "a/b"
    assert locations.expand("a/~/b") == Path("a/~/b")
    assert locations.expand("~nobody-at-all/a") == Path("~nobody-at-all/a")
    assert locations.journal_file({"XDG_STATE_HOME": "~/state"}) == HOME / "state/plstui/journal.jsonl"
