"""Where a connection ends up: at a machine, or nowhere, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

from plstui.sandbox.fabric import balancing
from plstui.sandbox.fabric.privatelink import Link, approved_link
from plstui.sandbox.fabric.proxyheader import link_header
from plstui.sandbox.fabric.security import Direction, Flow, Party, decide
from plstui.sandbox.fabric.topology import Attachment, Frontend, Topology, properties, reference

LINK_IDLE_LIMIT = 4 * 60.0
"""Seconds a connection through a private link may be idle, whatever the balancer's rule says."""

FIRST_NAT_PORT = 1024

IsUp = Callable[[str, str], bool]
"""Whether a probe (by id) says that an IP configuration (by id) is up."""


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a TCP connection."""

    source: Party
    source_port: int
    destination: str
    port: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A machine gets the connection."""

    target: Attachment
    port: int
    source: str
    """The address the machine sees."""
    header: bytes = b""
    """What is sent before the client's bytes."""
    idle_limit: float | None = None
    reset_when_idle: bool = False


@dataclass(frozen=True, slots=True)
class Dropped:
    """Nobody gets it, and nobody says so."""

    why: str


class Router:
    """Decides connections from what the topology and the rules say now."""

    def __init__(self, topology: Topology, is_up: IsUp) -> None:
        self._topology = topology
        self._is_up = is_up
        self._nat_ports = count()

    def from_machine(self, origin: Attachment, source_port: int, destination: str, port: int) -> Delivery | Dropped:
        """Where a connection from one of a machine's addresses goes."""
        source = Party(origin.address, origin.asgs)
        packet = Packet(source, source_port, destination, port)
        target: Attachment | Frontend | None = None
        for network_id in (origin.network_id, *self._topology.peers(origin.network_id)):
            target = target or self._topology.at(network_id, destination)
        # A balancer's or endpoint's address is what the sender's rules see, not what is behind it.
        party = Party(destination, target.asgs if isinstance(target, Attachment) else frozenset())
        if stop := self._blocked("Outbound", origin, Flow(source, source_port, party, port)):
            return stop
        if target is None:
            return Dropped(f"{destination} is not in a network that is reached from here")
        if isinstance(target, Frontend):
            return self._balanced(target.balancer_id, target.id, packet, origin)
        if target.endpoint_id:
            return self._linked(target, packet)
        return self._delivered(target, packet)

    def probe(self, member: Attachment, port: int, source: str) -> Delivery | Dropped:
        """Where a health probe to a member goes."""
        return self._delivered(member, Packet(Party(source), FIRST_NAT_PORT, member.address, port))

    def _delivered(self, target: Attachment, packet: Packet) -> Delivery | Dropped:
        flow = Flow(packet.source, packet.source_port, Party(target.address, target.asgs), packet.port)
        return self._blocked("Inbound", target, flow) or Delivery(target, packet.port, packet.source.address)

    def _blocked(self, direction: Direction, at: Attachment, flow: Flow) -> Dropped | None:
        """The verdict of the subnet's and the interface's groups; both must allow."""
        space = self._topology.space(at.network_id)
        subnet = self._topology.subnet(at.subnet_id)
        for group_id in (reference(subnet.get("networkSecurityGroup")), at.nic_nsg):
            group = self._topology.view.get(group_id) if group_id else None
            if group is None:
                continue
            verdict = decide(group, direction, flow, space)
            if not verdict.allowed:
                return Dropped(f"rule {verdict.rule} of {group.get('name')} denies it")
        return None

    def _balanced(
        self, balancer_id: str, frontend_id: str, packet: Packet, origin: Attachment | None
    ) -> Delivery | Dropped:
        balancer = self._topology.view.get(balancer_id)
        rule = next((rule for rule in balancing.rules(balancer) if rule.takes(frontend_id, packet.port)), None)
        if rule is None:
            return self._translated(balancer_id, frontend_id, packet)
        if rule.floating:
            return Dropped("floating IP needs the frontend's address inside the machine, and no machine here has it")
        members = [
            member
            for pool_id in rule.pool_ids
            for member in self._topology.members(pool_id)
            if rule.probe_id is None or self._is_up(rule.probe_id, member.id)
        ]
        if not members:
            return Dropped("no member of the pool is healthy")
        hashed = balancing.Tuple(packet.source.address, packet.source_port, packet.destination, packet.port)
        member = balancing.choose(hashed, rule.distribution, members)
        if origin is not None and member.nic_id == origin.nic_id:
            return Dropped("the machine was hashed to itself: its answer does not pass the balancer")
        delivery = self._delivered(member, replace(packet, port=rule.backend_port or packet.port))
        if isinstance(delivery, Dropped):
            return delivery
        return replace(delivery, idle_limit=rule.idle_minutes * 60.0, reset_when_idle=rule.tcp_reset)

    def _translated(self, balancer_id: str, frontend_id: str, packet: Packet) -> Delivery | Dropped:
        """An inbound NAT rule leads to one machine."""
        for body in properties(self._topology.view.get(balancer_id)).get("inboundNatRules") or []:
            rule = properties(body)
            here = reference(rule.get("frontendIPConfiguration")) == frontend_id
            target_id = reference(rule.get("backendIPConfiguration"))
            if here and rule.get("frontendPort") == packet.port and target_id:
                nic_id = target_id.rpartition("/ipconfigurations/")[0]
                for target in self._topology.nic_attachments(nic_id):
                    if target.id.lower() == target_id:
                        return self._delivered(target, replace(packet, port=int(rule.get("backendPort", packet.port))))
        return Dropped("no rule of the balancer takes this port")

    def _linked(self, endpoint: Attachment, packet: Packet) -> Delivery | Dropped:
        policies = str(self._topology.subnet(endpoint.subnet_id).get("privateEndpointNetworkPolicies", "")).lower()
        if policies in ("enabled", "networksecuritygroupenabled"):
            flow = Flow(packet.source, packet.source_port, Party(endpoint.address, endpoint.asgs), packet.port)
            if stop := self._blocked("Inbound", endpoint, flow):
                return stop
        link = approved_link(self._topology.view, endpoint.endpoint_id or "")
        if isinstance(link, str):
            return Dropped(link)
        addresses = [item.address for nic_id in link.nic_ids for item in self._topology.nic_attachments(nic_id)]
        if not addresses:
            return Dropped("the private link service has no NAT address")
        number = next(self._nat_ports)
        port = FIRST_NAT_PORT + number % (65536 - FIRST_NAT_PORT)
        translated = Packet(Party(addresses[number % len(addresses)]), port, packet.destination, packet.port)
        delivery = self._behind(link, translated)
        if isinstance(delivery, Dropped):
            return delivery
        header = b""
        if link.proxy_protocol:
            header = link_header(
                packet.source.address, packet.source_port, packet.destination, packet.port, link.link_identifier
            )
        limit = min(delivery.idle_limit or LINK_IDLE_LIMIT, LINK_IDLE_LIMIT)
        return replace(delivery, header=header, idle_limit=limit)

    def _behind(self, link: Link, packet: Packet) -> Delivery | Dropped:
        if link.destination_address:
            target = self._topology.at(link.network_id, link.destination_address)
            if not isinstance(target, Attachment):
                return Dropped("nobody has the service's destination address")
            return self._delivered(target, replace(packet, destination=link.destination_address))
        if not link.frontend_id:
            return Dropped("the private link service has no balancer")
        balancer_id = link.frontend_id.rpartition("/frontendipconfigurations/")[0]
        address = properties(self._topology.view.get(link.frontend_id)).get("privateIPAddress")
        packet = replace(packet, destination=str(address or packet.destination))
        return self._balanced(balancer_id, link.frontend_id, packet, None)
