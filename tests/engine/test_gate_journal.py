"""What goes for every write, also when the journal gives out half-way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from plstui.domain.change import Ready, Start
from plstui.domain.errors import ConfigError, RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.engine.gate import Gate
from plstui.engine.journal import Journal
from plstui.engine.watcher import BUSY_INTERVAL, Watcher
from tests.support.cloud import Arm, Bodies, Cloud, Reader, Writer
from tests.support.lab import lab

MACHINE = ResourceId("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web1")
START = Ready(side=Side.ISV, target=MACHINE, verb="start", az="az vm start", sends=Start())


class Starter(Writer):
    """Starts machines as a test says."""

    def __init__(self) -> None:
        super().__init__(Cloud(lab()))
        self.call: Callable[[], Awaitable[None]]

    async def start(self, machine_id: ResourceId) -> None:
        """What the test says."""
        await self.call()


class Journaling:
    """A journal that can be written until a write is under way."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.jsonl"
        self.watcher = Watcher(Side.ISV, "s", Reader(Cloud(lab()), Side.ISV), jitter=lambda: 1.0)
        self._writer = Starter()
        sides = {Side.ISV: Arm(self.watcher.reader, Bodies(), self._writer)}
        self.gate = Gate(sides, Journal(self.path), [self.watcher])

    async def send(self, call: Callable[[], Awaitable[None]]) -> None:
        self._writer.call = call
        await self.gate.send(START)

    def give_out(self) -> None:
        self.path.unlink()
        self.path.mkdir()


@pytest.fixture
def journaling(tmp_path: Path) -> Journaling:
    return Journaling(tmp_path)


async def test_a_write_that_is_done_is_called_done_whatever_the_journal_takes(journaling: Journaling) -> None:
    async def write() -> None:
        journaling.give_out()

    assert journaling.watcher.pause() > BUSY_INTERVAL
    with pytest.raises(ConfigError, match=r"^Azure has done it\. The journal .* cannot be written: Is a directory\."):
        await journaling.send(write)
    assert journaling.watcher.pause() == BUSY_INTERVAL


async def test_a_write_that_fails_tells_its_own_failure(journaling: Journaling) -> None:
    async def write() -> None:
        journaling.give_out()
        raise RefusedError("Somebody else was faster.")

    with pytest.raises(RefusedError, match="Somebody else") as caught:
        await journaling.send(write)
    assert "cannot be written" in caught.value.__notes__[0]
    assert journaling.watcher.pause() == BUSY_INTERVAL


async def test_who_stops_waiting_has_stopped(journaling: Journaling) -> None:
    under_way = asyncio.Event()

    async def write() -> None:
        under_way.set()
        await asyncio.Event().wait()

    waiting = asyncio.create_task(journaling.send(write))
    await under_way.wait()
    journaling.give_out()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert journaling.watcher.pause() == BUSY_INTERVAL


async def test_nothing_is_sent_when_the_disk_takes_half_a_line(
    journaling: Journaling, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []

    async def write() -> None:
        sent.append(True)

    # A disk that is all but full; nothing here can make a real one so.
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:40]))
    with pytest.raises(ConfigError, match="No space left on device"):
        await journaling.send(write)
    assert not sent
