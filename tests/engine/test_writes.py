"""What goes for every write, also when the journal gives out half-way."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from plstui.domain.errors import ConfigError, RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.engine.journal import Journal
from plstui.engine.watcher import BUSY_INTERVAL, Watcher
from plstui.engine.writes import Writes
from tests.support.cloud import Cloud, Reader
from tests.support.lab import lab

WRITE = (Side.ISV, "approve", ResourceId("/a/b"), "az")


class Journaling:
    """A journal that can be written until a write is under way."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.jsonl"
        self.watcher = Watcher(Side.ISV, "s", Reader(Cloud(lab()), Side.ISV), jitter=lambda: 1.0)
        self.writes = Writes(Journal(self.path), [self.watcher])

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
        await journaling.writes.send(*WRITE, write)
    assert journaling.watcher.pause() == BUSY_INTERVAL


async def test_a_write_that_fails_tells_its_own_failure(journaling: Journaling) -> None:
    async def write() -> None:
        journaling.give_out()
        raise RefusedError("Somebody else was faster.")

    with pytest.raises(RefusedError, match="Somebody else") as caught:
        await journaling.writes.send(*WRITE, write)
    assert "cannot be written" in caught.value.__notes__[0]
    assert journaling.watcher.pause() == BUSY_INTERVAL


async def test_who_stops_waiting_has_stopped(journaling: Journaling) -> None:
    under_way = asyncio.Event()

    async def write() -> None:
        under_way.set()
        await asyncio.Event().wait()

    waiting = asyncio.create_task(journaling.writes.send(*WRITE, write))
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
        await journaling.writes.send(*WRITE, write)
    assert not sent
