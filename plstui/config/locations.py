"""Where plstui keeps its files: the XDG base directories. And where `~` is."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from plstui.domain.errors import ConfigError


def home() -> Path:
    """The home folder: `HOME`, or what the system says where that is empty. Raises `ConfigError` where it says nothing.

    Python's own takes an empty one for the root of the file system.
    """
    if named := os.environ.get("HOME"):
        return Path(named)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:  # A container may run it as a number without a name.
        raise ConfigError(
            "This computer knows no home folder of yours.", hint="Set HOME to a folder you can write to."
        ) from None


def expand(path: str) -> Path:
    """The path that a person names; `~` is the home folder. Raises `ConfigError` as `home` does.

    `~name` of nobody stays as it is, and is then a file that is not there.
    """
    if path == "~" or path.startswith("~/"):
        return home() / path[2:]
    return Path(os.path.expanduser(path))


def _base(environ: Mapping[str, str], variable: str, fallback: str) -> Path:
    # The specification says that a relative path there is to be ignored.
    path = expand(environ.get(variable, ""))
    return (path if path.is_absolute() else home() / fallback) / "plstui"


def config_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The settings file that is read when none is named."""
    return _base(environ, "XDG_CONFIG_HOME", ".config") / "config.toml"


def journal_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The journal of everything that was written to Azure."""
    return _base(environ, "XDG_STATE_HOME", ".local/state") / "journal.jsonl"


def sandbox_pointer(port: int, environ: Mapping[str, str] = os.environ) -> Path:
    """The file in which a served sandbox leaves the path of its settings, so that `--sandbox=URL` finds them."""
    return _base(environ, "XDG_STATE_HOME", ".local/state") / "sandboxes" / str(port)
