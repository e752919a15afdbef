"""The keys to log in with: files first, then what the agent holds."""

from __future__ import annotations

import base64
import binascii
import os
import shlex
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko.pkey import UnknownKeyType
from paramiko.ssh_exception import PasswordRequiredException

from plstui.domain.files import check_regular, read_text


@dataclass(slots=True)
class Identities:
    """Keys to try, and why others could not be. Give the agent back with `close`."""

    files: tuple[Path, ...]
    use_agent: bool
    """Whether keys of the agent may be tried that are not those of the files."""
    passphrases: Mapping[Path, str] = field(default_factory=dict, repr=False)
    locked: list[Path] = field(default_factory=list)
    """Files whose passphrase is missing or wrong; complete when `candidates` is exhausted."""
    troubles: list[str] = field(default_factory=list)
    """Why keys that are there could not be used, in words; complete when `candidates` is exhausted."""
    missing: list[str] = field(default_factory=list)
    """Files that are not there; complete when `candidates` is exhausted."""
    _agent: paramiko.Agent | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._agent:
            self._agent.close()

    def candidates(self) -> Iterator[paramiko.PKey]:
        """The keys, in the order in which they are to be tried."""
        agent = {key.asbytes(): key for key in self._agent_keys()}
        for file in self.files:
            public = _public_key(file)
            try:
                check_regular(file)
                key = paramiko.PKey.from_path(file)
            except FileNotFoundError:
                self.missing.append(str(file))
            except OSError as error:
                self.troubles.append(f"{file} cannot be read: {error.strerror}")
            except (TypeError, PasswordRequiredException):
                # What cryptography and paramiko raise for a key with a passphrase.
                if public in agent:
                    yield agent[public]
                elif unlocked := self._unlocked(file):
                    yield unlocked
            except (ValueError, UnknownKeyType, UnsupportedAlgorithm, paramiko.SSHException):
                self.troubles.append(f"{file} is not a private key of a kind that can be used")
            else:
                yield key
            agent.pop(public, None)
        if self.use_agent:
            yield from agent.values()

    def _unlocked(self, file: Path) -> paramiko.PKey | None:
        """A key with a passphrase; None where that is missing or wrong."""
        wrong = file in self.passphrases
        if wrong:
            try:
                # The annotation says text, and cryptography takes bytes alone.
                return paramiko.PKey.from_path(file, self.passphrases[file].encode())  # type: ignore[arg-type]
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

    def _agent_keys(self) -> tuple[paramiko.PKey, ...]:
        try:
            # paramiko takes an agent that is gone for none, but leaves the socket of its attempt open.
            with socket.socket(socket.AF_UNIX) as attempt:
                attempt.connect(os.environ["SSH_AUTH_SOCK"])
        except (KeyError, OSError):
            return ()
        try:
            self._agent = paramiko.Agent()
        except (paramiko.SSHException, OSError):
            self.troubles.append("the agent does not answer as one")
            return ()
        return self._agent.get_keys()


def _public_key(file: Path) -> bytes:
    """The public half from the file beside a private key; empty when there is none."""
    try:
        fields = read_text(file.with_name(file.name + ".pub")).split()
        return base64.b64decode(fields[1], validate=True)
    except (OSError, IndexError, binascii.Error):
        return b""
