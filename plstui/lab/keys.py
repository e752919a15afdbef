"""The public key that people sign in to the lab's machines with: found, judged, and made when there is none."""

from __future__ import annotations

import base64
import binascii
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from plstui.config import locations
from plstui.domain.errors import ConfigError, RefusedError
from plstui.domain.files import read_text

NAMES = ("id_ed25519", "id_rsa")
"""The private keys in `~/.ssh` whose public halves are looked for, in this order."""

KINDS = ("ssh-ed25519", "ssh-rsa")
"""What Azure gives to machines; it takes neither ECDSA keys nor those of security tokens."""

RSA_BITS = 2048
"""Azure refuses shorter ones."""

LARGEST = 64 * 1024
"""Bytes that are read of a file; a key takes a few hundred."""

PRIVATE_DIR, PRIVATE_FILE, PUBLIC_FILE = 0o700, 0o600, 0o644


class NoKeyError(ConfigError):
    """No key is set and none of the usual ones is there: one can be made with `create_key`."""

    code = "NoPublicKey"


def public_key(setting: str, home: Path | None = None) -> str:
    """The key for the machines as one line in OpenSSH's format; `setting` names its file, empty for the usual ones.

    Raises `NoKeyError` when there is none, and `ConfigError` for a file that cannot be used.
    """
    if setting:
        return read_key(locations.expand(setting))
    folder = _folder(home)
    for name in NAMES:
        if os.path.lexists(file := folder / f"{name}.pub"):
            return read_key(file)
    private = next((folder / name for name in NAMES if (folder / name).exists()), None)
    if private:
        raise ConfigError(
            f"{private} is there without its public half.",
            hint=f"Get it back with: ssh-keygen -y -f {private} > {private}.pub",
            code="NoPublicKey",
        )
    raise NoKeyError(
        f"There is no public key for the machines: neither {' nor '.join(f'{name}.pub' for name in NAMES)} is in "
        f"{folder}.",
        hint="Make one with ssh-keygen -t ed25519, or name another in lab.public_key.",
    )


def read_key(file: Path) -> str:
    """The key in a file. Raises `ConfigError` when it is not one public key that Azure takes."""
    try:
        text = read_text(file, LARGEST)
    except FileNotFoundError:
        raise _unusable(file, "it is not there") from None
    except OSError as error:
        raise _unusable(file, error.strerror or "it cannot be read") from None
    if "PRIVATE KEY" in text:
        raise _unusable(file, "it is a private key", f"Name its public half, {file}.pub; the private one stays here.")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) != 1:
        raise _unusable(file, "it does not hold exactly one key on one line")
    if reason := _fault(lines[0]):
        raise _unusable(file, reason, f"Azure takes {' and '.join(KINDS)} keys: ssh-keygen -t ed25519 makes one.")
    return lines[0]


def create_key(home: Path | None = None) -> str:
    """Make an ed25519 pair without a passphrase, the first of the usual ones; its public half comes back.

    Raises `RefusedError` when a file of that name is there, or when the pair cannot be made. Nothing is overwritten.
    """
    folder = _folder(home)
    private = folder / NAMES[0]
    public = folder / f"{NAMES[0]}.pub"
    program = shutil.which("ssh-keygen")
    if program is None:
        raise RefusedError(
            "ssh-keygen is not installed, so no key can be made.",
            hint="Install OpenSSH's client, or name a public key in lab.public_key.",
        )
    try:
        folder.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".plstui-", dir=folder) as made:
            # Made aside: ssh-keygen asks before it overwrites, and between its look and its write anything can happen.
            command = [program, "-q", "-t", "ed25519", "-N", "", "-C", "plstui", "-f", str(Path(made) / "key")]
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
            _write_new(private, (Path(made) / "key").read_bytes(), PRIVATE_FILE)
            try:
                _write_new(public, (Path(made) / "key.pub").read_bytes(), PUBLIC_FILE)
            except OSError:
                private.unlink()
                raise
    except FileExistsError as error:
        raise RefusedError(f"{error.filename} is there already and is not overwritten.") from None
    except OSError as error:
        raise RefusedError(f"No key can be made in {folder}: {error.strerror}.") from None
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.decode(errors="replace").split())
        raise RefusedError(f"ssh-keygen made no key: {said or f'it ended with {error.returncode}'}.") from None
    return read_key(public)


def _folder(home: Path | None) -> Path:
    return (home or locations.home()) / ".ssh"


def _write_new(file: Path, content: bytes, mode: int) -> None:
    """Write a file that must not be there yet, not even as a link that leads nowhere."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as stream:
        stream.write(content)


def _fault(line: str) -> str:
    """What is wrong with a public key; empty when nothing is."""
    kind, _, rest = line.partition(" ")
    if kind not in KINDS:
        known = kind.startswith(("ssh-", "ecdsa-", "sk-"))
        return f"Azure takes no {kind} keys" if known and kind.isprintable() else "it is no public key of OpenSSH's"
    if not line.isprintable():
        return "it holds characters that nobody can see"
    try:
        blob = base64.b64decode(rest.split(" ", 1)[0], validate=True)
        fields = list(_fields(blob))
    except (binascii.Error, ValueError):
        return "its key is damaged"
    if not fields or fields[0] != kind.encode() or len(fields) != (2 if kind == KINDS[0] else 3):
        return "its key is damaged"
    if kind == KINDS[0]:
        return "" if len(fields[1]) == 32 else "its key is damaged"
    bits = int.from_bytes(fields[2], "big").bit_length()
    return "" if bits >= RSA_BITS else f"its key has {bits} bits, and Azure wants {RSA_BITS} at least"


def _fields(blob: bytes) -> Iterator[bytes]:
    """The fields of a key, each after its length. Raises `ValueError` when they do not fit."""
    while blob:
        length = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + length:
            raise ValueError("a field is cut off")
        yield blob[4 : 4 + length]
        blob = blob[4 + length :]


def _unusable(file: Path, reason: str, hint: str = "") -> ConfigError:
    return ConfigError(
        f"The public key {file} cannot be used: {reason}.", hint=hint or "Name another in lab.public_key."
    )
