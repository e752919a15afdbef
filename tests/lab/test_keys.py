"""The public key for the machines: which one is taken, which are refused, and how one is made."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from plstui.domain.errors import ConfigError, RefusedError
from plstui.lab import keys


def openssh(key: ed25519.Ed25519PublicKey | rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


KEY = openssh(ed25519.Ed25519PrivateKey.generate().public_key())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".ssh").mkdir()
    return tmp_path


def rsa_key(bits: int) -> str:
    return openssh(rsa.generate_private_key(65537, bits).public_key())


def test_the_first_of_the_usual_keys_is_taken(home: Path) -> None:
    long = rsa_key(2048)
    (home / ".ssh/id_rsa.pub").write_text(f"# mine\n{long} me@here\n")
    assert keys.public_key("", home) == f"{long} me@here"

    (home / ".ssh/id_ed25519.pub").write_text(f"{KEY}\n")
    assert keys.public_key("", home) == KEY


def test_a_key_that_is_set_wins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    (home / ".ssh/id_ed25519.pub").write_text("something else")
    (home / "other.pub").write_text(KEY)

    assert keys.public_key("~/other.pub") == KEY
    with pytest.raises(ConfigError, match=r"gone\.pub cannot be used: it is not there"):
        keys.public_key("~/gone.pub")


def test_no_key_at_all(home: Path) -> None:
    with pytest.raises(keys.NoKeyError, match=r"neither id_ed25519\.pub nor id_rsa\.pub"):
        keys.public_key("", home)


def test_a_private_key_without_its_public_half(home: Path) -> None:
    keys.create_key(home)
    (home / ".ssh/id_ed25519.pub").unlink()

    with pytest.raises(ConfigError, match="ssh-keygen -y -f") as refused:
        keys.public_key("", home)
    assert not isinstance(refused.value, keys.NoKeyError), "no other may be made in its place"


BLOB = KEY.split()[1]
SHORT = base64.b64encode(base64.b64decode(BLOB)[:-3]).decode()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not hold exactly one key"),
        (f"{KEY}\n{KEY}", "does not hold exactly one key"),
        ("hello", "no public key of OpenSSH's"),
        ("ssh-ed25519", "its key is damaged"),
        ("ssh-ed25519 AAAA!", "its key is damaged"),
        (f"ssh-ed25519 {SHORT}", "its key is damaged"),
        (f"ssh-rsa {BLOB}", "its key is damaged"),
        (f"ssh-ed25519 {BLOB} me\x1b[2J", "nobody can see"),
        (f'command="/bin/sh" {KEY}', "no public key of OpenSSH's"),
        ("ssh-dss AAAAB3NzaC1kc3MAAACB me", "Azure takes no ssh-dss keys"),
    ],
    # The keys are new each time, and a test's name must not be: those who run in parallel compare them.
    ids=[
        *("nothing", "two keys", "a word", "no blob", "no base64", "short", "another kind", "control characters"),
        *("options", "dss"),
    ],
)
def test_what_is_no_key_for_azure(home: Path, text: str, reason: str) -> None:
    (home / ".ssh/id_ed25519.pub").write_text(text)
    with pytest.raises(ConfigError, match=reason):
        keys.public_key("", home)


def test_keys_that_azure_does_not_take(home: Path) -> None:
    file = home / "key.pub"
    file.write_text(openssh(ec.generate_private_key(ec.SECP256R1()).public_key()))
    with pytest.raises(ConfigError, match="no ecdsa-sha2-nistp256 keys"):
        keys.read_key(file)
    file.write_text(rsa_key(1024))
    with pytest.raises(ConfigError, match="1024 bits, and Azure wants 2048"):
        keys.read_key(file)


def test_files_that_are_no_text(home: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        keys.read_key(home)
    (home / "binary.pub").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="it is not UTF-8 text"):
        keys.read_key(home / "binary.pub")


def test_a_private_key_is_not_taken_for_a_public_one(home: Path) -> None:
    keys.create_key(home)
    private = home / ".ssh/id_ed25519"
    secret = private.read_text().splitlines()[2]

    with pytest.raises(ConfigError, match="it is a private key") as refused:
        keys.public_key(str(private))
    assert secret not in str(refused.value)


def test_a_pair_is_made(tmp_path: Path) -> None:
    made = keys.create_key(tmp_path)

    folder = tmp_path / ".ssh"
    private = folder / "id_ed25519"
    assert keys.public_key("", tmp_path) == made
    assert (folder.stat().st_mode & 0o777, private.stat().st_mode & 0o777) == (0o700, 0o600)
    assert sorted(file.name for file in folder.iterdir()) == ["id_ed25519", "id_ed25519.pub"]
    shown = subprocess.run(["ssh-keygen", "-y", "-f", private], capture_output=True, text=True, check=True).stdout
    assert shown.split()[:2] == made.split()[:2]


@pytest.mark.parametrize("name", ["id_ed25519", "id_ed25519.pub"])
def test_nothing_is_overwritten(home: Path, name: str) -> None:
    there = home / ".ssh" / name
    there.symlink_to(home / "nowhere")

    with pytest.raises(RefusedError, match=f"{name} is there already"):
        keys.create_key(home)

    assert [file.name for file in (home / ".ssh").iterdir()] == [name]
    assert not (home / "nowhere").exists()


def test_no_key_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / ".ssh").write_text("a file")
    with pytest.raises(RefusedError):
        keys.create_key(tmp_path)


def test_no_key_without_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RefusedError, match="ssh-keygen is not installed"):
        keys.create_key(tmp_path)
    assert not (tmp_path / ".ssh").exists()
