from __future__ import annotations

from typing import Any

import pytest

from plstui.domain.ids import ResourceId
from plstui.sandbox.providers.network import nics
from tests.sandbox.providers.network.conftest import LOCATION, Lab

SUBNET = "virtualNetworks/v/subnets/a"
POOL = "loadBalancers/lb/backendAddressPools/pool"


def address(nic: Any) -> str:
    return str(nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"])


async def test_an_interface_as_azure_shows_it(lab: Lab) -> None:
    await lab.network()

    created = await lab.isv.call(
        "PUT",
        lab.id("networkInterfaces/n"),
        {
            "location": LOCATION,
            "properties": {"ipConfigurations": [{"name": "i", "properties": {"subnet": lab.ref(SUBNET)}}]},
        },
    )

    assert created.status == 201
    assert created.body["kind"] == "Regular"
    properties = created.body["properties"]
    assert properties["provisioningState"] == "Succeeded"
    assert properties["ipConfigurations"][0]["properties"] == {
        "provisioningState": "Succeeded",
        "privateIPAddress": "10.0.0.4",
        "privateIPAllocationMethod": "Dynamic",
        "subnet": lab.ref(SUBNET),
        "primary": True,
        "privateIPAddressVersion": "IPv4",
    }
    assert properties["hostedWorkloads"] == properties["tapConfigurations"] == []
    assert properties["enableAcceleratedNetworking"] is properties["enableIPForwarding"] is False
    assert "macAddress" not in properties
    assert "virtualMachine" not in properties
    assert (await lab.get("networkInterfaces/n"))["etag"] == created.body["etag"]
    shown = (await lab.get(SUBNET))["properties"]["ipConfigurations"]
    assert shown == [{"id": f"{lab.isv.group('G')}/providers/Microsoft.Network/networkInterfaces/N/ipConfigurations/I"}]
    assert (await lab.get("networkInterfaces/n/ipConfigurations/i"))["name"] == "i"


async def test_addresses_are_given_in_order_and_given_again(lab: Lab) -> None:
    await lab.network()

    first = [address(await lab.nic(f"n{at}")) for at in range(3)]
    await lab.isv.delete(lab.id("networkInterfaces/n1"))
    fourth = address(await lab.nic("n3"))

    assert first == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]
    assert fourth == "10.0.0.5"


async def test_an_interface_keeps_its_address(lab: Lab) -> None:
    await lab.network()
    await lab.nic("n0")
    await lab.nic("n1")
    await lab.isv.delete(lab.id("networkInterfaces/n0"))

    again = await lab.nic("n1", privateIPAddress="10.0.0.77")

    assert address(again) == "10.0.0.5"


async def test_a_small_subnet_gets_full(lab: Lab) -> None:
    await lab.network("v", "10.0.0.0/29")
    got = [address(await lab.nic(f"n{at}")) for at in range(3)]

    full = await lab.refused(
        "PUT",
        "networkInterfaces/n3",
        {"ipConfigurations": [{"name": "i", "properties": {"subnet": lab.ref(SUBNET)}}]},
    )

    assert got == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]
    assert full == (400, "SubnetIsFull")


async def test_chosen_addresses(lab: Lab) -> None:
    await lab.network()

    def chosen(text: str) -> object:
        inner = {"subnet": lab.ref(SUBNET), "privateIPAllocationMethod": "Static", "privateIPAddress": text}
        return {"ipConfigurations": [{"name": "i", "properties": inner}]}

    assert address(await lab.put("networkInterfaces/n", chosen("10.0.0.4"))) == "10.0.0.4"
    assert address(await lab.put("networkInterfaces/n", chosen("10.0.0.9"))) == "10.0.0.9"
    assert address(await lab.nic("m")) == "10.0.0.4"
    for text, code in (
        ("10.0.0.9", "PrivateIPAddressIsAllocated"),
        ("10.0.1.9", "PrivateIPAddressNotInSubnet"),
        ("10.0.0.1", "PrivateIPAddressInReservedRange"),
        ("10.0.0.255", "PrivateIPAddressInReservedRange"),
        ("ten", "InvalidIPAddressFormat"),
        ("", "InvalidRequestFormat"),
    ):
        assert await lab.refused("PUT", "networkInterfaces/o", chosen(text)) == (400, code)
    assert await lab.message("PUT", "networkInterfaces/o", chosen("10.0.0.9")) == (
        f"IP configuration {lab.id('networkInterfaces/o/ipConfigurations/i')} is using the private IP address 10.0.0.9 "
        f"which is already allocated to resource {lab.id('networkInterfaces/n')}."
    )


async def test_several_configurations_of_one_interface(lab: Lab) -> None:
    await lab.network()
    one = {"subnet": lab.ref(SUBNET)}

    body = await lab.put(
        "networkInterfaces/n",
        {"ipConfigurations": [{"name": "i", "properties": one}, {"name": "j", "properties": {**one, "primary": True}}]},
    )

    configurations = [item["properties"] for item in body["properties"]["ipConfigurations"]]
    assert [item["privateIPAddress"] for item in configurations] == ["10.0.0.4", "10.0.0.5"]
    assert [item["primary"] for item in configurations] == [False, True]


async def test_joining_and_leaving_a_pool(slow: Lab) -> None:
    await slow.isv.call(
        "PUT",
        slow.id("virtualNetworks/v"),
        {
            "location": LOCATION,
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}],
            },
        },
    )
    slow.azure.clock.advance(5)
    front = {"name": "f", "properties": {"subnet": slow.ref(SUBNET)}}
    balancer = {"frontendIPConfigurations": [front], "backendAddressPools": [{"name": "pool"}]}
    await slow.isv.call(
        "PUT",
        slow.id("loadBalancers/lb"),
        {"location": LOCATION, "sku": {"name": "Standard"}, "properties": balancer},
    )
    slow.azure.clock.advance(5)
    nic = slow.id("networkInterfaces/n")
    inner: dict[str, Any] = {"subnet": slow.ref(SUBNET)}
    body = {"location": LOCATION, "properties": {"ipConfigurations": [{"name": "i", "properties": inner}]}}
    await slow.isv.call("PUT", nic, body)
    before = await slow.get("loadBalancers/lb")

    inner["loadBalancerBackendAddressPools"] = [slow.ref("loadBalancers/lb/backendAddressPools/POOL")]
    joined = await slow.isv.call("PUT", nic, body)

    assert joined.body["properties"]["provisioningState"] == "Updating"
    configuration = joined.body["properties"]["ipConfigurations"][0]
    assert configuration["properties"]["provisioningState"] == "Updating"
    assert configuration["properties"]["loadBalancerBackendAddressPools"] == [slow.ref(POOL)]
    pool = await slow.get(POOL)
    assert pool["properties"]["backendIPConfigurations"] == [{"id": configuration["id"]}]
    member = pool["properties"]["loadBalancerBackendAddresses"][0]
    assert member["properties"]["networkInterfaceIPConfiguration"] == {"id": configuration["id"]}
    assert pool["etag"] == member["etag"] != before["etag"]
    slow.azure.clock.advance(5)
    settled = await slow.get("networkInterfaces/n")
    assert settled["properties"]["ipConfigurations"][0]["properties"]["provisioningState"] == "Succeeded"

    inner["loadBalancerBackendAddressPools"] = []
    left = await slow.isv.call("PUT", nic, body)

    assert "loadBalancerBackendAddressPools" not in left.body["properties"]["ipConfigurations"][0]["properties"]
    empty = await slow.get(POOL)
    assert empty["properties"].keys() == {"provisioningState", "loadBalancerBackendAddresses"}
    assert empty["properties"]["loadBalancerBackendAddresses"] == []


@pytest.mark.parametrize(
    ("location", "asked", "told"),
    [("westeurope", None, False), ("westus", None, None), ("westus", False, False), ("eastus2euap", True, True)],
)
async def test_some_regions_tell_of_acceleration_only_when_asked(
    lab: Lab, location: str, asked: bool | None, told: bool | None
) -> None:
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    subnets = [{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}]
    await lab.put("virtualNetworks/v", {**space, "subnets": subnets}, location=location)
    properties: dict[str, Any] = {"ipConfigurations": [{"name": "i", "properties": {"subnet": lab.ref(SUBNET)}}]}
    if asked is not None:
        properties["enableAcceleratedNetworking"] = asked

    shown = await lab.put("networkInterfaces/n", properties, location=location)

    assert shown["properties"].get("enableAcceleratedNetworking") is told


async def test_an_interface_of_a_machine_stays(lab: Lab) -> None:
    await lab.network()
    await lab.nic("n")
    nic_id, machine = ResourceId(lab.id("networkInterfaces/n")), lab.isv.group("g") + "/providers/Microsoft.Compute/vm"
    lab.azure.store.put({"id": f"{machine}/v", "name": "v", "type": "Microsoft.Compute/vm", "location": LOCATION})

    nics.attach(lab.azure, nic_id, f"{machine}/v", primary=True)
    attached = (await lab.get("networkInterfaces/n"))["properties"]
    words = await lab.message("DELETE", "networkInterfaces/n")
    await lab.nic("n")
    kept = (await lab.get("networkInterfaces/n"))["properties"]

    assert attached["macAddress"].startswith("00-0D-3A-")
    assert attached["primary"] is True
    assert attached["enableAcceleratedNetworking"] is False
    assert words == (
        f"Network Interface {nic_id} is used by existing resource {machine}/v. In order to delete the network "
        "interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic."
    )
    assert kept["virtualMachine"] == {"id": f"{machine}/v"}
    assert kept["macAddress"] == attached["macAddress"]

    nics.detach(lab.azure, nic_id)

    assert "virtualMachine" not in (await lab.get("networkInterfaces/n"))["properties"]
    await lab.isv.delete(nic_id.text)


async def test_an_interface_says_whether_its_subnet_lets_it_out(lab: Lab) -> None:
    await lab.network("v", "10.0.0.0/24", "10.0.1.0/24")
    await lab.put("virtualNetworks/v/subnets/b", {"addressPrefix": "10.0.1.0/24", "defaultOutboundAccess": False})

    open_one = await lab.nic("n")
    closed_one = await lab.nic("m", "virtualNetworks/v/subnets/b")

    assert open_one["properties"]["defaultOutboundConnectivityEnabled"] is True
    assert closed_one["properties"]["defaultOutboundConnectivityEnabled"] is False


async def test_an_address_is_of_the_version_that_was_asked_for(lab: Lab) -> None:
    await lab.put(
        "virtualNetworks/v",
        {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16", "fd00::/48"]},
            "subnets": [{"name": "a", "properties": {"addressPrefixes": ["10.0.0.0/24", "fd00::/64"]}}],
        },
    )
    assert address(await lab.nic("n")) == "10.0.0.4"
    assert address(await lab.nic("n", privateIPAddressVersion="IPv6")) == "fd00::4"

    sku, static = {"name": "Standard"}, {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv6"}
    public = await lab.put("publicIPAddresses/p", static, sku=sku)
    assert public["properties"]["ipAddress"] == "2001:db8::1"


async def test_public_addresses(lab: Lab) -> None:
    await lab.network()
    created = await lab.isv.call(
        "PUT",
        lab.id("publicIPAddresses/p"),
        {"location": LOCATION, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "static"}},
    )
    await lab.isv.end_of(created)

    nic = await lab.nic("n", publicIPAddress=lab.ref("publicIPAddresses/p"))

    assert "ipAddress" not in created.body["properties"]
    public = await lab.get("publicIPAddresses/p")
    assert public["properties"]["ipAddress"] == "203.0.113.1"
    assert public["sku"] == {"name": "Standard", "tier": "Regional"}
    own = nic["properties"]["ipConfigurations"][0]["id"]
    assert public["properties"]["ipConfiguration"] == {"id": own}
    assert await lab.message("DELETE", "publicIPAddresses/p") == (
        f"Public IP address {public['id']} can not be deleted since it is still allocated to resource {own}. In order "
        "to delete the public IP, disassociate/detach the Public IP address from the resource.  To learn how to do "
        "this, see aka.ms/deletepublicip."
    )
    twice = await lab.refused(
        "PUT",
        "networkInterfaces/m",
        {
            "ipConfigurations": [
                {
                    "name": "i",
                    "properties": {"subnet": lab.ref(SUBNET), "publicIPAddress": lab.ref("publicIPAddresses/p")},
                }
            ]
        },
    )
    assert twice == (400, "PublicIPAddressInUse")

    await lab.nic("n")
    await lab.isv.delete(lab.id("publicIPAddresses/p"))


async def test_a_standard_public_address_is_static_and_stays_standard(lab: Lab) -> None:
    dynamic = await lab.refused(
        "PUT", "publicIPAddresses/p", {"publicIPAllocationMethod": "Dynamic"}, sku={"name": "Standard"}
    )
    await lab.put("publicIPAddresses/p", {}, sku={"name": "Standard"})
    changed = await lab.refused("PUT", "publicIPAddresses/p", {}, sku={"name": "Basic"})

    assert dynamic[0] == 400
    assert changed == (409, "PropertyChangeNotAllowed")


async def test_a_nat_gateway_and_its_address(lab: Lab) -> None:
    await lab.put("publicIPAddresses/p", {}, sku={"name": "Standard"})
    await lab.put("publicIPAddresses/basic", {})

    body = await lab.put("natGateways/nat", {"publicIpAddresses": [lab.ref("publicIPAddresses/p")]}, zones=["1"])

    assert body["properties"]["idleTimeoutInMinutes"] == 4
    assert body["sku"] == {"name": "Standard", "tier": "Regional"}
    assert body["zones"] == ["1"]
    public = await lab.get("publicIPAddresses/p")
    assert public["properties"]["natGateway"] == lab.ref("natGateways/nat")
    assert await lab.refused("DELETE", "publicIPAddresses/p") == (400, "PublicIPAddressCannotBeDeleted")
    wrong = await lab.refused("PUT", "natGateways/o", {"publicIpAddresses": [lab.ref("publicIPAddresses/basic")]})
    assert wrong == (400, "NatGatewayAndPublicIPSkuDoNotMatch")
    assert (await lab.refused("PUT", "natGateways/o", {"idleTimeoutInMinutes": 3}))[0] == 400

    await lab.isv.delete(lab.id("natGateways/nat"))
    await lab.isv.delete(lab.id("publicIPAddresses/p"))


async def test_the_interface_of_an_endpoint_is_not_for_others_to_change(lab: Lab) -> None:
    await lab.network()
    await lab.balancer()
    await lab.put(SUBNET, {"addressPrefix": "10.0.0.0/24", "privateLinkServiceNetworkPolicies": "Disabled"})
    service = await lab.put(
        "privateLinkServices/pls",
        {
            "loadBalancerFrontendIpConfigurations": [lab.ref("loadBalancers/lb/frontendIPConfigurations/front")],
            "ipConfigurations": [{"name": "nat", "properties": {"subnet": lab.ref(SUBNET)}}],
        },
    )
    nic = await lab.isv.get(service["properties"]["networkInterfaces"][0]["id"])
    name = f"networkInterfaces/{nic['name']}"

    moved = await lab.refused(
        "PUT", name, {"ipConfigurations": [{"name": "own", "properties": {"subnet": lab.ref(SUBNET)}}]}
    )
    tagged = await lab.isv.call("PATCH", nic["id"], {"tags": {"a": "b"}})

    assert moved[0] == 400
    assert tagged.body["tags"] == {"a": "b"}
    assert await lab.refused("DELETE", name) == (400, "NicInUseWithPrivateLinkService")


async def test_a_whole_group_goes_in_an_order_that_works(lab: Lab) -> None:
    await lab.network()
    await lab.balancer()
    await lab.put("networkSecurityGroups/nsg")
    await lab.put("publicIPAddresses/p", {}, sku={"name": "Standard"})
    await lab.put("natGateways/nat", {"publicIpAddresses": [lab.ref("publicIPAddresses/p")]})
    await lab.nic("n", loadBalancerBackendAddressPools=[lab.ref(POOL)])
    await lab.put(
        SUBNET,
        {
            "addressPrefix": "10.0.0.0/24",
            "networkSecurityGroup": lab.ref("networkSecurityGroups/nsg"),
            "natGateway": lab.ref("natGateways/nat"),
        },
    )

    await lab.isv.delete(lab.isv.group("g"))

    assert len(lab.azure.store) == 0


@pytest.mark.parametrize(
    ("action", "words"),
    [("effectiveNetworkSecurityGroups", "effective security rules"), ("effectiveRouteTable", "effective routes")],
)
async def test_what_azure_works_out_from_the_whole_network_is_not_in_the_sandbox(
    lab: Lab, action: str, words: str
) -> None:
    await lab.network()
    await lab.nic("n")

    answer = await lab.isv.call("POST", f"{lab.id('networkInterfaces/n')}/{action}")
    assert (answer.status, answer.body["error"]["code"]) == (400, "NotInSandbox")
    assert f"The {words} of network interface 'n' are not in the sandbox" in answer.body["error"]["message"]
    missing = await lab.isv.failure("POST", f"{lab.id('networkInterfaces/m')}/{action}")
    assert missing == (404, "ResourceNotFound")
