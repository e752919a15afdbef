"""What goes for every write, also when the journal gives out half-way."""

from __future__ import annotations

from pathlib import Path

import pytest

from plstui.domain.errors import ConfigError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.engine.journal import Journal
from plstui.engine.watcher import BUSY_INTERVAL, Watcher
from plstui.engine.writes import Writes
from tests.support.cloud import Cloud, Reader
from tests.support.lab import lab


async def test_both_sides_are_looked_at_anew_when_the_end_of_a_write_cannot_be_journaled(tmp_path: Path) -> None:
    watcher = Watcher(Side.ISV, "s", Reader(Cloud(lab()), Side.ISV), jitter=lambda: 1.0)
    path = tmp_path / "journal.jsonl"

    async def write() -> None:
        path.unlink()
        path.mkdir()

    assert watcher.pause() > BUSY_INTERVAL
    with pytest.raises(ConfigError, match="cannot be written"):
        await Writes(Journal(path), [watcher]).send(Side.ISV, "approve", ResourceId("/a/b"), "az", write)
    assert watcher.pause() == BUSY_INTERVAL
