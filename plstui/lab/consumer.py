"""The customer's half of the lab: network, names, test machine and the private endpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plstui.config.settings import Lab
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.lab.fragments import Body, subnet_piece
from plstui.lab.machines import address_in, attached, linux_body, running, windows_body
from plstui.lab.owners import OURS, TAG, group_want, interface_of, leads_to, record_of
from plstui.lab.parts import SUCCEEDED, Survey, Wait, Want, state_of

TTL = 300
"""Seconds a resolver keeps the record: short, because the endpoint may be made again during a workshop."""


class Consumer:
    """Names the customer's resources and says what each must be."""

    def __init__(
        self,
        lab: Lab,
        subscription: str,
        service: ResourceId | None,
        *,
        region: str,
        size: str,
        public_key: str,
        run: str,
        password: str = "",
    ) -> None:
        self._lab = lab
        self.service = service
        """The private link service that is asked for; None when nobody knows it."""
        self._region = region
        self._size = size
        self._public_key = public_key
        self._run = run
        self._password = password
        names, dns = lab.names, lab.dns
        root = f"/subscriptions/{subscription}/resourceGroups"
        self.group = ResourceId(f"{root}/{names.customer_group}")
        self.network = self._network_id("virtualNetworks", names.customer_network)
        self.subnet = self.network.child("subnets", names.customer_subnet)
        self.interface = self._network_id("networkInterfaces", f"{names.test_machine}-nic")
        self.machine = self._id("Compute/virtualMachines", names.test_machine)
        self.endpoint = self._network_id("privateEndpoints", names.endpoint)
        self.zone = (
            ResourceId(f"{root}/{dns.group}/providers/Microsoft.Network/dnsZones/{dns.zone}")
            if dns.kind == "public"
            else self._network_id("privateDnsZones", dns.zone)
        )
        self.zone_link = self.zone.child("virtualNetworkLinks", names.zone_link)
        self.record = self.zone.child("A", dns.record)

    def _id(self, kind: str, name: str) -> ResourceId:
        return ResourceId(f"{self.group.text}/providers/Microsoft.{kind}/{name}")

    def _network_id(self, kind: str, name: str) -> ResourceId:
        return self._id(f"Network/{kind}", name)

    def _want(self, key: str, resource_id: ResourceId, what: str, *, location: str = "", **more: Any) -> Want:
        where = {"location": location or self._region}
        initial, fixed = {**where, **more.pop("initial", {})}, {**where, **more.pop("fixed", {})}
        return Want(key=key, side=Side.CUSTOMER, id=resource_id, what=what, initial=initial, fixed=fixed, **more)

    def network_parts(self, user_data: str) -> tuple[Want | Wait, ...]:
        """Step 11."""
        lab = self._lab
        space = {"properties": {"addressSpace": {"addressPrefixes": [lab.customer_prefix]}}}
        subnet: Body = {
            "addressPrefix": lab.customer_subnet_prefix,
            "privateEndpointNetworkPolicies": "Disabled",
            "defaultOutboundAccess": False,
        }
        group = group_want("customer-group", Side.CUSTOMER, self.group, self._region, self._run)
        network = self._want(
            "spoke",
            self.network,
            f"virtual network {self.network.name}",
            needs=("customer-group",),
            initial=space,
            fixed=space,
            once=subnet_piece(self.subnet.name, {"addressPrefix": lab.customer_subnet_prefix}),
            fragment=subnet_piece(self.subnet.name, subnet),
        )
        return (group, network, *self._zone_parts(), *self._machine_parts(user_data))

    def _zone_parts(self) -> tuple[Want, ...]:
        if self._lab.dns.kind != "private":
            return ()
        there = {"virtualNetwork": {"id": self.network.text}}
        return (
            self._want(
                "zone",
                self.zone,
                f"private DNS zone {self.zone.name}",
                location="global",
                needs=("customer-group",),
                initial={"properties": {}},
            ),
            self._want(
                "zone-link",
                self.zone_link,
                f"link {self.zone_link.name} of the zone to {self.network.name}",
                location="global",
                needs=("zone", "spoke"),
                initial={"properties": {**there, "registrationEnabled": False}},
                fixed={"properties": there},
            ),
        )

    def _machine_parts(self, user_data: str) -> tuple[Want | Wait, ...]:
        in_subnet = {"name": "ipconfig1", "properties": {"subnet": {"id": self.subnet.text}}}
        nic = self._want(
            "client-nic",
            self.interface,
            f"interface {self.interface.name}",
            needs=("spoke",),
            once={"properties": {"ipConfigurations": [in_subnet]}},
            foreign=interface_of(self.machine),
            fragment={"properties": {"ipConfigurations": [in_subnet]}},
        )
        if self._lab.test_machine == "windows":
            body = windows_body(self.machine.name, self.interface, self._size, self._lab.user, self._password)
        else:
            body = linux_body(
                self.machine.name, self.interface, self._size, self._lab.user, self._public_key, user_data
            )
        machine = self._want(
            "client",
            self.machine,
            f"machine {self.machine.name}",
            needs=("client-nic",),
            initial=body,
            fixed=attached(self.interface, self._lab.user),
        )
        return (nic, machine, running("client", Side.CUSTOMER, self.machine))

    def endpoint_parts(self) -> tuple[Want, ...]:
        """Step 12."""
        names = self._lab.names
        target = {"privateLinkServiceId": self.service.text if self.service else ""}
        return (
            self._want(
                "endpoint",
                self.endpoint,
                f"private endpoint {self.endpoint.name}",
                needs=("spoke", *(("service",) if not self._lab.service_id else ())),
                initial={
                    "properties": {
                        "subnet": {"id": self.subnet.text},
                        "manualPrivateLinkServiceConnections": [
                            {
                                "name": names.endpoint_connection,
                                "properties": {**target, "requestMessage": self._lab.message},
                            }
                        ],
                    }
                },
                once={
                    "properties": {
                        "subnet": {"id": self.subnet.text},
                        "manualPrivateLinkServiceConnections": [
                            {"name": names.endpoint_connection, "properties": target}
                        ],
                    }
                },
                foreign=leads_to(self.service),
            ),
        )

    def decision_parts(self, service: ResourceId | None) -> tuple[Wait, ...]:
        """Step 13: the request is approved, and both sides say so."""

        def statuses(survey: Survey) -> list[str]:
            found = [_status_at_customer(survey.body(self.endpoint))]
            if service:
                found.append(_status_at_service(survey.body(service), self.endpoint))
            return found

        def lacking(survey: Survey) -> str | None:
            found = statuses(survey)
            if all(status == "approved" for status in found):
                return None
            if not any(found):
                return "there is no request yet"
            if "" in found:
                silent = "endpoint" if not found[0] else "ISV's service"
                return f"the {silent} does not show the request yet"
            return "the ISV has not decided on the request yet" if "pending" in found else "both sides do not agree yet"

        def hopeless(survey: Survey) -> str | None:
            ended = next((status for status in statuses(survey) if status in ("rejected", "disconnected")), "")
            first = "step 15, then " if self._record_stays(survey) else ""
            again = f"undo {first}step 12, which deletes {self.endpoint.name}, and ask again"
            if ended == "rejected":
                return f"the request is rejected; the ISV can still approve it, else {again}"
            return f"the request is {ended}; {again}" if ended else None

        reads = ((Side.CUSTOMER, self.endpoint), *(((Side.ISV, service),) if service else ()))
        return (
            Wait(
                key="approved",
                side=Side.ISV,
                what=f"connection of {self.endpoint.name} is approved",
                needs=("endpoint",),
                reads=lambda _: reads,
                lacking=lacking,
                hopeless=hopeless,
                ripe=lambda survey: set(statuses(survey)) == {"pending"},
                decision=True,
            ),
        )

    def address_parts(self) -> tuple[Wait, ...]:
        """Step 14."""
        return (
            Wait(
                key="address",
                side=Side.CUSTOMER,
                what=f"{self.endpoint.name} has an address",
                needs=("endpoint",),
                reads=self._address_reads,
                lacking=lambda survey: None if self.address(survey) else "the endpoint has no address yet",
            ),
        )

    def _address_reads(self, survey: Survey) -> tuple[tuple[Side, ResourceId], ...]:
        nic = self.interface_of(survey)
        return ((Side.CUSTOMER, self.endpoint), *(((Side.CUSTOMER, nic),) if nic else ()))

    def record_parts(self) -> tuple[Want, ...]:
        """Step 15; nothing when the address alone must do."""
        if self._lab.dns.kind == "none":
            return ()

        # Private zones spell it one way and public ones the other.
        records, ttl = ("aRecords", "ttl") if self._lab.dns.kind == "private" else ("ARecords", "TTL")

        def fragment(survey: Survey) -> Body | None:
            address = self.address(survey)
            return {"properties": {records: [{"ipv4Address": address}]}} if address else None

        return (
            Want(
                key="record",
                side=Side.CUSTOMER,
                id=self.record,
                what=f"record {self.record.name}.{self.zone.name}",
                needs=("address", "approved", *(("zone",) if self._lab.dns.kind == "private" else ())),
                initial={"properties": {ttl: TTL, "metadata": {TAG: OURS}}},
                foreign=record_of(self.address),
                fragment=fragment,
            ),
        )

    def _record_stays(self, survey: Survey) -> bool:
        """Whether the record would be somebody else's as soon as the endpoint, whose address it has, were gone."""
        gone = replace(survey, bodies={**survey.bodies, self.endpoint: None})
        return any(record.conflict(gone) for record in self.record_parts())

    def interface_of(self, survey: Survey) -> ResourceId | None:
        """The endpoint's interface, which alone knows its address."""
        body = survey.body(self.endpoint) or {}
        interfaces = (body.get("properties") or {}).get("networkInterfaces") or []
        return ResourceId(interfaces[0]["id"]) if interfaces else None

    def address(self, survey: Survey) -> str:
        """The endpoint's address; empty while there is none."""
        nic = self.interface_of(survey)
        return address_in(survey.body(nic)) if nic else ""

    def name_and_address(self, survey: Survey) -> str:
        """The record and where it leads."""
        there = survey.body(self.record)
        return f"{self.record.name}.{self.zone.name} → {self.address(survey)}" if there else ""


def _status(connection: Body) -> str:
    state = (connection.get("properties") or {}).get("privateLinkServiceConnectionState") or {}
    return str(state.get("status") or "").lower()


def _status_at_customer(endpoint: Body | None) -> str:
    properties = (endpoint or {}).get("properties") or {}
    both = ("manualPrivateLinkServiceConnections", "privateLinkServiceConnections")
    connections = [connection for kind in both for connection in properties.get(kind) or []]
    return _status(connections[0]) if connections and state_of(endpoint or {}) == SUCCEEDED else ""


def connection_of(service: Body | None, endpoint: ResourceId) -> Body | None:
    """The connection of an endpoint as the service has it."""
    connections = ((service or {}).get("properties") or {}).get("privateEndpointConnections") or []
    for connection in connections:
        other = (connection.get("properties") or {}).get("privateEndpoint") or {}
        if ResourceId(str(other.get("id", ""))) == endpoint:
            return dict(connection)
    return None


def _status_at_service(service: Body | None, endpoint: ResourceId) -> str:
    return _status(connection_of(service, endpoint) or {})
