"""Keys that an ssh-agent holds, named in the SSH configuration: real ssh-agent, real sshd."""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from plstui.config.settings import Ssh
from plstui.domain.probe import TargetResult
from tests.probe.probing import probe, probing
from tests.probe.servers import answering, page, target
from tests.probe.sshd import PATIENCE, Sshd, make_key, shell


@contextmanager
def ssh_agent(socket: Path, *keys: Path) -> Iterator[str]:
    """A running agent that holds these keys; gives its socket."""
    # In the foreground it ends with this test, whatever happens.
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for key in keys:
            environ = {**os.environ, "SSH_AUTH_SOCK": str(socket)}
            subprocess.run(["ssh-add", "-q", str(key)], env=environ, check=True, timeout=PATIENCE)
        yield str(socket)
        process.terminate()


@pytest.fixture(params=["OpenSSH", "plstui"])
def reader(request: pytest.FixtureRequest) -> str:
    """Who reads the configuration."""
    return str(request.param)


@pytest.fixture
def kept(sshd: Sshd, tmp_path: Path) -> Path:
    """The key that the server accepts, where only the agent can get at it."""
    key = tmp_path / "kept"
    sshd.identity.rename(key)
    sshd.identity.with_suffix(".pub").rename(tmp_path / "kept.pub")
    return key


def forget(key: Path) -> None:
    """Remove a file."""
    key.unlink()


async def probe_with(
    sshd: Sshd, home: Path, options: str, reader: str, monkeypatch: pytest.MonkeyPatch
) -> TargetResult:
    """Probe through the server with these lines in the configuration."""
    (home / ".ssh/config").write_text(
        f"Host web1\n HostName 127.0.0.1\n Port {sshd.port}\n User {getpass.getuser()}\n"
        f" UserKnownHostsFile {sshd.known_hosts}\n{options}"
    )
    if reader == "plstui":
        monkeypatch.setenv("PATH", str(home))
    async with answering(page("web1")) as port, probing(Ssh(jump="web1")) as prober:
        [result] = await probe(prober, target(port))
    return result


@pytest.mark.parametrize("only", ["yes", "no"])
@pytest.mark.parametrize("named", ["{public}", "{folder}/only", "{folder}/only.pub", "${{KEYDIR}}/only", "%d/only"])
async def test_the_agents_key_whose_public_half_is_named_is_used(
    sshd: Sshd,
    kept: Path,
    home: Path,
    tmp_path: Path,
    named: str,
    only: str,
    reader: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, others = tmp_path / "keys", [make_key(tmp_path / f"other{number}") for number in range(7)]
    folder.mkdir()
    for place in (folder, home):
        (place / "only.pub").write_text(kept.with_suffix(".pub").read_text())
    monkeypatch.setenv("KEYDIR", str(folder))
    # More keys than a server lets anybody try, before the right one.
    with ssh_agent(tmp_path / "agent", *others, kept) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        forget(kept)
        options = f" IdentityFile {named.format(public=f'{kept}.pub', folder=folder)}\n IdentitiesOnly {only}\n"
        result = await probe_with(sshd, home, options, reader, monkeypatch)
    assert result.ok, result.error
    assert sum("Accepted publickey" in line for line in sshd.log) == 1
    assert not any("Failed publickey" in line for line in sshd.log)


async def test_a_locked_key_without_its_public_file_is_found_in_the_agent(
    sshd: Sshd, kept: Path, home: Path, tmp_path: Path, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_agent(tmp_path / "agent", kept) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        shell(f"ssh-keygen -q -p -P '' -N 'correct horse' -f {kept}")
        forget(kept.with_suffix(".pub"))
        options = f" IdentityFile {kept}\n IdentitiesOnly yes\n"
        result = await probe_with(sshd, home, options, reader, monkeypatch)
    assert result.ok, result.error


async def test_the_settings_can_name_the_public_half_too(
    sshd: Sshd, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_agent(tmp_path / "agent", kept) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        forget(kept)
        ssh = Ssh(jump=sshd.jump, known_hosts=str(sshd.known_hosts), identity_file=f"{kept}.pub")
        async with answering(page("web1")) as port, probing(ssh) as prober:
            [result] = await probe(prober, target(port))
    assert result.ok, result.error


@pytest.mark.parametrize("named", ["kept.pub", "kept"])
async def test_a_public_key_of_which_nobody_has_the_private_half_is_named_with_the_next_step(
    sshd: Sshd, kept: Path, home: Path, tmp_path: Path, named: str, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(kept)
    other = make_key(tmp_path / "other")
    with ssh_agent(tmp_path / "agent", other) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        options = f" IdentityFile {tmp_path / named}\n IdentitiesOnly yes\n"
        result = await probe_with(sshd, home, options, reader, monkeypatch)
    what = f"{tmp_path}/kept.pub is a public key" if named == "kept.pub" else f"only the public half of {kept} is there"
    assert result.error == (
        f"There is no key to log in to web1 with: {what}, and the agent has no private key for it; "
        "add that to the agent with ssh-add."
    )


@pytest.mark.parametrize("written", ["{socket}", "$PLSTUI_TEST_AGENT", "${{PLSTUI_TEST_AGENT}}", '"{socket}"'])
async def test_the_agent_that_is_named_is_asked(
    sshd: Sshd, kept: Path, home: Path, tmp_path: Path, written: str, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_agent(tmp_path / "agent 1", kept) as socket, ssh_agent(tmp_path / "usual") as usual:
        monkeypatch.setenv("SSH_AUTH_SOCK", usual)
        monkeypatch.setenv("PLSTUI_TEST_AGENT", socket)
        written = written.format(socket=socket)
        options = f" IdentityAgent {written if written[0] != '/' else written.replace(' ', chr(92) + ' ')}\n"
        result = await probe_with(sshd, home, options, reader, monkeypatch)
    assert result.ok, result.error


@pytest.mark.parametrize(("written", "works"), [("SSH_AUTH_SOCK", True), ("none", False), ("$PLSTUI_NONE", False)])
async def test_the_usual_agent_and_none(
    sshd: Sshd,
    kept: Path,
    home: Path,
    tmp_path: Path,
    written: str,
    works: bool,
    reader: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ssh_agent(tmp_path / "agent", kept) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        options = f" IdentityAgent {written}\n IdentityFile {kept}.pub\n"
        result = await probe_with(sshd, home, options, reader, monkeypatch)
    assert result.ok is works, result.error


async def test_an_agent_that_does_not_answer_is_named(
    sshd: Sshd, kept: Path, home: Path, tmp_path: Path, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = f" IdentityAgent {tmp_path}/gone\n IdentityFile none\n"
    result = await probe_with(sshd, home, options, reader, monkeypatch)
    assert result.error == (
        "There is no key to log in to web1 with: no key file is named, and the agent has no key for it; "
        f"the agent at {tmp_path}/gone does not answer: No such file or directory."
    )
