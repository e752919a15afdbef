"""The host keys a person trusts: OpenSSH's known_hosts files, added to when somebody says yes and never else.

paramiko's own reader knows neither patterns nor `@revoked`, and one damaged line makes it give up.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from plstui.domain.files import read_bytes

_REVOKED = "@revoked"


class Trust(Enum):
    """What the files say about a key that a machine shows."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    """Nothing is known about this machine."""
    CHANGED = "changed"
    """Other keys are known for this machine, and not this one."""
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a file."""

    revoked: bool
    names: str
    kind: str
    blob: bytes
    file: Path
    number: int

    @property
    def where(self) -> str:
        """File and line, for a sentence about it."""
        return f"{self.file}, line {self.number}"


class KnownHosts:
    """What some known_hosts files say. A file that does not exist says nothing. Raises `OSError` for other troubles."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._lines = [line for file in files for line in _read(file)]

    def trust(self, name: str, blob: bytes) -> tuple[Trust, Entry | None]:
        """What is known of the key `blob` (SSH's public form) for a machine, and by which line.

        `name` is the machine's name as `lookup_name` gives it.
        """
        about = [line for line in self._lines if _matches(line.names, name)]
        same = [line for line in about if line.blob == blob]
        for line in same:
            if line.revoked:
                return Trust.REVOKED, line
        if same:
            return Trust.KNOWN, same[0]
        others = [line for line in about if not line.revoked]
        return (Trust.CHANGED, others[0]) if others else (Trust.UNKNOWN, None)

    def order(self, name: str, algorithms: Sequence[str]) -> list[str]:
        """The signature algorithms, those first for which a key of the machine is known.

        A server with several keys shows the one that is asked for first, which might otherwise be an unknown one.
        """
        kinds = {line.kind for line in self._lines if not line.revoked and _matches(line.names, name)}
        return sorted(algorithms, key=lambda algorithm: _kind(algorithm) not in kinds)


def add(file: Path, entry: str) -> None:
    """Write one more line into a file, which is made if need be. Raises `OSError`."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with open(descriptor, "rb+", buffering=0) as stream:
        # A last line without an end would become one with this.
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - 1))
        gap = b"" if stream.read(1) in (b"", b"\n") else b"\n"
        stream.write(gap + entry.encode() + b"\n")


def keeps_nothing(file: Path) -> bool:
    """Whether a path leads to /dev/null, which people name where no host keys are to be kept."""
    try:
        return file.samefile(os.devnull)
    except OSError:
        return False


def lookup_name(host: str, port: int) -> str:
    """The name under which known_hosts lists a machine."""
    return host if port == 22 else f"[{host}]:{port}"


def fingerprint(blob: bytes) -> str:
    """A key's SHA256 fingerprint as OpenSSH writes it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _kind(algorithm: str) -> str:
    """The kind of key that makes signatures of an algorithm."""
    return "ssh-rsa" if algorithm.startswith("rsa-") else algorithm


def _read(file: Path) -> Iterator[Entry]:
    try:
        text = read_bytes(file).decode(errors="replace")
    except FileNotFoundError:
        return
    for number, content in enumerate(text.splitlines(), start=1):
        fields = content.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        # A line for a certificate authority trusts certificates, which paramiko does not check.
        if len(fields) < 3 or fields[0].startswith("#") or marker not in ("", _REVOKED):
            continue
        try:
            blob = base64.b64decode(fields[2], validate=True)
        except binascii.Error:
            continue
        yield Entry(marker == _REVOKED, fields[0], fields[1], blob, file, number)


def _matches(names: str, name: str) -> bool:
    """Whether a line's first field names a machine: hashed, or patterns of which none with `!` matches."""
    name = name.lower()
    if names.startswith("|"):
        return _matches_hash(names, name)
    found = False
    for pattern in names.lower().split(","):
        negated = pattern.startswith("!")
        wildcards = re.escape(pattern.removeprefix("!")).replace(r"\*", ".*").replace(r"\?", ".")
        if re.fullmatch(wildcards, name):
            if negated:
                return False
            found = True
    return found


def _matches_hash(hashed: str, name: str) -> bool:
    """`|1|salt|hash`, the hash being HMAC-SHA1 of the name."""
    try:
        _, version, salt, expected = hashed.split("|")
        digest = hmac.digest(base64.b64decode(salt), name.encode(), "sha1")
        return version == "1" and hmac.compare_digest(digest, base64.b64decode(expected))
    except ValueError:
        return False
