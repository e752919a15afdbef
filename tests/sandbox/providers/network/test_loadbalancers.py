from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from plstui.sandbox.azure import NoBackplane
from plstui.sandbox.ports import MemberHealth
from tests.sandbox.providers.network.conftest import LOCATION, Lab

LB = "loadBalancers/lb"
SUBNET = "virtualNetworks/v/subnets/a"
COLLECTIONS = (
    "backendAddressPools",
    "loadBalancingRules",
    "probes",
    "inboundNatRules",
    "outboundRules",
    "inboundNatPools",
)


def public(lab: Lab) -> dict[str, Any]:
    return {"name": "front", "properties": {"publicIPAddress": lab.ref("publicIPAddresses/p")}}


async def test_a_public_balancer_is_there_at_once_with_every_list(lab: Lab) -> None:
    await lab.put("publicIPAddresses/p", {}, sku={"name": "Standard"})

    created = await lab.isv.call(
        "PUT",
        lab.id(LB),
        {"location": LOCATION, "sku": {"name": "standard"}, "properties": {"frontendIPConfigurations": [public(lab)]}},
    )

    assert created.status == 201
    properties = created.body["properties"]
    assert properties["provisioningState"] == "Succeeded"
    assert all(properties[name] == [] for name in COLLECTIONS)
    assert created.body["sku"] == {"name": "Standard", "tier": "Regional"}
    front = properties["frontendIPConfigurations"][0]
    assert front["properties"] == {
        "provisioningState": "Succeeded",
        "privateIPAllocationMethod": "Dynamic",
        "publicIPAddress": lab.ref("publicIPAddresses/p"),
    }
    assert (await lab.get(LB))["etag"] == created.body["etag"]
    address = await lab.get("publicIPAddresses/p")
    assert address["properties"]["ipConfiguration"] == {"id": front["id"]}


async def test_an_internal_balancer_takes_an_address_and_a_while(lab: Lab) -> None:
    await lab.network()
    front = {"name": "front", "properties": {"subnet": lab.ref(SUBNET)}}

    created = await lab.isv.call(
        "PUT",
        lab.id(LB),
        {"location": LOCATION, "sku": {"name": "Standard"}, "properties": {"frontendIPConfigurations": [front]}},
    )

    shown = created.body["properties"]["frontendIPConfigurations"][0]["properties"]
    assert created.body["properties"]["provisioningState"] == shown["provisioningState"] == "Updating"
    assert shown["privateIPAddress"] == "10.0.0.4"
    assert (await lab.get(LB))["properties"]["provisioningState"] == "Succeeded"
    assert (await lab.nic("n"))["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.0.0.5"


async def test_parts_refer_to_each_other_both_ways(lab: Lab) -> None:
    await lab.network()

    properties = (await lab.balancer())["properties"]

    rule = properties["loadBalancingRules"][0]
    assert rule["properties"] == {
        "provisioningState": "Succeeded",
        "frontendIPConfiguration": lab.ref(f"{LB}/frontendIPConfigurations/front"),
        "frontendPort": 80,
        "backendPort": 80,
        "enableFloatingIP": False,
        "idleTimeoutInMinutes": 4,
        "protocol": "Tcp",
        "enableDestinationServiceEndpoint": False,
        "enableTcpReset": False,
        "allowBackendPortConflict": False,
        "loadDistribution": "Default",
        "disableOutboundSnat": False,
        "enableConnectionTracking": False,
        "backendAddressPool": lab.ref(f"{LB}/backendAddressPools/pool"),
        "backendAddressPools": [lab.ref(f"{LB}/backendAddressPools/pool")],
        "probe": lab.ref(f"{LB}/probes/http"),
    }
    back = [{"id": rule["id"]}]
    assert properties["frontendIPConfigurations"][0]["properties"]["loadBalancingRules"] == back
    assert properties["backendAddressPools"][0]["properties"]["loadBalancingRules"] == back
    probe = properties["probes"][0]["properties"]
    assert probe["loadBalancingRules"] == back
    assert (probe["intervalInSeconds"], probe["numberOfProbes"], probe["probeThreshold"]) == (15, 2, 1)
    for part in ("loadBalancingRules/http", "probes/http", "frontendIPConfigurations/front"):
        assert (await lab.get(f"{LB}/{part}"))["etag"] == rule["etag"]
    assert await lab.get(f"{LB}/probes") == {"value": properties["probes"]}


async def test_what_was_read_can_be_written_back(lab: Lab) -> None:
    await lab.network()
    await lab.balancer()
    await lab.nic("n", loadBalancerBackendAddressPools=[lab.ref(f"{LB}/backendAddressPools/pool")])
    body = await lab.get(LB)

    again = await lab.isv.call("PUT", lab.id(LB), body)

    assert again.status == 200
    assert again.body["properties"]["provisioningState"] == "Succeeded"
    assert again.body == body


async def test_a_pool_is_written_by_itself(lab: Lab) -> None:
    await lab.network()
    await lab.balancer()

    created = await lab.isv.call("PUT", lab.id(f"{LB}/backendAddressPools/more"), {"name": "more"})
    again = await lab.isv.call("PUT", lab.id(f"{LB}/backendAddressPools/more"), {"name": "more"})

    assert (created.status, again.status) == (201, 200)
    assert created.body["properties"] == {"provisioningState": "Updating", "loadBalancerBackendAddresses": []}
    assert again.body["properties"]["provisioningState"] == "Updating"
    assert [pool["name"] for pool in (await lab.get(f"{LB}/backendAddressPools"))["value"]] == ["pool", "more"]
    used = await lab.refused("DELETE", f"{LB}/backendAddressPools/pool")
    assert used == (400, "InvalidResourceReference")

    await lab.isv.delete(lab.id(f"{LB}/backendAddressPools/more"))

    assert len((await lab.get(LB))["properties"]["backendAddressPools"]) == 1


async def test_members_by_address(lab: Lab) -> None:
    await lab.network()
    await lab.balancer()
    member = {"name": "m", "properties": {"ipAddress": "10.0.0.20", "virtualNetwork": lab.ref("virtualNetworks/v")}}

    await lab.put(f"{LB}/backendAddressPools/more", {"loadBalancerBackendAddresses": [member]})
    kept = await lab.put(f"{LB}/backendAddressPools/more", {"drainPeriodInSeconds": 5})

    (address,) = kept["properties"]["loadBalancerBackendAddresses"]
    assert address["id"] == f"{kept['id']}/loadBalancerBackendAddresses/m"
    assert address["properties"]["ipAddress"] == "10.0.0.20"


async def test_an_inbound_nat_rule_is_written_by_itself_and_taken_by_an_interface(lab: Lab) -> None:
    await lab.network()
    await lab.balancer()
    rule = f"{LB}/inboundNatRules/ssh"
    front = {"frontendIPConfiguration": lab.ref(f"{LB}/frontendIPConfigurations/front")}

    created = await lab.isv.call(
        "PUT", lab.id(rule), {"properties": {**front, "frontendPort": 2222, "backendPort": 22}}
    )
    nic = await lab.nic("n", loadBalancerInboundNatRules=[lab.ref(rule)])

    assert created.status == 201
    assert created.body["properties"]["provisioningState"] == "Succeeded"
    own = nic["properties"]["ipConfigurations"][0]["id"]
    assert (await lab.get(rule))["properties"]["backendIPConfiguration"] == {"id": own}
    shown = (await lab.get(LB))["properties"]["frontendIPConfigurations"][0]["properties"]["inboundNatRules"]
    assert shown == [lab.ref(rule)]
    assert await lab.refused("DELETE", rule) == (400, "InUseInboundNatRuleCannotBeDeleted")

    await lab.nic("n")
    await lab.isv.delete(lab.id(rule))


async def test_a_basic_balancer_has_no_outbound_rules(lab: Lab) -> None:
    await lab.network()
    front = {"name": "f", "properties": {"subnet": lab.ref(SUBNET)}}

    body = await lab.put(LB, {"frontendIPConfigurations": [front], "backendAddressPools": [{"name": "p"}]})

    assert body["sku"]["name"] == "Basic"
    assert "outboundRules" not in body["properties"]
    assert body["properties"]["backendAddressPools"][0]["properties"] == {"provisioningState": "Succeeded"}


async def test_an_outbound_rule(lab: Lab) -> None:
    await lab.put("publicIPAddresses/p", {}, sku={"name": "Standard"})
    outbound = {
        "protocol": "all",
        "backendAddressPool": lab.ref(f"{LB}/backendAddressPools/pool"),
        "frontendIPConfigurations": [lab.ref(f"{LB}/frontendIPConfigurations/front")],
    }

    body = await lab.put(
        LB,
        {
            "frontendIPConfigurations": [public(lab)],
            "backendAddressPools": [{"name": "pool"}],
            "outboundRules": [{"name": "out", "properties": outbound}],
        },
        sku={"name": "Standard"},
    )

    pool = body["properties"]["backendAddressPools"][0]["properties"]
    assert pool["outboundRules"] == [lab.ref(f"{LB}/outboundRules/out")]
    assert body["properties"]["outboundRules"][0]["properties"]["allocatedOutboundPorts"] == 1024


async def test_deleting_a_balancer_sends_its_members_away(lab: Lab) -> None:
    await lab.network()
    await lab.balancer()
    await lab.nic("n", loadBalancerBackendAddressPools=[lab.ref(f"{LB}/backendAddressPools/pool")])

    await lab.isv.delete(lab.id(LB))

    configuration = (await lab.get("networkInterfaces/n"))["properties"]["ipConfigurations"][0]["properties"]
    assert "loadBalancerBackendAddressPools" not in configuration
    assert (await lab.get(SUBNET))["properties"]["ipConfigurations"][0]["id"].endswith("/N/ipConfigurations/IPCONFIG1")


async def test_a_balancer_behind_a_private_link_service_stays(lab: Lab) -> None:
    await lab.network()
    await lab.balancer()
    await lab.put(SUBNET, {"addressPrefix": "10.0.0.0/24", "privateLinkServiceNetworkPolicies": "Disabled"})
    service = await lab.put(
        "privateLinkServices/pls",
        {
            "loadBalancerFrontendIpConfigurations": [lab.ref(f"{LB}/frontendIPConfigurations/front")],
            "ipConfigurations": [{"name": "nat", "properties": {"subnet": lab.ref(SUBNET)}}],
        },
    )

    words = await lab.message("DELETE", LB)

    assert words == (
        f"Cannot delete load balancer {lab.id(LB)} since it is referenced by private link service {service['id']}. "
        "Please delete private link service prior to deleting load balancer."
    )
    without = await lab.refused("PUT", LB, {"frontendIPConfigurations": []}, sku={"name": "Standard"})
    assert without == (400, "InvalidResourceReference")
    enabled = await lab.refused("PUT", SUBNET, {"addressPrefix": "10.0.0.0/24"})
    assert enabled == (400, "PrivateLinkServiceNetworkPoliciesCannotBeEnabledOnPrivateLinkServiceSubnet")

    await lab.isv.delete(service["id"])
    await lab.isv.delete(lab.id(LB))


async def test_a_pool_with_members_cannot_be_left_out(lab: Lab) -> None:
    await lab.network()
    await lab.balancer()
    await lab.nic("n", loadBalancerBackendAddressPools=[lab.ref(f"{LB}/backendAddressPools/pool")])
    front = {"name": "front", "properties": {"subnet": lab.ref(SUBNET)}}

    refused = await lab.refused("PUT", LB, {"frontendIPConfigurations": [front]}, sku={"name": "Standard"})

    assert refused == (400, "InUseBackendAddressPoolCannotBeDeleted")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"frontendPort": 0}, "InvalidRequestFormat"),
        ({"backendPort": 70000}, "InvalidRequestFormat"),
        ({"idleTimeoutInMinutes": 3}, "InvalidRequestFormat"),
        ({"protocol": "Icmp"}, "InvalidRequestContent"),
        ({"protocol": None}, "InvalidRequestFormat"),
        ({"frontendIPConfiguration": None}, "InvalidRequestFormat"),
        ({"probe": {"id": "missing"}}, "InvalidResourceReference"),
        ({"name": "second"}, "RulesUseSameFrontendPortProtocolAndIPConfig"),
        ({"name": "second", "frontendPort": 81}, "RulesUseSameBackendPortProtocolAndPool"),
        ({"name": "http"}, "DuplicateResourceName"),
    ],
)
async def test_rules_that_cannot_be(lab: Lab, change: dict[str, Any], code: str) -> None:
    await lab.network()
    body = await lab.balancer()
    first = body["properties"]["loadBalancingRules"][0]
    name = change.pop("name", None)
    if change.get("probe"):
        change["probe"] = lab.ref(f"{LB}/probes/none")
    changed = {"name": name or "http", "properties": {**first["properties"], **change}}
    body["properties"]["loadBalancingRules"] = [first, changed] if name else [changed]

    assert await lab.isv.failure("PUT", lab.id(LB), body) == (400, code)


async def test_a_frontend_stands_on_something_and_skus_match(lab: Lab) -> None:
    await lab.put("publicIPAddresses/p", {})

    nothing = await lab.refused("PUT", LB, {"frontendIPConfigurations": [{"name": "f", "properties": {}}]})
    mixed = await lab.refused("PUT", LB, {"frontendIPConfigurations": [public(lab)]}, sku={"name": "Standard"})

    assert nothing[0] == 400
    assert mixed == (400, "PublicIPAndLBSkuDoNotMatch")


class Members(NoBackplane):
    """A network in which two members were probed."""

    def rule_health(self, rule_id: str) -> Sequence[MemberHealth]:
        configuration = (
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/n/ipConfigurations"
        )
        return (
            MemberHealth("10.0.1.5", f"{configuration}/1", True, "Up_Probe_Success"),
            MemberHealth("10.0.1.6", f"{configuration}/2", False, "Down_Probe_TcpProbeTimeout"),
        )


async def test_the_health_of_a_rule(lab: Lab) -> None:
    await lab.network()
    await lab.balancer()
    lab.azure.backplane = Members()
    path = lab.id(f"{LB}/loadBalancingRules/http/health")

    asked = await lab.isv.call("POST", path)

    assert (asked.status, asked.body) == (202, None)
    assert "Azure-AsyncOperation" not in asked.headers
    answer = await lab.isv.end_of(asked)
    assert answer.status == 200
    assert (answer.body["up"], answer.body["down"]) == (1, 1)
    assert [(one["ipAddress"], one["state"], one["reason"]) for one in answer.body["loadBalancerBackendAddresses"]] == [
        ("10.0.1.5", "Up", "Up_Probe_Success"),
        ("10.0.1.6", "Down", "Down_Probe_TcpProbeTimeout"),
    ]
    older = await lab.isv.call("POST", path, api_version="2024-03-01")
    assert (older.status, older.body["error"]["code"]) == (404, "InvalidResourceType")
    missing = await lab.isv.call("POST", path.replace("/http/", "/none/"))
    assert missing.status == 404
