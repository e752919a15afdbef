"""Where the sandbox knowingly answers otherwise than a recording, and why.

A rule names a recording (a glob over its file's name), the exchange's `METHOD type` and the difference (globs too). It
must be about what is right today, or about what no sandbox can know; a fault of the sandbox has no place here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from plstui.sandbox.providers.compute import shapes
from plstui.sandbox.providers.network.shapes import SINCE, UNTIL
from plstui.sandbox.providers.privatedns import links, zones


@dataclass(frozen=True)
class Known:
    """One accepted difference."""

    recording: str
    operation: str
    difference: str
    reason: str
    only_ours: bool = False
    """Whether it is accepted only where the api-versions of our clients replace the recorded ones."""
    before: str = ""
    """The day, as `YYYY-MM-DD`, from which on nothing recorded may differ so; empty for a difference of all times."""

    def covers(self, recording: str, operation: str, difference: str, *, ours: bool, date: str) -> bool:
        """Whether a difference is this one."""
        return (
            (ours or not self.only_ours)
            and (not self.before or "" < date < self.before)
            and fnmatchcase(recording, self.recording)
            and fnmatchcase(operation, self.operation)
            and fnmatchcase(difference, self.difference)
        )


NEWER: dict[str, dict[str, str]] = {
    **SINCE,
    "microsoft.network/privatednszones": {"properties.internalId": zones.INTERNAL_ID_SINCE},
    "microsoft.network/privatednszones/virtualnetworklinks": {
        "properties.resolutionPolicy": links.RESOLUTION_POLICY_SINCE,
    },
    "microsoft.compute/virtualmachines": {
        path: shapes.SINCE[path]
        for path in (
            "etag",
            "properties.timeCreated",
            "properties.storageProfile.osDisk.deleteOption",
            "properties.osProfile.linuxConfiguration.patchSettings.assessmentMode",
            "properties.storageProfile.diskControllerType",
        )
    },
}
"""By type in lower case: paths in a body and the api-version that shows them first. That an older one shows none of
them is for the replays at the recorded api-versions to say."""

ROLLED_OUT: dict[str, dict[str, str]] = {
    "microsoft.network/networkinterfaces": {"properties.auxiliaryMode": "2023-10-31"},
    "resourcegroups": {"type": "2020-09-02"},
}
"""The same for what came to all api-versions at once: the day of the first recorded answer with it. No answer of a day
before has it, and every one since."""

OF_ITS_TIME = Known("*", "*", "key *", "it was shown only later, or by one of the two api-versions alone")

KNOWN = (
    Known(
        "*",
        "* Microsoft.Compute/virtualMachines",
        "header etag extra",
        "the header comes with the property",
        only_ours=True,
    ),
    Known(
        "*",
        "* Microsoft.Compute/virtualMachines",
        "key missing properties.osProfile.linuxConfiguration.enableVMAgentPlatformUpdates",
        "machines show it at 2022-03-01; at 2024-07-01 those in other recordings do not",
        only_ours=True,
    ),
    Known(
        "*",
        "PUT Microsoft.Network/networkInterfaces",
        "header azure-asyncoperation extra",
        "27 of 201 recorded creations have none, of the same interfaces at the same api-versions",
    ),
    Known(
        "*",
        "* Microsoft.Network/virtualNetworks/subnets",
        "value properties.privateEndpointNetworkPolicies: *enabled* -> *disabled*",
        "the default was Enabled until 2021 and is Disabled since, at every api-version",
        before="2021-07-01",
    ),
    Known(
        "*",
        "DELETE Microsoft.Network/virtualNetworks/subnets",
        "value error.*: *resource*group* -> *resource*",
        "with the group gone Azure names now the group and now the network; other recordings have what we answer",
    ),
    Known("*", "GET resources", "key missing nextLink", "Azure may say that there is more where there is not"),
    Known(
        "cli*",
        "GET resourceGroups",
        "value tags: *datecreated*",
        "a policy of the recorded subscription adds tags to every group, some seconds after it is made",
    ),
    Known(
        "*",
        "GET Microsoft.Compute/virtualMachines/runCommands",
        "value properties.instanceView.error: *command not found* -> *not in the sandbox*",
        "of a program that it lacks the sandbox says so, and does not claim that a real machine would lack it",
    ),
    Known(
        "*",
        "* Microsoft.Compute/virtualMachines",
        "value etag: *",
        "Azure counts what its own agents write, too",
    ),
)


def find(
    recording: str, operation: str, difference: str, *, ours: bool, date: str = "", api_version: str = ""
) -> Known | None:
    """The entry that a difference is accepted for; None when it is not.

    `date` is the day of the recorded answer, `api_version` that of the recorded request. An answer older than the
    api-version it names was asked for at an earlier one: azure-cli renames them in its recordings.
    """
    for known in KNOWN:
        if known.covers(recording, operation, difference, ours=ours, date=date):
            return known
    asked = min(api_version, date or api_version)
    path = difference.rpartition(" ")[2]
    of_its_time = False
    if difference.startswith("key extra "):
        of_its_time = bool(date) and _is_before(ROLLED_OUT, operation, path, date)
        of_its_time |= (ours or asked < api_version) and _is_before(NEWER, operation, path, asked)
    elif difference.startswith("key missing "):
        of_its_time = (ours or asked < api_version) and _is_before(UNTIL, operation, path, asked)
    return OF_ITS_TIME if of_its_time else None


def _is_before(table: dict[str, dict[str, str]], operation: str, path: str, moment: str) -> bool:
    """Whether a moment is before the one that a table has for a path."""
    kind = operation.split()[1].lower()
    return any(
        moment < first and f".{name}." in f".{path}."
        for owner, names in table.items()
        if f"{owner}/".startswith(f"{kind}/")
        for name, first in names.items()
    )
