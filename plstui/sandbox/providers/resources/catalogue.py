"""The providers and resource types that this sandbox has, as clients look them up to find api-versions and zones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProviderType:
    """One resource type of a provider."""

    name: str
    """Without the namespace."""
    api_versions: tuple[str, ...]
    """Newest first."""
    tracked: bool = False
    """Whether its resources have a location and tags."""
    zonal: bool = False
    """Whether its resources may be placed in zones."""
    everywhere: bool = False
    """Whether its location is `global`."""


_NETWORK = (
    *("2025-05-01", "2025-03-01", "2025-01-01", "2024-10-01", "2024-07-01", "2024-05-01", "2024-03-01", "2024-01-01"),
    *("2023-11-01", "2023-09-01", "2023-04-01", "2022-07-01", "2022-01-01", "2020-11-01"),
)
_ZONES = ("2024-06-01", "2020-06-01", "2018-09-01")
_PUBLIC_ZONES = ("2018-05-01", "2017-10-01", "2016-04-01")
_COMPUTE = (
    *("2025-04-01", "2024-11-01", "2024-07-01", "2024-03-01", "2023-09-01", "2023-03-01", "2022-11-01", "2022-03-01"),
    *("2021-07-01", "2020-12-01"),
)
_DISKS = ("2025-01-02", "2024-03-02", "2023-10-02", "2023-04-02", "2022-03-02")
_RESOURCES = ("2025-04-01", "2024-11-01", "2024-03-01", "2022-09-01", "2021-04-01", "2020-06-01")
_AUTHORIZATION = ("2022-04-01", "2018-07-01", "2016-09-01")


def _tracked(
    names: str, api_versions: tuple[str, ...], *, zonal: str = "", everywhere: bool = False
) -> list[ProviderType]:
    in_zones = zonal.split()
    return [
        ProviderType(name, api_versions, tracked=True, zonal=name in in_zones, everywhere=everywhere)
        for name in names.split()
    ]


def _others(names: str, api_versions: tuple[str, ...]) -> list[ProviderType]:
    return [ProviderType(name, api_versions) for name in names.split()]


PROVIDERS: dict[str, list[ProviderType]] = {
    "Microsoft.Network": [
        *_tracked(
            "applicationSecurityGroups loadBalancers natGateways networkInterfaces networkSecurityGroups "
            "privateEndpoints privateLinkServices publicIPAddresses virtualNetworks",
            _NETWORK,
            zonal="loadBalancers natGateways publicIPAddresses",
        ),
        *_others("locations locations/operations locations/operationResults locations/usages", _NETWORK),
        *_others("virtualNetworks/subnets networkSecurityGroups/securityRules", _NETWORK),
        *_others("loadBalancers/backendAddressPools privateEndpoints/privateDnsZoneGroups", _NETWORK),
        *_others("privateLinkServices/privateEndpointConnections", _NETWORK),
        *_tracked("privateDnsZones privateDnsZones/virtualNetworkLinks", _ZONES, everywhere=True),
        *_others("privateDnsZones/A privateDnsZones/AAAA privateDnsZones/CNAME privateDnsZones/TXT", _ZONES),
        *_others("privateDnsOperationStatuses privateDnsOperationResults", _ZONES),
        *_tracked("dnsZones", _PUBLIC_ZONES, everywhere=True),
        *_others("dnsZones/A dnsZones/NS dnsZones/SOA dnsZones/all dnsZones/recordsets", _PUBLIC_ZONES),
        *_others("dnsOperationStatuses dnsOperationResults", _PUBLIC_ZONES),
    ],
    "Microsoft.Compute": [
        *_tracked("virtualMachines sshPublicKeys", _COMPUTE, zonal="virtualMachines"),
        *_tracked("virtualMachines/extensions virtualMachines/runCommands", _COMPUTE),
        *_tracked("disks", _DISKS, zonal="disks"),
        *_others("locations locations/operations locations/publishers locations/usages locations/vmSizes", _COMPUTE),
        *_others("skus", ("2021-07-01", "2019-04-01")),
    ],
    "Microsoft.Resources": [
        *_others("subscriptions resourceGroups subscriptions/resourceGroups resources tenants", _RESOURCES),
        *_others("deployments deployments/operations providers", _RESOURCES),
    ],
    "Microsoft.Authorization": _others("permissions locks roleAssignments", _AUTHORIZATION),
}
"""By namespace, in ARM's spelling."""
