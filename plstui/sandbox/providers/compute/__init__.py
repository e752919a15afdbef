"""Microsoft.Compute: machines with their disks and scripts, keys, and the lists of images and sizes."""

from __future__ import annotations

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Endpoint
from plstui.sandbox.providers.compute import images, sizes
from plstui.sandbox.providers.compute.disks import Disks
from plstui.sandbox.providers.compute.extensions import Extensions
from plstui.sandbox.providers.compute.machines import MachinesInRegion, VirtualMachines
from plstui.sandbox.providers.compute.polling import DiskOperationsEndpoint, OperationsEndpoint
from plstui.sandbox.providers.compute.runcommands import CommandDocuments, RunCommands
from plstui.sandbox.providers.compute.scripts import Scripts
from plstui.sandbox.providers.compute.sshkeys import SshPublicKeys


def endpoints(azure: Azure) -> list[Endpoint]:
    """Every type of this provider."""
    scripts = Scripts(azure)
    machines = VirtualMachines(azure, scripts)
    return [
        machines,
        MachinesInRegion(machines),
        Extensions(azure),
        RunCommands(azure, scripts),
        CommandDocuments(azure),
        Disks(azure),
        SshPublicKeys(azure),
        OperationsEndpoint(azure),
        DiskOperationsEndpoint(azure),
        *images.endpoints(azure),
        *sizes.endpoints(azure),
    ]
