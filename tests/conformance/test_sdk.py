"""The workshop by Microsoft's own SDK for Python: the plain clients at their own api-versions.

Nothing here knows of the sandbox but the endpoint and the credential.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.support.served import Served, serve

CLOUD_INIT = Path(__file__).parents[2] / "scripts" / "cloud-init"
ISV, CUSTOMER, ZONE = "privatelink-pls-microhack-rg", "privatelink-dns-microhack-rg", "tradewinds.internal"
PLACE = {"location": "westeurope"}
DNS_API = "2024-06-01"
MESSAGE = "Customer: Tradewinds, Order no.: 314159"


@dataclass(frozen=True)
class Side:
    """The three clients of one subscription; they take plain JSON as well as the models that they are typed with."""

    subscription: str
    network: Any
    compute: Any
    resources: Any

    @classmethod
    def sign_in(cls, ready: dict[str, Any], side: str, stack: ExitStack) -> Side:
        """Clients of a service principal, closed with `stack`."""
        arm = str(ready["arm"]).replace("127.0.0.1", "localhost")
        who, trust = ready["clients"][side], {"connection_verify": ready["ca"]}
        credential = ClientSecretCredential(
            ready["tenants"][side],
            who["client_id"],
            who["client_secret"],
            authority=arm,
            disable_instance_discovery=True,
            **trust,
        )
        stack.enter_context(credential)
        options: dict[str, Any] = {"base_url": arm, "credential_scopes": [f"{arm}/.default"], **trust}
        subscription = ready["subscriptions"][side]
        kinds: tuple[Any, ...] = (NetworkManagementClient, ComputeManagementClient, ResourceManagementClient)
        return cls(subscription, *(stack.enter_context(kind(credential, subscription, **options)) for kind in kinds))

    def dns(self, path: str, body: dict[str, Any]) -> Any:
        """Make a private DNS zone or what is in one; there is no client of its own for them here."""
        resource_id = (
            f"/subscriptions/{self.subscription}/resourceGroups/{CUSTOMER}"
            f"/providers/Microsoft.Network/privateDnsZones/{path}"
        )
        return self.resources.resources.begin_create_or_update_by_id(resource_id, body, api_version=DNS_API).result()

    def run(self, machine: str, script: str) -> str:
        """What a script prints on a machine."""
        command = {"commandId": "RunShellScript", "script": [script]}
        answer = self.compute.virtual_machines.begin_run_command(CUSTOMER, machine, command).result()
        return str(answer.value[0].message).partition("[stdout]\n")[2].partition("\n[stderr]")[0].strip()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path, "empty") as served:
        yield served


def test_the_workshop_by_the_sdk(served: Served) -> None:
    key = (served.directory / "id_ed25519.pub").read_text()
    with ExitStack() as stack:
        isv, customer = (Side.sign_in(served.ready, side, stack) for side in ("isv", "customer"))

        service = provide(isv, key)
        consume(customer, key, service)
        approve(isv)
        name_and_open(customer)

        customer.network.private_endpoints.begin_delete(CUSTOMER, "saasPrivateEndpoint").result()
        assert isv.network.private_link_services.get(ISV, "saasPrivateLinkService").private_endpoint_connections == []
        isv.resources.resource_groups.begin_delete(ISV).result()
        customer.resources.resource_groups.begin_delete(CUSTOMER).result()
        assert list(isv.resources.resource_groups.list()) == list(customer.resources.resource_groups.list()) == []


def provide(isv: Side, key: str) -> str:
    """Steps 1 to 9, the provider's; gives the service's id."""
    network = isv.network
    isv.resources.resource_groups.create_or_update(ISV, PLACE)
    applications = network.application_security_groups.begin_create_or_update(ISV, "asg", PLACE).result()
    rule = {
        "name": "nginx",
        "properties": {
            "priority": 1003,
            "direction": "Inbound",
            "access": "Allow",
            "protocol": "Tcp",
            "sourceAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationPortRanges": ["80", "443"],
            "destinationApplicationSecurityGroups": [{"id": applications.id}],
        },
    }
    rules = network.network_security_groups.begin_create_or_update(
        ISV, "nsg", {**PLACE, "properties": {"securityRules": [rule]}}
    ).result()
    gateway = _nat_gateway(isv)
    network.virtual_networks.begin_create_or_update(
        ISV, "virtualNetwork", {**PLACE, "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    ).result()
    saas = {
        "addressPrefix": "10.0.1.0/24",
        "networkSecurityGroup": {"id": rules.id},
        "natGateway": {"id": gateway},
        "defaultOutboundAccess": False,
        "privateLinkServiceNetworkPolicies": "Disabled",
    }
    subnet = network.subnets.begin_create_or_update(ISV, "virtualNetwork", "saas", {"properties": saas}).result()
    balancer = _balancer(isv, subnet.id)
    for zone in ("1", "2", "3"):
        _web_machine(isv, f"web{zone}", zone, key, subnet.id, applications.id, balancer.backend_address_pools[0].id)
    members = network.load_balancers.get(ISV, "loadBalancer").backend_address_pools[0].backend_ip_configurations
    assert len(members) == 3
    service = network.private_link_services.begin_create_or_update(
        ISV,
        "saasPrivateLinkService",
        {
            **PLACE,
            "properties": {
                "ipConfigurations": [{"name": "one", "properties": {"subnet": {"id": subnet.id}}}],
                "loadBalancerFrontendIpConfigurations": [{"id": balancer.frontend_ip_configurations[0].id}],
            },
        },
    ).result()
    assert service.provisioning_state == "Succeeded"
    assert service.alias.startswith("saasprivatelinkservice.")
    return str(service.id)


def _nat_gateway(isv: Side) -> str:
    address = isv.network.public_ip_addresses.begin_create_or_update(
        ISV,
        "natAddress",
        {**PLACE, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}},
    ).result()
    gateway = isv.network.nat_gateways.begin_create_or_update(
        ISV,
        "natGateway",
        {**PLACE, "sku": {"name": "Standard"}, "properties": {"publicIpAddresses": [{"id": address.id}]}},
    ).result()
    return str(gateway.id)


def _balancer(isv: Side, subnet: str) -> Any:
    own = (
        f"/subscriptions/{isv.subscription}/resourceGroups/{ISV}/providers/Microsoft.Network/loadBalancers/loadBalancer"
    )
    rule = {
        "protocol": "Tcp",
        "frontendPort": 80,
        "backendPort": 80,
        "idleTimeoutInMinutes": 15,
        "enableTcpReset": True,
        "frontendIPConfiguration": {"id": f"{own}/frontendIPConfigurations/front"},
        "backendAddressPool": {"id": f"{own}/backendAddressPools/saasBackendPool"},
        "probe": {"id": f"{own}/probes/http"},
    }
    body = {
        **PLACE,
        "sku": {"name": "Standard"},
        "properties": {
            "frontendIPConfigurations": [{"name": "front", "properties": {"subnet": {"id": subnet}}}],
            "backendAddressPools": [{"name": "saasBackendPool"}],
            "probes": [{"name": "http", "properties": {"protocol": "Tcp", "port": 80, "intervalInSeconds": 5}}],
            "loadBalancingRules": [{"name": "http", "properties": rule}],
        },
    }
    return isv.network.load_balancers.begin_create_or_update(ISV, "loadBalancer", body).result()


def _web_machine(isv: Side, name: str, zone: str, key: str, subnet: str, applications: str, pool: str) -> None:
    configuration = {
        "subnet": {"id": subnet},
        "applicationSecurityGroups": [{"id": applications}],
        "loadBalancerBackendAddressPools": [{"id": pool}],
    }
    nic = _nic(isv, ISV, f"{name}-nic", configuration)
    machine = _machine(isv, ISV, name, key, "web.yaml", nic.id, zones=[zone])
    assert machine.zones == [zone]
    shown = isv.compute.virtual_machines.get(ISV, name, expand="instanceView")
    assert "PowerState/running" in [status.code for status in shown.instance_view.statuses]


def _nic(side: Side, group: str, name: str, configuration: dict[str, Any]) -> Any:
    body = {**PLACE, "properties": {"ipConfigurations": [{"name": "ipconfig1", "properties": configuration}]}}
    return side.network.network_interfaces.begin_create_or_update(group, name, body).result()


def _machine(side: Side, group: str, name: str, key: str, user_data: str, nic: str, **more: Any) -> Any:
    login = {"path": "/home/azureuser/.ssh/authorized_keys", "keyData": key}
    body = {
        **PLACE,
        **more,
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_B1s"},
            "storageProfile": {
                "imageReference": {
                    "publisher": "Canonical",
                    "offer": "ubuntu-24_04-lts",
                    "sku": "server",
                    "version": "latest",
                },
                "osDisk": {"name": f"{name}-os", "createOption": "FromImage"},
            },
            "osProfile": {
                "computerName": name,
                "adminUsername": "azureuser",
                "customData": base64.b64encode((CLOUD_INIT / user_data).read_bytes()).decode(),
                "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [login]}},
            },
            "networkProfile": {"networkInterfaces": [{"id": nic}]},
        },
    }
    return side.compute.virtual_machines.begin_create_or_update(group, name, body).result()


def consume(customer: Side, key: str, service: str) -> None:
    """Steps 11 and 12, the customer's."""
    customer.resources.resource_groups.create_or_update(CUSTOMER, PLACE)
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}
    infrastructure = {"addressPrefix": "10.1.0.0/24", "privateEndpointNetworkPolicies": "Disabled"}
    subnets = [{"name": "InfrastructureSubnet", "properties": infrastructure}]
    network = customer.network.virtual_networks.begin_create_or_update(
        CUSTOMER, "spoke-vnet", {**PLACE, "properties": {**space, "subnets": subnets}}
    ).result()
    subnet = {"id": network.subnets[0].id}
    nic = _nic(customer, CUSTOMER, "testVM-nic", {"subnet": subnet})
    _machine(customer, CUSTOMER, "testVM", key, "client.yaml", nic.id)
    customer.dns(ZONE, {"location": "global"})
    link = {"virtualNetwork": {"id": network.id}, "registrationEnabled": False}
    customer.dns(f"{ZONE}/virtualNetworkLinks/dnsLink", {"location": "global", "properties": link})
    wish = {"privateLinkServiceId": service, "requestMessage": MESSAGE}
    endpoint = customer.network.private_endpoints.begin_create_or_update(
        CUSTOMER,
        "saasPrivateEndpoint",
        {
            **PLACE,
            "properties": {
                "subnet": subnet,
                "manualPrivateLinkServiceConnections": [{"name": "connectionToSaasService", "properties": wish}],
            },
        },
    ).result()
    [asked] = endpoint.manual_private_link_service_connections
    assert endpoint.provisioning_state == "Succeeded"
    assert asked.private_link_service_connection_state.status == "Pending"
    with pytest.raises(HttpResponseError) as refused:
        customer.network.private_link_services.list_private_endpoint_connections(ISV, "saasPrivateLinkService").next()
    assert refused.value.status_code == 404


def approve(isv: Side) -> None:
    """Step 13: read the request, approve it; there is no other."""
    services = isv.network.private_link_services
    [request] = services.list_private_endpoint_connections(ISV, "saasPrivateLinkService")
    assert request.private_link_service_connection_state.status == "Pending"
    request.private_link_service_connection_state.status = "Approved"
    request.private_link_service_connection_state.description = "Welcome"
    services.update_private_endpoint_connection(ISV, "saasPrivateLinkService", request.name, request)
    with pytest.raises(ResourceNotFoundError):
        services.get_private_endpoint_connection(ISV, "saasPrivateLinkService", "nobody")


def name_and_open(customer: Side) -> None:
    """Steps 14 to 16: the address, the name, the page."""
    endpoint = customer.network.private_endpoints.get(CUSTOMER, "saasPrivateEndpoint")
    [connection] = endpoint.manual_private_link_service_connections
    assert connection.private_link_service_connection_state.status == "Approved"
    nic_name = endpoint.network_interfaces[0].id.rpartition("/")[2]
    nic = customer.network.network_interfaces.get(CUSTOMER, nic_name)
    address = nic.ip_configurations[0].private_ip_address
    assert address.startswith("10.1.0.")
    customer.dns(f"{ZONE}/A/saas-pls", {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": address}]}})

    pages = {f"Host: web{number}" for number in (1, 2, 3)}
    assert customer.run("testVM", f"curl -s http://{address}") in pages
    assert customer.run("testVM", f"curl -s http://saas-pls.{ZONE}") in pages
