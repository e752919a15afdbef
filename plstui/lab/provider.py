"""The ISV's half of the lab: network, machines, balancer and the private link service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from plstui.config.settings import Lab
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.lab.fragments import Body, subnet_piece
from plstui.lab.machines import address_in, attached, linux_body, running
from plstui.lab.owners import frontend_in, group_want, interface_of, without_rule_at
from plstui.lab.parts import Survey, Wait, Want

ZONES = ("1", "2", "3")
PORT = 80
PRIORITY = 1003
HEALTH_DOUBT = 300.0
"""Seconds until members that are not up are spoken of again: a machine sets itself up within two minutes or three."""

HEALTH_PATIENCE = 1200.0
"""Seconds until they count as failed: mirrors of Debian and Ubuntu have slow quarters of an hour, and nothing is
slower than those."""

IDLE_MINUTES = 15
"""As the lab has it. Through a private link a connection is dropped after four to five minutes all the same."""


class Provider:
    """Names the ISV's resources and says what each must be."""

    def __init__(self, lab: Lab, subscription: str, *, region: str, size: str, public_key: str, run: str) -> None:
        self._lab = lab
        self._region = region
        self._size = size
        self._public_key = public_key
        self._run = run
        names = lab.names
        self.group = ResourceId(f"/subscriptions/{subscription}/resourceGroups/{names.isv_group}")
        self.network = self._network_id("virtualNetworks", names.virtual_network)
        self.subnet = self.network.child("subnets", names.subnet)
        self.security_group = self._network_id("networkSecurityGroups", names.security_group)
        self.application_group = self._network_id("applicationSecurityGroups", names.application_security_group)
        self.nat_address = self._network_id("publicIPAddresses", names.nat_address)
        self.nat_gateway = self._network_id("natGateways", names.nat_gateway)
        self.ssh_key = self._id("Compute/sshPublicKeys", names.ssh_key)
        self.balancer = self._network_id("loadBalancers", names.balancer)
        self.frontend = self.balancer.child("frontendIPConfigurations", names.frontend)
        self.pool = self.balancer.child("backendAddressPools", names.pool)
        self.probe = self.balancer.child("probes", "http")
        self.rule = self.balancer.child("loadBalancingRules", "http")
        self.service = self._network_id("privateLinkServices", names.service)
        self.machines = [self._id("Compute/virtualMachines", f"{names.machine}{zone}") for zone in ZONES]
        self.interfaces = [self._network_id("networkInterfaces", f"{names.machine}{zone}-nic") for zone in ZONES]

    def _id(self, kind: str, name: str) -> ResourceId:
        return ResourceId(f"{self.group.text}/providers/Microsoft.{kind}/{name}")

    def _network_id(self, kind: str, name: str) -> ResourceId:
        return self._id(f"Network/{kind}", name)

    def _want(self, key: str, resource_id: ResourceId, what: str, **more: Any) -> Want:
        initial = {"location": self._region, **more.pop("initial", {})}
        fixed = {"location": self._region, **more.pop("fixed", {})}
        return Want(key=key, side=Side.ISV, id=resource_id, what=what, initial=initial, fixed=fixed, **more)

    def group_parts(self) -> tuple[Want, ...]:
        """Step 1."""
        return (group_want("isv-group", Side.ISV, self.group, self._region, self._run),)

    def network_parts(self) -> tuple[Want, ...]:
        """Step 2: security first, then the way out, then the network that has both."""
        lab, ours = self._lab, ("isv-group",)
        subnet: Body = {
            "addressPrefix": lab.isv_subnet_prefix,
            "networkSecurityGroup": {"id": self.security_group.text},
            "defaultOutboundAccess": False,
        }
        asg = self._want("asg", self.application_group, f"ASG {self.application_group.name}", needs=ours)
        nsg = self._want(
            "nsg",
            self.security_group,
            f"NSG {self.security_group.name}",
            needs=("asg",),
            once={"properties": {"securityRules": [self._nginx_rule()]}},
            foreign=without_rule_at(PRIORITY, "nginx"),
            fragment={"properties": {"securityRules": [self._nginx_rule()]}},
        )
        way_out: tuple[Want, ...] = ()
        if not lab.isolated:
            subnet["natGateway"] = {"id": self.nat_gateway.text}
            static = {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
            way_out = (
                self._want(
                    "nat-address",
                    self.nat_address,
                    f"public address {self.nat_address.name}",
                    needs=ours,
                    initial=static,
                ),
                self._want(
                    "nat",
                    self.nat_gateway,
                    f"NAT gateway {self.nat_gateway.name}",
                    needs=("nat-address",),
                    initial={"sku": {"name": "Standard"}},
                    fragment={"properties": {"publicIpAddresses": [{"id": self.nat_address.text}]}},
                ),
            )
        space = {"properties": {"addressSpace": {"addressPrefixes": [lab.isv_prefix]}}}
        network = self._want(
            "vnet",
            self.network,
            f"virtual network {self.network.name}",
            needs=("nsg", *(part.key for part in way_out[-1:])),
            initial=space,
            fixed=space,
            once=subnet_piece(self.subnet.name, {"addressPrefix": lab.isv_subnet_prefix}),
            fragment=subnet_piece(self.subnet.name, subnet),
        )
        return (asg, nsg, *way_out, network)

    def _nginx_rule(self) -> Body:
        return {
            "name": "nginx",
            "properties": {
                "priority": PRIORITY,
                "direction": "Inbound",
                "access": "Allow",
                "protocol": "Tcp",
                "sourceAddressPrefix": "*",
                "sourcePortRange": "*",
                "destinationApplicationSecurityGroups": [{"id": self.application_group.text}],
                "destinationPortRanges": ["80", "443"],
            },
        }

    def machine_parts(self, user_data: str) -> tuple[Want | Wait, ...]:
        """Step 3: the key, then three interfaces and three machines at once."""
        key = self._want(
            "ssh-key",
            self.ssh_key,
            f"SSH key {self.ssh_key.name}",
            needs=("isv-group",),
            initial={"properties": {"publicKey": self._public_key}},
        )
        parts: list[Want | Wait] = [key]
        for zone, machine, nic in zip(ZONES, self.machines, self.interfaces, strict=True):
            name = machine.name
            in_subnet = {"subnet": {"id": self.subnet.text}}
            member = {**in_subnet, "applicationSecurityGroups": [{"id": self.application_group.text}]}
            parts += [
                self._want(
                    f"nic{zone}",
                    nic,
                    f"interface {nic.name}",
                    needs=("vnet", "asg"),
                    once=_interface(in_subnet),
                    foreign=interface_of(machine),
                    fragment=_interface(member),
                ),
                self._want(
                    f"vm{zone}",
                    machine,
                    f"machine {name}",
                    needs=(f"nic{zone}", "ssh-key"),
                    initial=linux_body(name, nic, self._size, self._lab.user, self._public_key, user_data),
                    fixed={"zones": [zone], **attached(nic, self._lab.user)},
                    fragment={"zones": [zone]},
                ),
                running(f"vm{zone}", Side.ISV, machine),
            ]
        return tuple(parts)

    def zones(self, survey: Survey) -> str:
        """Each machine with its address and the zone that Azure says it is in."""
        shown = []
        for machine, nic in zip(self.machines, self.interfaces, strict=True):
            if body := survey.body(machine):
                zone = ", ".join(map(str, body.get("zones") or ["none"]))
                shown.append(f"{machine.name} {address_in(survey.body(nic))} zone {zone}")
        return " · ".join(shown)

    def members_up(self, survey: Survey) -> str:
        """How many of the pool's members are up."""
        health = survey.health.get(self.rule)
        return f"{sum(member.up for member in health.members)}/{len(health.members)} up" if health else ""

    def alias(self, survey: Survey) -> str:
        """What the customer needs: the service's alias."""
        return str(((survey.body(self.service) or {}).get("properties") or {}).get("alias") or "")

    def balancer_parts(self) -> tuple[Want, ...]:
        """Step 4."""
        subnet = {"subnet": {"id": self.subnet.text}, "privateIPAllocationMethod": "Dynamic"}
        return (
            self._want(
                "lb",
                self.balancer,
                f"load balancer {self.balancer.name}",
                needs=("vnet",),
                initial={"sku": {"name": "Standard"}},
                fixed={"sku": {"name": "Standard"}},
                foreign=frontend_in(self.frontend, self.subnet),
                fragment={
                    "properties": {
                        "frontendIPConfigurations": [{"name": self.frontend.name, "properties": subnet}],
                        "backendAddressPools": [{"name": self.pool.name}],
                    }
                },
            ),
        )

    def probe_parts(self) -> tuple[Want, ...]:
        """Step 5."""
        probe = {"name": self.probe.name, "properties": {"protocol": "Tcp", "port": PORT, "intervalInSeconds": 5}}
        return (self._piece("probe", f"health probe {self.probe.name}", ("lb",), "probes", probe),)

    def rule_parts(self) -> tuple[Want, ...]:
        """Step 6."""
        rule = {
            "name": self.rule.name,
            "properties": {
                "protocol": "Tcp",
                "frontendPort": PORT,
                "backendPort": PORT,
                "idleTimeoutInMinutes": IDLE_MINUTES,
                "enableTcpReset": True,
                "frontendIPConfiguration": {"id": self.frontend.text},
                "backendAddressPool": {"id": self.pool.text},
                "probe": {"id": self.probe.text},
            },
        }
        what = f"load-balancing rule {self.rule.name}"
        return (self._piece("rule", what, ("lb", "probe"), "loadBalancingRules", rule),)

    def _piece(self, key: str, what: str, needs: tuple[str, ...], kind: str, item: Body) -> Want:
        """One named item of the balancer."""
        return self._want(
            key,
            self.balancer,
            what,
            needs=needs,
            fragment={"properties": {kind: [item]}},
            undone=without_item(kind, item["name"]),
        )

    def pool_parts(self) -> tuple[Want | Wait, ...]:
        """Step 7: the interfaces keep all else they have, the ASG above all."""
        joined = {"loadBalancerBackendAddressPools": [{"id": self.pool.text}]}
        members = [
            self._want(
                f"member{zone}",
                nic,
                f"{nic.name} in pool {self.pool.name}",
                yet=f"{nic.name} is not in pool {self.pool.name} yet",
                # A machine being created is writing its interface; Azure wants one writer at a time.
                needs=("lb", f"vm{zone}"),
                fragment=_interface(joined),
                undone=_without_pool(self.pool),
            )
            for zone, nic in zip(ZONES, self.interfaces, strict=True)
        ]
        healthy = Wait(
            key="healthy",
            side=Side.ISV,
            what="three members are up",
            needs=("rule", *(member.key for member in members), *(f"vm{zone}-running" for zone in ZONES)),
            health_of=self.rule,
            lacking=self._unhealthy,
            doubt=HEALTH_DOUBT,
            patience=HEALTH_PATIENCE,
        )
        return (*members, healthy)

    def _unhealthy(self, survey: Survey) -> str | None:
        health = survey.health.get(self.rule)
        if health is None and (untold := survey.untold.get(self.rule)):
            return f"whether the members are up is not known: {untold}"
        up = [member.ip_configuration_id for member in health.members if member.up] if health else []
        if len(up) >= len(ZONES):
            return None
        serving = {configuration.parent for configuration in up if configuration}
        pairs = zip(self.machines, self.interfaces, strict=True)
        down = ", ".join(machine.name for machine, nic in pairs if nic not in serving)
        return f"{len(up)} of {len(ZONES)} members are up; no page yet from {down}"

    def policy_parts(self) -> tuple[Want, ...]:
        """Step 8."""
        return (
            self._want(
                "policies",
                self.network,
                f"private link service policies of subnet {self.subnet.name}",
                yet=f"the private link service policies of subnet {self.subnet.name} are not switched off yet",
                needs=("vnet",),
                fragment=subnet_piece(self.subnet.name, {"privateLinkServiceNetworkPolicies": "Disabled"}),
                undone=_with_policies(self.subnet.name),
            ),
        )

    def service_parts(self) -> tuple[Want, ...]:
        """Step 9."""
        front = {"properties": {"loadBalancerFrontendIpConfigurations": [{"id": self.frontend.text}]}}
        nat = {
            "name": f"{self.service.name}_ipconfig_0",
            "properties": {"subnet": {"id": self.subnet.text}, "primary": True},
        }
        return (
            self._want(
                "service",
                self.service,
                f"private link service {self.service.name}",
                needs=("policies", "rule"),
                initial={"properties": {"ipConfigurations": [nat]}},
                fixed=front,
                fragment=front,
            ),
        )

    def offer_parts(self) -> tuple[Wait, ...]:
        """Step 10: there is something to hand over."""

        def lacking(survey: Survey) -> str | None:
            body = survey.body(self.service) or {}
            return None if (body.get("properties") or {}).get("alias") else "the service has no alias yet"

        return (
            Wait(
                key="offer",
                side=Side.ISV,
                what="the service can be handed over",
                needs=("service",),
                reads=lambda _: ((Side.ISV, self.service),),
                lacking=lacking,
            ),
        )


def _interface(properties: Body) -> Body:
    return {"properties": {"ipConfigurations": [{"name": "ipconfig1", "properties": properties}]}}


def without_item(kind: str, name: str) -> Callable[[Body], Body]:
    """Takes a named item out of a list of a resource."""

    def undone(body: Body) -> Body:
        result = deepcopy(body)
        items: Sequence[Body] = result["properties"].get(kind) or []
        if items:
            result["properties"][kind] = [item for item in items if item["name"].lower() != name.lower()]
        return result

    return undone


def _without_pool(pool: ResourceId) -> Callable[[Body], Body]:
    def undone(body: Body) -> Body:
        result = deepcopy(body)
        for configuration in result["properties"]["ipConfigurations"]:
            properties = configuration["properties"]
            # Azure leaves the key out where there is none, and what is as it should be stays as it is.
            if pools := properties.get("loadBalancerBackendAddressPools"):
                properties["loadBalancerBackendAddressPools"] = [p for p in pools if ResourceId(p["id"]) != pool]
        return result

    return undone


def _with_policies(subnet: str) -> Callable[[Body], Body]:
    def undone(body: Body) -> Body:
        result = deepcopy(body)
        for one in result["properties"]["subnets"]:
            if one["name"].lower() == subnet.lower():
                one["properties"]["privateLinkServiceNetworkPolicies"] = "Enabled"
        return result

    return undone
