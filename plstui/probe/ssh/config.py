"""Settings and OpenSSH's client configuration → the SSH servers on the way to where a probe starts."""

from __future__ import annotations

import getpass
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.ssh_exception import ConfigParseError

from plstui.config.locations import expand
from plstui.config.settings import Ssh
from plstui.domain.errors import ConfigError
from plstui.domain.files import read_text
from plstui.probe.route import RouteError
from plstui.probe.ssh.hostkeys import lookup_name

LONGEST_CHAIN = 8
"""Machines in a row. More of them is a configuration that refers to itself."""

DEFAULT_IDENTITIES = ("id_ed25519", "id_ecdsa", "id_rsa")
"""The usual private keys in `~/.ssh`, in the order in which they are tried."""

_JUMP = re.compile(r"^(?:(?P<user>.+)@)?(?:\[(?P<address>[^\]]+)\]|(?P<host>[^\s:@]+))(?::(?P<port>\d{1,5}))?$")


@dataclass(frozen=True, slots=True)
class Hop:
    """One SSH server on the way, and how to log in to it."""

    name: str
    """As the person calls it."""
    host: str
    port: int
    user: str
    identities: tuple[Path, ...]
    """Private key files to try, in this order."""
    use_agent: bool
    """Whether the agent's other keys may be tried too."""
    known_hosts: tuple[Path, ...]
    known_as: str
    """The name under which these files list the server."""

    @property
    def where(self) -> str:
        """Name and address, for a sentence about it."""
        address = f"{self.host}:{self.port}"
        return address if self.name == self.host else f"{self.name} ({address})"


def hops(ssh: Ssh) -> tuple[Hop, ...]:
    """The servers on the way, in the order in which they are logged in to. Raises `RouteError`."""
    config, row = _open(ssh), _row(ssh.jump)
    found = _chain(ssh, row[0], config, LONGEST_CHAIN, final=len(row) == 1)
    found += [_chain(ssh, each, config, LONGEST_CHAIN, final=each is row[-1])[-1] for each in row[1:]]
    return tuple(found)


def _row(text: str) -> list[str]:
    """Machines in a row, written with commas as for `ssh -J`."""
    return [part.strip() for part in text.split(",")]


def _chain(ssh: Ssh, jump: str, config: paramiko.SSHConfig | None, depth: int, *, final: bool) -> list[Hop]:
    """The servers on the way to `jump`, and itself."""
    if not depth:
        raise RouteError(f"ProxyJump leads through more than {LONGEST_CHAIN} machines; does it refer to itself?")
    match = _JUMP.match(jump.strip())
    if not match:
        raise RouteError(f"“{jump}” is not user@host, user@host:port or a host of the SSH configuration.")
    name = match["address"] or match["host"]
    try:
        # Without a configuration paramiko is not asked: it wants to know who runs this, also where nothing needs that.
        found = config.lookup(name) if config else paramiko.SSHConfigDict(hostname=name)
    except (paramiko.SSHException, KeyError, ValueError, OSError) as error:
        raise RouteError(f"{name} cannot be looked up in the SSH configuration: {error}.") from None
    if found.get("proxycommand"):
        raise RouteError(f"{name} has a ProxyCommand in the SSH configuration; only ProxyJump is supported.")
    proxy = found.get("proxyjump", "none")
    via = [] if proxy.lower() == "none" else _row(proxy)
    hop = _hop(ssh, match, found, final=final)
    if not via:
        return [hop]
    # As for `ssh -J first,second`: how to reach the first is looked up, the others are reached from their predecessor.
    before = _chain(ssh, via[0], config, depth - 1, final=False)
    before += [_chain(ssh, each, config, depth - 1, final=False)[-1] for each in via[1:]]
    return [*before, hop]


def _hop(ssh: Ssh, match: re.Match[str], found: paramiko.SSHConfigDict, *, final: bool) -> Hop:
    host = found["hostname"]
    port = match["port"] or found.get("port", "22")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise RouteError(f"“{port}” is not a port of {host}.")
    named = [_path(file) for file in found.get("identityfile", []) if file.lower() != "none"]
    if ssh.identity_file and (final or not named):
        named = [_path(ssh.identity_file)]
        only = True
    else:
        only = found.get("identitiesonly", "no").lower() == "yes"
    alias = found.get("hostkeyalias")
    return Hop(
        name=match["address"] or match["host"],
        host=host,
        port=int(port),
        user=match["user"] or found.get("user") or _own_name(host),
        identities=tuple(named or [_path("~/.ssh") / name for name in DEFAULT_IDENTITIES]),
        use_agent=not only,
        known_hosts=_known_hosts(ssh, found),
        known_as=alias or lookup_name(host, int(port)),
    )


def _own_name(host: str) -> str:
    """Who runs this. A container may run it as a number without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise RouteError(
            f"Who to log in to {host} as is not said, and this computer has no name for you: write user@{host}."
        ) from None


def _path(text: str) -> Path:
    """A file's path with `~` for a home. Raises `RouteError` where there is no such home."""
    try:
        path = expand(text)
    except ConfigError as error:
        raise RouteError(f"{text}: {error}") from None
    if str(path).startswith("~"):
        raise RouteError(f"{text}: there is no such home directory on this computer.")
    return path


def _known_hosts(ssh: Ssh, found: paramiko.SSHConfigDict) -> tuple[Path, ...]:
    if ssh.known_hosts:
        return (_path(ssh.known_hosts),)
    try:
        files = shlex.split(found.get("userknownhostsfile", "~/.ssh/known_hosts"))
    except ValueError as error:
        raise RouteError(f"UserKnownHostsFile in the SSH configuration is not understood: {error}.") from None
    # Without a file no machine is trusted, and there is nowhere to write one down.
    files = [file for file in files if file.lower() != "none"] or ["~/.ssh/known_hosts"]
    return tuple(_path(file.replace("%d", "~")) for file in files)


def _open(ssh: Ssh) -> paramiko.SSHConfig | None:
    """The SSH configuration; None where there is none."""
    path = _path(ssh.ssh_config or "~/.ssh/config")
    if not ssh.ssh_config and not path.exists():
        return None
    try:
        return paramiko.SSHConfig.from_text("\n".join(_lines(path, LONGEST_CHAIN)))
    except OSError as error:
        raise RouteError(f"The SSH configuration {error.filename or path} cannot be read: {error.strerror}.") from None
    except (ConfigParseError, UnicodeDecodeError, ValueError) as error:
        raise RouteError(f"The SSH configuration {path} is not understood: {error}.") from None


def _lines(path: Path, depth: int) -> Iterator[str]:
    """A configuration's lines with those of the files that it includes, which paramiko passes over."""
    block = "Host *"
    for line in read_text(path).splitlines():
        keyword, _, rest = line.strip().replace("=", " ", 1).partition(" ")
        if keyword.lower() in ("host", "match"):
            block = line
        if keyword.lower() != "include":
            yield line
        elif depth:
            for pattern in shlex.split(rest):
                for file in sorted(_included(pattern)):
                    yield from _lines(file, depth - 1)
            # A block of an included file ends with that file.
            yield block


def _included(pattern: str) -> Iterator[Path]:
    """The files that an `Include` means: relative ones are in `~/.ssh`."""
    path = _path("~/.ssh") / _path(pattern)
    yield from Path(path.anchor).glob(str(path.relative_to(path.anchor)))
