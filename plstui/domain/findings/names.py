"""Names: that there is one for the endpoint, that it leads there, and that the network can see the zone."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from plstui.domain.az import Options, all_of, az, in_group
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.findings.links import approved_endpoints
from plstui.domain.ids import ResourceId
from plstui.domain.resources import AddressRecord, DnsZone, Kind, PrivateEndpoint, ZoneLink
from plstui.domain.snapshot import Outcome, Snapshot
from plstui.domain.world import World, once

_AZURES_OWN = "privatelink."
"""What the zones begin with that Azure's own services have their names in."""

_LABS_NAME = "saas-pls"
"""The name that the lab gives to its endpoint."""

_RESOLVER = "168.63.129.16"
"""Azure's own name server, the same in every network: it alone knows what private zones are linked."""


def _records(world: World) -> list[AddressRecord]:
    """The A records that somebody has written."""
    customer = world.customer
    if customer is None:
        return []
    return [*(record for record in customer.records if not record.auto_registered), *customer.public_records]


def _is_public(zone_or_record: ResourceId) -> bool:
    return zone_or_record.is_type(Kind.PUBLIC_ZONES) or zone_or_record.is_type(Kind.PUBLIC_RECORDS)


def _list_in(zone_or_record: ResourceId) -> str:
    """The property that a record's addresses are in; Azure spells it differently in public zones."""
    return "ARecords" if _is_public(zone_or_record) else "aRecords"


@once
def _naming(world: World) -> dict[ResourceId, set[ResourceId]]:
    """The zones that each endpoint has a name in, but for public ones where its network never gets to ask."""
    named: dict[str, list[ResourceId]] = {}
    for record in _records(world):
        for address in record.addresses:
            named.setdefault(address, []).append(record.id)
    found: dict[ResourceId, set[ResourceId]] = {}
    for endpoint, address in approved_endpoints(world):
        records = (record for record in named.get(address, ()) if not _is_hidden(world, record, endpoint.network_id))
        found[endpoint.id] = {zone for record in records if (zone := record.parent)}
    return found


def _is_hidden(world: World, record: ResourceId, network: ResourceId | None) -> bool:
    """Whether a public name is one that a private zone answers for: also with that there is no such name."""
    if not _is_public(record):
        return False
    name = f".{_full_name(record)}".lower()
    return any(
        link.network_id == network and name.endswith(f".{zone.name.lower()}")
        for link in _links(world)
        if (zone := link.id.parent)
    )


def _links(world: World) -> tuple[ZoneLink, ...]:
    return world.customer.zone_links if world.customer else ()


def _knows_names(world: World) -> Snapshot | None:
    """The customer's side where all that names could be in is known; None else.

    Public zones are asked only where no private one names an endpoint.
    """
    customer = world.customer
    if customer is None or not customer.knows(Kind.RECORDS, Kind.ZONES, Kind.INTERFACES):
        return None
    public = {customer.outcome(kind) for kind in (Kind.PUBLIC_ZONES, Kind.PUBLIC_RECORDS)}
    return customer if public <= {Outcome.READ, Outcome.NOT_ASKED} else None


def unnamed(world: World) -> bool:
    """Whether an endpoint has no name in a private zone that its network asks, so that public zones matter as well."""
    for endpoint, _ in approved_endpoints(world):
        network, zones = endpoint.network_id, _naming(world)[endpoint.id]
        if not any(network and _is_asked(world, zone, network) for zone in zones):
            return True
    return False


def elsewhere(world: World) -> Iterator[Finding]:
    """A record that should lead to an endpoint which has no other name, and does not.

    It is the lab's own, or leads to where nothing is in the endpoint's subnet.
    """
    customer = _knows_names(world)
    if customer is None:
        return
    taken = {one.private_ip_address for nic in customer.interfaces for one in nic.ip_configurations}
    named = _naming(world)
    approved = list(approved_endpoints(world))
    right_ones = {address for _, address in approved}
    nameless = [
        (endpoint, address, _ranges(customer, endpoint)) for endpoint, address in approved if not named[endpoint.id]
    ]
    for record in _records(world) if nameless else ():
        # Where it leads to an endpoint, it is that endpoint's name and works.
        strays = [address for address in record.addresses if address not in right_ones]
        # A record of something else is nobody's mistake; each one that is, is of one endpoint.
        own = _is_the_labs(record)
        meant = (
            (one, stray)
            for stray in strays
            for one in nameless
            if own or (stray not in taken and _is_in(stray, one[2]))
        )
        found, wrong = next(meant, (None, ""))
        if found is None:
            continue
        nameless.remove(found)
        endpoint, right, _ = found
        zone = record.id.parent
        yield Finding(
            rule="name-elsewhere",
            severity=Severity.ERROR,
            where=record.id,
            what=f"{record.full_name} leads to {wrong}, and {endpoint.id.name} is at {right}.",
            remedy="Let the record lead to the endpoint's address.",
            evidence={f"{_list_in(record.id)}.ipv4Address": ", ".join(record.addresses), "endpoint": right},
            az=_set_record(zone, record.id.name, wrong, right) if zone else "",
            # What somebody else has written the lab leaves alone.
            fix="step:record" if own else "",
        )


def _is_the_labs(record: AddressRecord) -> bool:
    """Whether the lab has made a record, which it then marks."""
    return ("created-by", "plstui") in record.metadata


_Range = IPv4Network | IPv6Network


def _ranges(customer: Snapshot, endpoint: PrivateEndpoint) -> list[_Range]:
    """The ranges of an endpoint's subnet."""
    try:
        subnet = customer.subnet(endpoint.subnet_id)
        return [ip_network(prefix) for prefix in subnet.address_prefixes] if subnet else []
    except ValueError:
        return []


def _is_in(address: str, ranges: list[_Range]) -> bool:
    try:
        return any(ip_address(address) in each for each in ranges)
    except ValueError:
        return False


def _set_record(zone: ResourceId, name: str, wrong: str, right: str) -> str:
    return all_of(
        _record_line("add-record", zone, name, right),
        _record_line("remove-record", zone, name, wrong),
    )


def _record_line(verb: str, zone: ResourceId, name: str, address: str) -> str:
    """A line about one address of an A record."""
    group = "dns" if _is_public(zone) else "private-dns"
    record: Options = {"--record-set-name": name, "--ipv4-address": address}
    return az(f"network {group} record-set a {verb}", {**in_group(zone, "--zone-name"), **record})


def _full_name(record: ResourceId) -> str:
    return f"{record.name}.{record.parent.name if record.parent else ''}"


def no_name(world: World) -> Iterator[Finding]:
    """A zone of one's own, and no name for the endpoint in it: no matter where another leads to the same service."""
    customer = _knows_names(world)
    if customer is None:
        return
    private = [zone for zone in customer.zones if not zone.id.name.lower().startswith(_AZURES_OWN)]
    # Who has a private zone does not want such names in the public one.
    zones: list[DnsZone] = private or list(customer.public_zones)
    if not zones:
        return
    told_wrong, named = {finding.evidence.get("endpoint") for finding in elsewhere(world)}, _naming(world)
    service_of = {link.endpoint.id: world.service_key(link) for link in world.links() if link.endpoint}
    reached = {service_of.get(endpoint_id) for endpoint_id, where in named.items() if where}
    for endpoint, address in approved_endpoints(world):
        if named[endpoint.id] or address in told_wrong:
            continue
        network = endpoint.network_id
        zone = next((zone.id for zone in zones if network and _is_asked(world, zone.id, network)), zones[0].id)
        second = service_of.get(endpoint.id) in reached
        # A name that somebody has given to something else would then lead to both.
        used = {
            record.id.name.lower()
            for record in (*customer.records, *customer.public_records)
            if record.id.parent == zone
        }
        free = (name for name in (*(() if second else (_LABS_NAME,)), endpoint.id.name) if name.lower() not in used)
        name = next(free, "")
        yield Finding(
            rule="name-missing",
            # A public zone that has names already may well be for other things.
            severity=Severity.INFO if second or (used and _is_public(zone)) else Severity.WARNING,
            where=zone,
            what=f"No name leads to {endpoint.id.name}; only its address {address} does.",
            remedy="Add an A record with the endpoint's address.",
            evidence={_list_in(zone): "none with the endpoint's address"},
            az=_record_line("add-record", zone, name, address) if name else "",
            # The lab's name is for one endpoint, and leads nowhere else.
            fix="step:record" if name == _LABS_NAME and not second else "",
        )


def not_linked(world: World) -> Iterator[Finding]:
    """A zone with the endpoint's name that the endpoint's network does not ask."""
    customer = _knows_names(world)
    if customer is None or not customer.knows(Kind.ZONE_LINKS):
        return
    for endpoint, _ in approved_endpoints(world):
        network, zones = endpoint.network_id, _naming(world)[endpoint.id]
        if network is None or not zones or any(_is_asked(world, zone, network) for zone in zones):
            continue
        zone = min(zones, key=str)
        yield Finding(
            rule="zone-not-linked",
            severity=Severity.ERROR,
            where=zone,
            what=f"{network.name} does not ask {zone.name}, where the endpoint's name is.",
            remedy="Link the zone to the network.",
            evidence={"virtualNetworkLinks": f"none to {network.name}"},
            az=az(
                "network private-dns link vnet create",
                {
                    **in_group(zone, "--zone-name"),
                    "--name": network.name,
                    "--virtual-network": network,
                    "--registration-enabled": "false",
                },
            ),
            fix="step:customer-network",
        )


def _is_asked(world: World, zone: ResourceId, network: ResourceId) -> bool:
    """Whether the machines of a network get answers from a zone: public ones answer all, private ones who is linked."""
    if _is_public(zone):
        return True
    links = (link for link in _links(world) if link.id.parent == zone)
    # Name servers of one's own forward from the network that they are in, which may be any.
    relayed = bool(_servers(world, network))
    return any(relayed or link.network_id == network for link in links)


def own_servers(world: World) -> Iterator[Finding]:
    """A network that asks name servers of its own: whether they pass the question on to Azure cannot be seen from here.

    They know the names of public zones like everybody else.
    """
    told: set[ResourceId] = set()
    for endpoint, _ in approved_endpoints(world):
        network, zones = endpoint.network_id, _naming(world)[endpoint.id]
        servers = _servers(world, network)
        private = sorted(zone.name for zone in zones if zone.is_type(Kind.ZONES))
        if network is None or network in told or not servers or not private or len(private) < len(zones):
            continue
        told.add(network)
        yield Finding(
            rule="dns-servers",
            severity=Severity.INFO,
            where=network,
            what=f"{network.name} asks name servers of its own, which know {private[0]} only if they forward to Azure.",
            remedy=f"Let them forward {private[0]} to {_RESOLVER} from a network that the zone is linked to; a probe "
            "shows whether the name leads to the page.",
            evidence={"dhcpOptions.dnsServers": ", ".join(servers)},
        )


def _servers(world: World, network_id: ResourceId | None) -> list[str]:
    """The name servers that a network's machines ask instead of Azure's."""
    network = world.customer.network(network_id) if world.customer else None
    return [server for server in network.dns_servers if server != _RESOLVER] if network else []


RULES = (elsewhere, not_linked, no_name, own_servers)
