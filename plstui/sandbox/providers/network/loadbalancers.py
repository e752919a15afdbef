"""Load balancers, the parts of them that have verbs of their own, and the health of a rule."""

from __future__ import annotations

from typing import ClassVar

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.network import lbparts, links, polling, publicips
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.providers.network.bodies import SUCCEEDED, UPDATING
from plstui.sandbox.providers.network.children import NetworkChild
from plstui.sandbox.providers.network.readonly import ReadOnlyChild
from plstui.sandbox.store import Body

HEALTH_FROM = "2024-05-01"
"""The first api-version with the health of a rule."""


class LoadBalancers(NetworkEndpoint):
    """Load balancers."""

    type: ClassVar[str] = lbparts.TYPE
    put_pace: ClassVar[Pace] = Pace(1, 3)

    def build(self, call: Call, old: Body | None) -> Body:
        """A balancer; every list replaces the one that is there."""
        kind = publicips.sku(call.fields, old, "Basic", "Standard", "Gateway", default="Basic")
        body = self.head(call, old, {}, sku=kind)
        parts = lbparts.Parts(self, call, body, old, standard=kind["name"] != "Basic")
        parts.build(call.fields.fields("properties"))
        if old is not None:
            self._check_leaving(old, body)
        return body

    def _check_leaving(self, old: Body, new: Body) -> None:
        """Raise the 400 when a part goes that somebody outside refers to."""
        for frontend in old["properties"][lbparts.FRONTENDS]:
            frontend_id = ResourceId(frontend["id"])
            if links.part_of(new, frontend_id) is None and (service := self._service_of(frontend_id)):
                raise errors.invalid_reference(frontend_id, service)
        for pool in old["properties"][lbparts.POOLS]:
            members = pool["properties"].get("backendIPConfigurations")
            if members and links.part_of(new, ResourceId(pool["id"])) is None:
                raise _pool_in_use(pool, members[0]["id"])

    def put_state(self, call: Call, old: Body | None, new: Body) -> str:
        """A balancer is Succeeded at once unless the network behind it has to change (read off recorded answers)."""
        before, after = (body["properties"] if body else {} for body in (old, new))
        internal = any(
            "subnet" in one["properties"] for part in (before, after) for one in part.get(lbparts.FRONTENDS, ())
        )
        if old is not None and new["sku"]["name"] == "Basic":
            internal = False
        global_tier = new["sku"]["tier"] == "Global"
        # The first rule is at work at once; with rules at work a change takes its time.
        rules = before.get(lbparts.RULES)
        ruled = new["sku"]["name"] == "Standard" and rules and _bare(after[lbparts.RULES]) != _bare(rules)
        peopled = _has_members(before) or any(_addresses(pool) for pool in after[lbparts.POOLS])
        pools = (pool for part in (before, after) for pool in part.get(lbparts.POOLS, ()))
        bound = any("virtualNetwork" in pool["properties"] for pool in pools)
        return UPDATING if internal or global_tier or ruled or peopled or bound else SUCCEEDED

    def check_unused(self, body: Body) -> None:
        """A balancer behind a private link service stays."""
        for frontend in body["properties"][lbparts.FRONTENDS]:
            if service := self._service_of(ResourceId(frontend["id"])):
                raise bad_request(
                    "CannotDeleteLoadBalancerWithPrivateLinkService",
                    f"Cannot delete load balancer {body['id']} since it is referenced by private link service "
                    f"{service}. Please delete private link service prior to deleting load balancer.",
                )

    def _service_of(self, frontend_id: ResourceId) -> ResourceId | None:
        """The private link service in front of a frontend."""
        for service in self.azure.store.of_type("Microsoft.Network/privateLinkServices"):
            for reference in service["properties"].get("loadBalancerFrontendIpConfigurations") or ():
                if ResourceId(reference["id"]) == frontend_id:
                    return ResourceId(service["id"])
        return None

    def removed(self, body: Body) -> None:
        """Interfaces leave the pools and rules that went; that is no reason to keep a balancer."""
        balancer_id = ResourceId(body["id"])
        members = {
            links.root_id(ResourceId(member["id"]))
            for pool in body["properties"][lbparts.POOLS]
            for member in pool["properties"].get("backendIPConfigurations") or ()
        }
        members |= {
            links.root_id(ResourceId(rule["properties"]["backendIPConfiguration"]["id"]))
            for rule in body["properties"][lbparts.NAT_RULES]
            if "backendIPConfiguration" in rule["properties"]
        }
        for nic_id in members:
            self._leave(nic_id, balancer_id)

    def _leave(self, nic_id: ResourceId, balancer_id: ResourceId) -> None:
        old = self.stored(nic_id)
        if old is None:
            return
        new = links.fork(old)
        for configuration in new["properties"]["ipConfigurations"]:
            for name in ("loadBalancerBackendAddressPools", "loadBalancerInboundNatRules"):
                present = configuration["properties"].pop(name, [])
                kept = [item for item in present if links.root_id(ResourceId(item["id"])) != balancer_id]
                if kept:
                    configuration["properties"][name] = kept
        links.stamp(new, links.new_etag())
        links.replace(self.azure.store, old, new)

    async def act(self, call: Call) -> Response:
        """The interfaces in the pools of a balancer."""
        if call.action != "networkinterfaces" or call.method != "GET":
            return await super().act(call)
        body = self.find(call.named)
        members = [
            links.root_id(ResourceId(member["id"]))
            for pool in body["properties"][lbparts.POOLS]
            for member in pool["properties"].get("backendIPConfigurations") or ()
        ]
        found = [self.azure.store.get(nic_id) for nic_id in dict.fromkeys(members)]
        return Response(200, {"value": [self.shape(call, dict(nic)) for nic in found if nic]})


def _bare(rules: list[Body]) -> list[Body]:
    """Rules without what is not theirs to say."""
    return [
        {k: v for k, v in rule["properties"].items() if k != "provisioningState"} | {"name": rule["name"]}
        for rule in rules
    ]


def _has_members(properties: Body) -> bool:
    pools = properties.get(lbparts.POOLS, ())
    return any(pool["properties"].get("backendIPConfigurations") or _addresses(pool) for pool in pools)


def _addresses(pool: Body) -> list[Body]:
    """The members of a pool that were given by address."""
    present = pool["properties"].get("loadBalancerBackendAddresses") or ()
    return [address for address in present if "ipAddress" in address["properties"]]


def _pool_in_use(pool: Body, user: str) -> errors.ArmError:
    return bad_request(
        "InUseBackendAddressPoolCannotBeDeleted",
        f"Backend address pool {pool['id']} cannot be deleted because it is in use by {user}.",
    )


class BackendPools(NetworkChild):
    """Backend pools with PUT and DELETE of their own."""

    type: ClassVar[str] = f"{lbparts.TYPE}/{lbparts.POOLS}"
    put_pace: ClassVar[Pace] = Pace(1, 3)
    always_updates: ClassVar[bool] = True

    def build_child(self, call: Call, parent: Body, old: Body | None) -> Body:
        """One pool."""
        parts = lbparts.Parts(self, call, parent, parent, standard=parent["sku"]["name"] != "Basic")
        return parts.pool(call.fields, call.named.name)

    def check_child_unused(self, parent: Body, child: Body) -> None:
        """A pool with members or under a rule stays."""
        if members := child["properties"].get("backendIPConfigurations"):
            raise _pool_in_use(child, members[0]["id"])
        for back in ("loadBalancingRules", "outboundRules", "inboundNatRules"):
            if rules := child["properties"].get(back):
                raise errors.invalid_reference(ResourceId(child["id"]), ResourceId(rules[0]["id"]))


class InboundNatRules(NetworkChild):
    """Inbound NAT rules with PUT and DELETE of their own."""

    type: ClassVar[str] = f"{lbparts.TYPE}/{lbparts.NAT_RULES}"

    def build_child(self, call: Call, parent: Body, old: Body | None) -> Body:
        """One rule."""
        parts = lbparts.Parts(self, call, parent, parent, standard=parent["sku"]["name"] != "Basic")
        return parts.nat_rule(call.fields, call.named.name)

    def put_state(self, call: Call, old: Body | None, new: Body) -> str:
        """Succeeded at once, as recorded."""
        return SUCCEEDED

    def check_child_unused(self, parent: Body, child: Body) -> None:
        """A rule that leads to a machine stays."""
        if user := child["properties"].get("backendIPConfiguration"):
            raise bad_request(
                "InUseInboundNatRuleCannotBeDeleted",
                f"Inbound NAT rule {child['id']} cannot be deleted because it is in use by {user['id']}.",
            )


class LoadBalancingRules(ReadOnlyChild):
    """Rules: they are written with their balancer; their health can be asked."""

    type: ClassVar[str] = f"{lbparts.TYPE}/{lbparts.RULES}"

    async def act(self, call: Call) -> Response:
        """POST …/health: the members behind a rule and what their probes last saw; the answer is at Location."""
        if call.action != "health" or call.api_version[:10] < HEALTH_FROM:
            return await super().act(call)
        if call.method != "POST":
            raise errors.method_not_allowed(call.method)
        rule_id = self.find(call.named)["id"]
        balancer = self.find(links.root_id(call.named))
        operation = self.azure.operations.start(
            lambda: self._health(rule_id),
            Pace(2, 10),
            subscription=call.subscription,
            location=balancer["location"],
            api_version=call.api_version,
        )
        headers = polling.async_headers(self.azure, call, operation, location=True)
        del headers["Azure-AsyncOperation"]
        return Response(202, None, headers)

    def _health(self, rule_id: str) -> Body:
        members = self.azure.backplane.rule_health(rule_id)
        up = sum(member.up for member in members)
        return {
            "up": up,
            "down": len(members) - up,
            "loadBalancerBackendAddresses": [
                {
                    "ipAddress": member.ip_address,
                    "networkInterfaceIPConfigurationId": {"id": member.ip_configuration_id},
                    "state": "Up" if member.up else "Down",
                    "reason": member.reason,
                }
                for member in members
            ],
        }
