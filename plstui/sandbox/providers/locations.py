"""Where Azure is: the regions that this sandbox offers, with the names that people and az write."""

from __future__ import annotations

from dataclasses import dataclass

from plstui.sandbox.gateway.errors import ArmError


@dataclass(frozen=True, slots=True)
class Region:
    """One region."""

    name: str
    """As resources carry it, `westeurope`."""
    display_name: str
    """As people write it, `West Europe`."""
    geography: str
    """The part of the world, `Europe`."""
    place: str
    latitude: str
    longitude: str
    pair: str
    """The region it is paired with; empty for those that have none."""
    zones: int
    """Availability zones: three, or none."""


def _region(display_name: str, geography: str, place: str, where: str, pair: str = "", zones: int = 3) -> Region:
    latitude, _, longitude = where.partition(" ")
    name = display_name.replace(" ", "").lower()
    return Region(name, display_name, geography, place, latitude, longitude, pair, zones)


REGIONS: dict[str, Region] = {
    region.name: region
    for region in (
        _region("East US", "US", "Virginia", "37.3719 -79.8164", "westus"),
        _region("South Central US", "US", "Texas", "29.4167 -98.5", "northcentralus"),
        _region("West US 2", "US", "Washington", "47.233 -119.852", "westcentralus"),
        _region("West US 3", "US", "Phoenix", "33.448376 -112.074036", "eastus"),
        _region("Australia East", "Asia Pacific", "New South Wales", "-33.86 151.2094", "australiasoutheast"),
        _region("Southeast Asia", "Asia Pacific", "Singapore", "1.283 103.833", "eastasia"),
        _region("North Europe", "Europe", "Ireland", "53.3478 -6.2597", "westeurope"),
        _region("Sweden Central", "Europe", "Gävle", "60.67488 17.14127", "swedensouth"),
        _region("UK South", "Europe", "London", "50.941 -0.799", "ukwest"),
        _region("West Europe", "Europe", "Netherlands", "52.3667 4.9", "northeurope"),
        _region("Central US", "US", "Iowa", "41.5908 -93.6208", "eastus2"),
        _region("South Africa North", "Africa", "Johannesburg", "-25.73134 28.21837", "southafricawest"),
        _region("Central India", "Asia Pacific", "Pune", "18.5822 73.9197", "southindia"),
        _region("East Asia", "Asia Pacific", "Hong Kong", "22.267 114.188", "southeastasia"),
        _region("Japan East", "Asia Pacific", "Tokyo, Saitama", "35.68 139.77", "japanwest"),
        _region("Korea Central", "Asia Pacific", "Seoul", "37.5665 126.978", "koreasouth"),
        _region("Canada Central", "Canada", "Toronto", "43.653 -79.383", "canadaeast"),
        _region("France Central", "Europe", "Paris", "46.3772 2.373", "francesouth"),
        _region("Germany West Central", "Europe", "Frankfurt", "50.110924 8.682127", "germanynorth"),
        _region("Italy North", "Europe", "Milan", "45.46888 9.18109"),
        _region("Norway East", "Europe", "Norway", "59.913868 10.752245", "norwaywest"),
        _region("Poland Central", "Europe", "Warsaw", "52.23334 21.01666"),
        _region("Spain Central", "Europe", "Madrid", "40.4259 3.4209"),
        _region("Switzerland North", "Europe", "Zurich", "47.451542 8.564572", "switzerlandwest"),
        _region("UAE North", "Middle East", "Dubai", "25.266666 55.316666", "uaecentral"),
        _region("Brazil South", "South America", "Sao Paulo State", "-23.55 -46.633", "southcentralus"),
        _region("East US 2", "US", "Virginia", "36.6681 -78.3889", "centralus"),
        _region("North Central US", "US", "Illinois", "41.8819 -87.6278", "southcentralus", zones=0),
        _region("West US", "US", "California", "37.783 -122.417", "eastus", zones=0),
        _region("West Central US", "US", "Wyoming", "40.89 -110.234", "westus2", zones=0),
        _region("Australia Southeast", "Asia Pacific", "Victoria", "-37.8136 144.9631", "australiaeast", zones=0),
        _region("Japan West", "Asia Pacific", "Osaka", "34.6939 135.5022", "japaneast"),
        _region("Canada East", "Canada", "Quebec", "46.817 -71.217", "canadacentral", zones=0),
        _region("UK West", "Europe", "Cardiff", "53.427 -3.084", "uksouth", zones=0),
        _region("Central US EUAP", "US", "Iowa", "41.5908 -93.6208", "eastus2euap"),
        _region("East US 2 EUAP", "US", "Virginia", "36.6681 -78.3889", "centraluseuap"),
    )
}
"""By name, in the order in which ARM lists them."""


def normal(location: str) -> str:
    """A location as resources carry it: `West Europe` is `westeurope`."""
    return location.replace(" ", "").lower()


def check(location: str, resource_type: str) -> str:
    """The location of a resource as it will carry it; raises the 400s of ARM for none and for one that is not there."""
    if not location.strip():
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if (name := normal(location)) in REGIONS:
        return name
    raise ArmError(
        400,
        "LocationNotAvailableForResourceType",
        f"The provided location '{location[:60]}' is not available for resource type '{resource_type}'. List of "
        f"available regions for the resource type is '{','.join(REGIONS)}'.",
    )
