from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from plstui.sandbox.providers.network.prefixes import Taken
from tests.sandbox.providers.network.conftest import LOCATION, Lab

SUBNET = "virtualNetworks/v/subnets/a"


def space(*prefixes: str, **more: Any) -> dict[str, Any]:
    return {"addressSpace": {"addressPrefixes": list(prefixes)}, **more}


def subnet(name: str, prefix: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "properties": {"addressPrefix": prefix, **more}}


async def test_a_network_as_azure_shows_it(lab: Lab) -> None:
    network = await lab.network()

    assert list(network) == ["name", "id", "etag", "type", "location", "properties"]
    properties = network["properties"]
    assert properties["virtualNetworkPeerings"] == []
    assert properties["enableDdosProtection"] is False
    assert "dhcpOptions" not in properties
    inner = properties["subnets"][0]
    assert inner["etag"] == network["etag"]
    assert inner["properties"] == {
        "provisioningState": "Succeeded",
        "addressPrefix": "10.0.0.0/24",
        "ipamPoolPrefixAllocations": [],
        "delegations": [],
        "privateEndpointNetworkPolicies": "Disabled",
        "privateLinkServiceNetworkPolicies": "Enabled",
    }
    assert await lab.get(SUBNET) == inner
    assert await lab.get("virtualNetworks/v/subnets") == {"value": [inner]}


async def test_the_words_of_a_policy_come_back_in_azures_spelling(lab: Lab) -> None:
    await lab.network()

    body = await lab.put(SUBNET, {"addressPrefix": "10.0.0.0/24", "privateLinkServiceNetworkPolicies": "disabled"})

    assert body["properties"]["privateLinkServiceNetworkPolicies"] == "Disabled"


async def test_a_subnet_is_written_by_itself_and_shows_in_its_network(lab: Lab) -> None:
    before = await lab.network()

    created = await lab.isv.call(
        "PUT", lab.id("virtualNetworks/v/subnets/b"), {"properties": {"addressPrefix": "10.0.1.0/24"}}
    )
    await lab.isv.end_of(created)

    assert created.status == 201
    assert created.body["properties"]["provisioningState"] == "Updating"
    network = await lab.get("virtualNetworks/v")
    assert [one["name"] for one in network["properties"]["subnets"]] == ["a", "b"]
    assert network["etag"] == network["properties"]["subnets"][0]["etag"] != before["etag"]

    await lab.isv.delete(lab.id("virtualNetworks/v/subnets/b"))

    assert len((await lab.get("virtualNetworks/v"))["properties"]["subnets"]) == 1


async def test_one_prefix_and_several(lab: Lab) -> None:
    await lab.network()

    one = await lab.put("virtualNetworks/v/subnets/b", {"addressPrefixes": ["10.0.1.0/24"]})
    two = await lab.put("virtualNetworks/v/subnets/c", {"addressPrefixes": ["10.0.2.0/24", "10.0.3.0/24"]})

    assert one["properties"]["addressPrefix"] == "10.0.1.0/24"
    assert two["properties"]["addressPrefixes"] == ["10.0.2.0/24", "10.0.3.0/24"]


async def test_a_list_of_subnets_replaces_the_one_that_is_there(lab: Lab) -> None:
    await lab.network("v", "10.0.0.0/24", "10.0.1.0/24")

    kept = await lab.put("virtualNetworks/v", space("10.0.0.0/8"))
    replaced = await lab.put("virtualNetworks/v", space("10.0.0.0/16", subnets=[subnet("b", "10.0.1.0/24")]))

    assert [one["name"] for one in kept["properties"]["subnets"]] == ["a", "b"]
    assert [one["name"] for one in replaced["properties"]["subnets"]] == ["b"]


async def test_a_subnet_in_use_stays(lab: Lab) -> None:
    await lab.network()
    await lab.nic("n")
    replacing = space("10.0.0.0/16", subnets=[])

    words = await lab.message("DELETE", SUBNET)

    assert words == (
        f"Subnet a is in use by {lab.isv.group('G')}/providers/Microsoft.Network/networkInterfaces/N/ipConfigurations/"
        "IPCONFIG1 and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. "
        "See aka.ms/deletesubnet."
    )
    for method, path, body in (
        ("DELETE", SUBNET, None),
        ("DELETE", "virtualNetworks/v", None),
        ("PUT", "virtualNetworks/v", replacing),
    ):
        assert await lab.refused(method, path, body) == (400, "InUseSubnetCannotBeDeleted")
    moved = await lab.refused("PUT", SUBNET, {"addressPrefix": "10.0.9.0/24"})
    assert moved == (400, "InUsePrefixCannotBeDeleted")

    await lab.isv.delete(lab.id("networkInterfaces/n"))
    await lab.isv.delete(lab.id("virtualNetworks/v"))


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        (space("10.0.0.0"), "InvalidAddressPrefixFormat"),
        (space("10.0.0.0/33"), "InvalidAddressPrefixFormat"),
        (space("10.0.0.1/16"), "InvalidCIDRNotation"),
        (space("10.0.0.0/16", subnets=[subnet("a", "ten")]), "InvalidAddressPrefixFormat"),
        (space("10.0.0.0/16", subnets=[subnet("a", "10.0.0.9/24")]), "InvalidCIDRNotation"),
        (space("10.0.0.0/16", subnets=[subnet("a", "10.1.0.0/24")]), "NetcfgSubnetRangeOutsideVnet"),
        (
            space("10.0.0.0/16", subnets=[subnet("a", "10.0.0.0/24"), subnet("b", "10.0.0.128/25")]),
            "NetcfgSubnetRangesOverlap",
        ),
        (space("10.0.0.0/16", subnets=[subnet("a", "10.0.0.0/30")]), "NetcfgInvalidSubnet"),
        (
            space("10.0.0.0/16", subnets=[subnet("a", "10.0.0.0/24"), subnet("A", "10.0.1.0/24")]),
            "DuplicateResourceName",
        ),
        ({}, "InvalidRequestFormat"),
    ],
)
async def test_addresses_that_cannot_be(lab: Lab, properties: dict[str, Any], code: str) -> None:
    assert await lab.refused("PUT", "virtualNetworks/v", properties) == (400, code)


async def test_a_subnet_has_to_fit_among_its_siblings(lab: Lab) -> None:
    await lab.network()

    overlap = await lab.message("PUT", "virtualNetworks/v/subnets/b", {"addressPrefix": "10.0.0.0/25"})
    outside = await lab.message("PUT", "virtualNetworks/v/subnets/b", {"addressPrefix": "10.9.0.0/24"})

    assert overlap == (
        "Subnet 'b' is not valid because its IP address range overlaps with that of an existing subnet in virtual "
        "network 'v'."
    )
    assert outside == (
        "Subnet 'b' is not valid because its IP address range is outside the IP address range of virtual network 'v'."
    )


async def test_a_new_subnet_is_private_from_mid_2025_on(lab: Lab) -> None:
    body = {"location": LOCATION, "properties": space("10.0.0.0/16", subnets=[subnet("a", "10.0.0.0/24")])}

    await lab.isv.put(lab.id("virtualNetworks/old"), body, api_version="2024-05-01")
    await lab.isv.put(lab.id("virtualNetworks/new"), body, api_version="2025-07-01")
    await lab.isv.put(lab.id("virtualNetworks/old"), body, api_version="2025-07-01")

    old = (await lab.get("virtualNetworks/old/subnets/a"))["properties"]
    new = (await lab.get("virtualNetworks/new/subnets/a"))["properties"]
    assert old["defaultOutboundAccess"] is True
    assert new["defaultOutboundAccess"] is False


async def test_a_subnet_carries_its_group_and_gateway(lab: Lab) -> None:
    await lab.network()
    await lab.put("networkSecurityGroups/nsg")
    await lab.put("natGateways/nat", {}, sku={"name": "Standard"})

    await lab.put(
        SUBNET,
        {
            "addressPrefix": "10.0.0.0/24",
            "networkSecurityGroup": lab.ref("networkSecurityGroups/nsg"),
            "natGateway": lab.ref("natGateways/nat"),
        },
    )

    assert (await lab.get("networkSecurityGroups/nsg"))["properties"]["subnets"] == [lab.ref(SUBNET)]
    assert (await lab.get("natGateways/nat"))["properties"]["subnets"] == [lab.ref(SUBNET)]
    refused = await lab.refused("DELETE", "networkSecurityGroups/nsg")
    assert refused == (400, "InUseNetworkSecurityGroupCannotBeDeleted")
    assert await lab.refused("DELETE", "natGateways/nat") == (400, "InUseNatGatewayCannotBeDeleted")

    await lab.put(SUBNET, {"addressPrefix": "10.0.0.0/24"})

    assert "subnets" not in (await lab.get("networkSecurityGroups/nsg"))["properties"]
    await lab.isv.delete(lab.id("networkSecurityGroups/nsg"))


async def test_delegations_and_service_endpoints(lab: Lab) -> None:
    await lab.network()

    body = await lab.put(
        SUBNET,
        {
            "addressPrefix": "10.0.0.0/24",
            "delegations": [{"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}],
            "serviceEndpoints": [
                {"service": "Microsoft.Storage", "networkIdentifier": lab.ref("publicIPAddresses/p")},
            ],
        },
    )

    delegation = body["properties"]["delegations"][0]
    assert delegation["id"] == lab.id(f"{SUBNET}/delegations/d")
    assert delegation["properties"]["actions"] == ["Microsoft.Network/virtualNetworks/subnets/action"]
    assert "purpose" not in body["properties"]
    assert body["properties"]["serviceEndpoints"] == [
        {
            "provisioningState": "Succeeded",
            "service": "Microsoft.Storage",
            "locations": ["*"],
            "networkIdentifier": lab.ref("publicIPAddresses/p"),
        }
    ]


async def test_a_service_that_settles_in_a_subnet_gives_it_a_purpose(lab: Lab) -> None:
    await lab.network()
    delegation = {"name": "d", "properties": {"serviceName": "Microsoft.Netapp/volumes"}}

    body = await lab.put(SUBNET, {"addressPrefix": "10.0.0.0/24", "delegations": [delegation]})

    actions = body["properties"]["delegations"][0]["properties"]["actions"]
    assert actions == ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    assert body["properties"]["purpose"] == "HostedWorkloads"


async def test_free_addresses_can_be_asked_for(lab: Lab) -> None:
    await lab.network()
    await lab.nic("n")
    ask = "virtualNetworks/v/checkIPAddressAvailability?ipAddress="

    taken = await lab.get(f"{ask}10.0.0.4")
    free = await lab.get(f"{ask}10.0.0.9")
    reserved = await lab.get(f"{ask}10.0.0.1")
    usages = await lab.get("virtualNetworks/v/usages")

    assert taken["available"] is False
    assert taken["availableIPAddresses"] == [f"10.0.0.{last}" for last in range(5, 10)]
    assert free == {"available": True, "isPlatformReserved": False}
    assert reserved["isPlatformReserved"] is True
    assert [(one["id"], one["currentValue"], one["limit"]) for one in usages["value"]] == [(lab.id(SUBNET), 1.0, 251.0)]
    assert await lab.refused("GET", f"{ask}11.0.0.1") == (400, "PrivateIPAddressNotInAnySubnet")
    assert await lab.refused("GET", f"{ask}one") == (400, "InvalidIPAddressFormat")


async def test_peerings_are_connected_when_both_are_there(lab: Lab) -> None:
    await lab.network("v")
    await lab.network("w", "10.1.0.0/24", space="10.1.0.0/16")
    there, back = "virtualNetworks/v/virtualNetworkPeerings/p", "virtualNetworks/w/virtualNetworkPeerings/q"

    first = await lab.put(there, {"remoteVirtualNetwork": lab.ref("virtualNetworks/w")})
    second = await lab.put(back, {"remoteVirtualNetwork": lab.ref("virtualNetworks/v"), "allowForwardedTraffic": True})
    both = await lab.get(there)

    assert first["properties"]["peeringState"] == "Initiated"
    assert first["properties"]["remoteAddressSpace"] == {
        "addressPrefixes": ["10.1.0.0/16"],
        "ipamPoolPrefixAllocations": [],
    }
    assert second["properties"]["resourceGuid"] == first["properties"]["resourceGuid"]
    assert second["properties"]["peeringState"] == both["properties"]["peeringState"] == "Connected"

    await lab.isv.delete(lab.id("virtualNetworks/w"))

    assert (await lab.get(there))["properties"]["peeringState"] == "Disconnected"


async def test_overlapping_networks_cannot_be_peered(lab: Lab) -> None:
    await lab.network("v")
    await lab.network("w")

    refused = await lab.refused(
        "PUT", "virtualNetworks/v/virtualNetworkPeerings/p", {"remoteVirtualNetwork": lab.ref("virtualNetworks/w")}
    )

    assert refused == (400, "VnetAddressSpacesOverlap")


async def test_usages_of_a_region(lab: Lab) -> None:
    await lab.network()
    where = f"/subscriptions/{lab.isv.subscription}/providers/Microsoft.Network/locations/westeurope/usages"

    used = {one["name"]["value"]: one["currentValue"] for one in (await lab.isv.get(where))["value"]}

    assert used["VirtualNetworks"] == 1
    assert used["LoadBalancers"] == 0


async def test_no_more_networks_than_the_quota_allows(lab: Lab) -> None:
    await lab.network()
    lab.sandbox.azure.quotas.set_limit(lab.isv.subscription, "VirtualNetworks", 1)
    space = {"location": "northeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}}}

    refused = await lab.isv.failure("PUT", lab.id("virtualNetworks/w"), {**space, "location": "westeurope"})

    assert refused == (400, "VirtualNetworksCountLimitReached")
    assert await lab.isv.put(lab.id("virtualNetworks/w"), space), "the limit is for each region"
    assert await lab.network(), "and what is there may be written again"


async def test_a_network_that_encrypts_says_what_becomes_of_plain_traffic(lab: Lab) -> None:
    asked = space("10.0.0.0/16", encryption={"enabled": True})
    drop = {"enabled": True, "enforcement": "DropUnencrypted"}

    refused = await lab.refused("PUT", "virtualNetworks/v", asked)
    encrypting = await lab.put("virtualNetworks/v", space("10.0.0.0/16", encryption=drop))
    plain = await lab.put("virtualNetworks/v", space("10.0.0.0/16", encryption={"enabled": False}))

    assert refused == (400, "MustSpecifyBothEncryptionIntentAndEnforcementPolicy")
    assert encrypting["properties"]["encryption"] == drop
    assert plain["properties"]["encryption"] == {"enabled": False, "enforcement": "AllowUnencrypted"}


async def test_many_subnets_are_held_against_each_other_in_a_moment(lab: Lab) -> None:
    many = [subnet(f"s{at}", f"10.{at // 256}.{at % 256}.0/24") for at in range(1000)]
    await lab.put("virtualNetworks/v", space("10.0.0.0/8", subnets=many))
    twice = [*many[:-1], subnet("twice", "10.2.0.128/25")]
    assert await lab.refused("PUT", "virtualNetworks/w", space("10.0.0.0/8", subnets=twice)) == (
        400,
        "NetcfgSubnetRangesOverlap",
    )


@pytest.mark.parametrize(
    ("prefixes", "free"),
    [
        (["10.0.0.0/24", "10.0.1.0/24", "fd00::/64"], True),
        (["10.0.1.0/24", "10.0.0.0/23"], False),
        (["10.0.0.0/23", "10.0.1.0/24"], False),
        (["10.0.0.0/24", "10.0.0.0/24"], False),
        (["10.0.0.0/24", "10.0.2.0/24", "10.0.1.0/24"], True),
    ],
)
def test_prefixes_that_share_an_address(prefixes: list[str], free: bool) -> None:
    taken = Taken()
    assert [taken.take(ip_network(prefix)) for prefix in prefixes][-1] is free
