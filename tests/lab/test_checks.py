"""The rules behind the preflight, where Azure's answers are richer than the sandbox's."""

from __future__ import annotations

from typing import Any

import pytest

from plstui.domain.sides import Side
from plstui.lab.checks import quota, regions, rights, sizes
from plstui.lab.checks.sizes import Place

VNET, DELETE = "Microsoft.Network/virtualNetworks/write", "Microsoft.Network/virtualNetworks/delete"


@pytest.mark.parametrize(
    ("permissions", "lacking"),
    [
        ([], [VNET, DELETE]),
        ([{"actions": ["*"], "notActions": []}], []),
        ([{"actions": ["*/read"]}], [VNET, DELETE]),
        ([{"actions": ["microsoft.network/virtualnetworks/*"], "notActions": None}], []),
        ([{"actions": ["*"], "notActions": ["Microsoft.Network/*/delete"]}], [DELETE]),
        # What one role takes from itself another may give.
        ([{"actions": ["*"], "notActions": ["Microsoft.Network/*/delete"]}, {"actions": ["*/delete"]}], []),
        ([{"actions": ["Microsoft.Network/virtualNetworks"]}], [VNET, DELETE]),
        ([{"actions": [], "dataActions": ["*"]}], [VNET, DELETE]),
    ],
)
def test_what_permissions_grant(permissions: list[dict[str, Any]], lacking: list[str]) -> None:
    assert rights.missing(permissions, [VNET, DELETE, VNET]) == lacking


def test_what_a_write_takes() -> None:
    assert rights.needed_for("Microsoft.Resources/resourceGroups") == (
        "Microsoft.Resources/subscriptions/resourceGroups/write",
    )
    assert "Microsoft.Network/networkInterfaces/join/action" in rights.needed_for("microsoft.compute/VirtualMachines")


def sku(name: str, *restrictions: dict[str, Any], kind: str = "virtualMachines", **capabilities: str) -> dict[str, Any]:
    can = {"vCPUs": "2", "MemoryGB": "4", "HyperVGenerations": "V1,V2", "CpuArchitectureType": "x64", **capabilities}
    return {
        "resourceType": kind,
        "name": name,
        "family": "aFamily",
        "locationInfo": [{"location": "WestEurope", "zones": ["3", "1", "2"]}],
        "capabilities": [{"name": key, "value": value} for key, value in can.items()],
        "restrictions": list(restrictions),
    }


def closed(kind: str, place: str, *zones: str) -> dict[str, Any]:
    return {"type": kind, "values": [place], "restrictionInfo": {"locations": [place], "zones": list(zones)}}


SKUS = [
    sku("Standard_B2s", closed("Zone", "northeurope", "1"), closed("Location", "uksouth")),
    sku("Standard_B2ms", closed("Zone", "westeurope", "1", "2")),
    sku("Standard_D2s_v3", closed("Location", "westeurope")),
    sku("Standard_DS1_v2", HyperVGenerations="V1"),
    sku("Standard_B1s", MemoryGB="0.5"),
    sku("Premium_LRS", kind="disks"),
    {**sku("Standard_B1ms"), "locationInfo": [{"location": "eastus", "zones": []}]},
]


def place(*zones: str) -> Place:
    return Place(
        side=Side.ISV,
        region="westeurope",
        offers=sizes.read(SKUS, "westeurope"),
        zones=zones,
        memory=sizes.LEAST_MEMORY,
    )


@pytest.mark.parametrize(
    ("size", "zones", "reason"),
    [
        ("standard_b2s", "123", ""),
        ("Standard_B2ms", "123", "this subscription cannot have it in zones 1 and 2"),
        ("Standard_B2ms", "3", ""),
        ("Standard_B2ms", "", ""),
        ("Standard_D2s_v3", "", "this subscription cannot have it there"),
        ("Standard_DS1_v2", "1", "it takes no images of the second generation, and the lab's are"),
        ("Standard_B1s", "1", "it has 0.5 GB of memory, and 1 are needed"),
        ("Standard_B2s", "4", "it is not offered in zone 4"),
        ("Standard_B1ms", "1", "it is not offered there at all"),
        ("Premium_LRS", "", "it is not offered there at all"),
    ],
)
def test_why_a_size_cannot_be_had(size: str, zones: str, reason: str) -> None:
    assert place(*zones).why_not(size) == reason


def test_sizes_that_every_side_can_have() -> None:
    assert sizes.suitable([place("3")]) == ["Standard_B2s", "Standard_B2ms"]
    assert sizes.suitable([place("3"), place("1")]) == ["Standard_B2s"]
    assert "Standard_B2s, for one: it is not offered in zone 4" in sizes.none_left([place("4")]).message


def test_regions_are_physical_and_have_two_names() -> None:
    found = regions.read(
        [
            {"name": "westeurope", "displayName": "West Europe", "metadata": {"regionType": "Physical"}},
            {"name": "europe", "displayName": "Europe", "metadata": {"regionType": "Logical"}},
            {
                "name": "usgovvirginia",
                "displayName": "US Gov Virginia",
                "availabilityZoneMappings": [{"logicalZone": str(zone)} for zone in (1, 2, 3)],
            },
        ]
    )

    assert list(found) == ["westeurope", "usgovvirginia"]
    assert regions.find(found, "Europe") is None
    assert regions.find(found, " WEST europe ") == found["westeurope"]
    assert (found["usgovvirginia"].has_three_zones, found["westeurope"].has_three_zones) == (True, False)


def test_quota_that_azure_does_not_list_is_no_limit() -> None:
    usages = quota.read([{"currentValue": 4, "limit": 4, "name": {"value": "cores", "localizedValue": "vCPUs."}}])

    needed = quota.of_machines(3, 2, "aFamily") + quota.of_network(["Microsoft.Network/virtualNetworks"])

    (problem,) = quota.problems("The ISV's", "westeurope", usages, needed)
    assert problem.message == "The ISV's quota in westeurope leaves 0 of 4 vCPUs, and the lab needs 6 more."
