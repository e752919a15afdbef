"""paramiko's transport, with channels that do not need a thread each.

`Transport.open_channel` keeps a thread waiting until the target has answered, and a probe has hundreds of targets that
may never do. Worse, it keeps the reason of a failure in one place for all channels, so that of two targets that fail
at once one gets the other's reason, and it throws the server's words away, which alone tell a refused connection from
a missing route. So a channel's opening is sent and forgotten here, and the transport's own thread tells the channel's
stream what came back. For that this class uses some of paramiko's internals (as of 5.1), and only this class does.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import paramiko
from paramiko.common import cMSG_CHANNEL_OPEN
from paramiko.message import Message
from paramiko.packet import Packetizer

from plstui.domain.probe import Failure
from plstui.probe.answer import LONGEST_ANSWER
from plstui.probe.fetch import ConnectError
from plstui.probe.ssh.refusal import explain
from plstui.probe.threads import Worker

# What paramiko has to say about a failure is raised or reported; its log would be written across the screen.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False

WINDOW = LONGEST_ANSWER + 1
"""Bytes a target may send us before it is told to go on, which it never is: a body without end stops by itself."""

LOST = (paramiko.SSHException, EOFError, OSError)
"""What paramiko raises when the connection is no more."""


class ChannelStream:
    """One connection to a target through the jump machine.

    paramiko's thread calls `opened`, `refused` and, as if this were the event to set when there is something to read,
    `set` and `clear`. All else belongs to the event loop.
    """

    resolved = ""
    """The server does not tell which address it connected to."""

    def __init__(self, worker: Worker) -> None:
        self.channel: paramiko.Channel | None = None
        self._worker = worker
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._notified = False
        self._unwanted = False
        self._refusal: ConnectError | None = None
        # Moments are taken in the threads that send and receive: what the event loop is busy with does not count.
        self._asked_at = self._opened_at = self._sent_at = 0.0
        self._first_at: float | None = None
        self._any_byte = False

    @property
    def connect_ms(self) -> float:
        """Milliseconds from asking the jump machine for the connection until it stood."""
        return (self._opened_at - self._asked_at) * 1000

    @property
    def first_byte_ms(self) -> float | None:
        """Milliseconds from sending to the first byte that came; None while none did."""
        if not self._any_byte or self._first_at is None:
            return None
        return max(0.0, self._first_at - (self._sent_at or self._opened_at)) * 1000

    @property
    def answered(self) -> bool:
        """Whether the jump machine has said yes or no."""
        return bool(self._opened_at) or self._refusal is not None

    @property
    def unwanted(self) -> bool:
        """Whether nobody waits for this any more."""
        return self._unwanted

    def asked(self, channel: paramiko.Channel) -> None:
        """The channel is asked for now; called by the worker."""
        self.channel = channel
        channel.setblocking(False)
        channel.in_buffer.set_event(cast(Event, self))
        self._asked_at = perf_counter()

    def opened(self) -> None:
        """The connection stands."""
        self._opened_at = perf_counter()
        if self._unwanted:
            self._worker.post(self._close)
        self._notify()

    def refused(self, refusal: ConnectError) -> None:
        """There will be no connection."""
        self._refusal = refusal
        self._notify()

    def set(self) -> None:
        """Something has arrived, or the end."""
        if self._first_at is None and self._opened_at:
            self._first_at = perf_counter()
        self._notify()

    def clear(self) -> None:
        """Everything that has arrived was taken; nobody has to hear of it."""

    def _notify(self) -> None:
        # One call into the loop is enough, however many packets come before it looks.
        if not self._notified and not self._loop.is_closed():
            self._notified = True
            self._loop.call_soon_threadsafe(self._changed.set)

    async def _wait(self) -> None:
        await self._changed.wait()
        self._changed.clear()
        self._notified = False

    async def wait_open(self) -> None:
        """Wait until the connection stands. Raises `ConnectError`."""
        while not self._opened_at:
            if self._refusal:
                raise self._refusal
            if self.channel is None or self.channel.closed:
                raise ConnectError(Failure.JUMP, "The connection to the jump machine was lost.")
            await self._wait()

    async def send(self, data: bytes) -> None:
        """Send a request that fits into one packet; when the connection is gone, `receive` tells."""
        await self._worker.call(lambda: self._send(data))

    def _send(self, data: bytes) -> None:
        self._sent_at = perf_counter()
        # A time-out here is a server that takes nothing at all; no answer will come of it.
        with suppress(*LOST):
            self._open_channel().sendall(data)

    async def receive(self) -> bytes:
        """What has arrived since the last time, waiting for it if need be; empty at the end."""
        channel = self._open_channel()
        while True:
            # The order matters: what arrives after the end was looked for is found the next time.
            ended = channel.closed or channel.eof_received
            data: bytes = channel.in_buffer.empty()
            if data:
                self._any_byte = True
                return data
            if ended:
                return b""
            await self._wait()

    def close(self) -> None:
        """Give the connection up, also one that does not stand yet, without waiting for anything."""
        self._unwanted = True
        self._worker.post(self._close)

    def _close(self) -> None:
        with suppress(*LOST):
            if self.channel:
                self.channel.close()

    def _open_channel(self) -> paramiko.Channel:
        assert self.channel is not None, "used before it was opened"
        return self.channel


class _Packetizer(Packetizer):
    """paramiko's, without the thread that counts the seconds of the handshake: whoever logs in counts them too."""

    def start_handshake(self, timeout: float) -> None:
        """Nothing."""


class _Seen(dict[int, bool]):
    """The numbers of all channels there ever were. They only go up, so the highest is enough: a watch runs for days."""

    highest = -1

    def __setitem__(self, number: int, seen: bool) -> None:
        self.highest = max(self.highest, number)

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and 0 <= number <= self.highest


class Line(paramiko.Transport):
    """An SSH connection to one server."""

    if TYPE_CHECKING:
        # paramiko's internals that are used here.
        _channels: Any
        _next_channel: Callable[[], int]
        _send_user_message: Callable[[Message], None]

    def __init__(self, sock: socket.socket | paramiko.Channel) -> None:
        # Channels still being opened: nothing else holds on to them.
        self._opening: dict[int, ChannelStream] = {}
        self._opening_lock = Lock()
        self._sock = sock
        super().__init__(sock, packetizer_class=_Packetizer)
        self.channels_seen = _Seen()

    def ask(self, stream: ChannelStream, host: str, port: int, window: int) -> None:
        """Ask the server to connect to an address; what comes of it, `stream` hears. May block."""
        if stream.unwanted:
            return
        if not self.is_active():
            raise EOFError
        with self.lock:
            number = self._next_channel()
            channel: Any = paramiko.Channel(number)
            self._channels.put(number, channel)
            self.channels_seen[number] = True
            channel._set_transport(self)
            channel._set_window(window, self.default_max_packet_size)
        with self._opening_lock:
            self._opening[number] = stream
        message = Message()
        message.add_byte(cMSG_CHANNEL_OPEN)
        message.add_string("direct-tcpip")
        for number_or_text in (number, window, self.default_max_packet_size, host, port, "127.0.0.1", 0):
            if isinstance(number_or_text, str):
                message.add_string(number_or_text)
            else:
                message.add_int(number_or_text)
        stream.asked(channel)
        self._send_user_message(message)
        if not self.is_active():
            # It ended meanwhile: nothing was sent, and whoever closes the channels may not have seen this one.
            raise EOFError

    def _parse_channel_open_success(self, message: Message) -> None:
        number = message.get_int()
        message.rewind()
        super()._parse_channel_open_success(message)  # type: ignore[misc]
        if stream := self._answered(number):
            stream.opened()

    def _parse_channel_open_failure(self, message: Message) -> None:
        number, code, words = message.get_int(), message.get_int(), message.get_string()
        with self.lock:
            self._channels.delete(number)
        if stream := self._answered(number):
            stream.refused(explain(code, words.decode(errors="replace")))

    def _answered(self, number: int) -> ChannelStream | None:
        with self._opening_lock:
            return self._opening.pop(number, None)

    def hang_up(self) -> None:
        """End the connection at once. Never blocks when the connection beneath, if any, was hung up before."""
        if isinstance(self._sock, socket.socket):
            # Wakes the thread that reads from it.
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
        self.close()
        self._sock.close()

    def wait_ended(self, timeout: float) -> None:
        """Wait until its thread has ended, after `hang_up`."""
        if self.ident is not None:
            self.join(timeout)
