"""Jump machines that misbehave: servers that are no sshd, or not any more."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import asyncssh
import pytest

from plstui.config.settings import Ssh
from plstui.domain.probe import Failure, TargetResult
from plstui.domain.text import clean
from plstui.probe.ssh import connection, login
from tests.probe.probing import LONG, SHORT, probe, probing
from tests.probe.servers import answering, page, serving, target, unanswered
from tests.probe.tunnel import tunnel

Session = asyncssh.SSHTCPSession[bytes]
Connect = Callable[[asyncssh.SSHServerConnection, str, int], Awaitable[Session]]


class Machine(asyncssh.SSHServer):
    """Takes any key, and does with a request for a connection what the test says."""

    def __init__(self, connect: Connect, accepts: asyncio.Event) -> None:
        self._connect = connect
        self._accepts = accepts

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return await self._accepts.wait()

    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> Awaitable[asyncssh.SSHTCPSession[bytes]]:
        return self._connect(self._connection, dest_host, dest_port)


async def forward(conn: asyncssh.SSHServerConnection, host: str, port: int) -> Session:
    """Connect, as a jump machine should."""
    return cast(Session, await conn.forward_connection(host, port))


def saying(words: str, code: int = asyncssh.OPEN_CONNECT_FAILED) -> Connect:
    """Refuse every connection with these words."""

    async def connect(_conn: asyncssh.SSHServerConnection, _host: str, _port: int) -> Session:
        raise asyncssh.ChannelOpenError(code, words)

    return connect


@asynccontextmanager
async def machine(directory: Path, connect: Connect, *, accepts: bool = True, ciphers: str = "") -> AsyncIterator[Ssh]:
    """A server by asyncssh; yields the settings with which it is used."""
    host_key, identity = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    identity.write_private_key(directory / "identity")
    accepting = asyncio.Event()
    if accepts:
        accepting.set()
    server = await asyncssh.create_server(
        lambda: Machine(connect, accepting),
        *("127.0.0.1", 0),
        server_host_keys=[host_key],
        encryption_algs=ciphers or (),
    )
    port = server.get_port()
    (directory / "known_hosts").write_bytes(b"* " + host_key.export_public_key())
    try:
        yield at(port, directory)
    finally:
        server.close()
        await server.wait_closed()


def at(port: int, directory: Path) -> Ssh:
    """Settings for a machine on a port."""
    return Ssh(
        jump=f"lab@127.0.0.1:{port}",
        identity_file=str(directory / "identity"),
        known_hosts=str(directory / "known_hosts"),
    )


async def probe_through(ssh: Ssh, *, connect_timeout: float = LONG) -> TargetResult:
    async with probing(ssh, connect_timeout=connect_timeout) as prober:
        [result] = await probe(prober, target(80))
    return result


@pytest.mark.parametrize(
    ("words", "failure"),
    [
        ("Connection refused", Failure.REFUSED),
        ("Connection timed out", Failure.TIMEOUT),
        ("No route to host", Failure.NO_ROUTE),
        ("Network is unreachable", Failure.NO_ROUTE),
        ("Connection reset by peer", Failure.RESET),
        ("Name or service not known", Failure.NOT_FOUND),
        ("Temporary failure in name resolution", Failure.NOT_FOUND),
        ("No address associated with hostname", Failure.NOT_FOUND),
        ("[Errno 111] Connect call failed ('10.0.1.4', 80)", Failure.REFUSED),
        ("[Errno 113] Connect call failed ('10.0.1.4', 80)", Failure.NO_ROUTE),
        ("", Failure.REFUSED),
        ("Nein", Failure.REFUSED),
    ],
)
async def test_the_words_of_the_machine_tell_what_is_wrong(tmp_path: Path, words: str, failure: Failure) -> None:
    async with machine(tmp_path, saying(words)) as ssh:
        result = await probe_through(ssh)
    assert result.failures == {failure: 1}
    assert (words or "it does not say why") in result.error


async def test_each_target_gets_its_own_reason_however_many_fail_at_once(tmp_path: Path) -> None:
    together = asyncio.Barrier(30)
    kinds = {
        81: (Failure.REFUSED, "Connection refused"),
        82: (Failure.NO_ROUTE, "No route to host"),
        83: (Failure.NOT_FOUND, "Name or service not known"),
    }

    async def connect(_conn: asyncssh.SSHServerConnection, _host: str, port: int) -> Session:
        await together.wait()
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, kinds[port][1])

    async with machine(tmp_path, connect) as ssh, probing(ssh) as prober:
        results = await probe(prober, *(target(port) for port in kinds), count=10)
    assert [result.failures for result in results] == [{failure: 10} for failure, _ in kinds.values()]


@pytest.mark.parametrize(
    "code",
    [
        asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED,
        asyncssh.OPEN_UNKNOWN_CHANNEL_TYPE,
        asyncssh.OPEN_RESOURCE_SHORTAGE,
        4711,
    ],
)
async def test_a_machine_that_does_not_forward_is_to_blame_itself(tmp_path: Path, code: int) -> None:
    async with machine(tmp_path, saying("open failed", code)) as ssh:
        result = await probe_through(ssh)
    assert result.failures == {Failure.JUMP: 1}
    assert "open failed" in result.error


async def test_hostile_words_are_made_harmless(tmp_path: Path) -> None:
    words = "\x1b[2J[bold red]x[/]\r\n\u202e" + "x" * 10_000
    async with machine(tmp_path, saying(words)) as ssh:
        result = await probe_through(ssh)
    assert "[2J[bold red]x[/] x" in result.error
    assert result.error == clean(result.error, 200)


async def test_a_connection_that_comes_about_too_late_is_given_up(tmp_path: Path) -> None:
    go_on, closed = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b""
        closed.set()

    async def connect(conn: asyncssh.SSHServerConnection, host: str, port: int) -> Session:
        await go_on.wait()
        return await forward(conn, host, port)

    async with serving(hang) as late, machine(tmp_path, connect) as ssh, probing(ssh, connect_timeout=SHORT) as prober:
        [result] = await probe(prober, target(late))
        assert result.failures == {Failure.TIMEOUT: 1}
        go_on.set()
        await closed.wait()


async def test_a_connection_that_went_silent_while_idle_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ANSWER_TIMEOUT", SHORT)
    async with answering(page("web1")) as port, machine(tmp_path, forward) as ssh:
        real = int(ssh.jump.rpartition(":")[2])
        async with tunnel(real) as way, probing(at(way.port, tmp_path)) as prober:
            assert (await probe(prober, target(port)))[0].ok
            way.cut()
            assert (await probe(prober, target(port)))[0].ok


async def test_a_machine_that_falls_silent_is_told_from_a_target_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ANSWER_TIMEOUT", SHORT)
    asked, never = asyncio.Event(), asyncio.Event()

    async def connect(conn: asyncssh.SSHServerConnection, host: str, port: int) -> Session:
        asked.set()
        await never.wait()
        return await forward(conn, host, port)

    async with machine(tmp_path, connect) as ssh:
        real = int(ssh.jump.rpartition(":")[2])
        async with tunnel(real) as way, probing(at(way.port, tmp_path), connect_timeout=SHORT) as prober:
            [result] = await probe(prober, target(80), count=3)
            assert result.failures == {Failure.TIMEOUT: 3}
            asked.clear()
            probed = asyncio.create_task(probe(prober, target(80), count=3))
            await asked.wait()
            way.cut()
            [result] = await probed
            assert result.failures == {Failure.JUMP: 3}
            assert result.error == f"The connection to lab@127.0.0.1:{way.port} was lost."


async def test_a_machine_that_cannot_be_connected_to(tmp_path: Path) -> None:
    with unanswered() as port:
        result = await probe_through(at(port, tmp_path), connect_timeout=SHORT)
    assert result.failures == {Failure.JUMP: 1}
    assert result.error == f"The jump machine 127.0.0.1:{port} cannot be reached: no answer within 0.5 s."


async def test_a_machine_whose_name_is_not_known(tmp_path: Path) -> None:
    result = await probe_through(Ssh(jump="lab@nowhere.invalid"))
    assert result.failures == {Failure.JUMP: 1}
    assert "nowhere.invalid:22" in result.error
    assert result.error.endswith("; set [isv.ssh] jump.")


@pytest.mark.parametrize(
    "first",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-1.5-old\r\n", b"SSH-2.0-x\r\n" + bytes(range(256)), b"\xff" * 50],
)
async def test_a_server_that_is_none_for_ssh(tmp_path: Path, first: bytes) -> None:
    async with answering_at_once(first) as port:
        result = await probe_through(at(port, tmp_path))
    assert result.failures == {Failure.JUMP: 1}
    assert f"127.0.0.1:{port}" in result.error or "127.0.0.1 and plstui" in result.error
    assert result.error == clean(result.error, 250)
    assert not re.search(r"banner|Exception|Error|Indecipherable|peer|b'", result.error), result.error


@asynccontextmanager
async def answering_at_once(first: bytes) -> AsyncIterator[int]:
    """A server that sends these bytes to everybody and closes."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)

    async with serving(serve) as port:
        yield port


async def test_a_server_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "BANNER_TIMEOUT", SHORT)
    never = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await never.wait()

    async with serving(hang) as port:
        result = await probe_through(at(port, tmp_path))
    assert result.failures == {Failure.JUMP: 1}
    assert "does not answer like an SSH server" in result.error


async def test_a_server_that_does_not_exchange_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "HANDSHAKE_TIMEOUT", SHORT)
    never = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await never.wait()

    async with serving(hang) as port:
        result = await probe_through(at(port, tmp_path))
    assert result.failures == {Failure.JUMP: 1}
    assert result.error.endswith("does not answer like an SSH server: it did not exchange keys within 0.5 s.")


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.2\r\n"])
async def test_leaving_waits_for_no_login_that_hangs(tmp_path: Path, patient: float, greeting: bytes) -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        # With a greeting there follows a key exchange, of which the beginning has come when this is read.
        await reader.readexactly(500 if greeting else 1)
        asked.set()
        await never.wait()

    async with serving(hang) as port, probing(at(port, tmp_path), connect_timeout=patient) as prober:
        probed = asyncio.create_task(probe(prober, target(80)))
        await asked.wait()
        probed.cancel()
        await asyncio.wait([probed])
        # Neither has the server gone on nor a time-out run out, and yet all of it is over.
        await prober.close()


async def test_a_server_that_does_not_decide_about_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "AUTH_TIMEOUT", SHORT)
    async with machine(tmp_path, forward, accepts=False) as ssh:
        result = await probe_through(ssh)
    assert result.failures == {Failure.JUMP: 1}
    assert result.error == "127.0.0.1 did not say within 0.5 s whether it accepts the key of lab."


async def test_a_server_without_a_common_algorithm(tmp_path: Path) -> None:
    async with machine(tmp_path, forward, ciphers="chacha20-poly1305@openssh.com") as ssh:
        result = await probe_through(ssh)
    assert result.failures == {Failure.JUMP: 1}
    assert result.error == "127.0.0.1 and plstui have no algorithm in common to encrypt; ssh -vv shows its own."
