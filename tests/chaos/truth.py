"""What a sandbox held when, and what it took from whom, as it has written it down itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Write:
    """A write that the gateway answered."""

    came: float
    at: float
    """When it was answered."""
    by: str
    method: str
    id: str
    """In lower case."""
    status: int

    @property
    def accepted(self) -> bool:
        """Whether it was taken."""
        return self.status < 300


@dataclass(frozen=True, slots=True)
class Held:
    """A connection's status over a stretch of time."""

    status: str | None
    since: float
    until: float


class Truth:
    """The log of a sandbox, also over restarts; `read` again for what was written since."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read = 0
        self._rest = b""
        self._held: dict[str, list[tuple[float, str | None]]] = {}
        self._ids: dict[str, set[str]] = {}
        """By the endpoint's name."""
        self.writes: list[Write] = []

    def read(self) -> None:
        """Take in what was written since the last time."""
        try:
            with self._log.open("rb") as stream:
                stream.seek(self._read)
                new = stream.read()
        except FileNotFoundError:
            return
        self._read += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        self.take(json.loads(line) for line in lines)

    def take(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Take in lines of a log."""
        for line in lines:
            if "began" in line:
                for changes in self._held.values():
                    changes.append((line["at"], None))
            elif "held" in line:
                self._held.setdefault(line["id"], []).append((line["at"], line["held"]))
                self._ids.setdefault(line["endpoint"], set()).add(line["id"])
            else:
                self.writes.append(Write(*(line[name] for name in ("came", "at", "by", "method", "id", "status"))))

    def stretches(self, connection_id: str) -> Iterator[Held]:
        """What a connection was, in order; None while it was not there."""
        changes = [(0.0, None), *self._held.get(connection_id.lower(), [])]
        for (since, status), (until, _) in zip(changes, [*changes[1:], (float("inf"), None)], strict=True):
            yield Held(status, since, until)

    def was(self, connection_id: str, status: str | None, since: float, until: float) -> bool:
        """Whether a connection had a status (None: was not there) at some moment between two."""
        return any(
            held.status == status and held.since <= until and held.until > since
            for held in self.stretches(connection_id)
        )

    def taken_at(self, write: Write, status: str | None) -> float:
        """When a write had brought a connection to a status; when it was answered where it has not by then."""
        moments = (held.since for held in self.stretches(write.id) if held.status == status)
        return min((moment for moment in moments if write.came <= moment <= write.at), default=write.at)

    def was_endpoints(self, endpoint: str, status: str, since: float, until: float) -> bool:
        """The same of any connection of an endpoint, by its name, as either side had it."""
        return any(self.was(each, status, since, until) for each in self._ids.get(endpoint.lower(), ()))

    def accepted(self, by: str, connection_id: str = "") -> list[Write]:
        """The writes of somebody that were taken, of one resource or of all."""
        wanted = connection_id.lower()
        return [write for write in self.writes if write.by == by and write.accepted and wanted in ("", write.id)]
