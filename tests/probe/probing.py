"""Probe, and look at what is left of it afterwards."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from plstui.config.settings import Probe, RouteName, Settings, SideSettings, Ssh
from plstui.domain.probe import Target, TargetResult
from plstui.domain.question import Ask
from plstui.engine.ports import Prober
from plstui.probe.open import open_prober
from tests.probe.sshd import READER

LONG = 60.0
"""Seconds of a time-out that must not be what ends a test."""

FOREVER = 1e6
"""Seconds of a time-out that is longer than any test may last."""

SHORT = 0.5
"""Seconds of a time-out that a test waits for."""


@asynccontextmanager
async def probing(
    isv: Ssh | None = None,
    customer: Ssh | None = None,
    *,
    connect_timeout: float = LONG,
    read_timeout: float = LONG,
    routes: tuple[RouteName, ...] = ("ssh",),
    ask: Ask | None = None,
) -> AsyncIterator[Prober]:
    """A prober that, once closed, has left neither a thread nor a connection behind."""
    before = _threads()
    prober = open_prober(
        Settings(
            isv=SideSettings(ssh=isv or Ssh()),
            customer=SideSettings(ssh=customer or Ssh()),
            probe=Probe(connect_timeout=connect_timeout, read_timeout=read_timeout, routes=routes),
        ),
        ask=ask,
    )
    # Behind the machines that run in this process there are connections of theirs, which are not ours to end.
    ports = {int(port) for ssh in (isv, customer) if ssh and (port := ssh.jump.rpartition(":")[2]).isdecimal()}
    connected = outgoing_sockets(ports)
    try:
        yield prober
    finally:
        await prober.close()
    assert _threads() <= before
    assert outgoing_sockets(ports) <= connected


async def probe(prober: Prober, *targets: Target, count: int = 1) -> list[TargetResult]:
    """All results, in the order of the targets."""
    results = {result.target: result async for result in prober.probe(targets, count)}
    return [results[target] for target in targets]


def _threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name != READER}


def outgoing_sockets(to: set[int]) -> set[tuple[int, int]]:
    """This process's TCP connections to these ports, or to any when there are none: the port of our end and of theirs.

    The ends that the tests' own servers have accepted are left out: they listen in the same process.
    """
    ends: set[tuple[int, int]] = set()
    listening: set[int] = set()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if not os.readlink(entry).startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(entry.name))) as sock:
                if sock.family != socket.AF_INET:
                    continue
                if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    listening.add(sock.getsockname()[1])
                else:
                    ends.add((sock.getsockname()[1], sock.getpeername()[1]))
    return {(ours, theirs) for ours, theirs in ends if ours not in listening and (not to or theirs in to)}
