"""Where plstui keeps its files: the XDG base directories."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def _base(environ: Mapping[str, str], variable: str, fallback: str) -> Path:
    # The specification says that a relative path there is to be ignored.
    value = environ.get(variable, "")
    return (Path(value) if os.path.isabs(value) else Path.home() / fallback) / "plstui"


def config_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The settings file that is read when none is named."""
    return _base(environ, "XDG_CONFIG_HOME", ".config") / "config.toml"


def journal_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The journal of everything that was written to Azure."""
    return _base(environ, "XDG_STATE_HOME", ".local/state") / "journal.jsonl"


def sandbox_pointer(port: int, environ: Mapping[str, str] = os.environ) -> Path:
    """The file in which a served sandbox leaves the path of its settings, so that `--sandbox=URL` finds them."""
    return _base(environ, "XDG_STATE_HOME", ".local/state") / "sandboxes" / str(port)
