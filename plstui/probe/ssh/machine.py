"""A machine as it is written in the settings, for `ssh -J` and in a ProxyJump."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from plstui.domain.text import clean
from plstui.probe.route import RouteError

_JUMP = re.compile(
    r"^(?P<uri>ssh://)?(?:(?P<user>.+)@)?(?:\[(?P<address>(?!-)[^\]]+)\]|(?P<host>(?![-\[])[^\s:@/]+))(?::(?P<port>\d{1,5}))?/?$",
    re.IGNORECASE,
)
"""What begins with a hyphen is an option to programs that are given it."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What is written of a machine."""

    name: str
    user: str
    """Empty where it is not said."""
    port: int | None


def machines(text: str) -> list[Machine]:
    """Machines in a row, written with commas as for `ssh -J`. Raises `RouteError`."""
    return [_machine(part.strip().strip('"')) for part in text.split(",")]


def _machine(text: str) -> Machine:
    match = _JUMP.match(text)
    if not match:
        raise RouteError(f"“{clean(text, 60)}” is not user@host, user@host:port or a host of the SSH configuration.")
    name, user = match["address"] or match["host"], match["user"] or ""
    if match["uri"]:
        # A fingerprint may stand behind the user, which nobody uses.
        user = unquote(user.partition(";")[0])
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 65536:
        raise RouteError(f"“{port}” is not a port of {name}.")
    return Machine(name, user, port)
