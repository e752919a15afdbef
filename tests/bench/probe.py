"""How long fifty targets take through one jump machine, against the slowest of them alone.

    python -m tests.bench.probe [TARGETS] [CONNECTIONS]

A real sshd is the jump machine. Behind it are web servers in a process of their own, each slower than the one before:
from no time at all to half a second until they answer.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter

from plstui.config.settings import Probe, Settings, SideSettings
from plstui.domain.probe import Target
from plstui.probe.open import Prober, open_prober
from tests.probe.servers import page, target
from tests.probe.sshd import Sshd

SLOWEST = 0.5
"""Seconds until the slowest answers."""


async def _serve(count: int, ready: Connection) -> None:
    async def start(number: int) -> asyncio.Server:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(SLOWEST * number / max(1, count - 1))
            writer.write(page(f"web{number}"))
            writer.close()

        return await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)

    servers = [await start(number) for number in range(count)]
    ready.send([server.sockets[0].getsockname()[1] for server in servers])
    await asyncio.Event().wait()


def _servers(count: int, ready: Connection) -> None:
    asyncio.run(_serve(count, ready))


async def _seconds(prober: Prober, targets: Sequence[Target], connections: int) -> float:
    started = perf_counter()
    results = [result async for result in prober.probe(targets, connections)]
    took = perf_counter() - started
    bad = [result.error for result in results if not result.ok]
    assert not bad, bad[0]
    return took


async def _measure(sshd: Sshd, ports: Sequence[int], connections: int) -> None:
    settings = Settings(isv=SideSettings(ssh=sshd.ssh), probe=Probe(connect_timeout=30, read_timeout=30))
    prober = open_prober(settings)
    targets = [target(port, f"web{number}") for number, port in enumerate(ports)]
    try:
        # The connection to the jump machine is kept, so it is no part of either.
        await _seconds(prober, targets[:1], 1)
        alone = min([await _seconds(prober, targets[-1:], connections) for _ in range(3)])
        together = min([await _seconds(prober, targets, connections) for _ in range(3)])
    finally:
        await prober.close()
    print(f"the slowest target alone, {connections} connections:  {alone:6.3f} s")
    print(f"all {len(targets)} targets, {len(targets) * connections} connections: {together:6.3f} s")
    print(f"ratio: {together / alone:.2f} (2.00 is the limit)")
    if together >= 2 * alone:
        sys.exit(1)


def main(count: int = 50, connections: int = 12) -> None:
    """Measure once, and fail beyond the limit."""
    ours, theirs = multiprocessing.Pipe()
    # Not a copy of this process: what it holds open would be the servers' too.
    servers = multiprocessing.get_context("spawn").Process(target=_servers, args=(count, theirs), daemon=True)
    servers.start()
    try:
        with tempfile.TemporaryDirectory() as folder, Sshd(Path(folder) / "sshd") as sshd:
            asyncio.run(_measure(sshd, ours.recv(), connections))
    finally:
        servers.terminate()
        servers.join()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
