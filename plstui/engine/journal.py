"""What was done, one JSON object a line, never rewritten."""

from __future__ import annotations

import errno
import json
import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from plstui.domain.errors import ConfigError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side

PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class Entry:
    """One write to Azure: that it is being sent, or how it ended."""

    action: str
    """What the two entries of one write have in common, and no others."""
    side: Side
    verb: str
    resource_id: ResourceId
    az: str
    """The `az` command that does the same."""
    outcome: str
    """`sent` before the write; after it one of these.

    `done`; `done, decided otherwise` where somebody else has decided since; `unknown` where the answer was lost;
    `failed` where Azure was not reached; `interrupted`; or the code of Azure's refusal.
    """
    message: str = ""
    """The error's sentence; empty when there is none."""


class Journal:
    """Appends to a file only its owner can read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, entry: Entry) -> None:
        """Write one line to disk; raises `ConfigError` when the file cannot be written."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "action": entry.action,
            "side": entry.side.value,
            "verb": entry.verb,
            "id": entry.resource_id.text,
            "az": entry.az,
            "outcome": entry.outcome,
            "message": entry.message,
        }
        self._append(json.dumps(line, ensure_ascii=True).encode() + b"\n")

    def check(self) -> None:
        """Raise `ConfigError` when the file cannot be written: before work that takes many writes, not in the midst."""
        self._append(b"")

    def _append(self, data: bytes) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # One write to a file opened for appending: lines of two programs never mix.
            # A pipe in its place would be waited for.
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, PRIVATE_FILE)
            try:
                status = os.fstat(descriptor)
                if stat.S_ISFIFO(status.st_mode):
                    raise OSError(errno.EINVAL, "it is a pipe, and nothing would be kept")
                if stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) != PRIVATE_FILE:
                    # It may have been made by another program, or copied.
                    os.fchmod(descriptor, PRIVATE_FILE)
                size = status.st_size
                if data and size and os.pread(descriptor, 1, size - 1) != b"\n":
                    # A disk that was full has taken half of the line before.
                    data = b"\n" + data
                if os.write(descriptor, data) < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise ConfigError(
                f"The journal {self.path} cannot be written: {error.strerror}.",
                hint="Free the path or set XDG_STATE_HOME to a folder you can write to.",
            ) from error
