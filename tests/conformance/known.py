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


NEWER = {
    "Microsoft.Network/networkInterfaces": (
        "kind allowPort25Out auxiliaryMode auxiliarySku disableTcpStateTracking defaultOutboundConnectivityEnabled"
    ),
    "Microsoft.Network/privateEndpoints": "customNetworkInterfaceName ipConfigurations",
    "Microsoft.Network/privateLinkServices": "privateEndpointLocation",
    "Microsoft.Network/privateLinkServices/privateEndpointConnections": "privateEndpointLocation",
    "Microsoft.Network/publicIPAddresses": "ddosSettings protectionMode",
    "Microsoft.Network/virtualNetworks": "ipamPoolPrefixAllocations privateEndpointVNetPolicies",
    "Microsoft.Network/virtualNetworks/subnets": "ipamPoolPrefixAllocations purpose",
    "Microsoft.Network/privateDnsZones": "internalId",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "resolutionPolicy",
    "Microsoft.Compute/virtualMachines": "etag",
}
"""Properties, by type, that appear from an api-version on that is newer than some of the recorded ones."""

KNOWN = (
    *(
        Known("*", f"* {kind}", f"key extra *{name}", "newer than the recorded api-version", only_ours=True)
        for kind, names in NEWER.items()
        for name in names.split()
    ),
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


def find(recording: str, operation: str, difference: str, *, ours: bool, date: str = "") -> Known | None:
    """The entry that a difference is accepted for; None when it is not. `date` is the day of the recorded answer."""
    return next((k for k in KNOWN if k.covers(recording, operation, difference, ours=ours, date=date)), None)
