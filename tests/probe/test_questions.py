"""What a person is asked on the way: once, and whatever the answer nothing is sent before it."""

from __future__ import annotations

import asyncio
import getpass
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from plstui.config.settings import Ssh
from plstui.domain.probe import Failure, TargetResult
from plstui.domain.question import Question
from plstui.domain.sides import Side
from tests.probe.probing import probe, probing
from tests.probe.servers import answering, page, target
from tests.probe.sshd import PATIENCE, Sshd, make_key, shell

PASSPHRASE = "correct hörse"


class Person:
    """Gives answers in turn, and no to all that comes after them."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)
        self.asked: list[Question] = []

    async def __call__(self, question: Question) -> str | None:
        self.asked.append(question)
        return self.answers.pop(0) if self.answers else None


async def probe_through(sshd: Sshd, person: Person, times: int = 1) -> Sequence[TargetResult]:
    async with answering(page("web1")) as port, probing(sshd.ssh, sshd.ssh, ask=person) as prober:
        return [(await probe(prober, target(port)))[0] for _ in range(times)]


@pytest.fixture(params=["ed25519", "rsa", "ecdsa"])
def locked(request: pytest.FixtureRequest, sshd: Sshd, tmp_path: Path) -> Sshd:
    """An sshd whose key has a passphrase."""
    sshd.stop()
    sshd.identity = make_key(tmp_path / "locked", kind=request.param, passphrase=PASSPHRASE)
    return sshd.start()


async def test_a_passphrase_is_asked_for_once_and_kept_while_plstui_runs(locked: Sshd) -> None:
    person = Person(PASSPHRASE)
    async with answering(page("web1")) as port, probing(locked.ssh, ask=person) as prober:
        assert (await probe(prober, target(port)))[0].ok
        locked.stop()
        assert not (await probe(prober, target(port)))[0].ok
        locked.start()
        assert (await probe(prober, target(port)))[0].ok
    [question] = person.asked
    assert question.secret
    assert str(locked.identity) in question.text


def with_passphrase(sshd: Sshd) -> None:
    """Give the key that the server accepts a passphrase."""
    command = ["ssh-keygen", "-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", str(sshd.identity)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)


async def test_a_wrong_passphrase_may_be_mended_twice(sshd: Sshd) -> None:
    with_passphrase(sshd)
    person = Person("wrong", "\x00", PASSPHRASE)
    assert (await probe_through(sshd, person))[0].ok
    assert [question.text.startswith("That was wrong.") for question in person.asked] == [False, True, True]

    person = Person("wrong", "wrong", "wrong", PASSPHRASE)
    first, second = await probe_through(sshd, person, 2)
    assert len(person.asked) == 3
    assert first.failures == second.failures == {Failure.JUMP: 1}
    assert "wrong" in first.error
    assert "has a passphrase; add it to the agent" in second.error


async def test_no_passphrase_is_no_for_good_and_nothing_tells_what_was_typed(
    sshd: Sshd, capfd: pytest.CaptureFixture[str]
) -> None:
    with_passphrase(sshd)
    person = Person(None, PASSPHRASE)
    first, second = await probe_through(sshd, person, 2)
    assert len(person.asked) == 1
    assert first.error == second.error
    assert "has a passphrase" in first.error
    secret = Person("s3cret-attempt")
    [result] = await probe_through(sshd, secret)
    assert "s3cret" not in result.error
    assert "s3cret" not in "".join(capfd.readouterr())


async def test_a_machine_met_for_the_first_time_is_asked_about_and_remembered(sshd: Sshd, home: Path) -> None:
    known, folder = sshd.known_hosts.read_text(), home / "new"
    sshd.known_hosts = folder / "known_hosts"
    person = Person("")
    first, second = await probe_through(sshd, person, 2)
    assert first.ok
    assert second.ok
    [question] = person.asked
    assert not question.secret
    assert "SHA256:" in question.text
    assert sshd.known_hosts.read_text() == known
    assert (sshd.known_hosts.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


async def test_a_line_is_added_to_a_file_that_does_not_end_in_one(sshd: Sshd) -> None:
    known = sshd.known_hosts.read_text()
    sshd.known_hosts.write_text("# mine")
    assert (await probe_through(sshd, Person("")))[0].ok
    assert sshd.known_hosts.read_text() == f"# mine\n{known}"


async def test_a_machine_that_is_not_trusted_is_not_asked_about_again_and_gets_no_key(sshd: Sshd) -> None:
    sshd.known_hosts.write_text("")
    person = Person(None, "")
    first, second = await probe_through(sshd, person, 2)
    assert len(person.asked) == 1
    assert first.failures == second.failures == {Failure.JUMP: 1}
    assert sshd.known_hosts.read_text() == ""
    sshd.stop()
    assert not any("Accepted" in line for line in sshd.log)


async def test_a_file_that_cannot_be_written_is_said(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sshd.known_hosts = tmp_path / "file" / "known_hosts"
    [result] = await probe_through(sshd, Person(""))
    assert result.failures == {Failure.JUMP: 1}
    assert str(sshd.known_hosts) in result.error


@pytest.mark.parametrize("kept", ["/dev/null", "link", "none"])
async def test_where_no_host_keys_are_kept_one_yes_is_enough_until_plstui_ends(
    sshd: Sshd, home: Path, kept: str
) -> None:
    (home / "link").symlink_to("/dev/null")
    (home / ".ssh/config").write_text(
        f"Host web1 web2\n HostName 127.0.0.1\n Port {sshd.port}\n User {getpass.getuser()}\n"
        f" IdentityFile {sshd.identity}\n StrictHostKeyChecking no\n"
        f" UserKnownHostsFile {home / 'link' if kept == 'link' else kept}\n"
    )
    person = Person("")
    one, other = Ssh(jump="web1"), Ssh(jump="web2")
    async with answering(page("web1")) as port, probing(one, other, ask=person) as prober:
        wanted = (target(port), target(port, "endpoint", side=Side.CUSTOMER))
        assert all(result.ok for result in await probe(prober, *wanted))
        sshd.stop()
        assert not any(result.ok for result in await probe(prober, *wanted))
        sshd.start()
        assert all(result.ok for result in await probe(prober, *wanted))
    [question] = person.asked
    assert question.text.endswith("Yes is kept in memory until plstui ends.")
    assert not (home / ".ssh/known_hosts").exists()

    # Where nobody is there to ask, a command that works is told.
    async with answering(page("web1")) as port, probing(one) as prober:
        [result] = await probe(prober, target(port))
    _, _, command = result.error.partition("set known_hosts to ~/.ssh/known_hosts and accept it: ")
    shell(command)
    async with answering(page("web1")) as port, probing(Ssh(jump="web1", known_hosts="~/.ssh/known_hosts")) as prober:
        assert (await probe(prober, target(port)))[0].ok


async def test_another_key_is_another_question_also_where_none_are_kept(sshd: Sshd, tmp_path: Path) -> None:
    sshd.known_hosts = Path("/dev/null")
    person = Person("", None)
    async with answering(page("web1")) as port, probing(sshd.ssh, ask=person) as prober:
        assert (await probe(prober, target(port)))[0].ok
        sshd.stop()
        sshd.host_keys = [make_key(tmp_path / "another")]
        sshd.start()
        assert not (await probe(prober, target(port)))[0].ok
    assert len({question.text for question in person.asked}) == 2


async def test_a_passphrase_is_asked_for_once_for_both_sides(locked: Sshd) -> None:
    person = Person(PASSPHRASE)
    other = replace(locked.ssh, jump=f"{getpass.getuser()}@localhost:{locked.port}")
    locked.known_hosts.write_text(f"* {locked.host_key()}\n")
    async with answering(page("web1")) as port, probing(locked.ssh, other, ask=person) as prober:
        wanted = (target(port), target(port, "endpoint", side=Side.CUSTOMER))
        assert all(result.ok for result in await probe(prober, *wanted))
    assert len(person.asked) == 1


async def test_a_changed_key_is_no_question(sshd: Sshd, tmp_path: Path) -> None:
    other = " ".join((make_key(tmp_path / "other").with_suffix(".pub")).read_text().split()[:2])
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {other}\n")
    person = Person("", "")
    [result] = await probe_through(sshd, person)
    assert not person.asked
    assert "HAS CHANGED" in result.error


async def test_two_sides_ask_one_after_the_other(tmp_path: Path, sshd: Sshd) -> None:
    asking, most = 0, 0
    asked_first, go_on = asyncio.Event(), asyncio.Event()

    async def person(question: Question) -> str | None:
        nonlocal asking, most
        asking += 1
        most = max(most, asking)
        asked_first.set()
        await go_on.wait()
        asking -= 1
        return ""

    with Sshd(tmp_path / "second") as second:
        for each in (sshd, second):
            each.known_hosts.write_text("")
        async with answering(page("web1")) as port, probing(sshd.ssh, second.ssh, ask=person) as prober:
            wanted = (target(port), target(port, "endpoint", side=Side.CUSTOMER))
            probed = asyncio.create_task(probe(prober, *wanted))
            await asked_first.wait()
            go_on.set()
            assert all(result.ok for result in await probed)
    assert most == 1


async def test_leaving_while_somebody_is_asked(sshd: Sshd) -> None:
    sshd.known_hosts.write_text("")
    asked = asyncio.Event()

    async def person(question: Question) -> str | None:
        asked.set()
        await asyncio.Event().wait()
        return None

    async with answering(page("web1")) as port, probing(sshd.ssh, ask=person) as prober:
        probed = asyncio.create_task(probe(prober, target(port)))
        await asked.wait()
        probed.cancel()
        await asyncio.wait([probed])
    assert sshd.known_hosts.read_text() == ""
