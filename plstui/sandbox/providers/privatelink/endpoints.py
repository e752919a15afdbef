"""Private endpoints: an address in the customer's network that leads to somebody else's service."""

from __future__ import annotations

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.providers.network.bodies import UPDATING, child_body
from plstui.sandbox.providers.network.refusals import check_name, check_unique, child_name, missing
from plstui.sandbox.providers.privatelink import interfaces, names, pairing, targets, zonerecords
from plstui.sandbox.providers.privatelink.endpointbodies import endpoint_properties, interface_body, request_body
from plstui.sandbox.providers.privatelink.lookup import (
    AUTOMATIC,
    ENDPOINT,
    MANUAL,
    PENDING,
    connection_name,
    find_connection,
    find_service,
    requests_of,
)
from plstui.sandbox.store import Body

LONGEST_MESSAGE = 140
"""Characters in a request message."""

_KEPT = ("networkInterfaces", "customDnsConfigs", "privateDnsZoneGroups")
"""What a PUT of an endpoint that is there leaves alone."""

_SUBNET = "Microsoft.Network/virtualNetworks/subnets"
_ASG = "Microsoft.Network/applicationSecurityGroups"


class PrivateEndpoints(NetworkEndpoint):
    """Endpoints. One is Succeeded while its connection is still Pending: these are two different states."""

    type = ENDPOINT
    put_pace = Pace(32, 10)
    delete_pace = Pace(11, 10)

    def build(self, call: Call, old: Body | None) -> Body:
        """The endpoint that a PUT asks for. Where it stands and what it leads to is settled when it is created."""
        sent = call.fields.fields("properties")
        location = self.location(call, old)
        endpoint_id = ResourceId(old["id"]) if old else call.named
        subnet = self._subnet(call, sent, old, endpoint_id, location)
        groups = [
            {"id": self.require(group, by=endpoint_id, kind=_ASG, call=call, location=location)["id"]}
            for group in sent.references("applicationSecurityGroups")
        ]
        kind, request = self._request(call, sent, old, endpoint_id)
        name = self._interface_name(sent, old, endpoint_id)
        nic_id = self._interface_id(old, endpoint_id, name)
        addresses = self._static(sent, endpoint_id)
        built = endpoint_properties(
            kind, request, subnet["id"], nic_id, interface_name=name, addresses=addresses, groups=groups
        )
        kept = {key: old["properties"][key] for key in _KEPT} if old else {}
        body = self.head(call, old, {**built, **kept})
        if "extendedLocation" in call.fields:
            body["extendedLocation"] = call.fields.fields("extendedLocation").raw
        self._interface(body)
        return body

    def difference(self, call: Call, old: Body | None, new: Body) -> tuple[bool, str]:
        """A real change is told to a service of another provider again, and its own words come at the end."""
        changed, shown = super().difference(call, old, new)
        for request in requests_of(new["properties"]) if old is not None and shown == UPDATING else ():
            if request["properties"]["privateLinkServiceConnectionState"] == targets.APPROVED_ELSEWHERE:
                request["properties"]["privateLinkServiceConnectionState"] = targets.AUTO_APPROVED
        return changed, shown

    def written(self, old: Body | None, new: Body) -> None:
        """The interface follows the endpoint, and a new connection appears on its service."""
        store = self.azure.store
        interfaces.put(store, self._interface(new))
        for request in requests_of(new["properties"]) if old is None else ():
            if service := find_service(store, request["properties"]["privateLinkServiceId"]):
                pairing.attach(store, service["id"], new, targets.at_service(request["properties"]))

    def completed(self, body: Body) -> Body:
        """Names are known at the end, and each service has said in its own words what it decided."""
        properties = body["properties"]
        for request in requests_of(properties):
            asked = request["properties"]
            shown = asked["privateLinkServiceConnectionState"]
            service = find_service(self.azure.store, asked["privateLinkServiceId"])
            connection = find_connection(service, connection_name(body)) if service else None
            if connection is not None:
                said = connection["properties"]["privateLinkServiceConnectionState"]
                shown = shown if said["status"] == PENDING else said
            elif service is None and shown == targets.AUTO_APPROVED:
                shown = targets.APPROVED_ELSEWHERE
            elif service is None and shown == targets.AWAITING:
                shown = {**shown, "description": ""}
            asked["privateLinkServiceConnectionState"] = shown
        properties["customDnsConfigs"] = names.dns_configs(self.azure.store, properties)
        zonerecords.refresh(self.azure.store, body)
        return body

    def removed(self, body: Body) -> None:
        """Its records, its interface and its connection go with it."""
        zonerecords.remove(self.azure.store, body)
        interfaces.remove(self.azure.store, body)
        pairing.detach(self.azure.store, body)

    def shape(self, call: Call, body: Body) -> Body:
        """An endpoint does not show its zone groups, which are resources of their own."""
        shown = super().shape(call, body)
        properties = {k: v for k, v in shown["properties"].items() if k != "privateDnsZoneGroups"}
        return {**shown, "properties": properties}

    # What it asks for

    def _request(self, call: Call, sent: Fields, old: Body | None, endpoint_id: ResourceId) -> tuple[str, Body]:
        asked = [(kind, item) for kind in (AUTOMATIC, MANUAL) for item in sent.objects(kind)]
        if len(asked) != 1:
            raise bad_request(
                "PrivateEndpointRequiresOnePrivateLinkServiceConnection",
                f"Private endpoint {endpoint_id} asks for {len(asked)} private link service connections. It has to ask "
                "for one.",
            )
        kind, item = asked[0]
        name, properties = child_name(item, endpoint_id, kind), item.fields("properties")
        message = properties.text("requestMessage")
        if len(message) > LONGEST_MESSAGE:
            raise bad_request(
                "PrivateLinkServiceConnectionRequestMessageTooLong",
                f"The request message of connection {name} of private endpoint {endpoint_id} has {len(message)} "
                f"characters. The most that is allowed are {LONGEST_MESSAGE}.",
            )
        former = self._former(old, kind, name, properties, endpoint_id)
        if former is None:
            target = targets.find(self.azure, call, properties, manual=kind == MANUAL)
            shown = targets.first_state(self.azure, call, target, manual=kind == MANUAL)
            text = target.text
        else:
            text, shown = former["privateLinkServiceId"], former["privateLinkServiceConnectionState"]
        groups = properties.texts("groupIds") if "groupIds" in properties else None
        return kind, request_body(endpoint_id, kind, name, text, shown, groups=groups, message=message)

    def _former(
        self, old: Body | None, kind: str, name: str, properties: Fields, endpoint_id: ResourceId
    ) -> Body | None:
        """The connection that an endpoint has already; raises the 400 when another one is asked for."""
        if old is None:
            return None
        wanted = properties.text("privateLinkServiceId").strip("/").lower()
        for item in old["properties"][kind]:
            target = item["properties"]["privateLinkServiceId"].strip("/").lower()
            if (item["name"].lower(), target) == (name.lower(), wanted):
                found: Body = item["properties"]
                return found
        raise bad_request(
            "PrivateLinkServiceConnectionCannotBeChanged",
            f"The private link service connection of private endpoint {endpoint_id} cannot be changed. Delete the "
            "private endpoint and create another one.",
        )

    # Where it stands

    def _subnet(self, call: Call, sent: Fields, old: Body | None, endpoint_id: ResourceId, location: str) -> Body:
        subnet = sent.reference("subnet")
        if subnet is None:
            raise missing("subnet", sent.where)
        if old is not None and subnet != ResourceId(old["properties"]["subnet"]["id"]):
            raise bad_request(
                "PrivateEndpointSubnetCannotBeChanged",
                f"The subnet of private endpoint {endpoint_id} cannot be changed once it has been created.",
            )
        return self.require(subnet, by=endpoint_id, kind=_SUBNET, call=call, location=location)

    def _interface_name(self, sent: Fields, old: Body | None, endpoint_id: ResourceId) -> str:
        name = sent.text("customNetworkInterfaceName")
        if old is not None:
            return str(old["properties"]["customNetworkInterfaceName"])
        if name:
            check_name(interfaces.interface_id(endpoint_id, name))
        return name

    def _interface_id(self, old: Body | None, endpoint_id: ResourceId, chosen: str) -> str:
        if old is not None:
            return str(old["properties"]["networkInterfaces"][0]["id"])
        nic_id = interfaces.interface_id(endpoint_id, chosen or f"{endpoint_id.name}.nic.{self.azure.new_guid()}")
        if self.azure.store.get(nic_id) is not None:
            raise bad_request(
                "CustomNetworkInterfaceNameInUse",
                f"The network interface {nic_id} that private endpoint {endpoint_id} is to have exists already.",
            )
        return nic_id.text

    def _static(self, sent: Fields, endpoint_id: ResourceId) -> list[Body]:
        """The addresses that were chosen; an endpoint without them gets the next free one."""
        found: list[Body] = []
        for item in sent.objects("ipConfigurations"):
            properties = item.fields("properties")
            told = [name for name in ("groupId", "memberName", "privateIPAddress") if name in properties]
            chosen = {name: properties.text(name) for name in told}
            name = child_name(item, endpoint_id, "ipConfigurations")
            found.append(child_body(endpoint_id, f"{ENDPOINT}/ipConfigurations", name, chosen))
        check_unique(endpoint_id, [item["name"] for item in found])
        return found

    def _interface(self, body: Body) -> Body:
        """The interface with the endpoint's addresses; raises the 400 for addresses that cannot be had."""
        store, properties = self.azure.store, body["properties"]
        nic_id, subnet = ResourceId(properties["networkInterfaces"][0]["id"]), properties["subnet"]["id"]
        old = store.get(nic_id)
        chosen = {item["name"]: item["properties"] for item in properties["ipConfigurations"]}
        if not chosen:
            present = old["properties"]["ipConfigurations"] if old else ()
            chosen = {present[0]["name"] if present else f"privateEndpointIpConfig.{self.azure.new_guid()}": {}}
        wanted = {name: (subnet, one.get("privateIPAddress")) for name, one in chosen.items()}
        addresses = interfaces.allocate(store, nic_id, ResourceId(body["id"]), wanted)
        return interface_body(self.azure, body, {name: addresses[name] for name in chosen}, old)
