"""Settings and OpenSSH's client configuration → the SSH servers on the way to where a probe starts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from plstui.config.settings import Ssh
from plstui.domain.files import check_regular
from plstui.probe.route import RouteError
from plstui.probe.ssh.hostkeys import lookup_name
from plstui.probe.ssh.machine import Machine, machines
from plstui.probe.ssh.openssh import Asking, OpenSsh
from plstui.probe.ssh.options import Lookup, Options, connection_tokens, expand, path_of
from plstui.probe.ssh.reader import Reader

LONGEST_CHAIN = 8
"""Machines in a row. More of them is a configuration that refers to itself."""

DEFAULT_IDENTITIES = ("id_ed25519", "id_ecdsa", "id_rsa")
"""The usual private keys in `~/.ssh`, in the order in which they are tried."""


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
    agent: str | None = None
    """The socket of the agent; None where none is to be asked."""
    passed_over: tuple[str, ...] = ()
    """Conditions of the configuration that could not be judged and so were not applied."""

    @property
    def where(self) -> str:
        """Name and address, for a sentence about it."""
        address = f"{self.host}:{self.port}"
        return address if self.name.lower() == self.host.lower() else f"{self.name} ({address})"


def hops(ssh: Ssh, asking: Asking | None = None) -> tuple[Hop, ...]:
    """The servers on the way, in the order in which they are logged in to. Blocking. Raises `RouteError`.

    What takes long in it ends with `asking`.
    """
    lookup, row = _source(ssh, asking or Asking()), machines(ssh.jump)
    found = _chain(ssh, row[0], lookup, LONGEST_CHAIN, final=len(row) == 1)
    found += [_one(ssh, each, lookup, final=each is row[-1])[1] for each in row[1:]]
    return tuple(found)


def _source(ssh: Ssh, asking: Asking) -> Lookup:
    """Who tells what the SSH configuration says: OpenSSH where it is, else our own reader. Raises `RouteError`."""
    config = path_of(ssh.ssh_config or "~/.ssh/config")
    try:
        check_regular(config)
    except OSError as error:
        if ssh.ssh_config or not isinstance(error, FileNotFoundError):
            raise RouteError(f"The SSH configuration {config} cannot be read: {error.strerror}.") from None
    named = bool(ssh.ssh_config)
    openssh = OpenSsh.find(config, named=named, asking=asking)
    return openssh.lookup if openssh else Reader(config, named=named).lookup


def _chain(ssh: Ssh, jump: Machine, lookup: Lookup, depth: int, *, final: bool) -> list[Hop]:
    """The servers on the way to `jump`, and itself."""
    if not depth:
        raise RouteError(f"ProxyJump leads through more than {LONGEST_CHAIN} machines; does it refer to itself?")
    options, hop = _one(ssh, jump, lookup, final=final)
    if options.proxy_command:
        raise RouteError(
            f"{hop.name} has a ProxyCommand in the SSH configuration, which plstui cannot use yet: "
            f"write a ProxyJump before it, or the machines on the way in jump, like gate,{hop.name}."
        )
    via = machines(options.proxy_jump) if options.proxy_jump.lower() not in ("", "none") else []
    if not via:
        return [hop]
    tokens = connection_tokens(hop.host, hop.name, hop.port, hop.user)
    via = [
        Machine(expand(each.name, tokens, "ProxyJump"), expand(each.user, tokens, "ProxyJump"), each.port)
        for each in via
    ]
    # As for `ssh -J first,second`: how to reach the first is looked up, the others are reached from their predecessor.
    before = _chain(ssh, via[0], lookup, depth - 1, final=False)
    before += [_one(ssh, each, lookup, final=False)[1] for each in via[1:]]
    return [*before, hop]


def _one(ssh: Ssh, machine: Machine, lookup: Lookup, *, final: bool) -> tuple[Options, Hop]:
    """What the configuration says of a machine, and how to log in to it."""
    options = lookup(machine.name, machine.user, machine.port)
    named = options.identity_files
    only = options.identities_only
    if ssh.identity_file and (final or named is None):
        named, only = (ssh.identity_file,), True
    elif options.certificate_files:
        raise RouteError(
            f"{machine.name} has a CertificateFile in the SSH configuration ({options.certificate_files[0]}), which "
            "plstui cannot use yet: name a key that needs none in identity_file, or have the probe run another way."
        )
    hop = Hop(
        name=machine.name,
        host=options.host,
        port=options.port,
        user=options.user or _nobody(machine.name),
        identities=tuple(_usual() if named is None else map(path_of, named)),
        use_agent=not only and options.identity_agent != "none",
        known_hosts=_known_hosts(ssh, options),
        known_as=options.host_key_alias or lookup_name(options.host, options.port),
        agent=_agent(options),
        passed_over=options.passed_over,
    )
    return options, hop


def _usual() -> list[Path]:
    return [path_of("~/.ssh") / name for name in DEFAULT_IDENTITIES]


def _nobody(host: str) -> str:
    raise RouteError(
        f"Who to log in to {host} as is not said, and this computer has no name for you: write user@{host}."
    )


def _agent(options: Options) -> str | None:
    """The socket of the agent to ask; None for none."""
    named = options.identity_agent
    if named == "none":
        return None
    if named in ("", "SSH_AUTH_SOCK"):
        return os.environ.get("SSH_AUTH_SOCK") or None
    if named.startswith("$"):
        return os.environ.get(named[1:]) or None
    return str(path_of(named))


def _known_hosts(ssh: Ssh, options: Options) -> tuple[Path, ...]:
    """The files with the host keys that are trusted; new ones are written to the first."""
    if ssh.known_hosts:
        return (path_of(ssh.known_hosts),)
    files = options.known_hosts_files
    return tuple(map(path_of, ("~/.ssh/known_hosts",) if files is None else files))
