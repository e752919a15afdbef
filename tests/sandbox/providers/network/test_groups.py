"""Security groups, their rules, and application security groups."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.providers.network.conftest import LOCATION, Lab

RULE = "networkSecurityGroups/nsg/securityRules/nginx"


def rule(**more: Any) -> dict[str, Any]:
    return {
        "protocol": "tcp",
        "access": "allow",
        "direction": "inbound",
        "priority": 1003,
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "80",
    } | more


async def test_a_group_has_six_rules_from_the_start(lab: Lab) -> None:
    body = await lab.put("networkSecurityGroups/nsg")

    defaults = body["properties"]["defaultSecurityRules"]
    assert body["properties"]["securityRules"] == []
    assert [(one["name"], one["properties"]["priority"], one["properties"]["access"]) for one in defaults] == [
        ("AllowVnetInBound", 65000, "Allow"),
        ("AllowAzureLoadBalancerInBound", 65001, "Allow"),
        ("DenyAllInBound", 65500, "Deny"),
        ("AllowVnetOutBound", 65000, "Allow"),
        ("AllowInternetOutBound", 65001, "Allow"),
        ("DenyAllOutBound", 65500, "Deny"),
    ]
    assert {one["properties"]["provisioningState"] for one in defaults} == {"Succeeded"}
    assert await lab.get("networkSecurityGroups/nsg/defaultSecurityRules/DenyAllInBound") == defaults[2]


async def test_a_rule_is_written_by_itself(lab: Lab) -> None:
    await lab.put("networkSecurityGroups/nsg")
    await lab.put("applicationSecurityGroups/asg")
    sent = rule(
        destinationPortRanges=["80", "443"],
        destinationApplicationSecurityGroups=[lab.ref("applicationSecurityGroups/asg")],
    )
    del sent["destinationAddressPrefix"], sent["destinationPortRange"]

    created = await lab.isv.call("PUT", lab.id(RULE), {"properties": sent})
    await lab.isv.end_of(created)

    assert created.status == 201
    assert created.body["properties"]["provisioningState"] == "Updating"
    found = (await lab.get(RULE))["properties"]
    assert (found["protocol"], found["access"], found["direction"]) == ("Tcp", "Allow", "Inbound")
    assert found["destinationPortRanges"] == ["80", "443"]
    assert found["sourcePortRanges"] == found["destinationAddressPrefixes"] == []
    assert found["destinationApplicationSecurityGroups"] == [lab.ref("applicationSecurityGroups/asg")]
    assert (await lab.get("networkSecurityGroups/nsg"))["properties"]["securityRules"] == [await lab.get(RULE)]
    refused = await lab.refused("DELETE", "applicationSecurityGroups/asg")
    assert refused == (400, "InUseApplicationSecurityGroupCannotBeDeleted")

    await lab.isv.delete(lab.id(RULE))
    await lab.isv.delete(lab.id("applicationSecurityGroups/asg"))


async def test_two_rules_of_one_direction_cannot_share_a_priority(lab: Lab) -> None:
    await lab.put("networkSecurityGroups/nsg", {"securityRules": [{"name": "nginx", "properties": rule()}]})

    words = await lab.message("PUT", "networkSecurityGroups/nsg/securityRules/other", rule())
    outbound = await lab.put("networkSecurityGroups/nsg/securityRules/out", rule(direction="Outbound"))

    assert words == (
        "Security rule nginx conflicts with rule other. Rules cannot have the same Priority and Direction. To learn "
        "more, see aka.ms/nsgrules."
    )
    assert outbound["properties"]["priority"] == 1003


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"priority": 99}, "SecurityRuleInvalidPriority"),
        ({"priority": 4097}, "SecurityRuleInvalidPriority"),
        ({"destinationPortRange": "90-80"}, "SecurityRuleInvalidPortRange"),
        ({"destinationPortRange": "http"}, "SecurityRuleInvalidPortRange"),
        ({"destinationPortRange": "65536"}, "SecurityRuleInvalidPortRange"),
        ({"sourceAddressPrefix": "300.0.0.0/8"}, "SecurityRuleInvalidAddressPrefix"),
        ({"access": None}, "InvalidRequestFormat"),
        ({"access": "Perhaps"}, "InvalidRequestContent"),
        ({"destinationPortRange": None}, "SecurityRuleInvalidPortRange"),
    ],
)
async def test_rules_that_cannot_be(lab: Lab, change: dict[str, Any], code: str) -> None:
    await lab.put("networkSecurityGroups/nsg")

    assert await lab.refused("PUT", RULE, rule(**change)) == (400, code)


@pytest.mark.parametrize("prefix", ["Internet", "AzureLoadBalancer", "Storage.WestEurope", "10.0.0.0/8", "1.2.3.4"])
async def test_addresses_prefixes_and_service_tags(lab: Lab, prefix: str) -> None:
    await lab.put("networkSecurityGroups/nsg")

    assert (await lab.put(RULE, rule(sourceAddressPrefix=prefix)))["properties"]["sourceAddressPrefix"] == prefix


async def test_rules_survive_an_update_of_their_group_that_sends_them_back(lab: Lab) -> None:
    await lab.put("networkSecurityGroups/nsg", {"securityRules": [{"name": "nginx", "properties": rule()}]})
    body = await lab.get("networkSecurityGroups/nsg")

    again = await lab.isv.call("PUT", lab.id("networkSecurityGroups/nsg"), body)

    assert again.body["etag"] == body["etag"]
    emptied = await lab.put("networkSecurityGroups/nsg", {})
    assert emptied["properties"]["securityRules"] == []


async def test_a_group_of_an_interface_stays(lab: Lab) -> None:
    await lab.network()
    await lab.put("networkSecurityGroups/nsg")
    await lab.put("applicationSecurityGroups/asg")
    await lab.put(
        "networkInterfaces/n",
        {
            "networkSecurityGroup": lab.ref("networkSecurityGroups/nsg"),
            "ipConfigurations": [
                {
                    "name": "i",
                    "properties": {
                        "subnet": lab.ref("virtualNetworks/v/subnets/a"),
                        "applicationSecurityGroups": [lab.ref("applicationSecurityGroups/asg")],
                    },
                }
            ],
        },
    )

    assert (await lab.get("networkSecurityGroups/nsg"))["properties"]["networkInterfaces"] == [
        lab.ref("networkInterfaces/n")
    ]
    words = await lab.message("DELETE", "networkSecurityGroups/nsg")
    assert words == (
        f"Network security group {lab.id('networkSecurityGroups/nsg')} cannot be deleted because it is in use by the "
        f"following resources: {lab.id('networkInterfaces/n')}. In order to delete the Network security group, remove "
        "the association with the resource(s). To learn how to do this, see aka.ms/deletensg."
    )
    refused = await lab.refused("DELETE", "applicationSecurityGroups/asg")
    assert refused == (400, "InUseApplicationSecurityGroupCannotBeDeleted")


async def test_an_application_security_group_has_nothing_in_it(lab: Lab) -> None:
    body = await lab.put("applicationSecurityGroups/asg", tags={"a": "b"})

    assert body["location"] == LOCATION
    assert body["properties"] == {"provisioningState": "Succeeded"}


async def test_the_list_of_resources_tells_of_tags_that_were_sent_even_none(lab: Lab) -> None:
    await lab.put("networkSecurityGroups/none", {}, tags={})
    await lab.put("networkSecurityGroups/unsaid", {})

    listed = (await lab.isv.get(f"/subscriptions/{lab.isv.subscription}/resources"))["value"]

    assert {one["name"]: one.get("tags") for one in listed} == {"none": {}, "unsaid": None}
