"""Host keys are believed only when a known_hosts file lists them: real sshd, real ssh-keygen, real ssh-keyscan."""

from __future__ import annotations

import base64
import shlex
import subprocess
from pathlib import Path

import pytest

from plstui.config.settings import Ssh
from plstui.domain.probe import Failure, TargetResult
from plstui.probe.ssh.hostkeys import KnownHosts, Trust, fingerprint, lookup_name
from tests.probe.probing import probe, probing
from tests.probe.servers import answering, page, target
from tests.probe.sshd import PATIENCE, Sshd, make_key, shell

NAME = "[10.0.0.4]:2222"


async def probe_through(sshd: Sshd) -> TargetResult:
    async with answering(page("web1")) as port, probing(sshd.ssh) as prober:
        [result] = await probe(prober, target(port))
    return result


def keygen(*arguments: str) -> str:
    """What ssh-keygen says."""
    done = subprocess.run(["ssh-keygen", *arguments], check=True, capture_output=True, text=True, timeout=PATIENCE)
    return done.stdout


def public(private_key: Path) -> str:
    """The public half of a key: its kind and its Base64 text."""
    return " ".join(private_key.with_suffix(".pub").read_text().split()[:2])


async def test_an_unknown_key_is_refused_with_its_fingerprint_and_a_command_that_accepts_it(sshd: Sshd) -> None:
    sshd.known_hosts.unlink()
    result = await probe_through(sshd)
    assert result.failures == {Failure.JUMP: 1}
    assert keygen("-lf", str(sshd.directory / "host_ed25519.pub")).split()[1] in result.error
    assert not any("Accepted" in line for line in sshd.log)
    _, _, command = result.error.partition("accept it: ")
    assert command == f"ssh-keyscan -p {sshd.port} -t ed25519 127.0.0.1 >> {shlex.quote(str(sshd.known_hosts))}"
    shell(command)
    assert (await probe_through(sshd)).ok


async def test_a_changed_key_is_refused_loudly_and_the_line_is_named(sshd: Sshd, tmp_path: Path) -> None:
    sshd.known_hosts.write_text(f"# a comment\n[127.0.0.1]:{sshd.port} {public(make_key(tmp_path / 'other'))}\n")
    result = await probe_through(sshd)
    assert result.failures == {Failure.JUMP: 1}
    assert "HAS CHANGED" in result.error
    assert f"{sshd.known_hosts}, line 2" in result.error
    assert not any("Accepted" in line for line in sshd.log)

    _, _, command = result.error.partition("forget its old key: ")
    assert command == f"ssh-keygen -R '[127.0.0.1]:{sshd.port}' -f {shlex.quote(str(sshd.known_hosts))}"
    shell(command)
    assert sshd.known_hosts.read_text() == "# a comment\n"
    assert "is not known" in (await probe_through(sshd)).error


async def test_the_command_forgets_the_key_in_the_file_that_has_it(sshd: Sshd, tmp_path: Path, home: Path) -> None:
    other = public(make_key(tmp_path / "other"))
    first, second = tmp_path / "first", tmp_path / "it's the second"
    first.write_text(f"elsewhere {other}\n")
    second.write_text(f"lab-vm {other}\n")
    keygen("-Hf", str(second))
    (home / ".ssh/config").write_text(
        f"Host vm\n HostName 127.0.0.1\n Port {sshd.port}\n HostKeyAlias lab-vm\n IdentityFile {sshd.identity}\n"
        f' UserKnownHostsFile {first} "{second}"\n'
    )
    async with answering(page("web1")) as port, probing(Ssh(jump="vm")) as prober:
        [result] = await probe(prober, target(port))
    _, _, command = result.error.partition("forget its old key: ")
    assert command == f"ssh-keygen -R lab-vm -f {shlex.quote(str(second))}"
    shell(command)
    assert second.read_text() == ""


async def test_a_revoked_key_is_refused(sshd: Sshd) -> None:
    sshd.known_hosts.write_text(f"{sshd.known_hosts.read_text()}@revoked * {sshd.host_key()}\n")
    result = await probe_through(sshd)
    assert result.failures == {Failure.JUMP: 1}
    assert "IS REVOKED" in result.error


async def test_hashed_entries_are_found(sshd: Sshd) -> None:
    keygen("-Hf", str(sshd.known_hosts))
    assert "127.0.0.1" not in sshd.known_hosts.read_text()
    assert (await probe_through(sshd)).ok


@pytest.mark.parametrize(
    ("content", "ok"),
    [
        ("{name} {key}\n", True),
        ("{name} {key}\r\n", True),
        ("{name} {key} a comment in Latin-1: \xe9\n", True),
        ("{name} ssh-ed25519 AAAAgarbage==\n{name} {key}\n", True),
        ("{name} {other}\n{name} {key}\n", True),
        ("@cert-authority * {other}\n{name} {key}\n", True),
        ("[127.0.0.1]:* {key}\n", True),
        ("\xef\xbb\xbf{name} {key}\n", False),
        ("@cert-authority * {key}\n", False),
        ("@revoked * {key}\n{name} {key}\n", False),
        ("{name} {other}\n", False),
    ],
    ids=[
        "plain",
        "crlf",
        "latin1",
        "damaged",
        "two keys",
        "authority",
        "any port",
        "mark",
        "as authority",
        "revoked",
        "changed",
    ],
)
async def test_known_hosts_are_read_as_openssh_reads_them(sshd: Sshd, tmp_path: Path, content: str, ok: bool) -> None:
    key, other = sshd.host_key(), public(make_key(tmp_path / "other"))
    text = content.format(name=f"[127.0.0.1]:{sshd.port}", key=key, other=other)
    sshd.known_hosts.write_bytes(text.encode("latin-1"))
    assert (await probe_through(sshd)).ok is ok
    assert openssh_connects(sshd) is ok


def openssh_connects(sshd: Sshd) -> bool:
    """Whether OpenSSH trusts the server by the same file."""
    options = [
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={sshd.known_hosts}",
        "IdentitiesOnly=yes",
        "BatchMode=yes",
    ]
    command = ["ssh", "-F", "none", "-p", str(sshd.port), "-i", str(sshd.identity), *(f"-o{each}" for each in options)]
    done = subprocess.run([*command, "127.0.0.1", "true"], capture_output=True, timeout=PATIENCE, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("known", ["rsa", "ecdsa", "ed25519"])
async def test_the_key_that_is_known_is_the_one_that_is_asked_for(tmp_path: Path, sshd: Sshd, known: str) -> None:
    with Sshd(tmp_path / "three", host_key_kinds=("rsa", "ecdsa", "ed25519")) as three:
        three.trust([known])
        assert (await probe_through(three)).ok


async def test_a_file_that_cannot_be_read_is_named(sshd: Sshd) -> None:
    sshd.known_hosts.unlink()
    sshd.known_hosts.mkdir()
    result = await probe_through(sshd)
    assert result.failures == {Failure.JUMP: 1}
    assert str(sshd.known_hosts) in result.error


@pytest.fixture
def key(tmp_path: Path) -> str:
    """A public key: its kind and its Base64 text."""
    return public(make_key(tmp_path / "key"))


def trust(tmp_path: Path, content: str, key: str, name: str = NAME) -> Trust:
    """What a file with this content says about the key."""
    file = tmp_path / "known_hosts"
    file.write_text(content)
    return KnownHosts([file, tmp_path / "missing"]).trust(name, base64.b64decode(key.split()[1]))[0]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("[10.0.0.4]:2222", Trust.KNOWN),
        ("web1,[10.0.0.4]:2222", Trust.KNOWN),
        ("[10.0.0.*]:2222", Trust.KNOWN),
        ("[10.0.0.?]:*", Trust.KNOWN),
        ("*,![10.0.0.4]:2222", Trust.UNKNOWN),
        ("10.0.0.4", Trust.UNKNOWN),
        ("[10.0.0.4]:2223", Trust.UNKNOWN),
        ("[10x0.0.4]:2222", Trust.UNKNOWN),
        ("|1|not base64|either", Trust.UNKNOWN),
        ("|2|AAAA|AAAA", Trust.UNKNOWN),
        ("|", Trust.UNKNOWN),
    ],
)
def test_names_in_a_line(tmp_path: Path, key: str, names: str, expected: Trust) -> None:
    assert trust(tmp_path, f"{names} {key}\n", key) is expected


def test_names_are_compared_without_regard_to_case(tmp_path: Path, key: str) -> None:
    assert trust(tmp_path, f"TestVM {key}\n", key, "testvm") is Trust.KNOWN
    assert trust(tmp_path, f"testvm {key}\n", key, "testVM") is Trust.KNOWN


@pytest.mark.parametrize(
    "line",
    ["", "#", NAME, f"{NAME} ssh-ed25519", f"{NAME} ssh-ed25519 ???", "@revoked", "@unheard-of x y z", "\x00\xff"],
)
def test_a_damaged_line_does_not_hide_the_others(tmp_path: Path, key: str, line: str) -> None:
    assert trust(tmp_path, f"{line}\n{NAME} {key}\n", key) is Trust.KNOWN


def test_a_certificate_authority_is_no_host_key(tmp_path: Path, key: str) -> None:
    assert trust(tmp_path, f"@cert-authority {NAME} {key}\n", key) is Trust.UNKNOWN


def test_a_key_that_is_listed_elsewhere_as_revoked_is_refused(tmp_path: Path, key: str) -> None:
    assert trust(tmp_path, f"{NAME} {key}\n@revoked {NAME} {key}\n", key) is Trust.REVOKED


def test_another_kind_of_key_than_the_known_one_counts_as_changed(tmp_path: Path, key: str) -> None:
    other = public(make_key(tmp_path / "rsa", kind="rsa"))
    assert trust(tmp_path, f"{NAME} {other}\n", key) is Trust.CHANGED


def test_known_kinds_are_asked_for_first(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"{NAME} ssh-rsa AAAA\n@revoked {NAME} ssh-ed25519 AAAA\nother ssh-ed25519 AAAA\n")
    algorithms = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"]
    assert KnownHosts([file]).order(NAME, algorithms) == [*algorithms[2:], *algorithms[:2]]


def test_the_name_of_a_machine_has_its_port_unless_it_is_the_usual_one() -> None:
    assert (lookup_name("web1", 22), lookup_name("web1", 2222)) == ("web1", "[web1]:2222")


def test_the_fingerprint_is_the_one_that_openssh_shows(tmp_path: Path, key: str) -> None:
    assert fingerprint(base64.b64decode(key.split()[1])) == keygen("-lf", str(tmp_path / "key.pub")).split()[1]
