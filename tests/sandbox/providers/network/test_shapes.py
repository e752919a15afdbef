"""What an answer shows depends on the api-version of the request."""

from __future__ import annotations

from typing import Any

import pytest

from plstui.sandbox.providers.network.shapes import shape
from tests.sandbox.providers.network.conftest import Lab


async def test_an_old_api_version_does_not_show_what_came_later(lab: Lab) -> None:
    await lab.network()
    await lab.balancer()

    old = await lab.get("virtualNetworks/v", api_version="2020-11-01")
    new = await lab.get("virtualNetworks/v", api_version="2024-03-01")
    rules = {
        version: (await lab.get("loadBalancers/lb", api_version=version))["properties"]["loadBalancingRules"][0]
        for version in ("2020-11-01", "2021-02-01")
    }

    assert old["properties"]["addressSpace"] == {"addressPrefixes": ["10.0.0.0/16"]}
    assert "privateEndpointVNetPolicies" not in old["properties"]
    assert "ipamPoolPrefixAllocations" not in old["properties"]["subnets"][0]["properties"]
    assert new["properties"]["addressSpace"]["ipamPoolPrefixAllocations"] == []
    assert new["properties"]["privateEndpointVNetPolicies"] == "Disabled"
    assert "backendAddressPools" not in rules["2020-11-01"]["properties"]
    assert len(rules["2021-02-01"]["properties"]["backendAddressPools"]) == 1


async def test_lists_and_children_are_shaped_too(lab: Lab) -> None:
    await lab.network()
    await lab.nic("n")

    nics = await lab.get("networkInterfaces", api_version="2020-11-01")
    subnets = await lab.get("virtualNetworks/v/subnets", api_version="2018-01-01")

    assert "kind" not in nics["value"][0]
    assert "auxiliaryMode" not in nics["value"][0]["properties"]
    assert "delegations" not in subnets["value"][0]["properties"]


async def test_old_answers_tell_less_of_addresses_and_frontends(lab: Lab) -> None:
    await lab.network()
    await lab.put("publicIPAddresses/p", {}, sku={"name": "Standard"})
    front = {"name": "front", "properties": {"subnet": lab.ref("virtualNetworks/v/subnets/a")}}
    await lab.put("loadBalancers/lb", {"frontendIPConfigurations": [front]}, sku={"name": "Standard"})

    versions: dict[str, Any] = {}
    for version in ("2018-11-01", "2022-05-01"):
        address = await lab.get("publicIPAddresses/p", api_version=version)
        balancer = await lab.get("loadBalancers/lb", api_version=version)
        (shown,) = balancer["properties"]["frontendIPConfigurations"]
        versions[version] = address["sku"], shown["properties"].get("privateIPAddressVersion")

    assert versions == {
        "2018-11-01": ({"name": "Standard"}, None),
        "2022-05-01": ({"name": "Standard", "tier": "Regional"}, "IPv4"),
    }


async def test_only_standard_addresses_tell_of_attacks(lab: Lab) -> None:
    for sku in ("Basic", "Standard"):
        address = await lab.put(f"publicIPAddresses/{sku}", {}, sku={"name": sku})
        assert ("ddosSettings" in address["properties"]) is (sku == "Standard")


@pytest.mark.parametrize(("version", "told"), [("2018-11-01", False), ("2020-07-01", True), ("2020-11-01", False)])
async def test_some_answers_tell_whether_machines_are_protected(lab: Lab, version: str, told: bool) -> None:
    await lab.network()

    network = await lab.get("virtualNetworks/v", api_version=version)

    assert ("enableVmProtection" in network["properties"]) is told


async def test_a_preview_version_counts_by_its_date(lab: Lab) -> None:
    await lab.network()

    body = await lab.get("virtualNetworks/v", api_version="2024-03-01-preview")

    assert "privateEndpointVNetPolicies" in body["properties"]


def test_shaping_leaves_the_body_alone() -> None:
    body: dict[str, Any] = {
        "type": "Microsoft.Network/virtualNetworks",
        "properties": {"addressSpace": {"addressPrefixes": [], "ipamPoolPrefixAllocations": []}},
    }

    shown = shape(body, "2020-01-01")

    assert shown["properties"]["addressSpace"] == {"addressPrefixes": []}
    assert "ipamPoolPrefixAllocations" in body["properties"]["addressSpace"]
