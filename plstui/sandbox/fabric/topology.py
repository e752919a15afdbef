"""Which address is where: interfaces, frontends, subnets and peerings, kept up by changed id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network
from typing import Any

from plstui.sandbox.ports import Json, ResourceView

NIC = "microsoft.network/networkinterfaces"
BALANCER = "microsoft.network/loadbalancers"
MACHINE = "microsoft.compute/virtualmachines"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One IP configuration of a network interface: an address in a subnet. Ids are in lower case."""

    id: str
    """As ARM answers it."""
    address: str
    nic_id: str
    subnet_id: str
    asgs: frozenset[str]
    nic_nsg: str | None
    pools: frozenset[str]
    endpoint_id: str | None
    """The private endpoint whose interface this is."""
    public_address: str | None
    """The id of its public address."""
    mac: str
    primary: bool

    @property
    def network_id(self) -> str:
        """The virtual network."""
        return network_of(self.subnet_id)


@dataclass(frozen=True, slots=True)
class Frontend:
    """A balancer's frontend with a private address. Ids are in lower case."""

    id: str
    balancer_id: str
    address: str
    network_id: str


def properties(body: Json | None) -> Json:
    """A body's properties; empty when there are none."""
    return (body or {}).get("properties") or {}


def reference(value: Any) -> str | None:
    """The id in `{"id": …}`, in lower case."""
    if isinstance(value, dict) and isinstance(value.get("id"), str):
        identity: str = value["id"]
        return identity.lower()
    return None


def references(values: Any) -> list[str]:
    """The ids in `[{"id": …}, …]`, in lower case."""
    return [identity for value in values or [] if (identity := reference(value))]


def network_of(subnet_id: str) -> str:
    """The virtual network of a subnet."""
    return subnet_id.rpartition("/subnets/")[0]


class Topology:
    """Interfaces, frontends and machines by address and by id."""

    def __init__(self, view: ResourceView) -> None:
        self.view = view
        self._nics: dict[str, tuple[Attachment, ...]] = {}
        self._frontends: dict[str, tuple[Frontend, ...]] = {}
        self._by_address: dict[tuple[str, str], Attachment | Frontend] = {}
        self._members: dict[str, dict[str, Attachment]] = {}
        self._machine_nics: dict[str, tuple[str, ...]] = {}
        self._nic_machines: dict[str, str] = {}

    def nic_changed(self, nic_id: str) -> frozenset[str]:
        """Take in a created, changed or deleted interface; returns the balancers that this concerns."""
        key = nic_id.lower()
        old = self._nics.pop(key, ())
        new = tuple(_attachments(key, self.view.get(nic_id)))
        for attachment in old:
            self._drop(attachment.network_id, attachment.address, attachment)
            for pool in attachment.pools:
                self._members[pool].pop(attachment.id.lower(), None)
        if new:
            self._nics[key] = new
        for attachment in new:
            self._by_address[attachment.network_id, attachment.address] = attachment
            for pool in attachment.pools:
                self._members.setdefault(pool, {})[attachment.id.lower()] = attachment
        return frozenset(pool.rpartition("/backendaddresspools/")[0] for item in (*old, *new) for pool in item.pools)

    def balancer_changed(self, balancer_id: str) -> None:
        """Take in a created, changed or deleted balancer."""
        key = balancer_id.lower()
        for frontend in self._frontends.pop(key, ()):
            self._drop(frontend.network_id, frontend.address, frontend)
        new = tuple(_frontends(key, self.view.get(balancer_id)))
        if new:
            self._frontends[key] = new
        for frontend in new:
            self._by_address[frontend.network_id, frontend.address] = frontend

    def machine_changed(self, machine_id: str) -> None:
        """Take in a created, changed or deleted machine."""
        key = machine_id.lower()
        for nic_id in self._machine_nics.pop(key, ()):
            self._nic_machines.pop(nic_id, None)
        profile = properties(self.view.get(machine_id)).get("networkProfile") or {}
        if nics := tuple(references(profile.get("networkInterfaces"))):
            self._machine_nics[key] = nics
            self._nic_machines.update(dict.fromkeys(nics, key))

    def _drop(self, network_id: str, address: str, what: Attachment | Frontend) -> None:
        if self._by_address.get((network_id, address)) is what:
            del self._by_address[network_id, address]

    def at(self, network_id: str, address: str) -> Attachment | Frontend | None:
        """What has an address in a virtual network."""
        return self._by_address.get((network_id, address))

    def attachments(self, machine_id: str) -> list[Attachment]:
        """The addresses of a machine, the primary first."""
        nics = self._machine_nics.get(machine_id.lower(), ())
        found = [attachment for nic_id in nics for attachment in self._nics.get(nic_id, ())]
        return sorted(found, key=lambda attachment: not attachment.primary)

    def nic_attachments(self, nic_id: str) -> tuple[Attachment, ...]:
        """The addresses of an interface."""
        return self._nics.get(nic_id.lower(), ())

    def machine_of(self, attachment: Attachment) -> str | None:
        """The machine that an address belongs to, by id in lower case."""
        return self._nic_machines.get(attachment.nic_id)

    def machines_in(self, network_id: str) -> Iterator[str]:
        """The machines of a virtual network, by id in lower case."""
        for machine_id in self._machine_nics:
            if any(attachment.network_id == network_id for attachment in self.attachments(machine_id)):
                yield machine_id

    def members(self, pool_id: str) -> list[Attachment]:
        """The members of a pool: interfaces that joined it, and addresses it lists."""
        members = dict(self._members.get(pool_id.lower(), {}))
        for item in properties(self.view.get(pool_id)).get("loadBalancerBackendAddresses") or []:
            listed = properties(item)
            network = reference(listed.get("virtualNetwork")) or network_of(reference(listed.get("subnet")) or "")
            found = self.at(network, str(listed.get("ipAddress")))
            if isinstance(found, Attachment):
                members[found.id.lower()] = found
        return list(members.values())

    def subnet(self, subnet_id: str) -> Json:
        """A subnet's properties."""
        return properties(self.view.get(subnet_id))

    def prefix_length(self, attachment: Attachment) -> int:
        """The length of the subnet prefix around an address."""
        for prefix in _prefixes(self.subnet(attachment.subnet_id)):
            if IPv4Address(attachment.address) in prefix:
                return prefix.prefixlen
        return 32

    def peers(self, network_id: str) -> list[str]:
        """The virtual networks reached by a peering that is connected from both ends, in lower case."""
        return [peer for peer in self._peered(network_id) if network_id in self._peered(peer)]

    def _peered(self, network_id: str) -> list[str]:
        peerings = properties(self.view.get(network_id)).get("virtualNetworkPeerings") or []
        return [
            peer
            for peering in map(properties, peerings)
            if peering.get("peeringState") == "Connected" and peering.get("allowVirtualNetworkAccess", True)
            if (peer := reference(peering.get("remoteVirtualNetwork")))
        ]

    def space(self, network_id: str) -> list[IPv4Network]:
        """What the service tag VirtualNetwork stands for in a network: its own prefixes and those of its peers."""
        found: list[IPv4Network] = []
        for each in (network_id, *self.peers(network_id)):
            addresses = properties(self.view.get(each)).get("addressSpace") or {}
            found.extend(_networks(addresses.get("addressPrefixes") or []))
        return found


def _attachments(nic_id: str, body: Json | None) -> Iterator[Attachment]:
    nic = properties(body)
    for configuration in nic.get("ipConfigurations") or []:
        values = properties(configuration)
        subnet, address = reference(values.get("subnet")), values.get("privateIPAddress")
        if not subnet or not isinstance(address, str):
            continue
        yield Attachment(
            id=configuration.get("id") or f"{nic_id}/ipConfigurations/{configuration.get('name')}",
            address=address,
            nic_id=nic_id,
            subnet_id=subnet,
            asgs=frozenset(references(values.get("applicationSecurityGroups"))),
            nic_nsg=reference(nic.get("networkSecurityGroup")),
            pools=frozenset(references(values.get("loadBalancerBackendAddressPools"))),
            endpoint_id=reference(nic.get("privateEndpoint")),
            public_address=reference(values.get("publicIPAddress")),
            mac=str(nic.get("macAddress") or "00-0D-3A-00-00-00").replace("-", ":").lower(),
            primary=bool(values.get("primary", True)) and bool(nic.get("primary", True)),
        )


def _frontends(balancer_id: str, body: Json | None) -> Iterator[Frontend]:
    for frontend in properties(body).get("frontendIPConfigurations") or []:
        values = properties(frontend)
        subnet, address = reference(values.get("subnet")), values.get("privateIPAddress")
        if subnet and isinstance(address, str):
            yield Frontend(
                id=f"{balancer_id}/frontendipconfigurations/{str(frontend.get('name')).lower()}",
                balancer_id=balancer_id,
                address=address,
                network_id=network_of(subnet),
            )


def _prefixes(subnet: Json) -> list[IPv4Network]:
    return _networks([subnet.get("addressPrefix"), *(subnet.get("addressPrefixes") or [])])


def _networks(prefixes: Iterable[Any]) -> list[IPv4Network]:
    networks = [ip_network(prefix, strict=False) for prefix in prefixes if isinstance(prefix, str)]
    return [network for network in networks if isinstance(network, IPv4Network)]


def top_level(resource_id: str) -> tuple[str, str]:
    """Type and id of the resource that a sub-resource stands in, in lower case; empty for what is in no group."""
    # Split, not parsed: this runs with every write, and a world may hold tens of thousands of resources.
    parts = resource_id.lower().split("/", 9)
    if len(parts) < 9:
        return "", ""
    return f"{parts[6]}/{parts[7]}", "/".join(parts[:9])
