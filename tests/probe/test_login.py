"""Keys, aliases and machines in a row: getting into a real sshd."""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from plstui.config.settings import Ssh
from plstui.domain.probe import Failure, TargetResult
from plstui.domain.question import Question
from tests.probe.conftest import Nginx
from tests.probe.probing import probe, probing
from tests.probe.servers import answering, page, target
from tests.probe.sshd import PATIENCE, Sshd, make_key, shell

PASSPHRASE = "correct horse"


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A running ssh-agent without keys."""
    socket = tmp_path / "agent"
    # In the foreground it ends with this test, whatever happens.
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        yield
        process.terminate()


def add_to_agent(key: Path, passphrase: str, directory: Path) -> None:
    """What `ssh-add` does when its question is answered."""
    answer = directory / "askpass"
    answer.write_text(f"#!/bin/sh\necho '{passphrase}'\n")
    answer.chmod(0o700)
    subprocess.run(
        ["ssh-add", "-q", str(key)],
        env={**os.environ, "SSH_ASKPASS": str(answer), "SSH_ASKPASS_REQUIRE": "force"},
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=PATIENCE,
    )


async def probe_through(ssh: Ssh) -> TargetResult:
    async with answering(page("web1")) as port, probing(ssh) as prober:
        [result] = await probe(prober, target(port))
    return result


def with_passphrase(sshd: Sshd) -> None:
    """Give the key that the server accepts a passphrase."""
    command = ["ssh-keygen", "-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", str(sshd.identity)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)


async def test_an_alias_of_the_ssh_configuration(sshd: Sshd, home: Path) -> None:
    (home / ".ssh/config").write_text(
        f"Host testVM\n HostName 127.0.0.1\n Port {sshd.port}\n User {getpass.getuser()}\n"
        f" IdentityFile {sshd.identity}\n UserKnownHostsFile {sshd.known_hosts}\n"
    )
    result = await probe_through(Ssh(jump="testVM"))
    assert result.hosts == {"web1": 1}
    assert result.route == "ssh testVM"


async def test_a_host_key_alias_is_the_name_that_is_looked_up(sshd: Sshd, home: Path) -> None:
    (home / ".ssh/config").write_text(f"Host testVM\n HostName 127.0.0.1\n Port {sshd.port}\n HostKeyAlias lab-vm\n")
    sshd.known_hosts.write_text("")
    ssh = Ssh(jump=f"{getpass.getuser()}@testVM", identity_file=str(sshd.identity), known_hosts=str(sshd.known_hosts))
    result = await probe_through(ssh)
    assert result.failures == {Failure.JUMP: 1}
    _, _, command = result.error.partition("accept it: ")
    shell(command)
    assert sshd.known_hosts.read_text() == f"lab-vm {sshd.host_key()}\n"
    assert (await probe_through(ssh)).ok


async def test_two_machines_in_a_row(sshd: Sshd, tmp_path: Path, home: Path) -> None:
    with Sshd(tmp_path / "inner") as inner:
        (home / ".ssh/config").write_text(
            f"Host outer inner\n HostName 127.0.0.1\n User {getpass.getuser()}\n"
            f"Host outer\n Port {sshd.port}\n IdentityFile {sshd.identity}\n UserKnownHostsFile {sshd.known_hosts}\n"
            f"Host inner\n Port {inner.port}\n IdentityFile {inner.identity}\n UserKnownHostsFile {inner.known_hosts}\n"
            " ProxyJump outer\n"
        )
        ssh = Ssh(jump="inner")
        async with answering(page("web1")) as port, probing(ssh) as prober:
            for _ in range(2):
                [result] = await probe(prober, target(port), count=12)
                assert result.hosts == {"web1": 12}
            # The first machine takes the second with it; neither thread nor socket may be waiting for the other.
            sshd.stop()
            [result] = await probe(prober, target(port))
            assert result.failures == {Failure.JUMP: 1}
        # Nothing of the outer connection came from elsewhere than the outer machine.
        assert sum("Accepted publickey" in line for line in inner.log) == 1

        sshd.start()
        inner.known_hosts.write_text("")
        result = await probe_through(ssh)
        # A scan does not reach it from here, so the key itself is in the command.
        assert result.error.endswith(
            f"accept it: echo '[127.0.0.1]:{inner.port} {inner.host_key()}' >> {inner.known_hosts}"
        )

    result = await probe_through(ssh)
    assert result.error == (
        f"inner (127.0.0.1:{inner.port}) cannot be reached. The jump machine could not connect: Connection refused."
    )


async def test_a_key_with_a_passphrase_is_used_once_the_agent_holds_it(sshd: Sshd, tmp_path: Path, agent: None) -> None:
    with_passphrase(sshd)
    result = await probe_through(sshd.ssh)
    assert result.failures == {Failure.JUMP: 1}
    assert result.error == (
        f"There is no key to log in to 127.0.0.1 with: {sshd.identity} has a passphrase; add it to the agent: "
        f"ssh-add {sshd.identity}."
    )
    add_to_agent(sshd.identity, PASSPHRASE, tmp_path)
    assert (await probe_through(sshd.ssh)).ok


async def test_a_key_that_only_the_agent_has(sshd: Sshd, tmp_path: Path, agent: None) -> None:
    add_to_agent(sshd.identity, "", tmp_path)
    assert (await probe_through(Ssh(jump=sshd.jump, known_hosts=str(sshd.known_hosts)))).ok


async def test_the_agents_other_keys_are_not_shown_when_a_file_is_named(
    sshd: Sshd, tmp_path: Path, agent: None
) -> None:
    add_to_agent(sshd.identity, "", tmp_path)
    other = make_key(tmp_path / "other")
    result = await probe_through(Ssh(jump=sshd.jump, known_hosts=str(sshd.known_hosts), identity_file=str(other)))
    assert result.error == f"127.0.0.1 does not accept the key of {getpass.getuser()}."


async def test_the_usual_key_is_found(sshd: Sshd, home: Path) -> None:
    sshd.identity.rename(home / ".ssh/id_ed25519")
    assert (await probe_through(Ssh(jump=sshd.jump, known_hosts=str(sshd.known_hosts)))).ok


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
async def test_other_kinds_of_keys(sshd: Sshd, tmp_path: Path, kind: str) -> None:
    sshd.stop()
    sshd.identity = make_key(tmp_path / "key", kind=kind)
    sshd.start()
    assert (await probe_through(sshd.ssh)).ok


async def test_no_key_at_all(sshd: Sshd, home: Path) -> None:
    result = await probe_through(Ssh(jump=sshd.jump, known_hosts=str(sshd.known_hosts)))
    keys = " and ".join(f"{home}/.ssh/{name}" for name in ("id_ed25519", "id_ecdsa", "id_rsa"))
    assert result.error == f"There is no key to log in to 127.0.0.1 with: {keys} missing."


async def test_a_file_that_is_no_key(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "nonsense").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
    ssh = Ssh(jump=sshd.jump, known_hosts=str(sshd.known_hosts), identity_file=str(tmp_path / "nonsense"))
    result = await probe_through(ssh)
    assert result.error == (
        f"There is no key to log in to 127.0.0.1 with: {tmp_path}/nonsense is not a private key of a kind that "
        "can be used."
    )


async def test_a_server_that_wants_a_password_is_never_given_one(sshd: Sshd, tmp_path: Path) -> None:
    options = ["PubkeyAuthentication no"]
    with Sshd(tmp_path / "other", options=options) as other:
        sshd.stop()
        result = await probe_through(other.ssh)
    assert result.failures == {Failure.JUMP: 1}
    assert result.error.startswith("127.0.0.1 does not allow a login with a key")


async def test_an_agent_that_is_gone_is_no_trouble(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    assert (await probe_through(sshd.ssh)).ok


async def test_aliases_two_machines_a_passphrase_and_a_real_nginx_before_and_after_a_restart(
    sshd: Sshd, tmp_path: Path, home: Path, nginx: Nginx
) -> None:
    asked: list[Question] = []

    async def person(question: Question) -> str | None:
        asked.append(question)
        return PASSPHRASE

    sshd.stop()
    sshd.identity = make_key(tmp_path / "locked", passphrase=PASSPHRASE)
    sshd.start()
    with Sshd(tmp_path / "inner") as inner:
        (home / ".ssh/config").write_text(
            f"Host bastion testVM\n HostName 127.0.0.1\n User {getpass.getuser()}\n"
            f"Host bastion\n Port {sshd.port}\n IdentityFile {sshd.identity}\n UserKnownHostsFile {sshd.known_hosts}\n"
            f"Host testVM\n Port {inner.port}\n IdentityFile {inner.identity}\n"
            f" UserKnownHostsFile {inner.known_hosts}\n"
        )
        for known in (sshd.known_hosts, inner.known_hosts):
            shell(f"ssh-keygen -Hf {known}")
            assert "127.0.0.1" not in known.read_text()
        async with probing(Ssh(jump="bastion,testVM"), ask=person) as prober:
            for machine in (None, sshd, inner):
                if machine:
                    machine.stop()
                    machine.start()
                plain, tls = await probe(prober, target(nginx.port), target(nginx.tls_port), count=6)
                assert (plain.hosts, plain.route) == ({"web1": 6}, "ssh bastion,testVM")
                assert tls.failures == {Failure.TLS: 6}
    assert len(asked) == 1
