"""The keys to log in with: files first, then what the agent holds."""

from __future__ import annotations

import base64
import binascii
import re
import shlex
import socket
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import paramiko
import paramiko.agent
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko.pkey import UnknownKeyType
from paramiko.ssh_exception import PasswordRequiredException

from plstui.domain.files import check_regular, read_bytes
from plstui.domain.text import clean

AGENT_TIMEOUT = 30.0
"""Seconds for an answer of the agent; it may ask its owner first."""

_ADD = "and the agent has no private key for it; add that to the agent with ssh-add"
_MAGIC = b"openssh-key-v1\0"
_OPENSSH_KEY = re.compile(r"-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END")


@dataclass(slots=True)
class Identities:
    """Keys to try, and why others could not be. Give the agent back with `close`."""

    files: tuple[Path, ...]
    use_agent: bool
    """Whether keys of the agent may be tried that are not those of the files."""
    agent: str | None = None
    """The agent's socket; None where none is to be asked."""
    passphrases: Mapping[Path, str] = field(default_factory=dict, repr=False)
    locked: list[Path] = field(default_factory=list)
    """Files whose passphrase is missing or wrong; complete when `candidates` is exhausted."""
    troubles: list[str] = field(default_factory=list)
    """Why keys that are there could not be used, in words; complete when `candidates` is exhausted."""
    missing: list[str] = field(default_factory=list)
    """Files that are not there; complete when `candidates` is exhausted."""
    agent_trouble: str = ""
    """Why the agent could not be asked, in words; empty when it could."""
    _agent: _Agent | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._agent:
            self._agent.close()

    def candidates(self) -> Iterator[paramiko.PKey]:
        """The keys, in the order in which they are to be tried."""
        agent = {key.blob: key for key in self._agent_keys()}
        for file in self.files:
            public, public_alone = _public_key(file)
            held = agent.pop(public, None)
            try:
                key = _load(file)
            except FileNotFoundError:
                if held:
                    yield held
                elif public:
                    self.troubles.append(f"only the public half of {file} is there, {_ADD}")
                else:
                    self.missing.append(str(file))
            except OSError as error:
                self.troubles.append(f"{file} cannot be read: {error.strerror}")
            except (TypeError, PasswordRequiredException):
                # What cryptography and paramiko raise for a key with a passphrase.
                if held:
                    yield held
                elif unlocked := self._unlocked(file):
                    yield unlocked
            except (ValueError, UnknownKeyType, UnsupportedAlgorithm, paramiko.SSHException):
                if held:
                    yield held
                elif public_alone:
                    self.troubles.append(f"{file} is a public key, {_ADD}")
                else:
                    self.troubles.append(f"{file} is not a private key of a kind that can be used")
            else:
                yield key
        if self.use_agent:
            yield from agent.values()

    def _unlocked(self, file: Path) -> paramiko.PKey | None:
        """A key with a passphrase; None where that is missing or wrong."""
        wrong = file in self.passphrases
        if wrong:
            try:
                return _load(file, self.passphrases[file])
            except (OSError, ValueError, TypeError, UnknownKeyType, UnsupportedAlgorithm, paramiko.SSHException):
                # What a wrong passphrase brings out of a file is no key.
                pass
        self.locked.append(file)
        self.troubles.append(
            f"the passphrase for {file} is wrong"
            if wrong
            else f"{file} has a passphrase; add it to the agent: ssh-add {shlex.quote(str(file))}"
        )
        return None

    def _agent_keys(self) -> Sequence[paramiko.AgentKey]:
        if self.agent is None:
            return ()
        try:
            self._agent = _Agent(self.agent)
            return self._agent.get_keys()
        except (paramiko.SSHException, OSError, struct.error, TypeError, ValueError) as error:
            # The last three are what paramiko makes of an answer that is none.
            why = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else " as one"
            self.agent_trouble = f"the agent at {clean(self.agent, 100)} does not answer{why}"
            return ()


class _Agent(paramiko.agent.AgentSSH):
    """The agent at a socket; paramiko's own knows that of the environment alone. Raises `OSError`, `SSHException`."""

    if TYPE_CHECKING:
        # paramiko's internals that are used here.
        _connect: Callable[[socket.socket], None]

    def __init__(self, path: str) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            # It may ask its owner first, and must not keep a login's thread for ever.
            self._socket.settimeout(AGENT_TIMEOUT)
            self._socket.connect(path)
            self._connect(self._socket)
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def _load(file: Path, passphrase: str | None = None) -> paramiko.PKey:
    """A private key, with the certificate beside it if there is one. Raises what paramiko and cryptography raise."""
    check_regular(file)
    with suppress(FileNotFoundError):
        check_regular(file.with_name(f"{file.name}-cert.pub"))
    # The annotation says text, and cryptography takes bytes alone.
    password = None if passphrase is None else passphrase.encode()
    return paramiko.PKey.from_path(file, password)  # type: ignore[arg-type]


def _public_key(file: Path) -> tuple[bytes, bool]:
    """The public half of what a file is named for, and whether that is all the file has.

    It is taken from the file itself, or from the one beside it that ends in `.pub`. Empty when there is none.
    """
    for each in (file, file.with_name(f"{file.name}.pub")):
        try:
            text = read_bytes(each).decode(errors="replace")
        except OSError:
            continue
        if half := next(filter(None, map(_public_line, text.splitlines())), b""):
            return half, each == file
        if half := _within_private(text):
            return half, False
    return b"", False


def _public_line(line: str) -> bytes:
    """The key in a line of a public key's file; empty where there is none."""
    try:
        kind, text = line.split()[:2]
        blob = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return blob if paramiko.Message(blob).get_binary() == kind.encode() else b""


def _within_private(text: str) -> bytes:
    """The public half in a private key's file, which OpenSSH leaves readable there without the passphrase."""
    match = _OPENSSH_KEY.search(text)
    try:
        body = base64.b64decode(match[1] if match else "")
    except binascii.Error:
        return b""
    if not body.startswith(_MAGIC):
        return b""
    message = paramiko.Message(body[len(_MAGIC) :])
    for _ in ("cipher", "key derivation", "its options"):
        message.get_binary()
    return message.get_binary() if message.get_int() == 1 else b""
