"""ARM's JSON, through the SDK's own models, becomes plstui's facts."""

from __future__ import annotations

from typing import Any

import pytest
from azure.mgmt.compute import models as compute
from azure.mgmt.network import models as network
from azure.mgmt.resource.resources import models as resources

from plstui.arm import mapping
from plstui.domain.connection import APPROVED, PENDING, ConnectionStatus
from plstui.domain.ids import ResourceId
from plstui.domain.resources import MemberHealth, SecurityRule

ISV = "/subscriptions/11111111-0000-0000-0000-000000000001/resourceGroups/rg-isv/providers"
CUSTOMER = "/subscriptions/22222222-0000-0000-0000-000000000002/resourceGroups/rg-customer/providers"
NETWORK = f"{ISV}/Microsoft.Network"
LB = f"{NETWORK}/loadBalancers/lb"
PLS = f"{NETWORK}/privateLinkServices/pls"
PE = f"{CUSTOMER}/Microsoft.Network/privateEndpoints/pe"


def an_id(text: str) -> ResourceId:
    return ResourceId.parse(text)


def test_a_private_link_service_and_its_connections() -> None:
    model = network.PrivateLinkService(
        {
            "name": "pls",
            "id": PLS,
            "etag": 'W/"1"',
            "type": "Microsoft.Network/privateLinkServices",
            "location": "westeurope",
            "properties": {
                "provisioningState": "Succeeded",
                "resourceGuid": "g",
                "fqdns": [],
                "alias": "pls.6f0d.westeurope.azure.privatelinkservice",
                "enableProxyProtocol": True,
                "loadBalancerFrontendIpConfigurations": [{"id": f"{LB}/frontendIPConfigurations/front"}],
                "ipConfigurations": [],
                "networkInterfaces": [{"id": f"{NETWORK}/networkInterfaces/pls.nic.1"}],
                "privateEndpointConnections": [
                    {
                        "name": "pe.e7c0",
                        "id": f"{PLS}/privateEndpointConnections/pe.e7c0",
                        "properties": {
                            "provisioningState": "Updating",
                            "privateEndpoint": {"id": PE},
                            "privateLinkServiceConnectionState": {
                                "status": "approved",
                                "description": "[bold]x[/]",
                                "actionsRequired": "None",
                            },
                            "linkIdentifier": "520125339",
                            "privateEndpointLocation": "northeurope",
                            "somethingNew": {"x": 1},
                        },
                        "type": "Microsoft.Network/privateLinkServices/privateEndpointConnections",
                    },
                    {
                        "id": f"{PLS}/privateEndpointConnections/bare",
                        "properties": {"privateEndpoint": None, "privateLinkServiceConnectionState": None},
                    },
                    {"id": f"{PLS}/privateEndpointConnections/odd", "properties": state("Quarantined")},
                ],
            },
        }
    )

    service = mapping.service(model)

    assert service is not None
    assert (service.id, service.name, service.location) == (an_id(PLS), "pls", "westeurope")
    assert service.alias == "pls.6f0d.westeurope.azure.privatelinkservice"
    assert service.proxy_protocol
    assert service.frontend_ids == (an_id(f"{LB}/frontendIPConfigurations/front"),)
    first, bare, odd = service.connections
    assert (first.name, first.status, first.provisioning_state) == ("pe.e7c0", APPROVED, "Updating")
    assert first.endpoint_id == an_id(PE)
    assert (first.description, first.actions_required) == ("[bold]x[/]", "None")
    assert (first.link_identifier, first.endpoint_location) == ("520125339", "northeurope")
    assert first.service_id == service.id
    assert (bare.name, bare.status, bare.endpoint_id) == ("bare", ConnectionStatus("Unknown"), None)
    assert odd.status == ConnectionStatus("Quarantined")


def state(status: str, **more: Any) -> dict[str, Any]:
    return {"privateLinkServiceConnectionState": {"status": status, **more}}


def test_a_private_endpoint_and_both_its_lists_of_connections() -> None:
    model = network.PrivateEndpoint(
        {
            "id": PE,
            "name": "pe",
            "location": "northeurope",
            "properties": {
                "provisioningState": "Succeeded",
                "resourceGuid": "e7c0",
                "privateLinkServiceConnections": [
                    {
                        "id": f"{PE}/privateLinkServiceConnections/auto",
                        "name": "auto",
                        "properties": {"privateLinkServiceId": PLS, **state("Approved", description="Auto Approved")},
                    }
                ],
                "manualPrivateLinkServiceConnections": [
                    {
                        "id": f"{PE}/manualPrivateLinkServiceConnections/manual",
                        "name": "manual",
                        "properties": {
                            "provisioningState": "Succeeded",
                            "privateLinkServiceId": "pls.6f0d.westeurope.azure.privatelinkservice",
                            "requestMessage": "please",
                            **state("Pending", description="Awaiting Approval", actionsRequired="None"),
                        },
                    }
                ],
                "customDnsConfigs": [],
                "networkInterfaces": [{"id": f"{CUSTOMER}/Microsoft.Network/networkInterfaces/pe.nic.1"}],
                "subnet": {"id": f"{CUSTOMER}/Microsoft.Network/virtualNetworks/v/subnets/s"},
            },
        }
    )

    endpoint = mapping.endpoint(model)

    assert endpoint is not None
    assert endpoint.resource_guid == "e7c0"
    assert endpoint.interface_ids == (an_id(f"{CUSTOMER}/Microsoft.Network/networkInterfaces/pe.nic.1"),)
    assert endpoint.subnet_id == an_id(f"{CUSTOMER}/Microsoft.Network/virtualNetworks/v/subnets/s")
    auto, manual = endpoint.connections
    assert (auto.manual, auto.status, auto.target, auto.description) == (False, APPROVED, PLS, "Auto Approved")
    assert (manual.manual, manual.status, manual.request_message) == (True, PENDING, "please")
    assert manual.target == "pls.6f0d.westeurope.azure.privatelinkservice"


def test_a_load_balancer_and_everything_inside_it() -> None:
    nic = f"{NETWORK}/networkInterfaces/web1-nic/ipConfigurations/ipconfig1"
    model = network.LoadBalancer(
        {
            "id": LB,
            "name": "lb",
            "sku": {"name": "Standard", "tier": "Regional"},
            "properties": {
                "provisioningState": "Succeeded",
                "frontendIPConfigurations": [
                    {
                        "id": f"{LB}/frontendIPConfigurations/front",
                        "name": "front",
                        "properties": {
                            "privateIPAddress": "10.0.1.4",
                            "subnet": {"id": f"{NETWORK}/virtualNetworks/v/subnets/s"},
                        },
                    }
                ],
                "backendAddressPools": [
                    {
                        "id": f"{LB}/backendAddressPools/pool",
                        "name": "pool",
                        "properties": {"backendIPConfigurations": [{"id": nic}]},
                    },
                    {"id": f"{LB}/backendAddressPools/empty", "name": "empty", "properties": {}},
                    {
                        "id": f"{LB}/backendAddressPools/addresses",
                        "properties": {
                            "loadBalancerBackendAddresses": [
                                {"name": "one", "properties": {"ipAddress": "10.0.1.5"}},
                                {"name": "none", "properties": {"virtualNetwork": {"id": "x"}}},
                                {"name": "odd", "properties": None},
                            ]
                        },
                    },
                ],
                "probes": [
                    {
                        "id": f"{LB}/probes/probe",
                        "name": "probe",
                        "properties": {"protocol": "Tcp", "port": 80, "intervalInSeconds": 15},
                    }
                ],
                "loadBalancingRules": [
                    {
                        "id": f"{LB}/loadBalancingRules/http",
                        "name": "http",
                        "properties": {
                            "frontendIPConfiguration": {"id": f"{LB}/frontendIPConfigurations/front"},
                            "backendAddressPool": {"id": f"{LB}/backendAddressPools/pool"},
                            "probe": {"id": f"{LB}/probes/probe"},
                            "protocol": "Tcp",
                            "frontendPort": 80,
                            "backendPort": 8080,
                            "idleTimeoutInMinutes": 15,
                        },
                    },
                    {
                        "id": f"{LB}/loadBalancingRules/pools",
                        "properties": {"backendAddressPools": [{"id": f"{LB}/backendAddressPools/pool"}]},
                    },
                ],
            },
        }
    )

    balancer = mapping.balancer(model)

    assert balancer is not None
    assert balancer.sku == "Standard"
    (front,) = balancer.frontends
    assert (front.name, front.private_ip_address) == ("front", "10.0.1.4")
    pool, empty, by_address = balancer.pools
    assert (pool.member_ids, empty.member_ids) == ((an_id(nic),), ())
    assert by_address.bare_addresses == ("10.0.1.5",)
    assert [pool.is_empty for pool in balancer.pools] == [False, True, False]
    (probe,) = balancer.probes
    assert (probe.protocol, probe.port, probe.interval) == ("Tcp", 80, 15)
    rule, pools = balancer.rules
    assert (rule.protocol, rule.frontend_port, rule.backend_port, rule.idle_timeout) == ("Tcp", 80, 8080, 15)
    assert (rule.frontend_id, rule.pool_id, rule.probe_id) == (front.id, pool.id, probe.id)
    assert (pools.pool_id, pools.probe_id, pools.idle_timeout) == (pool.id, None, 4)


def test_a_health_answer() -> None:
    nic = f"{NETWORK}/networkInterfaces/web1-nic/ipConfigurations/ipconfig1"
    model = network.LoadBalancerHealthPerRule(
        {
            "up": 1,
            "down": 1,
            "loadBalancerBackendAddresses": [
                {"ipAddress": "10.0.1.5", "networkInterfaceIPConfigurationId": nic, "state": "Up", "reason": "Up_X"},
                {"ipAddress": "10.0.1.6", "networkInterfaceIPConfigurationId": {"id": nic}, "state": "Down"},
            ],
        }
    )

    health = mapping.rule_health(model, an_id(LB), an_id(f"{LB}/loadBalancingRules/http"))

    assert health.members == (
        MemberHealth("10.0.1.5", an_id(nic), True, "Up_X"),
        MemberHealth("10.0.1.6", an_id(nic), False),
    )


def test_a_network_with_its_subnets() -> None:
    vnet = f"{NETWORK}/virtualNetworks/v"
    model = network.VirtualNetwork(
        {
            "id": vnet,
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"], "ipamPoolPrefixAllocations": []},
                "subnets": [
                    {
                        "id": f"{vnet}/subnets/a",
                        "name": "a",
                        "properties": {
                            "addressPrefix": "10.0.1.0/24",
                            "networkSecurityGroup": {"id": f"{NETWORK}/networkSecurityGroups/nsg"},
                            "natGateway": {"id": f"{NETWORK}/natGateways/nat"},
                            "privateEndpointNetworkPolicies": "Disabled",
                            "privateLinkServiceNetworkPolicies": "Enabled",
                        },
                    },
                    {"id": f"{vnet}/subnets/b", "properties": {"addressPrefixes": ["10.0.2.0/24", "fd00::/64"]}},
                ],
            },
        }
    )

    found = mapping.network(model)

    assert found is not None
    assert (found.name, found.address_prefixes) == ("v", ("10.0.0.0/16",))
    a, b = found.subnets
    assert a.security_group_id == an_id(f"{NETWORK}/networkSecurityGroups/nsg")
    assert a.nat_gateway_id == an_id(f"{NETWORK}/natGateways/nat")
    assert (a.private_endpoint_network_policies, a.private_link_service_network_policies) == ("Disabled", "Enabled")
    assert (b.name, b.address_prefixes, b.security_group_id) == ("b", ("10.0.2.0/24", "fd00::/64"), None)


def test_a_security_group_with_its_own_rules() -> None:
    rule = {"priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp"}
    model = network.NetworkSecurityGroup(
        {
            "id": f"{NETWORK}/networkSecurityGroups/nsg",
            "properties": {
                "securityRules": [
                    {"name": "one", "properties": {**rule, "destinationPortRange": "80", "destinationPortRanges": []}},
                    {"name": "many", "properties": {**rule, "destinationPortRanges": ["80", "8000-8099"]}},
                ],
                "defaultSecurityRules": [{"name": "DenyAllInBound"}],
            },
        }
    )

    group = mapping.security_group(model)

    assert group is not None
    assert group.rules == (
        SecurityRule("one", 100, "Inbound", "Allow", "Tcp", ("80",)),
        SecurityRule("many", 100, "Inbound", "Allow", "Tcp", ("80", "8000-8099")),
    )


def test_interfaces_of_a_machine_and_of_an_endpoint() -> None:
    nic, vm = f"{NETWORK}/networkInterfaces/nic", f"{ISV}/Microsoft.Compute/virtualMachines/WEB1"
    configuration = {
        "id": f"{nic}/ipConfigurations/c",
        "name": "c",
        "properties": {
            "privateIPAddress": "10.0.1.5",
            "subnet": {"id": f"{NETWORK}/virtualNetworks/v/subnets/s"},
            "loadBalancerBackendAddressPools": [{"id": f"{LB}/backendAddressPools/pool"}],
        },
    }
    of_machine = network.NetworkInterface(
        {"id": nic, "properties": {"virtualMachine": {"id": vm}, "ipConfigurations": [configuration]}}
    )
    of_endpoint = network.NetworkInterface({"id": nic, "properties": {"privateEndpoint": {"id": PE}}})

    first, second = mapping.interface(of_machine), mapping.interface(of_endpoint)

    assert first is not None
    assert second is not None
    assert (first.machine_id, first.private_endpoint_id, first.address) == (an_id(vm), None, "10.0.1.5")
    assert first.ip_configurations[0].pool_ids == (an_id(f"{LB}/backendAddressPools/pool"),)
    assert (second.machine_id, second.private_endpoint_id, second.address) == (None, an_id(PE), "")


@pytest.mark.parametrize(
    ("codes", "power"),
    [
        (["ProvisioningState/succeeded", "PowerState/running"], "running"),
        (["PowerState/Deallocated"], "deallocated"),
        (["ProvisioningState/updating"], ""),
        ([], ""),
    ],
)
def test_a_machine(codes: list[str], power: str) -> None:
    vm = f"{ISV}/Microsoft.Compute/virtualMachines/web1"
    model = compute.VirtualMachine(
        {
            "id": vm,
            "name": "web1",
            "location": "westeurope",
            "zones": ["1"],
            "properties": {
                "provisioningState": "Succeeded",
                "hardwareProfile": {"vmSize": "Standard_B1s"},
                "networkProfile": {"networkInterfaces": [{"id": f"{NETWORK}/networkInterfaces/nic"}]},
                "instanceView": {"statuses": [{"code": code, "level": "Info"} for code in codes]},
            },
        }
    )

    machine = mapping.machine(model)

    assert machine is not None
    assert (machine.power_state, machine.zones, machine.size) == (power, ("1",), "Standard_B1s")
    assert machine.interface_ids == (an_id(f"{NETWORK}/networkInterfaces/nic"),)
    assert machine.provisioning_state == "Succeeded"


def test_a_resource_group() -> None:
    path = "/subscriptions/s/resourceGroups/rg"
    properties = {"provisioningState": "Deleting"}
    model = resources.ResourceGroup({"id": path, "tags": {"b": "2", "a": "1"}, "properties": properties})

    group = mapping.group(model)

    assert group is not None
    assert (group.name, group.provisioning_state, group.tags) == ("rg", "Deleting", (("a", "1"), ("b", "2")))
