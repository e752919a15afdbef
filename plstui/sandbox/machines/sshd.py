"""The SSH server of a machine: key login, commands, a shell, and channels into its network."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncssh
from asyncssh.stream import SSHTCPStreamSession

from plstui.sandbox.machines.network import ConnectError, Connection, Network
from plstui.sandbox.machines.relay import relay
from plstui.sandbox.machines.session import SessionFactory, serve_session

MOST_CONNECTIONS = 100
"""Clients of one machine at a time."""
MOST_SESSIONS = 10
"""Sessions in one connection, OpenSSH's own limit."""
MOST_FORWARDS = 256
"""Channels into the network in one connection: a probe of a fleet opens fifty at a time."""
LOGIN_SECONDS = 30
"""How long somebody may take to log in; OpenSSH gives two minutes, but places are fewer here."""


class HostKey:
    """A machine's host key."""

    def __init__(self, private: str) -> None:
        """`private` is a private key as OpenSSH's file."""
        self.private = asyncssh.import_private_key(private)

    @property
    def public(self) -> str:
        """One line, `ssh-ed25519 AAAA…`, without a comment."""
        return " ".join(self.private.export_public_key().decode().split()[:2])


class SshServer:
    """One listening SSH server."""

    def __init__(self, sessions: SessionFactory, network: Network, user: str, keys: Sequence[str]) -> None:
        self._sessions = sessions
        self._network = network
        self._user = user
        self._keys = _read_keys(keys)
        self._key: HostKey
        self._acceptor: asyncssh.SSHAcceptor
        self._open: set[asyncssh.SSHServerConnection] = set()
        self._silence: asyncio.Server | None = None

    async def start(self, key: HostKey, port: int = 0) -> int:
        """Listen on 127.0.0.1, on the given port if it is free; returns the port."""
        self._key = key
        try:
            self._acceptor = await self._listen(key, port)
        except OSError:
            if not port:
                raise
            self._acceptor = await self._listen(key, 0)
        return self._acceptor.get_port()

    async def _listen(self, key: HostKey, port: int) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            port,
            server_factory=lambda: _Login(self),
            server_host_keys=[key.private],
            login_timeout=LOGIN_SECONDS,
            server_version="plstui-sandbox",
            password_auth=False,
            kbdint_auth=False,
            gss_host=None,
            allow_pty=True,
            agent_forwarding=False,
            x11_forwarding=False,
            allow_scp=False,
            sftp_factory=None,
            compression_algs=None,
            encoding="utf-8",
            errors="surrogateescape",
            config=[],
        )

    async def process(self, process: asyncssh.SSHServerProcess[str]) -> None:
        """Serve one session."""
        await self._sessions.guest.answering.wait()
        await serve_session(process, self._sessions)

    async def mute(self) -> None:
        """Take connections and say nothing on them, as a machine does whose programs are stuck."""
        port = self._acceptor.get_port()
        self._acceptor.close()
        self._silence = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", port)

    async def unmute(self) -> None:
        """Be a server again; who connected meanwhile must come again."""
        if self._silence:
            port = self._silence.sockets[0].getsockname()[1]
            self._end_silence()
            self._acceptor = await self._listen(self._key, port)

    def _end_silence(self) -> None:
        silence, self._silence = self._silence, None
        if silence:
            silence.close()

    async def stop(self) -> None:
        """Close the port and end the connections."""
        self._end_silence()
        self._acceptor.close()
        for connection in list(self._open):
            connection.abort()
        await self._acceptor.wait_closed()

    def allows(self, user: str, key: asyncssh.SSHKey) -> bool:
        """Whether a key logs a user in."""
        return user == self._user and key.public_data in self._keys


class _Login(asyncssh.SSHServer):
    """One connection: who may log in, and where its channels may lead."""

    def __init__(self, server: SshServer) -> None:
        self._server = server
        self._connection: asyncssh.SSHServerConnection
        self._opening: set[asyncio.Task[Any]] = set()
        self.sessions = 0
        self._forwards = 0

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._server._open.add(conn)
        if len(self._server._open) > MOST_CONNECTIONS:
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._open.discard(self._connection)
        for task in self._opening:
            task.cancel()

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._server.allows(username, key)

    def session_requested(self) -> Any:
        if self.sessions >= MOST_SESSIONS:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, "Too many sessions in this connection")
        self.sessions += 1
        return _Session(self, self._server)

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> Any:
        if self._forwards >= MOST_FORWARDS:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, "Too many channels in this connection")
        self._forwards += 1
        return self._connect(dest_host, dest_port)

    async def _connect(self, host: str, port: int) -> asyncssh.SSHTCPSession[bytes]:
        try:
            connection = await self._connected(host, port)
        except BaseException:
            self._forwards -= 1
            raise

        async def serve(reader: asyncssh.SSHReader[bytes], writer: asyncssh.SSHWriter[bytes]) -> None:
            try:
                await relay(reader, writer, connection, self._server._sessions.guest)
            finally:
                self._forwards -= 1

        return SSHTCPStreamSession[bytes](serve)

    async def _connected(self, host: str, port: int) -> Connection:
        task = asyncio.ensure_future(self._open(host, port))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        try:
            return await task
        except ConnectError as error:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, str(error)) from None
        except asyncio.CancelledError:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "Connection closed") from None

    async def _open(self, host: str, port: int) -> Connection:
        await self._server._sessions.guest.answering.wait()
        return await self._server._network.connect(host, port)


class _Session(asyncssh.SSHServerProcess[str]):
    """A session, which counts until its channel is closed."""

    def __init__(self, login: _Login, server: SshServer) -> None:
        super().__init__(server.process, None, 3, False)
        self._login = login

    def connection_lost(self, exc: Exception | None) -> None:
        self._login.sessions -= 1
        super().connection_lost(exc)


def _read_keys(lines: Sequence[str]) -> frozenset[bytes]:
    """The keys that may log in; a line that is no key lets nobody in."""
    keys: set[bytes] = set()
    for line in lines:
        try:
            keys.add(asyncssh.import_public_key(line).public_data)
        except asyncssh.KeyImportError:
            continue
    return frozenset(keys)
