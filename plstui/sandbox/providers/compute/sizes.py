"""Sizes of machines: which there are, what they can do, and where one cannot have them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Call, Endpoint
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.providers import locations
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.compute.errors import ComputeError, invalid, not_allowed
from plstui.sandbox.providers.locations import REGIONS, Region


@dataclass(frozen=True, slots=True)
class Size:
    """One size."""

    name: str
    family: str
    cpus: int
    memory: float
    """Gigabytes."""
    disks: int
    """Data disks at most."""
    interfaces: int
    """Network interfaces at most."""
    architecture: str = "x64"
    closed: Mapping[str, str] = field(default_factory=dict)
    """Zones in which this subscription cannot have it, by region; `*` stands for the whole region."""

    @property
    def premium(self) -> bool:
        """Whether it takes premium disks."""
        return takes_premium(self.name)


SIZES = (
    Size("Standard_B1s", "standardBSFamily", 1, 1, 2, 2),
    Size("Standard_B1ms", "standardBSFamily", 1, 2, 2, 2, closed={"westeurope": "3", "northeurope": "1 2"}),
    Size("Standard_B2s", "standardBSFamily", 2, 4, 4, 3),
    Size("Standard_B2ms", "standardBSFamily", 2, 8, 4, 3),
    Size("Standard_B2ts_v2", "standardBsv2Family", 2, 1, 4, 2),
    Size("Standard_B2pts_v2", "standardBpsv2Family", 2, 1, 4, 2, "Arm64", closed={"westeurope": "1"}),
    Size("Standard_D1_v2", "standardDv2Family", 1, 3.5, 4, 2),
    Size("Standard_DS1_v2", "standardDSv2Family", 1, 3.5, 4, 2),
    Size("Standard_D2s_v3", "standardDSv3Family", 2, 8, 4, 2),
    Size("Standard_D4s_v3", "standardDSv3Family", 4, 16, 8, 2, closed={"westeurope": "*"}),
    Size("Standard_D2s_v5", "standardDSv5Family", 2, 8, 4, 2),
    Size("Standard_D2as_v5", "standardDASv5Family", 2, 8, 4, 2, closed={"westeurope": "2"}),
    Size("Standard_D2ps_v5", "standardDPSv5Family", 2, 8, 4, 2, "Arm64"),
    Size("Standard_D4s_v5", "standardDSv5Family", 4, 16, 8, 2),
)
"""What the lists show; machines of other sizes with a proper name are taken all the same."""

_NAME = re.compile(r"^(Basic|Standard)_[A-Z]{1,3}\d+(-\d+)?(?P<features>[a-z]*)(_[A-Z][A-Za-z0-9]+)*(_v\d+)?(_Promo)?$")
_FEATURES = frozenset("abcdeilmnprst")
"""Letters that say what a size can do: s for premium disks, p for Arm …"""


def known(name: str) -> Size | None:
    """A size of the lists."""
    return next((size for size in SIZES if size.name.lower() == name.lower()), None)


def takes_premium(name: str) -> bool:
    """Whether the name of a size says that it takes premium disks."""
    match = _NAME.match(name)
    family = name.partition("_")[2]
    return bool(match and ("s" in match["features"] or re.match(r"(D|G|L|F)S\d", family)))


def check(name: str, location: str, zones: list[str], resource_id: str) -> str:
    """A size in Azure's spelling; raises when there is none, or none to be had there."""
    size = known(name)
    match = _NAME.match(name)
    if size is None and (match is None or not _FEATURES.issuperset(match["features"])):
        raise invalid(
            "vmSize",
            f"The value {name[:60]} provided for the VM size is not valid. The valid sizes in the current region are: "
            f"{','.join(size.name for size in SIZES)}.",
        )
    region = REGIONS[location]
    if zones and not set(zones) <= {str(zone) for zone in range(1, region.zones + 1)}:
        supported = ",".join(str(zone) for zone in range(1, region.zones + 1))
        raise ComputeError(
            400,
            "InvalidAvailabilityZone",
            f"The zone(s) '{','.join(zones)[:60]}' for resource '{resource_id.partition('/providers/')[2]}' is not "
            f"supported. The supported zones for location '{location}' are '{supported}'",
        )
    closed = size.closed.get(location, "").split() if size else []
    if size and ("*" in closed or any(zone in closed for zone in zones)):
        raise _not_available(size, location)
    return size.name if size else name


def _not_available(size: Size, location: str) -> ArmError:
    return ComputeError(
        409,
        "SkuNotAvailable",
        f"The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: {size.name}' is "
        f"currently not available in location '{location}'. Please try another size or deploy to a different location "
        "or different zone. See https://aka.ms/azureskunotavailable for details.",
    )


class ResourceSkus(ResourceEndpoint):
    """Which sizes there are in which region and zone."""

    type: ClassVar[str] = "Microsoft.Compute/skus"

    async def list(self, call: Call) -> Response:
        """Every size in every region, or in the one of `$filter=location eq '…'`."""
        regions = list(REGIONS.values())
        if text := call.request.query.get("$filter", "").strip():
            match = re.fullmatch(r"location\s+eq\s+'([^']*)'", text, re.IGNORECASE)
            if match is None:
                raise ComputeError(400, "InvalidFilterInQueryString", f"Invalid $filter '{text[:200]}' specified.")
            regions = [region for region in regions if region.name == locations.normal(match[1])]
        return Response(200, {"value": [_sku(size, region) for region in regions for size in SIZES]})


def _sku(size: Size, region: Region) -> dict[str, Any]:
    zones = [str(zone) for zone in range(1, region.zones + 1)]
    return {
        "resourceType": "virtualMachines",
        "name": size.name,
        "tier": "Standard",
        "size": size.name.removeprefix("Standard_"),
        "family": size.family,
        "locations": [region.name],
        "locationInfo": [{"location": region.name, "zones": zones, "zoneDetails": []}],
        "capabilities": [{"name": name, "value": value} for name, value in _capabilities(size)],
        "restrictions": list(_restrictions(size, region)),
    }


def _capabilities(size: Size) -> Iterator[tuple[str, str]]:
    yield "OSVhdSizeMB", "1047552"
    yield "vCPUs", str(size.cpus)
    yield "HyperVGenerations", "V2" if size.architecture == "Arm64" else "V1,V2"
    yield "MemoryGB", f"{size.memory:g}"
    yield "MaxDataDiskCount", str(size.disks)
    yield "CpuArchitectureType", size.architecture
    yield "PremiumIO", str(size.premium)
    yield "VMDeploymentTypes", "IaaS"
    yield "vCPUsAvailable", str(size.cpus)
    yield "vCPUsPerCore", "1"
    yield "AcceleratedNetworkingEnabled", str(size.cpus > 1)
    yield "MaxNetworkInterfaces", str(size.interfaces)


def _restrictions(size: Size, region: Region) -> Iterator[dict[str, Any]]:
    closed = size.closed.get(region.name, "").split()
    if not closed:
        return
    info: dict[str, Any] = {"locations": [region.name]}
    if "*" not in closed:
        info["zones"] = closed
    yield {
        "type": "Location" if "*" in closed else "Zone",
        "values": [region.name],
        "restrictionInfo": info,
        "reasonCode": "NotAvailableForSubscription",
    }


class Sizes(ResourceEndpoint):
    """The sizes of a region, the old way."""

    type: ClassVar[str] = "Microsoft.Compute/locations/vmSizes"

    async def list(self, call: Call) -> Response:
        """Every size."""
        return Response(200, sizes_body())


def sizes_body() -> dict[str, Any]:
    """The list of sizes without regions and zones."""
    return {
        "value": [
            {
                "name": size.name,
                "numberOfCores": size.cpus,
                "osDiskSizeInMB": 1_047_552,
                "resourceDiskSizeInMB": 0,
                "memoryInMB": int(size.memory * 1024),
                "maxDataDiskCount": size.disks,
            }
            for size in SIZES
        ]
    }


class Usages(ResourceEndpoint):
    """How much of its quota a subscription uses in a region."""

    type: ClassVar[str] = "Microsoft.Compute/locations/usages"

    async def list(self, call: Call) -> Response:
        """Cores and machines."""
        location = locations.normal(call.path.pairs[0][1])
        return Response(
            200,
            {
                "value": [
                    {
                        "limit": usage.limit,
                        "unit": "Count",
                        "currentValue": usage.used,
                        "name": {"value": usage.name, "localizedValue": usage.title},
                    }
                    for usage in _usages(self.azure, call.subscription, location)
                ]
            },
        )


_FAMILIES = tuple(dict.fromkeys(size.family for size in SIZES))
QUOTA_NAMES = ("virtualMachines", "cores", *_FAMILIES)
"""Everything of Microsoft.Compute that a subscription has a quota for."""


@dataclass(frozen=True, slots=True)
class _Usage:
    """One line of a subscription's quota in a region."""

    name: str
    title: str
    used: int
    limit: int


def _usages(azure: Azure, subscription: str, location: str) -> list[_Usage]:
    machines = azure.store.in_subscription(subscription, "Microsoft.Compute/virtualMachines")
    sizes = [
        known(body["properties"]["hardwareProfile"]["vmSize"]) for body in machines if body["location"] == location
    ]
    cores = sum(size.cpus if size else 1 for size in sizes)
    rows = [
        ("virtualMachines", "Virtual Machines", len(sizes), 25_000),
        ("cores", "Total Regional vCPUs", cores, 100),
        *(
            (family, f"{family} vCPUs", sum(size.cpus for size in sizes if size and size.family == family), 100)
            for family in _FAMILIES
        ),
    ]
    return [
        _Usage(name, title, used, azure.quotas.limit(subscription, name, usual)) for name, title, used, usual in rows
    ]


def check_quota(azure: Azure, subscription: str, location: str, name: str) -> None:
    """Raise the 409 for one more machine of a size than the subscription may have."""
    size = known(name)
    cores = size.cpus if size else 1
    needed = {"virtualMachines": 1, "cores": cores, **({size.family: cores} if size else {})}
    for usage in _usages(azure, subscription, location):
        more = needed.get(usage.name, 0)
        if more and usage.used + more > usage.limit:
            raise not_allowed(
                f"Operation could not be completed as it results in exceeding approved {usage.title} quota. Additional "
                f"details - Deployment Model: Resource Manager, Location: {location}, Current Limit: {usage.limit}, "
                f"Current Usage: {usage.used}, Additional Required: {more}, (Minimum) New Limit Required: "
                f"{usage.used + more}."
            )


def endpoints(azure: Azure) -> list[Endpoint]:
    """Everything that lists sizes."""
    return [ResourceSkus(azure), Sizes(azure), Usages(azure)]
