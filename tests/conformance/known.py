"""Where the sandbox knowingly answers otherwise than a recording, and why.

A rule names a recording (a glob over its file's name), the exchange's `METHOD type` and the difference (globs too). It
must be about what is right today, or about what no sandbox can know; a fault of the sandbox has no place here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Known:
    """One accepted difference."""

    recording: str
    operation: str
    difference: str
    reason: str

    def covers(self, recording: str, operation: str, difference: str) -> bool:
        """Whether a difference is this one."""
        return (
            fnmatchcase(recording, self.recording)
            and fnmatchcase(operation, self.operation)
            and fnmatchcase(difference, self.difference)
        )


KNOWN: tuple[Known, ...] = ()


def reason_for(recording: str, operation: str, difference: str) -> str | None:
    """Why a difference is accepted; None when it is not."""
    return next((known.reason for known in KNOWN if known.covers(recording, operation, difference)), None)
