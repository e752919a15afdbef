"""Private link services."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError, bad_request
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.network import nics
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.providers.network.bodies import child_body
from plstui.sandbox.providers.network.refusals import check_unique, child_name, missing
from plstui.sandbox.providers.privatelink import interfaces
from plstui.sandbox.providers.privatelink.lookup import SERVICE, connections_of
from plstui.sandbox.store import Body

MOST_ADDRESSES = 8
"""NAT addresses of one service."""

MOST_SERVICES = 8
"""Services of one load balancer."""

_BALANCER = "Microsoft.Network/loadBalancers"
_FRONTEND = f"{_BALANCER}/frontendIPConfigurations"
_SUBNET = "Microsoft.Network/virtualNetworks/subnets"
_GUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)


class PrivateLinkServices(NetworkEndpoint):
    """Services: a name for what stands behind a balancer's frontend, and an address that its traffic comes from."""

    type = SERVICE
    put_pace = Pace(11, 10)
    delete_pace = Pace(11, 10)

    def build(self, call: Call, old: Body | None) -> Body:
        """The service that a PUT asks for. Alias, interface and connections outlive it."""
        sent = call.fields.fields("properties")
        location = self.location(call, old)
        service_id = ResourceId(old["id"]) if old else call.named
        kept = old["properties"] if old else {}
        where = self._where(call, sent, service_id, location)
        configurations = self._configurations(call, sent, service_id, location)
        alias = (
            kept.get("alias")
            or f"{service_id.name.lower()}.{self.azure.new_guid()}.{location}.azure.privatelinkservice"
        )
        nic_id = interfaces.interface_id(service_id, f"{service_id.name}.nic.{self.azure.new_guid()}")
        body = self.head(
            call,
            old,
            {
                "fqdns": sent.texts("fqdns"),
                "alias": alias,
                **_audiences(sent),
                "enableProxyProtocol": sent.flag("enableProxyProtocol"),
                **where,
                "ipConfigurations": configurations,
                "privateEndpointConnections": kept.get("privateEndpointConnections", []),
                "networkInterfaces": kept.get("networkInterfaces") or [{"id": nic_id.text}],
            },
        )
        if "extendedLocation" in call.fields:
            body["extendedLocation"] = call.fields.fields("extendedLocation").raw
        self._interface(body)
        return body

    def written(self, old: Body | None, new: Body) -> None:
        """The interface changes with its service."""
        interfaces.put(self.azure.store, self._interface(new))

    def check_unused(self, body: Body) -> None:
        """A service with connections stays."""
        if number := len(connections_of(body)):
            plural = "" if number == 1 else "s"
            raise bad_request(
                "PrivateLinkServiceWithPrivateEndpointConnectionsCannotBeDeleted",
                f"Private link service {body['id']} cannot be deleted since it has {number} private endpoint "
                f"connection{plural}. Please delete all private endpoint connections before deleting the private link "
                "service.",
            )

    def removed(self, body: Body) -> None:
        """The interface goes with its service."""
        interfaces.remove(self.azure.store, body)

    # What stands behind it

    def _where(self, call: Call, sent: Fields, service_id: ResourceId, location: str) -> Body:
        """The frontend or the address that traffic goes to."""
        frontends = sent.references("loadBalancerFrontendIpConfigurations")
        address = sent.text("destinationIPAddress")
        if bool(frontends) == bool(address):
            raise bad_request(
                "EitherOneLoadBalancerFrontendIpConfigurationOrDestinationIPAddressRequiredOnPrivateLinkService",
                f"Private Link Service {service_id.name} requires either one LoadBalancerFrontendIpConfiguration if "
                "PLS with LB based scenario or DestinationIPAddress if PLS UDR and NSG scenario.",
            )
        if address:
            try:
                return {"destinationIPAddress": str(IPv4Address(address))}
            except AddressValueError:
                raise bad_request(
                    "InvalidIPAddressFormat",
                    f"IP address {address[:60]!r} in resource {service_id} is not formatted correctly.",
                ) from None
        return {
            "loadBalancerFrontendIpConfigurations": [
                {"id": self._frontend(call, frontend, service_id, location)} for frontend in frontends
            ]
        }

    def _frontend(self, call: Call, frontend: ResourceId, service_id: ResourceId, location: str) -> str:
        balancer_id = frontend.parent
        if balancer_id is not None and balancer_id.is_type(_BALANCER):
            balancer = self.require(
                balancer_id, by=service_id, kind=_BALANCER, call=call, location=location, shouting=True
            )
            if (balancer.get("sku") or {}).get("name") != "Standard":
                raise bad_request(
                    "PrivateLinkServiceRequiresStandardLoadBalancer",
                    f"Private link service {service_id} cannot refer to load balancer {balancer_id}: only load "
                    "balancers of the Standard SKU are supported.",
                )
            self._check_balancer(balancer_id, service_id)
        found = self.require(frontend, by=service_id, kind=_FRONTEND, call=call, location=location)
        return str(found["id"])

    def _check_balancer(self, balancer_id: ResourceId, service_id: ResourceId) -> None:
        others = 0
        for service in self.azure.store.of_type(SERVICE):
            ids = [ResourceId(f["id"]) for f in service["properties"].get("loadBalancerFrontendIpConfigurations", ())]
            others += ResourceId(service["id"]) != service_id and any(i.parent == balancer_id for i in ids)
        if others >= MOST_SERVICES:
            raise bad_request(
                "PrivateLinkServiceCountLimitReached",
                f"Load balancer {balancer_id} is referenced by {others} private link services, which is the most that "
                "is allowed.",
            )

    # Where its traffic comes from

    def _configurations(self, call: Call, sent: Fields, service_id: ResourceId, location: str) -> list[Body]:
        items = sent.objects("ipConfigurations")
        if not 1 <= len(items) <= MOST_ADDRESSES:
            raise bad_request(
                "InvalidPrivateLinkServiceIpConfigurationCount",
                f"Private link service {service_id} has {len(items)} IP configurations. It must have between 1 and "
                f"{MOST_ADDRESSES}.",
            )
        names = [child_name(item, service_id, "ipConfigurations") for item in items]
        check_unique(service_id, names)
        properties = [item.fields("properties") for item in items]
        chosen = next((at for at, one in enumerate(properties) if one.flag("primary")), 0)
        return [
            self._configuration(call, one, service_id, name, location, primary=at == chosen)
            for at, (name, one) in enumerate(zip(names, properties, strict=True))
        ]

    def _configuration(
        self, call: Call, sent: Fields, service_id: ResourceId, name: str, location: str, *, primary: bool
    ) -> Body:
        subnet = sent.reference("subnet")
        if subnet is None:
            raise missing("subnet", sent.where)
        found = self.require(subnet, by=service_id, kind=_SUBNET, call=call, location=location)
        if found["properties"].get("privateLinkServiceNetworkPolicies") != "Disabled":
            raise bad_request(
                "PrivateLinkServiceCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled",
                f"Private link service {service_id} cannot be created in a subnet {found['id']} since it has private "
                "link service network policies enabled.",
            )
        if sent.word("privateIPAddressVersion", "IPv4", "IPv6", default="IPv4") == "IPv6":
            raise bad_request(
                "PrivateLinkServiceDoesNotSupportIPv6",
                f"The IP configuration {name} of private link service {service_id} has to be of version IPv4.",
            )
        method = sent.word("privateIPAllocationMethod", "Dynamic", "Static", default="Dynamic")
        # An address without the method Static is ignored: recorded with one that was not even in the subnet.
        address = {"privateIPAddress": sent.text("privateIPAddress")} if method == "Static" else {}
        return child_body(
            service_id,
            f"{SERVICE}/ipConfigurations",
            name,
            {
                **address,
                "privateIPAllocationMethod": method,
                "subnet": {"id": found["id"]},
                "primary": primary,
                "privateIPAddressVersion": "IPv4",
            },
        )

    def _interface(self, body: Body) -> Body:
        """The interface that holds the NAT addresses; raises the 400 for addresses that cannot be had."""
        store = self.azure.store
        nic_id = ResourceId(body["properties"]["networkInterfaces"][0]["id"])
        old = store.get(nic_id)
        wanted = {
            item["name"]: (item["properties"]["subnet"]["id"], item["properties"].get("privateIPAddress"))
            for item in body["properties"]["ipConfigurations"]
        }
        addresses = interfaces.allocate(store, nic_id, ResourceId(body["id"]), wanted)
        configurations = [
            interfaces.configuration(
                nic_id.child("ipConfigurations", item["name"]),
                item["properties"]["subnet"]["id"],
                addresses[item["name"]],
                privateIPAllocationMethod=item["properties"]["privateIPAllocationMethod"],
                primary=item["properties"]["primary"],
            )
            for item in body["properties"]["ipConfigurations"]
        ]
        return nics.managed_body(self.azure, nic_id, "privateLinkService", body, configurations, old)


def _audiences(sent: Fields) -> Body:
    """Who may see the service, and who is let in without being asked: shown only where it was said."""
    said: Body = {}
    for name in ("visibility", "autoApproval"):
        if name in sent:
            listed = sent.fields(name).texts("subscriptions")
            if bad := next((item for item in listed if item != "*" and not _GUID.match(item)), None):
                raise bad_request("InvalidSubscriptionId", f"The subscription id {bad[:60]!r} in {name} is not valid.")
            said[name] = {"subscriptions": listed}
    visible = {item.lower() for item in said.get("visibility", {}).get("subscriptions", ())}
    approved = {item.lower() for item in said.get("autoApproval", {}).get("subscriptions", ())}
    if approved and "*" not in visible and not approved <= visible:
        raise ArmError(
            400,
            "AutoApprovalSubscriptionsMustBeVisible",
            "The subscriptions in the auto-approval list of a private link service must be in its visibility list.",
            details=(),
        )
    return said
