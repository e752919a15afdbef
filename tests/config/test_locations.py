"""Where files are: the XDG base directories."""

from __future__ import annotations

from pathlib import Path

import pytest

from plstui.config import locations

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
