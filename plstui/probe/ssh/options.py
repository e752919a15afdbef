"""What OpenSSH's configuration says of one host, and the tokens in its values."""

from __future__ import annotations

import getpass
import os
import pwd
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from plstui.config import locations
from plstui.domain.errors import ConfigError
from plstui.probe.route import RouteError

_PLACEHOLDER = re.compile(r"%(?P<token>.?)|\$\{(?P<variable>[^}]*)\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Options:
    """What the configuration says of one host, complete: `~`, tokens and variables are expanded."""

    host: str
    """The name or address to connect to."""
    port: int
    user: str
    """Empty where the configuration names none and this computer has no name for whoever runs this."""
    identity_files: tuple[str, ...] | None = None
    """None where the configuration names none; empty where it says that there are none."""
    certificate_files: tuple[str, ...] = ()
    identities_only: bool = False
    identity_agent: str = ""
    """As it is written: a socket, `none`, `SSH_AUTH_SOCK` or a variable like `$NAME`; empty where nothing is said."""
    known_hosts_files: tuple[str, ...] | None = None
    """None where the configuration names none; empty where it says that there are none."""
    host_key_alias: str = ""
    proxy_jump: str = ""
    """As it is written, with its tokens; empty for none, also where a ProxyCommand comes first."""
    proxy_command: str = ""
    passed_over: tuple[str, ...] = ()
    """Conditions that could not be judged and so were not applied, each with its place."""


Lookup = Callable[[str, str, int | None], Options]
"""What the configuration says of a host, logging in as this user (empty: as it says) at this port (None: as it says).
Raises `RouteError`."""


def account() -> str:
    """The name of whoever runs this; empty where this computer knows none, as in a container run as a number."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        pass
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def path_of(text: str) -> Path:
    """A file's path with `~` for a home. Raises `RouteError` where there is no such home."""
    try:
        path = locations.expand(text)
    except ConfigError as error:
        raise RouteError(f"{text}: {error}") from None
    if str(path).startswith("~"):
        raise RouteError(f"{text}: there is no such home directory on this computer.")
    return path


def connection_tokens(host: str, name: str, port: int, user: str) -> dict[str, str]:
    """The tokens of a ProxyJump. `name` is the host as the person calls it."""
    return {"%": "%", "h": host, "n": name, "p": str(port), "r": user}


def file_tokens(host: str, name: str, port: int, user: str, alias: str) -> dict[str, str]:
    """The tokens in the paths of keys, agents and known hosts."""
    full = socket.gethostname()
    return {
        **connection_tokens(host, name, port, user),
        "d": str(path_of("~")),
        "i": str(os.getuid()),
        "k": alias or name,
        "l": full,
        "L": full.partition(".")[0],
        "u": account(),
    }


def expand(text: str, tokens: Mapping[str, str], what: str) -> str:
    """A value with `%` tokens expanded. Raises `RouteError` for one that is not in `tokens`; `what` names the value."""

    def value(match: re.Match[str]) -> str:
        if match["token"] is None:
            return match[0]
        if match["token"] not in tokens:
            raise RouteError(f"{what} in the SSH configuration has “{match[0]}”, which has no meaning there.")
        return tokens[match["token"]]

    return _PLACEHOLDER.sub(value, text)


def expand_path(text: str, tokens: Mapping[str, str], what: str) -> str:
    """A path with `~`, `%` tokens and `${VARIABLES}` expanded. Raises `RouteError`."""

    def value(match: re.Match[str]) -> str:
        if match["token"] is not None:
            return expand(match[0], tokens, what)
        if match["variable"] not in os.environ:
            raise RouteError(
                f"{what} in the SSH configuration has “{match[0]}”, and there is no such environment variable: "
                f"set {match['variable']}."
            )
        return os.environ[match["variable"]]

    return _PLACEHOLDER.sub(value, str(path_of(text)) if text.startswith("~") else text)
