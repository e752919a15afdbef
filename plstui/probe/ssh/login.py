"""Log in to one SSH server: its algorithms, its host key, our key. Blocking, and told apart by what to do about it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import paramiko
from paramiko.ssh_exception import BadAuthenticationType, IncompatiblePeer

from plstui.domain.text import clean
from plstui.probe.route import DistrustError, RouteError
from plstui.probe.ssh.config import Hop
from plstui.probe.ssh.hostkeys import KnownHosts, Trust, fingerprint, keeps_nothing
from plstui.probe.ssh.identities import Identities
from plstui.probe.ssh.line import Line

BANNER_TIMEOUT = 10.0
"""Seconds for the server's first line."""

HANDSHAKE_TIMEOUT = 15.0
"""Seconds until keys are exchanged, the first line included."""

AUTH_TIMEOUT = 10.0
"""Seconds for the answer to one key; an agent may ask its owner in the meantime."""

LOGIN_TIMEOUT = 30.0
"""Seconds for all of it."""

KEEP_ALIVE = 30
"""Seconds without traffic after which a sign of life is sent. Azure's NAT forgets after four minutes."""

USUAL = "~/.ssh/known_hosts"
"""Where host keys usually are kept."""

_ALGORITHMS = {
    "kex": " to exchange keys",
    "host key": " for host keys",
    "cipher": " to encrypt",
    "mac": " to check what is sent",
    "compression": " to compress",
}
"""By a word in paramiko's message, what for."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person has answered so far."""

    passphrases: Mapping[Path, str] = field(default_factory=dict, repr=False)
    """Those of key files."""
    trusted: Set[str] = frozenset()
    """Lines as for known_hosts, of servers that were said to be the right ones."""


class StrangerError(DistrustError):
    """A server shows a host key of which nothing is known. Whoever trusts it can write `entry` to `file`."""

    def __init__(self, message: str, name: str, shown: str, entry: str, file: Path | None) -> None:
        super().__init__(message)
        self.name = name
        """The server's, as the person calls it."""
        self.shown = shown
        """The fingerprint and the kind of the key."""
        self.entry = entry
        """A line of known_hosts."""
        self.file = file
        """None where the SSH configuration has none kept."""


class LockedError(RouteError):
    """No key was accepted, and there are files with a passphrase that is missing or wrong."""

    def __init__(self, message: str, files: tuple[Path, ...]) -> None:
        super().__init__(message)
        self.files = files


def log_in(line: Line, hop: Hop, answers: Answers, *, direct: bool) -> None:
    """Make a fresh line ready for use. Raises `RouteError`. `direct` tells that no other machine is in between."""
    try:
        known = KnownHosts(hop.known_hosts)
    except OSError as error:
        raise RouteError(
            f"{error.filename}, which lists the trusted host keys, cannot be read: {error.strerror}."
        ) from None
    line.banner_timeout = BANNER_TIMEOUT
    line.auth_timeout = AUTH_TIMEOUT
    options = line.get_security_options()
    options.key_types = known.order(hop.known_as, options.key_types)
    try:
        line.start_client(timeout=HANDSHAKE_TIMEOUT)
        if not line.initial_kex_done:
            # paramiko returns when the time is over as if all were well.
            raise TimeoutError(f"it did not exchange keys within {HANDSHAKE_TIMEOUT:g} s")
        key = line.get_remote_server_key()
    except IncompatiblePeer as error:
        what = next((words for key, words in _ALGORITHMS.items() if key in str(error).lower()), "")
        raise RouteError(f"{hop.name} and plstui have no algorithm in common{what}; ssh -vv shows its own.") from None
    except Exception as error:  # noqa: BLE001 - whatever a server's nonsense raised in paramiko's thread is raised again here
        raise RouteError(f"{hop.where} does not answer like an SSH server: {_reason(error)}.") from None
    _check(known, hop, key, answers.trusted, direct=direct)
    _authenticate(line, hop, answers.passphrases)
    line.set_keepalive(KEEP_ALIVE)


def _check(known: KnownHosts, hop: Hop, key: paramiko.PKey, trusted: Set[str], *, direct: bool) -> None:
    """Refuse a server that does not show a host key that is known to be its own."""
    blob, kind = key.asbytes(), key.get_name()
    trust, line = known.trust(hop.known_as, blob)
    print_ = f"{fingerprint(blob)} ({kind})"
    if trust is Trust.UNKNOWN:
        entry = f"{hop.known_as} {kind} {key.get_base64()}"
        if entry in trusted:
            return
        # Where nothing is kept a command must not write either.
        keep = next((file for file in hop.known_hosts[:1] if not keeps_nothing(file)), None)
        file, hint = (shlex.quote(str(keep)), "") if keep else (USUAL, f" set known_hosts to {USUAL} and")
        if direct and hop.known_as in (hop.host, f"[{hop.host}]:{hop.port}"):
            port = "" if hop.port == 22 else f"-p {hop.port} "
            accept = f"ssh-keyscan {port}-t {_scan_type(kind)} {shlex.quote(hop.host)} >> {file}"
        else:
            # A scan would not get there, or would list it under another name.
            accept = f"echo {shlex.quote(entry)} >> {file}"
        message = (
            f"The host key of {hop.name} is not known: {print_}. If it is the right one,{hint} accept it: {accept}"
        )
        raise StrangerError(message, hop.name, print_, entry, keep)
    if line is None:
        return
    if trust is Trust.CHANGED:
        remove = f"ssh-keygen -R {shlex.quote(hop.known_as)} -f {shlex.quote(str(line.file))}"
        raise DistrustError(
            f"THE HOST KEY OF {hop.name} HAS CHANGED, or somebody else answers in its place! It shows {print_}, "
            f"which is not the key in {line.where}. Nothing was sent. "
            f"If the machine was set up anew, forget its old key: {remove}"
        )
    if trust is Trust.REVOKED:
        raise DistrustError(f"THE HOST KEY OF {hop.name} IS REVOKED in {line.where}: {print_}. Nothing was sent.")


def _scan_type(kind: str) -> str:
    """ssh-keyscan's word for a kind of key."""
    return "ecdsa" if kind.startswith("ecdsa-") else kind.removeprefix("ssh-")


def _authenticate(line: Line, hop: Hop, passphrases: Mapping[Path, str]) -> None:
    """Log in with one of the keys."""
    tried = 0
    with Identities(hop.identities, hop.use_agent, hop.agent, passphrases) as identities:
        for key in identities.candidates():
            tried += 1
            started = monotonic()
            try:
                more = line.auth_publickey(hop.user, key)
            except BadAuthenticationType as error:
                allowed = clean(", ".join(error.allowed_types), 60)
                raise RouteError(f"{hop.name} does not allow a login with a key, only: {allowed}.") from None
            except Exception as error:  # noqa: BLE001 - as above
                if not line.is_active():
                    raise RouteError(f"{hop.name} hung up while {hop.user} logged in: {_reason(error)}.") from None
                if monotonic() - started >= AUTH_TIMEOUT:
                    undecided = f"did not say within {AUTH_TIMEOUT:g} s whether it accepts the key of {hop.user}"
                    raise RouteError(f"{hop.name} {undecided}.") from None
                # Any other failure is this key's; the next one may be good.
                continue
            if more:
                raise RouteError(f"{hop.name} wants more than a key of {hop.user}: {clean(', '.join(more), 60)}.")
            return
    agent = [identities.agent_trouble] if identities.agent_trouble else []
    if tried:
        troubles = [f"; {trouble}" for trouble in identities.troubles + agent]
        message = f"{hop.name} does not accept the key{'s' * (tried > 1)} of {hop.user}{''.join(troubles)}."
    else:
        missing = [f"{' and '.join(identities.missing)} missing"] if identities.missing else []
        troubles = identities.troubles or missing or ["no key file is named, and the agent has no key for it"]
        message = f"There is no key to log in to {hop.name} with: {'; '.join(troubles + agent)}."
    raise LockedError(message, tuple(identities.locked)) if identities.locked else RouteError(message)


def _reason(error: Exception) -> str:
    """Why, in words of the system or of our own; paramiko's are for who writes programs with it."""
    match error:
        case OSError(errno=int(number)) if number > 0:
            return os.strerror(number)
        case TimeoutError():
            return str(error) or "no answer came in time"
        case EOFError() | ConnectionError():
            return "it closed the connection"
        case paramiko.SSHException() if "banner" in str(error).lower() or "protocol version" in str(error).lower():
            return "it did not begin with the line that tells SSH's version"
    return "what it sends is not what SSH sends"
