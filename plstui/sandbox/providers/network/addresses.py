"""Private addresses: which ones a subnet has given away, and which one comes next.

Azure keeps five addresses of every subnet: the network's own, three for its gateway and name servers, and the last.
Everything that takes an address shows it in an IP configuration or a frontend, and the subnet lists those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.providers.network.prefixes import Network
from plstui.sandbox.store import Body, Store

Address = IPv4Address | IPv6Address

FIRST = 4
"""The first address that is given away, counted from the network's own."""


def prefixes_of(subnet: Body) -> list[Network]:
    """A subnet's address prefixes."""
    properties = subnet["properties"]
    return [ip_network(text) for text in properties.get("addressPrefixes") or [properties["addressPrefix"]]]


def taken(store: Store, subnet: Body) -> dict[Address, ResourceId]:
    """The addresses in use in a subnet, and the IP configuration or frontend that has each."""
    found: dict[Address, ResourceId] = {}
    for user in subnet["properties"].get("ipConfigurations") or ():
        body = store.get(user["id"])
        text = body["properties"].get("privateIPAddress") if body else None
        if body and text:
            found[ip_address(text)] = ResourceId(body["id"])
    return found


def is_reserved(prefix: Network, address: Address) -> bool:
    """Whether Azure keeps an address of a prefix for itself."""
    offset = int(address) - int(prefix.network_address)
    return offset < FIRST or offset == prefix.num_addresses - 1


def free(subnet: Body, used: Iterable[Address], version: int = 4) -> Iterator[Address]:
    """The addresses that can be given away, in order."""
    used = set(used)
    for prefix in prefixes_of(subnet):
        if prefix.version != version:
            continue
        for offset in range(FIRST, prefix.num_addresses - 1):
            address = prefix.network_address + offset
            if address not in used:
                yield address


def capacity(subnet: Body) -> int:
    """How many IPv4 addresses a subnet can give away."""
    return sum(max(0, prefix.num_addresses - FIRST - 1) for prefix in prefixes_of(subnet) if prefix.version == 4)


class Allocator:
    """Gives the addresses of one request's IP configurations: what one of them takes, the next one cannot have.

    `leaving` are the configurations that go with the request; their addresses are free for the others.
    """

    def __init__(self, store: Store, leaving: Iterable[ResourceId] = ()) -> None:
        self._store = store
        self._leaving = frozenset(leaving)
        self._given: dict[str, dict[Address, ResourceId]] = {}

    def _used(self, subnet: Body) -> dict[Address, ResourceId]:
        key = subnet["id"].lower()
        if key not in self._given:
            held = taken(self._store, subnet)
            self._given[key] = {at: owner for at, owner in held.items() if owner not in self._leaving}
        return self._given[key]

    def keep(self, subnet: Body, address: str, owner: ResourceId) -> str:
        """An address that its owner has already."""
        self._used(subnet)[ip_address(address)] = owner
        return address

    def next(self, subnet: Body, owner: ResourceId, version: int = 4) -> str:
        """The first free address; raises the 400 of a full subnet."""
        used = self._used(subnet)
        address = next(free(subnet, used, version), None)
        if address is None:
            prefixes = ", ".join(str(prefix) for prefix in prefixes_of(subnet))
            raise bad_request(
                "SubnetIsFull",
                f"Subnet {subnet['name']} with address prefix {prefixes} does not have enough capacity for 1 IP "
                "addresses.",
            )
        used[address] = owner
        return str(address)

    def static(self, subnet: Body, text: str, owner: ResourceId) -> str:
        """A chosen address; raises the 400 for one that is no address, outside, reserved, or somebody else's."""
        try:
            address = ip_address(text)
        except ValueError:
            raise bad_request(
                "InvalidIPAddressFormat",
                f"IP address {text[:60]!r} in resource {owner} is not formatted correctly.",
            ) from None
        prefixes = prefixes_of(subnet)
        inside = next((p for p in prefixes if p.version == address.version and address in p), None)
        if inside is None:
            raise bad_request(
                "PrivateIPAddressNotInSubnet",
                f"Private static IP address {address} does not belong to the range of subnet prefix "
                f"{', '.join(map(str, prefixes))}.",
            )
        if is_reserved(inside, address):
            raise bad_request(
                "PrivateIPAddressInReservedRange",
                f"Private static IP address {address} falls within reserved IP range of subnet prefix {inside}.",
            )
        holder = self._used(subnet).get(address)
        if holder is not None and holder != owner:
            raise bad_request(
                "PrivateIPAddressIsAllocated",
                f"IP configuration {owner} is using the private IP address {address} which is already allocated to "
                f"resource {holder.parent}.",
            )
        self._used(subnet)[address] = owner
        return str(address)
