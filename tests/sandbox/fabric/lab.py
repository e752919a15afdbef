"""The lab's two networks as ARM answers them, in a store, with the network and machines running on it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from plstui.domain.ids import ResourceId
from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.fabric.backplane import RunningNetwork
from plstui.sandbox.store import Store

Body = dict[str, Any]

ISV = "/subscriptions/11111111-0000-4000-8000-000000000001/resourceGroups/isv/providers"
CUSTOMER = "/subscriptions/22222222-0000-4000-8000-000000000002/resourceGroups/customer/providers"
NETWORK, SPOKE = f"{ISV}/Microsoft.Network", f"{CUSTOMER}/Microsoft.Network"
VNET, SUBNET = f"{NETWORK}/virtualNetworks/virtualNetwork", f"{NETWORK}/virtualNetworks/virtualNetwork/subnets/saas"
SPOKE_VNET = f"{SPOKE}/virtualNetworks/spoke-vnet"
SPOKE_SUBNET = f"{SPOKE_VNET}/subnets/InfrastructureSubnet"
NSG, ASG = f"{NETWORK}/networkSecurityGroups/nsg", f"{NETWORK}/applicationSecurityGroups/asg"
GATEWAY = f"{NETWORK}/natGateways/natGateway"
BALANCER = f"{NETWORK}/loadBalancers/loadBalancer"
FRONTEND, POOL = f"{BALANCER}/frontendIPConfigurations/front", f"{BALANCER}/backendAddressPools/pool"
PROBE, RULE = f"{BALANCER}/probes/http", f"{BALANCER}/loadBalancingRules/http"
SERVICE = f"{NETWORK}/privateLinkServices/saasPrivateLinkService"
ENDPOINT = f"{SPOKE}/privateEndpoints/saasPrivateEndpoint"
ENDPOINT_GUID = "9f5c2b6e-0000-4000-8000-000000000009"
ZONE = f"{SPOKE}/privateDnsZones/tradewinds.internal"
FRONTEND_ADDRESS, NAT_ADDRESS, ENDPOINT_ADDRESS, CLIENT_ADDRESS = "10.0.1.7", "10.0.1.8", "10.1.0.5", "10.1.0.4"
WEB_ADDRESSES = {"web1": "10.0.1.4", "web2": "10.0.1.5", "web3": "10.0.1.6"}

USER_DATA = {
    name: (Path(__file__).parents[3] / "scripts" / "cloud-init" / f"{name}.yaml").read_text()
    for name in ("web", "client")
}


def body(resource_id: str, properties: Body, **more: Any) -> Body:
    """A resource in ARM's envelope."""
    parsed = ResourceId(resource_id)
    return {"name": parsed.name, "id": resource_id, "type": parsed.type, "properties": properties, **more}


def vm_id(name: str) -> str:
    """The id of one of the lab's machines."""
    return f"{CUSTOMER if name == 'testVM' else ISV}/Microsoft.Compute/virtualMachines/{name}"


class WatchedClock(SandboxClock):
    """A clock that tells who has gone to sleep on it, so that a test turns it at the right moment."""

    def __init__(self) -> None:
        super().__init__()
        self._asleep: list[float] = []
        self.naps = 0
        """How often somebody has fallen asleep."""
        self._changed = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self._asleep.append(seconds)
        self.naps += 1
        self._changed.set()
        try:
            await super().sleep(seconds)
        finally:
            self._asleep.remove(seconds)
            self._changed.set()

    def _sleeps(self, seconds: float) -> bool:
        return any(abs(asleep - seconds) < 1 for asleep in self._asleep)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; it is looked at whenever somebody falls asleep or wakes up."""
        while not holds():
            self._changed.clear()
            await self._changed.wait()

    async def until_asleep(self, seconds: float) -> None:
        """Wait until somebody sleeps for so long, to the second."""
        await self.until(lambda: self._sleeps(seconds))

    async def until_awake(self, seconds: float) -> None:
        """Wait until nobody sleeps for so long any more."""
        await self.until(lambda: not self._sleeps(seconds))

    async def pass_over(self, seconds: float) -> None:
        """Wait until somebody sleeps for so long, then turn the clock past it."""
        await self.until_asleep(seconds)
        self.advance(seconds + 1)


@dataclass
class Lab:
    """A store that starts empty, and what is put into it."""

    store: Store = field(default_factory=Store)
    clock: WatchedClock = field(default_factory=WatchedClock)
    key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    web_user_data: str = USER_DATA["web"]

    def __post_init__(self) -> None:
        self.network = RunningNetwork(self.store, self.clock)

    def put(self, resource_id: str, properties: Body, **more: Any) -> None:
        """Create or replace a resource."""
        self.store.put(body(resource_id, properties, **more))

    def change(self, resource_id: str, **properties: Any) -> None:
        """Change some properties of a resource."""
        old = self.store.get(resource_id)
        assert old is not None
        self.store.put({**old, "properties": {**old["properties"], **properties}})

    def delete(self, resource_id: str) -> None:
        """Delete a resource."""
        self.store.delete(ResourceId(resource_id))

    def port(self, name: str) -> int:
        """The port of a machine's SSH server on 127.0.0.1."""
        return next(endpoint.port for endpoint in self.network.ssh_endpoints() if endpoint.name == name)

    @asynccontextmanager
    async def ssh(self, name: str) -> AsyncIterator[asyncssh.SSHClientConnection]:
        """A client's connection to a machine, its host key checked."""
        endpoint = next(endpoint for endpoint in self.network.ssh_endpoints() if endpoint.name == name)
        trusted = asyncssh.import_known_hosts(f"[127.0.0.1]:{endpoint.port} {endpoint.host_key}\n")
        async with asyncssh.connect(
            "127.0.0.1", endpoint.port, username="azureuser", client_keys=[self.key], known_hosts=trusted, config=None
        ) as connection:
            yield connection

    async def run(self, name: str, script: str) -> str:
        """What a script prints in a machine."""
        return (await self.network.run_command(vm_id(name), script)).stdout

    # What the resources say

    def networks(self, *, nat_gateway: bool = True) -> None:
        """Both virtual networks with the ISV's security rules and way out."""
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
                "destinationApplicationSecurityGroups": [{"id": ASG}],
            },
        }
        self.put(ASG, {})
        self.put(NSG, {"securityRules": [rule]})
        self.put(GATEWAY, {"publicIpAddresses": [{"id": f"{NETWORK}/publicIPAddresses/nat"}]})
        self.subnet(**({"natGateway": {"id": GATEWAY}} if nat_gateway else {}))
        self.put(SPOKE_VNET, _vnet("10.1.0.0/16", SPOKE_SUBNET, {"addressPrefix": "10.1.0.0/24"}))

    def subnet(self, **properties: Any) -> None:
        """The ISV's network with its subnet."""
        values = {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": NSG}, "defaultOutboundAccess": False}
        self.put(VNET, _vnet("10.0.0.0/16", SUBNET, values | properties))

    def nic(self, name: str, subnet: str, address: str, **properties: Any) -> str:
        """An interface with one address."""
        nic = f"{subnet.partition('/virtualNetworks/')[0]}/networkInterfaces/{name}"
        configuration = {"privateIPAddress": address, "subnet": {"id": subnet}, "primary": True, **properties}
        endpoint = configuration.pop("privateEndpoint", None)
        self.put(
            nic,
            {
                "ipConfigurations": [
                    {"id": f"{nic}/ipConfigurations/ipconfig1", "name": "ipconfig1", "properties": configuration}
                ],
                **({"privateEndpoint": endpoint} if endpoint else {}),
            },
        )
        return nic

    def machine(self, name: str, nic: str, user_data: str) -> None:
        """A machine that runs."""
        key = self.key.export_public_key().decode().strip()
        self.put(
            vm_id(name),
            {
                "vmId": f"guid-of-{name}",
                "provisioningState": "Succeeded",
                "osProfile": {
                    "computerName": name,
                    "adminUsername": "azureuser",
                    "customData": base64.b64encode(user_data.encode()).decode(),
                    "linuxConfiguration": {"ssh": {"publicKeys": [{"keyData": key}]}},
                },
                "storageProfile": {"imageReference": {"publisher": "Canonical", "offer": "ubuntu-24_04-lts"}},
                "networkProfile": {"networkInterfaces": [{"id": nic}]},
                "instanceView": {"statuses": [{"code": "PowerState/running"}]},
            },
        )

    def power(self, name: str, state: str) -> None:
        """Azure's idea of a machine's power state."""
        self.change(vm_id(name), instanceView={"statuses": [{"code": f"PowerState/{state}"}]})

    def webs(self, names: Iterable[str] = WEB_ADDRESSES, *, pool: bool = True) -> None:
        """The backends, in the balancer's pool."""
        for name in names:
            joined = {"loadBalancerBackendAddressPools": [{"id": POOL}]} if pool else {}
            nic = self.nic(
                f"{name}-nic",
                SUBNET,
                WEB_ADDRESSES[name],
                applicationSecurityGroups=[{"id": ASG}],
                **joined,
            )
            self.machine(name, nic, self.web_user_data)

    def balancer(self, *, probe: Body | None = None, rule: Body | None = None) -> None:
        """The balancer with its probe and rule."""
        probe_values = {"protocol": "Tcp", "port": 80, "intervalInSeconds": 15, "numberOfProbes": 2, **(probe or {})}
        rule_values = {
            "frontendIPConfiguration": {"id": FRONTEND},
            "backendAddressPool": {"id": POOL},
            "probe": {"id": PROBE},
            "protocol": "Tcp",
            "frontendPort": 80,
            "backendPort": 80,
            "idleTimeoutInMinutes": 15,
            "enableTcpReset": True,
            **(rule or {}),
        }
        frontend = {"privateIPAddress": FRONTEND_ADDRESS, "subnet": {"id": SUBNET}}
        self.put(
            BALANCER,
            {
                "frontendIPConfigurations": [{"id": FRONTEND, "name": "front", "properties": frontend}],
                "backendAddressPools": [{"id": POOL, "name": "pool", "properties": {}}],
                "probes": [{"id": PROBE, "name": "http", "properties": probe_values}],
                "loadBalancingRules": [{"id": RULE, "name": "http", "properties": rule_values}],
            },
            sku={"name": "Standard"},
        )

    def service(self, status: str = "Approved", *, connected: bool = True, **properties: Any) -> None:
        """The private link service as it stands with the customer's connection."""
        nic = self.nic("saasPrivateLinkService.nic.1", SUBNET, NAT_ADDRESS)
        connection = {
            "name": f"saasPrivateEndpoint.{ENDPOINT_GUID}",
            "properties": {
                "privateEndpoint": {"id": ENDPOINT},
                "privateLinkServiceConnectionState": {"status": status},
                "linkIdentifier": "536870912",
            },
        }
        self.put(
            SERVICE,
            {
                "alias": "saasprivatelinkservice.guid.westeurope.azure.privatelinkservice",
                "ipConfigurations": [{"name": "c", "properties": {"subnet": {"id": SUBNET}}}],
                "loadBalancerFrontendIpConfigurations": [{"id": FRONTEND}],
                "networkInterfaces": [{"id": nic}],
                "privateEndpointConnections": [connection] if connected else [],
                "enableProxyProtocol": False,
                **properties,
            },
        )

    def endpoint(self, status: str = "Approved", *, target: str = SERVICE) -> None:
        """The customer's private endpoint and its interface."""
        connection = {"privateLinkServiceId": target, "privateLinkServiceConnectionState": {"status": status}}
        self.nic("saasPrivateEndpoint.nic.1", SPOKE_SUBNET, ENDPOINT_ADDRESS, privateEndpoint={"id": ENDPOINT})
        self.put(
            ENDPOINT,
            {
                "resourceGuid": ENDPOINT_GUID,
                "subnet": {"id": SPOKE_SUBNET},
                "manualPrivateLinkServiceConnections": [{"name": "c", "properties": connection}],
            },
        )

    def connection(self, status: str) -> None:
        """The connection's state, on both ends."""
        self.service(status)
        self.endpoint(status)

    def client(self) -> None:
        """The customer's test machine."""
        self.machine("testVM", self.nic("testVM-nic", SPOKE_SUBNET, CLIENT_ADDRESS), USER_DATA["client"])

    def zone(self, *, linked: bool = True) -> None:
        """The customer's zone with the record of the endpoint."""
        self.put(ZONE, {})
        if linked:
            self.put(f"{ZONE}/virtualNetworkLinks/dnsLink", {"virtualNetwork": {"id": SPOKE_VNET}})
        self.put(f"{ZONE}/A/saas-pls", {"aRecords": [{"ipv4Address": ENDPOINT_ADDRESS}]})
        self.put(f"{ZONE}/CNAME/shop", {"cnameRecord": {"cname": "saas-pls.tradewinds.internal."}})

    def everything(self, status: str = "Approved") -> None:
        """The whole lab."""
        self.networks()
        self.balancer()
        self.webs()
        self.connection(status)
        self.zone()
        self.client()


@asynccontextmanager
async def running(lab: Lab) -> AsyncIterator[Lab]:
    """The lab's network, from start to stop."""
    try:
        await lab.network.start()
        await lab.network.settled()
        yield lab
    finally:
        await lab.network.stop()


def _vnet(prefix: str, subnet: str, values: Body) -> Body:
    return {
        "addressSpace": {"addressPrefixes": [prefix]},
        "subnets": [{"id": subnet, "name": subnet.rpartition("/")[2], "properties": values}],
        "virtualNetworkPeerings": [],
    }
