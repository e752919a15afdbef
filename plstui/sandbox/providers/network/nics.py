"""Network interfaces: addresses, groups, pools, and what they are attached to."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from functools import lru_cache
from typing import ClassVar

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.latency import Pace
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.network import links, publicips
from plstui.sandbox.providers.network.addresses import Allocator
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.providers.network.bodies import SUCCEEDED, UPDATING
from plstui.sandbox.providers.network.refusals import check_unique, child_name, missing
from plstui.sandbox.store import Body

TYPE = "Microsoft.Network/networkInterfaces"
CONFIGURATION = f"{TYPE}/ipConfigurations"
SUBNET = "Microsoft.Network/virtualNetworks/subnets"

MOST_ADDRESSES = 256
"""IP configurations of an interface, Azure's own limit."""

_READ_ONLY = ("macAddress", "primary", "virtualMachine", "privateEndpoint", "privateLinkService")
"""What others put into an interface: a machine, a private endpoint, a private link service."""

_REFERENCES = (
    ("applicationSecurityGroups", "Microsoft.Network/applicationSecurityGroups"),
    ("loadBalancerBackendAddressPools", "Microsoft.Network/loadBalancers/backendAddressPools"),
    ("loadBalancerInboundNatRules", "Microsoft.Network/loadBalancers/inboundNatRules"),
)

_NOT_HERE = {
    "effectivenetworksecuritygroups": "effective security rules",
    "effectiveroutetable": "effective routes",
}
"""Actions that an interface has in Azure and not here, with what they tell."""

SILENT = frozenset({"westus", "eastus2euap"})
"""Regions whose interfaces tell of acceleration only when it was asked for; all others say `false` (340 of 340 recorded
from 2023 on)."""


class Interfaces(NetworkEndpoint):
    """Network interfaces."""

    type: ClassVar[str] = TYPE
    order: ClassVar[tuple[str, ...]] = ("name", "id", "etag", "tags", "properties", "type", "location", "managedBy")
    put_pace: ClassVar[Pace] = Pace(1, 1)
    delete_pace: ClassVar[Pace] = Pace(4, 4)

    def build(self, call: Call, old: Body | None) -> Body:
        """An interface."""
        fields = call.fields.fields("properties")
        location = self.location(call, old)
        configurations = self._configurations(call, fields, location, old)
        properties: Body = {"ipConfigurations": configurations, "dnsSettings": self._dns(fields, configurations)}
        asked = "enableAcceleratedNetworking" in fields
        properties |= acceleration(location, fields.flag("enableAcceleratedNetworking") if asked else None)
        properties["vnetEncryptionSupported"] = False
        properties["enableIPForwarding"] = fields.flag("enableIPForwarding")
        properties["disableTcpStateTracking"] = fields.flag("disableTcpStateTracking")
        if wanted := fields.reference("networkSecurityGroup"):
            kind = "Microsoft.Network/networkSecurityGroups"
            group = self.require(wanted, by=call.named, kind=kind, call=call, location=location, shouting=True)
            properties["networkSecurityGroup"] = {"id": group["id"]}
        properties |= {name: old["properties"][name] for name in _READ_ONLY if old and name in old["properties"]}
        properties |= fixed_properties(self.azure, configurations)
        for name, words in (
            ("nicType", ("Standard", "Elastic")),
            ("auxiliaryMode", ("None", "MaxConnections", "Floating", "AcceleratedConnections")),
            ("auxiliarySku", ("None", "A1", "A2", "A4", "A8")),
        ):
            properties[name] = fields.word(name, *words, default=words[0])
        managed = {"managedBy": old["managedBy"]} if old and "managedBy" in old else {}
        return self.head(call, old, properties, kind="Regular", **managed)

    def _configurations(self, call: Call, fields: Fields, location: str, old: Body | None) -> list[Body]:
        sent = fields.objects("ipConfigurations", MOST_ADDRESSES)
        if not sent:
            raise missing("ipConfigurations", "properties")
        nic_id = ResourceId(old["id"]) if old else call.named
        names = [child_name(item, nic_id, "ipConfigurations") for item in sent]
        check_unique(nic_id, names)
        ids = [nic_id.child("ipConfigurations", name) for name in names]
        before = old["properties"]["ipConfigurations"] if old else []
        allocator = Allocator(
            self.azure.store, leaving=[leaving for one in before if (leaving := ResourceId(one["id"])) not in ids]
        )
        flags = [item.fields("properties").flag("primary") for item in sent]
        first = flags.index(True) if any(flags) else 0
        return [
            self._configuration(call, item, own, location, old, allocator, primary=at == first)
            for at, (item, own) in enumerate(zip(sent, ids, strict=True))
        ]

    def _configuration(
        self,
        call: Call,
        sent: Fields,
        own: ResourceId,
        location: str,
        old: Body | None,
        allocator: Allocator,
        *,
        primary: bool,
    ) -> Body:
        fields = sent.fields("properties")
        former = links.part_of(old, own) if old else None
        wanted = fields.reference("subnet")
        if wanted is None:
            raise missing("subnet", fields.where)
        subnet = self.require(wanted, by=own, kind=SUBNET, call=call, location=location)
        version = fields.word("privateIPAddressVersion", "IPv4", "IPv6", default="IPv4")
        method = fields.word("privateIPAllocationMethod", "Dynamic", "Static", default="Dynamic")
        properties: Body = {
            "privateIPAddress": address_for(subnet, fields, former, own, allocator),
            "privateIPAllocationMethod": method,
        }
        if public := fields.reference("publicIPAddress"):
            found = self.require(public, by=own, kind=publicips.TYPE, call=call, location=location, shouting=True)
            publicips.check_free(found, own)
            properties["publicIPAddress"] = {"id": found["id"]}
        properties |= {"subnet": {"id": subnet["id"]}, "primary": primary, "privateIPAddressVersion": version}
        for name, kind in _REFERENCES:
            parts = [
                self.require(one, by=own, kind=kind, call=call, location=location)["id"]
                for one in fields.references(name)
            ]
            if parts:
                properties[name] = [{"id": part} for part in dict.fromkeys(parts)]
        if former and "privateLinkConnectionProperties" in former["properties"]:
            properties["privateLinkConnectionProperties"] = former["properties"]["privateLinkConnectionProperties"]
        return configuration_body(own, properties)

    def _dns(self, fields: Fields, configurations: list[Body]) -> Body:
        sent = fields.fields("dnsSettings")
        settings: Body = {"dnsServers": sent.texts("dnsServers"), "appliedDnsServers": []}
        suffix = dns_suffix(configurations)
        if label := sent.text("internalDnsNameLabel"):
            settings |= {"internalDnsNameLabel": label, "internalFqdn": f"{label}.{suffix}"}
        return {**settings, "internalDomainNameSuffix": suffix}

    def put_state(self, call: Call, old: Body | None, new: Body) -> str:
        """Recorded interfaces are Succeeded at once, unless Standard balancers or a machine have to hear of it."""
        balancers = {links.root_id(ResourceId(part)) for body in (old, new) if body for part in _memberships(body)}
        known = [found for balancer in balancers if (found := self.azure.store.get(balancer))]
        busy = old is not None and "virtualMachine" in old["properties"]
        return UPDATING if busy or any(found["sku"]["name"] != "Basic" for found in known) else SUCCEEDED

    def written(self, old: Body | None, new: Body) -> None:
        """Dynamic public addresses come and go with their interface."""
        for body in (old, new) if old else (new,):
            publicips.lend(self.azure.store, body)

    def difference(self, call: Call, old: Body | None, new: Body) -> tuple[bool, str]:
        """An interface that Azure made belongs to its endpoint or service; only its tags can change."""
        changed, state = super().difference(call, old, new)
        if old and "managedBy" in old and self._configured(old) != self._configured(new):
            raise bad_request(
                "ManagedNetworkInterfaceCannotBeChanged",
                f"Network interface {old['id']} cannot be changed because it is managed by {old['managedBy']}.",
            )
        return changed, state

    @staticmethod
    def _configured(body: Body) -> list[tuple[str, str, str]]:
        return [
            (one["name"].lower(), one["properties"]["subnet"]["id"].lower(), former_address(one))
            for one in body["properties"]["ipConfigurations"]
        ]

    def check_unused(self, body: Body) -> None:
        """An interface of a machine, an endpoint or a service stays with it."""
        properties = body["properties"]
        if machine := properties.get("virtualMachine"):
            raise bad_request(
                "NicInUse",
                f"Network Interface {body['id']} is used by existing resource {machine['id']}. In order to delete the "
                "network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.",
            )
        for name, code in (
            ("privateEndpoint", "NicInUseWithPrivateEndpoint"),
            ("privateLinkService", "NicInUseWithPrivateLinkService"),
        ):
            if user := properties.get(name):
                raise bad_request(
                    code,
                    f"Network interface {body['id']} cannot be deleted because it is currently in use with "
                    f"{user['id']}.",
                )

    async def act(self, call: Call) -> Response:
        """The balancers that an interface is a member of; raises for what Azure works out from the whole network."""
        if call.method == "POST" and call.action in _NOT_HERE:
            interface = self.find(call.named)
            raise bad_request(
                "NotInSandbox",
                f"The {_NOT_HERE[call.action]} of network interface '{interface['name']}' are not in the sandbox; "
                "Azure has them.",
            )
        if call.action != "loadbalancers" or call.method != "GET":
            return await super().act(call)
        body = self.find(call.named)
        balancers = {links.root_id(ResourceId(part)).key for part in _memberships(body)}
        found = [self.azure.store.get(balancer) for balancer in sorted(balancers)]
        return Response(200, {"value": [self.shape(call, dict(one)) for one in found if one]})


def _memberships(body: Body) -> list[str]:
    """The pools and inbound NAT rules that an interface belongs to."""
    return [
        str(part["id"]).lower()
        for configuration in body["properties"]["ipConfigurations"]
        for name in ("loadBalancerBackendAddressPools", "loadBalancerInboundNatRules")
        for part in configuration["properties"].get(name) or ()
    ]


def address_for(subnet: Body, fields: Fields, former: Body | None, own: ResourceId, allocator: Allocator) -> str:
    """The private address of a configuration or frontend: the one it chose, the one it had, or the next free one."""
    text = fields.text("privateIPAddress")
    version = 6 if fields.word("privateIPAddressVersion", "IPv4", "IPv6", default="IPv4") == "IPv6" else 4
    if fields.word("privateIPAllocationMethod", "Dynamic", "Static", default="Dynamic") == "Static":
        if not text and former is None:
            raise missing("privateIPAddress", fields.where)
        return allocator.static(subnet, text or former_address(former), own)
    if former and _stays(former["properties"], subnet, version):
        return allocator.keep(subnet, former_address(former), own)
    return allocator.next(subnet, own, version)


def _stays(former: Body, subnet: Body, version: int) -> bool:
    """Whether a configuration with these properties is in the same subnet and of the same version as it will be."""
    in_subnet = ResourceId((former.get("subnet") or {}).get("id", "")) == ResourceId(subnet["id"])
    return in_subnet and former.get("privateIPAddressVersion", "IPv4") == f"IPv{version}"


def former_address(former: Body | None) -> str:
    """The address that a configuration had."""
    return str(former["properties"].get("privateIPAddress", "")) if former else ""


def configuration_body(own: ResourceId, properties: Body) -> Body:
    """An IP configuration in ARM's order."""
    return {
        "name": own.name,
        "id": own.text,
        "etag": "",
        "type": CONFIGURATION,
        "properties": {"provisioningState": SUCCEEDED, **properties},
    }


def dns_suffix(configurations: list[Body]) -> str:
    """The domain in which machines of one network find each other; made from the network's id."""
    return _suffix_in(configurations[0]["properties"]["subnet"]["id"])


@lru_cache(maxsize=256)
def _suffix_in(subnet_id: str) -> str:
    network = links.root_id(ResourceId(subnet_id))
    label = b32encode(hashlib.sha256(network.key.encode()).digest()[:16]).decode().rstrip("=").lower()
    return f"{label}.xx.internal.cloudapp.net"


def fixed_properties(azure: Azure, configurations: list[Body]) -> Body:
    """What every interface shows and nobody sets."""
    subnet = azure.store.get(configurations[0]["properties"]["subnet"]["id"])
    outbound = (subnet or {}).get("properties", {})
    return {
        "hostedWorkloads": [],
        "tapConfigurations": [],
        "nicType": "Standard",
        "allowPort25Out": True,
        "auxiliaryMode": "None",
        "auxiliarySku": "None",
        "defaultOutboundConnectivityEnabled": outbound.get("defaultOutboundAccess", True)
        and "natGateway" not in outbound,
    }


def acceleration(location: str, wanted: bool | None = None) -> Body:
    """What an interface says of its acceleration; `wanted` is what was asked for, None when nothing was."""
    if wanted is None and location in SILENT:
        return {}
    return {"enableAcceleratedNetworking": bool(wanted)}


def managed_body(
    azure: Azure, nic_id: ResourceId, role: str, owner: Json, configurations: list[Body], old: Json | None
) -> Body:
    """An interface that Azure makes and changes itself, for a private endpoint or a private link service.

    `role` is the property that names the owner, `privateEndpoint` for example; `configurations` come from
    `configuration_body`; `old` is the interface that this one replaces.
    """
    return {
        "name": nic_id.name,
        "id": nic_id.text,
        "etag": "",
        "properties": {
            "provisioningState": SUCCEEDED,
            "resourceGuid": old["properties"]["resourceGuid"] if old else azure.new_guid(),
            "ipConfigurations": configurations,
            "dnsSettings": {
                "dnsServers": [],
                "appliedDnsServers": [],
                "internalDomainNameSuffix": dns_suffix(configurations),
            },
            "macAddress": "",
            **acceleration(owner["location"]),
            "vnetEncryptionSupported": False,
            "enableIPForwarding": False,
            "disableTcpStateTracking": False,
            role: {"id": owner["id"]},
            **fixed_properties(azure, configurations),
        },
        "type": TYPE,
        "location": owner["location"],
        "managedBy": owner["id"],
        "kind": "Regular",
    }


def attach(azure: Azure, nic_id: ResourceId, machine_id: str, *, primary: bool) -> None:
    """Give an interface to a machine: it gets a hardware address and shows the machine."""
    digits = hashlib.sha256(nic_id.key.encode()).hexdigest()[:6].upper()
    mac = "-".join(("00", "0D", "3A", digits[:2], digits[2:4], digits[4:]))
    _change(azure, nic_id, {"macAddress": mac, "primary": primary, "virtualMachine": {"id": machine_id}})


def detach(azure: Azure, nic_id: ResourceId) -> None:
    """Take an interface from its machine."""
    _change(azure, nic_id, {"macAddress": None, "primary": None, "virtualMachine": None})


def _change(azure: Azure, nic_id: ResourceId, properties: Body) -> None:
    old = azure.store.get(nic_id)
    if old is None:
        return
    new = links.fork(dict(old))
    new["properties"].update(properties)
    new["properties"] = {name: value for name, value in new["properties"].items() if value is not None}
    links.stamp(new, links.new_etag())
    azure.store.put(new)
    publicips.lend(azure.store, new)
