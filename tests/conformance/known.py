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
    only_ours: bool = False
    """Whether it is accepted only where the api-versions of our clients replace the recorded ones."""

    def covers(self, recording: str, operation: str, difference: str, *, ours: bool) -> bool:
        """Whether a difference is this one."""
        return (
            (ours or not self.only_ours)
            and fnmatchcase(recording, self.recording)
            and fnmatchcase(operation, self.operation)
            and fnmatchcase(difference, self.difference)
        )


KNOWN = (
    Known(
        "*", "*", "key extra *", "it appears from an api-version on that is newer than the recorded one", only_ours=True
    ),
    Known(
        "*PrivateDnsZone_CRUD*",
        "DELETE Microsoft.Network/privateDnsZones",
        "*",
        "recorded while the deletion of the zone's link was under way; the replay waits for the end of each operation",
    ),
    Known("*", "GET resources", "key missing nextLink", "Azure may say that there is more where there is not"),
    Known(
        "cli*",
        "* Microsoft.Resources/deployments",
        "value id: *mock-deployment*",
        "the recorder replaced the deployment's name in the path and left it in the answer",
    ),
    Known("cli*", "* Microsoft.Resources/deployments", "value name: *mock-deployment*", "as above"),
)


def reason_for(recording: str, operation: str, difference: str, *, ours: bool) -> str | None:
    """Why a difference is accepted; None when it is not."""
    return next((known.reason for known in KNOWN if known.covers(recording, operation, difference, ours=ours)), None)
