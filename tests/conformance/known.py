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
        "sdkpy2103*",
        "* Microsoft.Network/virtualNetworks/subnets",
        "value properties.privateEndpointNetworkPolicies: *enabled* -> *disabled*",
        "the default was Enabled until 2021 and is Disabled since, at every api-version",
    ),
    Known(
        "*PrivateEndpoint_CRUD*",
        "DELETE Microsoft.Network/virtualNetworks/subnets",
        "value error.*",
        "with the group gone Azure names now the group and now the network; other recordings have what we answer",
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
        "GET resourceGroups",
        "value tags: *datecreated*",
        "a policy of the recorded subscription adds tags to every group, some seconds after it is made",
    ),
    Known(
        "*test_run_command_v2*",
        "GET Microsoft.Network/virtualNetworks/subnets",
        "value properties.ipConfigurations.id: *vm-nddyxqa* -> *vm-000002*",
        "the recorder replaced the machine's name, but not where Azure writes it in upper case",
    ),
    Known(
        "*test_run_command_v2*",
        "GET Microsoft.Compute/virtualMachines/runCommands",
        "value properties.instanceView.error: *write-host: command not found* -> *write-host: not in the sandbox*",
        "of a program that it lacks the sandbox says so, and does not claim that a real machine would lack it",
    ),
    Known(
        "*test_vm_run_command_with_parameters*",
        "GET Microsoft.Compute/virtualMachines",
        "value etag: *2* -> *1*",
        "Azure counts what its own agents write, too",
    ),
)


def find(recording: str, operation: str, difference: str, *, ours: bool) -> Known | None:
    """The entry that a difference is accepted for; None when it is not."""
    return next((known for known in KNOWN if known.covers(recording, operation, difference, ours=ours)), None)
