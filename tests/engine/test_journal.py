"""The journal: everything that was written to Azure, for its owner alone."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plstui.domain.errors import ConfigError
from plstui.domain.sides import Side
from plstui.engine.journal import Entry, Journal
from tests.support.lab import Request

ENTRY = Entry("1f2e3d4c", Side.ISV, "approve", Request().connection_id, "az network …", "done")


def lines(journal: Journal) -> list[dict[str, str]]:
    return [json.loads(line) for line in journal.path.read_text(encoding="ascii").splitlines()]


def test_one_line_a_write(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state" / "plstui" / "journal.jsonl")
    before = datetime.now(UTC)
    journal.add(ENTRY)
    journal.add(
        Entry("1f2e3d4c", Side.ISV, "remove", Request().connection_id, "az …", "Throttled", "Too many\nrequests.")
    )

    first, second = lines(journal)
    assert set(first) == {"time", "action", "side", "verb", "id", "az", "outcome", "message"}
    assert (first["action"], first["side"]) == ("1f2e3d4c", "isv")
    assert (first["verb"], first["id"]) == ("approve", Request().connection_id.text)
    assert (first["outcome"], first["message"]) == ("done", "")
    assert (second["outcome"], second["message"]) == ("Throttled", "Too many\nrequests.")
    assert first["time"].endswith("Z")
    assert abs((datetime.fromisoformat(first["time"]) - before).total_seconds()) < 60


def test_what_stands_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"an": "older line"}\n')
    Journal(path).add(ENTRY)
    Journal(path).add(ENTRY)

    assert path.read_text().startswith('{"an": "older line"}\n')
    assert len(path.read_text().splitlines()) == 3


def test_half_a_line_of_a_full_disk_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"half of": "a li')
    Journal(path).check()
    Journal(path).add(ENTRY)
    Journal(path).add(ENTRY)

    half, *whole = path.read_text().splitlines()
    assert half == '{"half of": "a li'
    assert [json.loads(line)["outcome"] for line in whole] == ["done", "done"]


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "plstui" / "journal.jsonl")
    journal.add(ENTRY)

    assert journal.path.stat().st_mode & 0o777 == 0o600
    assert journal.path.parent.stat().st_mode & 0o777 == 0o700


def test_one_that_others_could_read_is_made_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.touch()
    path.chmod(0o664)
    Journal(path).check()

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_pipe_in_its_place_keeps_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "journal.jsonl")

    with pytest.raises(ConfigError, match="it is a pipe, and nothing would be kept"):
        Journal(tmp_path / "journal.jsonl").add(ENTRY)


def test_a_path_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "plstui").write_text("a file where a folder should be")
    journal = Journal(tmp_path / "plstui" / "journal.jsonl")

    with pytest.raises(ConfigError, match=r"The journal .*journal\.jsonl cannot be written") as caught:
        journal.add(ENTRY)
    assert "XDG_STATE_HOME" in caught.value.hint
    with pytest.raises(ConfigError, match=r"The journal .*journal\.jsonl cannot be written"):
        journal.check()


def test_a_check_writes_no_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "plstui" / "journal.jsonl")
    journal.check()
    journal.add(ENTRY)
    journal.check()

    assert len(lines(journal)) == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_is_told() -> None:
    with pytest.raises(ConfigError, match="No space left"):
        Journal(Path("/dev/full")).add(ENTRY)
