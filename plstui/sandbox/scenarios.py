"""The named worlds: what a sandbox holds when it starts.

Each is the lab, built up to a step through the gateway's own front door, as any client would: a world cannot hold what
ARM would refuse.
"""

from __future__ import annotations

import base64
from typing import Any

from plstui.sandbox.account import COMPUTE, NETWORK, PRIVATE_DNS, Account

WORLDS = {
    "empty": "two subscriptions with nothing in them",
    "deployed": "the ISV's service stands; no customer yet (steps 1 to 9 of the lab)",
    "pending": "a customer's endpoint waits for approval (steps 1 to 12)",
    "approved": "the endpoint is approved and has a name (steps 1 to 15)",
    "rejected": "the ISV has turned the request down",
    "disconnected": "the ISV has removed an approved connection",
    "unhealthy": "approved, and the web server of web2 is stopped",
    "workshop": "pending, and nineteen more customers in tenants of their own, who ask one after the other",
    "fleet": "fifty services with thousands of connections, up to a thousand on one",
}

ISV_GROUP = "privatelink-pls-microhack-rg"
CUSTOMER_GROUP = "privatelink-dns-microhack-rg"
ZONE = "tradewinds.internal"
MESSAGE = "Customer: Tradewinds, Order no.: 314159"
USER = "azureuser"
IMAGE = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
SIZE = "Standard_B2s"


class Builder:
    """Builds worlds as the two parties would."""

    def __init__(
        self,
        isv: Account,
        customer: Account,
        *,
        public_key: str,
        web_user_data: str,
        client_user_data: str,
    ) -> None:
        self._isv = isv
        self._customer = customer
        self._public_key = public_key
        self._web_user_data = web_user_data
        self._client_user_data = client_user_data
        self.service_id = ""
        """The private link service, once it is there."""

    async def build(self, world: str) -> None:
        """Build a world, as far as it is the lab of these two.

        Stopping web2's web server, for `unhealthy`, is the machines' affair, not ARM's; the guests of `workshop` and
        all of `fleet` have files of their own.
        """
        if world in ("empty", "fleet"):
            return
        await self._service()
        if world == "deployed":
            return
        await self._customer_side()
        match world:
            case "approved" | "unhealthy":
                await self._decide("Approved", "Approved by the ISV")
                await self._name()
            case "rejected":
                await self._decide("Rejected", "Order number unknown")
            case "disconnected":
                await self._decide("Approved", "Approved by the ISV")
                await self._name()
                connection = await self._connection()
                await self._isv.request("DELETE", connection["id"], NETWORK)

    # The ISV's side

    async def _service(self) -> None:
        """Steps 1 to 9."""
        await self._isv.put_group(ISV_GROUP)
        put = self._put_isv
        asg = await put("Network/applicationSecurityGroups/applicationSecurityGroup", {})
        nsg = await put("Network/networkSecurityGroups/networkSecurityGroup", {"securityRules": [_nginx_rule(asg)]})
        address = await put(
            "Network/publicIPAddresses/natGatewayAddress",
            {"publicIPAllocationMethod": "Static"},
            sku={"name": "Standard"},
        )
        gateway = await put(
            "Network/natGateways/natGateway", {"publicIpAddresses": [{"id": address}]}, sku={"name": "Standard"}
        )
        subnet_properties: dict[str, Any] = {
            "addressPrefix": "10.0.1.0/24",
            "networkSecurityGroup": {"id": nsg},
            "natGateway": {"id": gateway},
            "defaultOutboundAccess": False,
        }
        network = await put(
            "Network/virtualNetworks/virtualNetwork",
            {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [{"name": "saas", "properties": subnet_properties}],
            },
        )
        subnet = f"{network}/subnets/saas"
        await put("Compute/sshPublicKeys/sshPublicKey", {"publicKey": self._public_key}, api_version=COMPUTE)
        nics = [await self._web(number, subnet, asg) for number in (1, 2, 3)]
        balancer = await put(
            "Network/loadBalancers/loadBalancer", _balancer(self._isv, subnet), sku={"name": "Standard"}
        )
        for nic in nics:
            await self._join(nic, f"{balancer}/backendAddressPools/saasBackendPool")
        await self._isv.request(
            "PUT",
            subnet,
            NETWORK,
            {"properties": {**subnet_properties, "privateLinkServiceNetworkPolicies": "Disabled"}},
        )
        self.service_id = await put(
            "Network/privateLinkServices/saasPrivateLinkService",
            {
                "ipConfigurations": [
                    {
                        "name": "saasPrivateLinkServiceIpConfig",
                        "properties": {"subnet": {"id": subnet}, "primary": True},
                    }
                ],
                "loadBalancerFrontendIpConfigurations": [
                    {"id": f"{balancer}/frontendIPConfigurations/loadBalancerFrontEnd"}
                ],
            },
        )

    async def _put_isv(self, kind: str, properties: dict[str, Any], *, api_version: str = NETWORK, **more: Any) -> str:
        return await self._isv.put(ISV_GROUP, kind, properties, api_version=api_version, **more)

    async def _web(self, number: int, subnet: str, asg: str) -> str:
        """One backend in its own zone; returns its interface's id."""
        nic = await self._put_isv(
            f"Network/networkInterfaces/web{number}-nic",
            {
                "ipConfigurations": [
                    {
                        "name": "ipconfig1",
                        "properties": {"subnet": {"id": subnet}, "applicationSecurityGroups": [{"id": asg}]},
                    }
                ]
            },
        )
        await self._put_isv(
            f"Compute/virtualMachines/web{number}",
            self._machine(f"web{number}", nic, self._web_user_data),
            api_version=COMPUTE,
            zones=[str(number)],
        )
        return nic

    def _machine(self, name: str, nic: str, user_data: str) -> dict[str, Any]:
        return {
            "hardwareProfile": {"vmSize": SIZE},
            "storageProfile": {
                "imageReference": IMAGE,
                "osDisk": {"name": f"{name}-os", "createOption": "FromImage", "deleteOption": "Delete"},
            },
            "osProfile": {
                "computerName": name,
                "adminUsername": USER,
                "customData": base64.b64encode(user_data.encode()).decode(),
                "linuxConfiguration": {
                    "disablePasswordAuthentication": True,
                    "ssh": {
                        "publicKeys": [{"path": f"/home/{USER}/.ssh/authorized_keys", "keyData": self._public_key}]
                    },
                },
            },
            "networkProfile": {"networkInterfaces": [{"id": nic, "properties": {"primary": True}}]},
        }

    async def _join(self, nic: str, pool: str) -> None:
        """Put an interface into a pool and keep all else it has, the ASG above all."""
        body = await self._isv.request("GET", nic, NETWORK)
        for configuration in body["properties"]["ipConfigurations"]:
            configuration["properties"]["loadBalancerBackendAddressPools"] = [{"id": pool}]
        await self._isv.request("PUT", nic, NETWORK, body)

    # The customer's side

    async def _customer_side(self) -> None:
        """Steps 11 and 12."""
        await self._customer.put_group(CUSTOMER_GROUP)
        network = await self._put_customer(
            "Network/virtualNetworks/spoke-vnet",
            {
                "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
                "subnets": [
                    {
                        "name": "InfrastructureSubnet",
                        "properties": {
                            "addressPrefix": "10.1.0.0/24",
                            "privateEndpointNetworkPolicies": "Disabled",
                            "defaultOutboundAccess": False,
                        },
                    }
                ],
            },
        )
        subnet = f"{network}/subnets/InfrastructureSubnet"
        zone = await self._put_customer(
            f"Network/privateDnsZones/{ZONE}", {}, api_version=PRIVATE_DNS, location="global"
        )
        await self._put_customer(
            f"{zone.partition('/Microsoft.')[2]}/virtualNetworkLinks/dnsLink",
            {"virtualNetwork": {"id": network}, "registrationEnabled": False},
            api_version=PRIVATE_DNS,
            location="global",
        )
        nic = await self._put_customer(
            "Network/networkInterfaces/testVM-nic",
            {"ipConfigurations": [{"name": "ipconfig1", "properties": {"subnet": {"id": subnet}}}]},
        )
        await self._put_customer(
            "Compute/virtualMachines/testVM",
            self._machine("testVM", nic, self._client_user_data),
            api_version=COMPUTE,
        )
        await self._put_customer(
            "Network/privateEndpoints/saasPrivateEndpoint",
            {
                "subnet": {"id": subnet},
                "manualPrivateLinkServiceConnections": [
                    {
                        "name": "connectionToSaasService",
                        "properties": {"privateLinkServiceId": self.service_id, "requestMessage": MESSAGE},
                    }
                ],
            },
        )

    async def _put_customer(
        self, kind: str, properties: dict[str, Any], *, api_version: str = NETWORK, **more: Any
    ) -> str:
        return await self._customer.put(CUSTOMER_GROUP, kind, properties, api_version=api_version, **more)

    async def _name(self) -> None:
        """Step 15: the record with the endpoint's address."""
        group = f"/subscriptions/{self._customer.subscription}/resourceGroups/{CUSTOMER_GROUP}/providers/Microsoft."
        endpoint = await self._customer.request("GET", f"{group}Network/privateEndpoints/saasPrivateEndpoint", NETWORK)
        nic_id = endpoint["properties"]["networkInterfaces"][0]["id"]
        nic = await self._customer.request("GET", nic_id, NETWORK)
        address = nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
        record = {"properties": {"ttl": 300, "aRecords": [{"ipv4Address": address}]}}
        path = f"{group}Network/privateDnsZones/{ZONE}/A/saas-pls"
        await self._customer.request("PUT", path, PRIVATE_DNS, record)

    # Step 13

    async def _connection(self) -> dict[str, Any]:
        service = await self._isv.request("GET", self.service_id, NETWORK)
        connection: dict[str, Any] = service["properties"]["privateEndpointConnections"][0]
        return connection

    async def _decide(self, status: str, description: str) -> None:
        connection = await self._connection()
        state = {"status": status, "description": description, "actionsRequired": "None"}
        body = {**connection, "properties": {**connection["properties"], "privateLinkServiceConnectionState": state}}
        await self._isv.request("PUT", connection["id"], NETWORK, body)


def _nginx_rule(asg: str) -> dict[str, Any]:
    return {
        "name": "nginx",
        "properties": {
            "priority": 1003,
            "direction": "Inbound",
            "access": "Allow",
            "protocol": "Tcp",
            "sourceAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationApplicationSecurityGroups": [{"id": asg}],
            "destinationPortRanges": ["80", "443"],
        },
    }


def _balancer(owner: Account, subnet: str) -> dict[str, Any]:
    """The balancer of steps 4 to 6, with its own parts referred to by the ids they will have."""
    own = (
        f"/subscriptions/{owner.subscription}/resourceGroups/{ISV_GROUP}/providers/Microsoft.Network"
        "/loadBalancers/loadBalancer"
    )
    return {
        "frontendIPConfigurations": [{"name": "loadBalancerFrontEnd", "properties": {"subnet": {"id": subnet}}}],
        "backendAddressPools": [{"name": "saasBackendPool"}],
        "probes": [{"name": "http", "properties": {"protocol": "Tcp", "port": 80, "intervalInSeconds": 5}}],
        "loadBalancingRules": [
            {
                "name": "http",
                "properties": {
                    "protocol": "Tcp",
                    "frontendPort": 80,
                    "backendPort": 80,
                    "idleTimeoutInMinutes": 15,
                    "enableTcpReset": True,
                    "frontendIPConfiguration": {"id": f"{own}/frontendIPConfigurations/loadBalancerFrontEnd"},
                    "backendAddressPool": {"id": f"{own}/backendAddressPools/saasBackendPool"},
                    "probe": {"id": f"{own}/probes/http"},
                },
            }
        ],
    }
