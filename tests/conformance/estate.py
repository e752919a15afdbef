"""One of everything that recordings show, twice: said as briefly as Azure takes it, and with all that can be said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LOCATION = "westeurope"
TAGS = {"tags": {"foo": "doo"}}


@dataclass(frozen=True)
class Wanted:
    """A resource to make."""

    path: str
    """Behind the group: `Microsoft.Network/virtualNetworks/vnet`."""
    body: Any
    full: bool
    """Whether this is the one that says everything."""

    @property
    def kind(self) -> str:
        """The full type, in lower case."""
        namespace, *rest = self.path.split("/")
        return "/".join((namespace, *rest[::2])).lower()


def estate(group: str, storage: str) -> list[Wanted]:
    """Everything, in an order in which it can be made; `group` and `storage` are ids."""
    network = f"{group}/providers/Microsoft.Network"

    def ref(path: str) -> dict[str, str]:
        return {"id": f"{network}/{path}"}

    def brief(path: str, properties: Any = None, **more: Any) -> Wanted:
        return Wanted(
            f"Microsoft.Network/{path}", {"location": LOCATION, "properties": properties or {}, **more}, False
        )

    def full(path: str, properties: Any = None, **more: Any) -> Wanted:
        content = {"location": LOCATION, "properties": properties or {}, **TAGS, **more}
        return Wanted(f"Microsoft.Network/{path}", content, True)

    def child(path: str, properties: Any, *, whole: bool) -> Wanted:
        return Wanted(f"Microsoft.Network/{path}", {"properties": properties}, whole)

    standard = {"sku": {"name": "Standard"}}
    open_subnet = {"addressPrefix": "10.0.2.0/24", "privateLinkServiceNetworkPolicies": "Disabled"}
    lent_subnet = {
        "addressPrefix": "10.0.6.0/24",
        "delegations": [{"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}],
    }
    link = {
        "ipConfigurations": [{"name": "one", "properties": {"subnet": ref("virtualNetworks/full/subnets/links")}}],
        "loadBalancerFrontendIpConfigurations": [ref("loadBalancers/inner/frontendIPConfigurations/front")],
    }
    rule = {"access": "Allow", "direction": "Inbound", "protocol": "Tcp", "sourcePortRange": "*"}
    anywhere = {"sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "destinationPortRange": "80"}
    return [
        brief("applicationSecurityGroups/brief"),
        full("applicationSecurityGroups/full"),
        brief("networkSecurityGroups/brief"),
        full(
            "networkSecurityGroups/full",
            {"securityRules": [{"name": "web", "properties": {**rule, **anywhere, "priority": 100}}]},
        ),
        child("networkSecurityGroups/full/securityRules/brief", {**rule, **anywhere, "priority": 200}, whole=False),
        child(
            "networkSecurityGroups/full/securityRules/full",
            {
                **rule,
                "priority": 300,
                "description": "said",
                **anywhere,
                "sourceAddressPrefix": "Internet",
            },
            whole=True,
        ),
        brief("publicIPAddresses/brief", {"publicIPAllocationMethod": "Static"}, **standard),
        full("publicIPAddresses/full", {"publicIPAllocationMethod": "Static"}, **standard, zones=["1", "2", "3"]),
        full("publicIPAddresses/front", {"publicIPAllocationMethod": "Static"}, **standard),
        brief("virtualNetworks/brief", {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}}),
        full(
            "virtualNetworks/full",
            {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "dhcpOptions": {"dnsServers": ["10.0.0.4"]},
                "subnets": [
                    {"name": "first", "properties": {"addressPrefix": "10.0.1.0/24"}},
                    {"name": "links", "properties": open_subnet},
                    {"name": "lent", "properties": lent_subnet},
                ],
            },
        ),
        child("virtualNetworks/full/subnets/brief", {"addressPrefix": "10.0.4.0/24"}, whole=False),
        child("virtualNetworks/full/subnets/lent", lent_subnet, whole=True),
        child(
            "virtualNetworks/full/subnets/full",
            {"addressPrefix": "10.0.5.0/24", "networkSecurityGroup": ref("networkSecurityGroups/full")},
            whole=True,
        ),
        child(
            "virtualNetworks/full/virtualNetworkPeerings/full",
            {"remoteVirtualNetwork": ref("virtualNetworks/brief"), "allowForwardedTraffic": True},
            whole=True,
        ),
        brief(
            "loadBalancers/inner",
            {
                "frontendIPConfigurations": [
                    {"name": "front", "properties": {"subnet": ref("virtualNetworks/full/subnets/links")}}
                ],
                "backendAddressPools": [{"name": "pool"}],
            },
            **standard,
        ),
        full("loadBalancers/full", _balancer(ref), **standard),
        child("loadBalancers/full/backendAddressPools/brief", {}, whole=False),
        child(
            "loadBalancers/full/inboundNatRules/brief",
            {
                "frontendIPConfiguration": ref("loadBalancers/full/frontendIPConfigurations/front"),
                "protocol": "Tcp",
                "frontendPort": 2223,
                "backendPort": 22,
            },
            whole=False,
        ),
        brief(
            "networkInterfaces/brief",
            {
                "ipConfigurations": [
                    {"name": "one", "properties": {"subnet": ref("virtualNetworks/full/subnets/brief")}}
                ]
            },
        ),
        full(
            "networkInterfaces/full",
            {
                "networkSecurityGroup": ref("networkSecurityGroups/full"),
                "ipConfigurations": [
                    {
                        "name": "one",
                        "properties": {
                            "subnet": ref("virtualNetworks/full/subnets/full"),
                            "publicIPAddress": ref("publicIPAddresses/full"),
                            "applicationSecurityGroups": [ref("applicationSecurityGroups/full")],
                            "loadBalancerBackendAddressPools": [ref("loadBalancers/full/backendAddressPools/pool")],
                        },
                    }
                ],
            },
        ),
        Wanted(
            "Microsoft.Compute/virtualMachines/full",
            {
                "location": LOCATION,
                "properties": {
                    "hardwareProfile": {"vmSize": "Standard_B1s"},
                    "storageProfile": {
                        "imageReference": {
                            "publisher": "Canonical",
                            "offer": "ubuntu-24_04-lts",
                            "sku": "server",
                            "version": "latest",
                        },
                        "osDisk": {"createOption": "FromImage"},
                    },
                    "osProfile": {"computerName": "full", "adminUsername": "azureuser", "adminPassword": "Pa55word!x"},
                    "networkProfile": {"networkInterfaces": [ref("networkInterfaces/full")]},
                },
            },
            True,
        ),
        brief("privateLinkServices/brief", link),
        full(
            "privateLinkServices/full",
            {**link, "visibility": {"subscriptions": ["*"]}, "autoApproval": {"subscriptions": ["*"]}},
        ),
        *_endpoints(brief, full, ref, storage),
        Wanted("Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net", {"location": "global"}, True),
        child("privateDnsZones/privatelink.blob.core.windows.net/A/brief", {"ttl": 60, "aRecords": []}, whole=False),
        child(
            "privateDnsZones/privatelink.blob.core.windows.net/A/full",
            {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.9"}], "metadata": {"said": "yes"}},
            whole=True,
        ),
        Wanted(
            "Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net/virtualNetworkLinks/full",
            {
                "location": "global",
                **TAGS,
                "properties": {"virtualNetwork": ref("virtualNetworks/full"), "registrationEnabled": False},
            },
            True,
        ),
        child(
            "privateEndpoints/full/privateDnsZoneGroups/full",
            {
                "privateDnsZoneConfigs": [
                    {
                        "name": "blob",
                        "properties": {
                            "privateDnsZoneId": ref("privateDnsZones/privatelink.blob.core.windows.net")["id"]
                        },
                    }
                ]
            },
            whole=True,
        ),
    ]


def _endpoints(brief: Any, full: Any, ref: Any, storage: str) -> list[Wanted]:
    """One to a service of ours, and one to a storage account, as nearly all recorded ones are."""
    subnet = ref("virtualNetworks/full/subnets/first")
    ours = {"name": "c", "properties": {"privateLinkServiceId": ref("privateLinkServices/full")["id"]}}
    theirs = {"name": "c", "properties": {"privateLinkServiceId": storage, "groupIds": ["blob"]}}
    return [
        brief("privateEndpoints/brief", {"subnet": subnet, "privateLinkServiceConnections": [ours]}),
        full("privateEndpoints/full", {"subnet": subnet, "privateLinkServiceConnections": [theirs]}),
        full("privateEndpoints/manual", {"subnet": subnet, "manualPrivateLinkServiceConnections": [theirs]}),
    ]


def _balancer(ref: Any) -> Any:
    """A public balancer with a part of every kind."""
    front = ref("loadBalancers/full/frontendIPConfigurations/front")
    pool = ref("loadBalancers/full/backendAddressPools/pool")
    ports = {"protocol": "Tcp", "frontendPort": 80, "backendPort": 80, "frontendIPConfiguration": front}
    probe = {"protocol": "Http", "port": 80, "requestPath": "/", "intervalInSeconds": 5, "numberOfProbes": 2}
    rule = {**ports, "backendAddressPool": pool, "probe": ref("loadBalancers/full/probes/probe")}
    return {
        "frontendIPConfigurations": [
            {
                "name": "front",
                "zones": ["1", "2", "3"],
                "properties": {"publicIPAddress": ref("publicIPAddresses/front"), "privateIPAddressVersion": "IPv4"},
            }
        ],
        "backendAddressPools": [{"name": "pool"}],
        "probes": [{"name": "probe", "properties": probe}],
        "loadBalancingRules": [{"name": "rule", "properties": {**rule, "disableOutboundSnat": True}}],
        "inboundNatRules": [{"name": "nat", "properties": {**ports, "frontendPort": 2222, "backendPort": 22}}],
        "outboundRules": [
            {
                "name": "out",
                "properties": {"protocol": "All", "frontendIPConfigurations": [front], "backendAddressPool": pool},
            }
        ],
    }
