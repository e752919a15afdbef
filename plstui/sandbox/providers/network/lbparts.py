"""The parts of a load balancer: from a request to bodies, and what may not be among them."""

from __future__ import annotations

from dataclasses import dataclass

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.providers.network import links, publicips
from plstui.sandbox.providers.network.addresses import Allocator
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.providers.network.bodies import SUCCEEDED
from plstui.sandbox.providers.network.nics import SUBNET, address_for
from plstui.sandbox.providers.network.refusals import check_unique, child_name, missing
from plstui.sandbox.store import Body

TYPE = "Microsoft.Network/loadBalancers"
FRONTENDS, POOLS, PROBES = "frontendIPConfigurations", "backendAddressPools", "probes"
RULES, NAT_RULES, NAT_POOLS, OUTBOUND = "loadBalancingRules", "inboundNatRules", "inboundNatPools", "outboundRules"

MOST_PARTS = 600
"""Parts of a kind in a balancer, Azure's own limit for frontends; rules may be more there."""

TUNNEL_PORT = 10800
"""Where an internal tunnel of a gateway balancer ends when no port was asked for; an external one at the next port."""

OUTBOUND_PORTS = 1024
"""Ports that a machine gets by an outbound rule that does not say how many."""

IDLE_MINUTES = range(4, 101)
"""Minutes that a rule may keep an idle connection; through a private link it is four or five whatever it says."""


@dataclass
class Parts:
    """Builds the parts of one balancer in the order in which they refer to each other."""

    endpoint: NetworkEndpoint
    call: Call
    balancer: Body
    """The balancer so far; parts find each other in it."""
    old: Body | None
    standard: bool

    @property
    def id(self) -> ResourceId:
        """The balancer's id."""
        return ResourceId(self.balancer["id"])

    def build(self, fields: Fields) -> None:
        """Every collection, from the `properties` of a PUT."""
        properties = self.balancer["properties"]
        allocator = self._allocator(fields)
        properties[FRONTENDS] = [self.frontend(one, name, allocator) for name, one in self._named(fields, FRONTENDS)]
        properties[POOLS] = [self.pool(one, name) for name, one in self._named(fields, POOLS)]
        properties[RULES] = []
        properties[PROBES] = [self.probe(one, name) for name, one in self._named(fields, PROBES)]
        properties[RULES] = [self.rule(one, name) for name, one in self._named(fields, RULES)]
        properties[NAT_RULES] = [self.nat_rule(one, name) for name, one in self._named(fields, NAT_RULES)]
        if self.standard:
            properties[OUTBOUND] = [self.outbound(one, name) for name, one in self._named(fields, OUTBOUND)]
        properties[NAT_POOLS] = [self.nat_pool(one, name) for name, one in self._named(fields, NAT_POOLS)]
        check_rules(properties[RULES])

    def _named(self, fields: Fields, collection: str) -> list[tuple[str, Fields]]:
        found = [(child_name(one, self.id, collection), one) for one in fields.objects(collection, MOST_PARTS)]
        check_unique(self.id, (name for name, _ in found))
        return found

    def _allocator(self, fields: Fields) -> Allocator:
        kept = {one.text("name").lower() for one in fields.objects(FRONTENDS)}
        before: list[Body] = self.old["properties"][FRONTENDS] if self.old else []
        leaving = [ResourceId(one["id"]) for one in before if one["name"].lower() not in kept]
        return Allocator(self.endpoint.azure.store, leaving)

    def _former(self, collection: str, name: str) -> Body | None:
        return links.part_of(self.old, self.id.child(collection, name)) if self.old else None

    def part(self, collection: str, name: str, properties: Body, *, type_last: bool = False) -> Body:
        """A part in ARM's order, which is not the same for all of them. A part that is there keeps its spelling."""
        former = self._former(collection, name)
        name = former["name"] if former else name
        kind = {"type": f"{TYPE}/{collection}"}
        inner = {"properties": {"provisioningState": SUCCEEDED, **properties}}
        head = {"name": name, "id": self.id.child(collection, name).text, "etag": ""}
        return {**head, **inner, **kind} if type_last else {**head, **kind, **inner}

    def own(self, wanted: ResourceId, collection: str, by: ResourceId) -> Body:
        """A reference to another part of this balancer, in its own spelling; raises the 400 when there is none."""
        found = links.part_of(self.balancer, wanted)
        if not wanted.is_type(f"{TYPE}/{collection}") or found is None:
            raise errors.invalid_reference(wanted, by)
        return {"id": found["id"]}

    def _reference(self, fields: Fields, name: str, collection: str, by: ResourceId) -> Body:
        """`{name: {"id": …}}` for a reference that was sent."""
        wanted = fields.reference(name)
        return {name: self.own(wanted, collection, by)} if wanted else {}

    # The parts

    def frontend(self, sent: Fields, name: str, allocator: Allocator) -> Body:
        """A frontend: a public address, or a private one of a subnet."""
        fields, own = sent.fields("properties"), self.id.child(FRONTENDS, name)
        location = self.balancer["location"]
        method = fields.word("privateIPAllocationMethod", "Dynamic", "Static", default="Dynamic")
        zones = {"zones": sent.texts("zones")} if "zones" in sent else {}
        former = self._former(FRONTENDS, name)
        if public := fields.reference("publicIPAddress"):
            kind = publicips.TYPE
            found = self.endpoint.require(
                public, by=self.id, kind=kind, call=self.call, location=location, shouting=True
            )
            publicips.check_free(found, own)
            if found["sku"]["name"] != self.balancer["sku"]["name"]:
                raise bad_request(
                    "PublicIPAndLBSkuDoNotMatch",
                    f"{self.balancer['sku']['name']} sku load balancer {self.id} cannot reference "
                    f"{found['sku']['name']} sku publicIP {found['id']}.",
                )
            properties: Body = {"privateIPAllocationMethod": method, "publicIPAddress": {"id": found["id"]}}
            kept = former["properties"].get("privateIPAddressVersion", "") if former else ""
            if version := fields.word("privateIPAddressVersion", "IPv4", "IPv6", default=kept):
                properties["privateIPAddressVersion"] = version
        elif prefix := publicips.prefix_of(fields, "publicIPPrefix", own):
            properties = {
                "privateIPAllocationMethod": method,
                "publicIPPrefix": prefix,
                "privateIPAddressVersion": fields.word("privateIPAddressVersion", "IPv4", "IPv6", default="IPv4"),
            }
        elif wanted := fields.reference("subnet"):
            subnet = self.endpoint.require(wanted, by=self.id, kind=SUBNET, call=self.call, location=location)
            properties = {
                "privateIPAddress": address_for(subnet, fields, former, own, allocator),
                "privateIPAllocationMethod": method,
                "subnet": {"id": subnet["id"]},
                "privateIPAddressVersion": fields.word("privateIPAddressVersion", "IPv4", "IPv6", default="IPv4"),
            }
        else:
            raise bad_request(
                "LoadBalancerFrontendIPConfigurationMustReferenceSubnetOrPublicIPAddress",
                f"Frontend IP configuration {own} of load balancer {self.id} must reference either a subnet or a "
                "public IP address.",
            )
        if gateway := fields.reference("gatewayLoadBalancer"):
            found = self.endpoint.require(gateway, by=own, kind=f"{TYPE}/{FRONTENDS}", call=self.call)
            properties["gatewayLoadBalancer"] = {"id": found["id"]}
        return {**self.part(FRONTENDS, name, properties), **zones}

    def pool(self, sent: Fields, name: str) -> Body:
        """A backend pool. Members come through their interfaces; by address only where that was sent."""
        fields, former = sent.fields("properties"), self._former(POOLS, name)
        own = ResourceId(former["id"]) if former else self.id.child(POOLS, name)
        properties: Body = {}
        if self.standard:
            if "loadBalancerBackendAddresses" in fields or former is None:
                given = fields.objects("loadBalancerBackendAddresses")
                addresses = [self._address(own, one) for one in given if "ipAddress" in one.fields("properties")]
                check_unique(own, (address["name"] for address in addresses))
            else:
                present = former["properties"].get("loadBalancerBackendAddresses") or []
                addresses = [links.fork(one) for one in present if "ipAddress" in one["properties"]]
            properties["loadBalancerBackendAddresses"] = addresses
        if "tunnelInterfaces" in fields and self.balancer["sku"]["name"] == "Gateway":
            properties["tunnelInterfaces"] = [_tunnel(one) for one in fields.objects("tunnelInterfaces")]
        if "drainPeriodInSeconds" in fields:
            properties["drainPeriodInSeconds"] = fields.number("drainPeriodInSeconds")
        if "syncMode" in fields:
            properties["syncMode"] = fields.word("syncMode", "Automatic", "Manual")
        if network := fields.reference("virtualNetwork"):
            kind, location = "Microsoft.Network/virtualNetworks", self.balancer["location"]
            found = self.endpoint.require(network, by=own, kind=kind, call=self.call, location=location)
            properties["virtualNetwork"] = {"id": found["id"]}
        return self.part(POOLS, name, properties, type_last=True)

    def _address(self, pool_id: ResourceId, sent: Fields) -> Body:
        collection = "loadBalancerBackendAddresses"
        fields, name = sent.fields("properties"), child_name(sent, pool_id, collection)
        own = pool_id.child(collection, name)
        properties: Body = {"ipAddress": fields.text("ipAddress")}
        for word, kind in (("virtualNetwork", "Microsoft.Network/virtualNetworks"), ("subnet", SUBNET)):
            if wanted := fields.reference(word):
                properties[word] = {"id": self.endpoint.require(wanted, by=own, kind=kind, call=self.call)["id"]}
        return {
            "name": name,
            "id": own.text,
            "etag": "",
            "properties": {"provisioningState": SUCCEEDED, **properties},
            "type": f"{TYPE}/{POOLS}/{collection}",
        }

    def probe(self, sent: Fields, name: str) -> Body:
        """A health probe."""
        fields = sent.fields("properties")
        protocol = fields.word("protocol", "Tcp", "Http", "Https")
        if not protocol:
            raise missing("protocol", fields.where)
        properties: Body = {"protocol": protocol, "port": _port(fields, "port")}
        if protocol != "Tcp":
            if not fields.text("requestPath"):
                raise missing("requestPath", fields.where)
            properties["requestPath"] = fields.text("requestPath")
        properties["intervalInSeconds"] = fields.number("intervalInSeconds", 15)
        if properties["intervalInSeconds"] < 5:
            raise _out_of_range(fields, "intervalInSeconds", "5 or more")
        properties["numberOfProbes"] = fields.number("numberOfProbes", 2)
        properties["probeThreshold"] = fields.number("probeThreshold", 1)
        properties["noHealthyBackendsBehavior"] = fields.word(
            "noHealthyBackendsBehavior", "AllProbedDown", "AllProbedUp", default="AllProbedDown"
        )
        return self.part(PROBES, name, properties, type_last=True)

    def rule(self, sent: Fields, name: str) -> Body:
        """A load-balancing rule."""
        fields, own = sent.fields("properties"), self.id.child(RULES, name)
        protocol = fields.word("protocol", "Tcp", "Udp", "All")
        if not protocol:
            raise missing("protocol", fields.where)
        properties: Body = self._reference(fields, "frontendIPConfiguration", FRONTENDS, own)
        if not properties:
            raise missing("frontendIPConfiguration", fields.where)
        lowest = 0 if protocol == "All" else 1
        properties["frontendPort"] = _port(fields, "frontendPort", lowest)
        properties["backendPort"] = (
            _port(fields, "backendPort", lowest) if "backendPort" in fields else properties["frontendPort"]
        )
        properties |= self._flags(fields, "enableFloatingIP", protocol)
        properties["loadDistribution"] = fields.word(
            "loadDistribution", "Default", "SourceIP", "SourceIPProtocol", default="Default"
        )
        if self.standard:
            properties["disableOutboundSnat"] = fields.flag("disableOutboundSnat")
        properties["enableConnectionTracking"] = fields.flag("enableConnectionTracking")
        pools = [self.own(one, POOLS, own) for one in fields.references("backendAddressPools")]
        if single := fields.reference("backendAddressPool"):
            pools = pools or [self.own(single, POOLS, own)]
        if len(pools) == 1:
            properties["backendAddressPool"] = pools[0]
        properties["backendAddressPools"] = pools
        return self.part(RULES, name, {**properties, **self._reference(fields, "probe", PROBES, own)})

    def nat_rule(self, sent: Fields, name: str) -> Body:
        """An inbound NAT rule: a port of the frontend that leads to one machine, or a range for a pool."""
        fields, own = sent.fields("properties"), self.id.child(NAT_RULES, name)
        properties: Body = self._reference(fields, "frontendIPConfiguration", FRONTENDS, own)
        if not properties:
            raise missing("frontendIPConfiguration", fields.where)
        properties["frontendPort"] = 0 if "frontendPortRangeStart" in fields else _port(fields, "frontendPort")
        properties["backendPort"] = _port(fields, "backendPort")
        properties |= self._flags(
            fields, "enableFloatingIP", fields.word("protocol", "Tcp", "Udp", "All", default="Tcp")
        )
        if "frontendPortRangeStart" in fields:
            properties["frontendPortRangeStart"] = _port(fields, "frontendPortRangeStart", 0)
            properties["frontendPortRangeEnd"] = _port(fields, "frontendPortRangeEnd")
        return self.part(NAT_RULES, name, {**properties, **self._reference(fields, "backendAddressPool", POOLS, own)})

    def nat_pool(self, sent: Fields, name: str) -> Body:
        """A range of ports for a scale set."""
        fields, own = sent.fields("properties"), self.id.child(NAT_POOLS, name)
        protocol = fields.word("protocol", "Tcp", "Udp", "All", default="Tcp")
        flags = self._flags(fields, "enableFloatingIP", protocol)
        properties: Body = {
            "frontendPortRangeStart": _port(fields, "frontendPortRangeStart"),
            "frontendPortRangeEnd": _port(fields, "frontendPortRangeEnd"),
            "backendPort": _port(fields, "backendPort"),
            "protocol": flags.pop("protocol"),
            **flags,
            **self._reference(fields, "frontendIPConfiguration", FRONTENDS, own),
        }
        return self.part(NAT_POOLS, name, properties, type_last=True)

    def outbound(self, sent: Fields, name: str) -> Body:
        """An outbound rule."""
        fields, own = sent.fields("properties"), self.id.child(OUTBOUND, name)
        pool = self._reference(fields, "backendAddressPool", POOLS, own)
        frontends = [self.own(one, FRONTENDS, own) for one in fields.references("frontendIPConfigurations")]
        if not pool or not frontends:
            raise missing("backendAddressPool" if not pool else "frontendIPConfigurations", fields.where)
        properties: Body = {
            "allocatedOutboundPorts": fields.number("allocatedOutboundPorts", OUTBOUND_PORTS),
            "protocol": fields.word("protocol", "Tcp", "Udp", "All", default="All"),
            "enableTcpReset": fields.flag("enableTcpReset"),
            "idleTimeoutInMinutes": _minutes(fields),
            "allocationPolicy": {"onDemandAllocation": False, "portReuse": "FirstAvailable"},
            **pool,
            "frontendIPConfigurations": frontends,
        }
        return self.part(OUTBOUND, name, properties)

    @staticmethod
    def _flags(fields: Fields, floating: str, protocol: str) -> Body:
        return {
            floating: fields.flag(floating),
            "idleTimeoutInMinutes": _minutes(fields),
            "protocol": protocol,
            "enableDestinationServiceEndpoint": False,
            "enableTcpReset": fields.flag("enableTcpReset"),
            "allowBackendPortConflict": False,
        }


def _tunnel(fields: Fields) -> Body:
    """One of the tunnels between a gateway balancer and the appliances in its pool."""
    side = fields.word("type", "None", "Internal", "External", default="None")
    return {
        "port": fields.number("port", TUNNEL_PORT + (side == "External")),
        "identifier": fields.number("identifier"),
        "protocol": fields.word("protocol", "None", "Native", "VXLAN", default="None"),
        "type": side,
    }


def check_rules(rules: list[Body]) -> None:
    """Raise the 400 for two rules that cannot be told apart on either end."""
    fronts: dict[tuple[str, int, str], str] = {}
    backs: dict[tuple[str, int, str], str] = {}
    for rule in rules:
        properties, name = rule["properties"], rule["name"]
        protocol, frontend = properties["protocol"], properties["frontendIPConfiguration"]["id"]
        other = fronts.setdefault((frontend.lower(), properties["frontendPort"], protocol), name)
        if other != name:
            raise bad_request(
                "RulesUseSameFrontendPortProtocolAndIPConfig",
                f"Load balancing rules {other} and {name} with the same frontend port {properties['frontendPort']} and "
                f"protocol {protocol} must not be used with the same frontend IP configuration {frontend}.",
            )
        for pool in properties["backendAddressPools"] if not properties["enableFloatingIP"] else ():
            other = backs.setdefault((pool["id"].lower(), properties["backendPort"], protocol), name)
            if other != name:
                raise bad_request(
                    "RulesUseSameBackendPortProtocolAndPool",
                    f"Load balancing rules {other} and {name} with floating IP disabled use the same backend port "
                    f"{properties['backendPort']} and protocol {protocol}, and must not be used with the same backend "
                    f"address pool {pool['id']}.",
                )


def _port(fields: Fields, name: str, lowest: int = 1) -> int:
    if name not in fields:
        raise missing(name, fields.where)
    port = fields.number(name)
    if not lowest <= port <= 65535:
        raise _out_of_range(fields, name, f"{lowest} to 65535")
    return port


def _minutes(fields: Fields) -> int:
    minutes = fields.number("idleTimeoutInMinutes", 4)
    if minutes not in IDLE_MINUTES:
        raise _out_of_range(fields, "idleTimeoutInMinutes", "4 to 100")
    return minutes


def _out_of_range(fields: Fields, name: str, allowed: str) -> errors.ArmError:
    return bad_request(
        "InvalidRequestFormat",
        "Cannot parse the request.",
        [
            {
                "code": "InvalidPropertyValue",
                "message": f"Value {fields.number(name)} of property '{fields.where}.{name}' is not in {allowed}.",
            }
        ],
    )
