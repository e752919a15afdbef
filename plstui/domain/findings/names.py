"""Names: that there is one for the endpoint, that it leads there, and that the network can see the zone."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from plstui.domain.az import shell_word
from plstui.domain.facts import (
    ENDPOINT,
    INTERFACE,
    PUBLIC_RECORD,
    PUBLIC_TYPES,
    PUBLIC_ZONE,
    RECORD,
    ZONE,
    ZONE_LINK,
    Body,
    Facts,
    id_of,
    items,
    once,
    prefixes,
    properties,
    reference,
    word,
)
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.findings.links import address_of, connections, leads_to_a_service, request_of, status_of, target_of
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side

_AZURES_OWN = "privatelink."
"""What the zones begin with that Azure's own services have their names in."""

_LABS_NAME = "saas-pls"
"""The name that the lab gives to its endpoint."""

_RESOLVER = "168.63.129.16"
"""Azure's own name server, the same in every network: it alone knows what private zones are linked."""


def approved_endpoints(facts: Facts) -> Iterator[tuple[Body, str]]:
    """The customer's endpoints that traffic may flow through, each with its address."""
    for endpoint in facts.of(Side.CUSTOMER, ENDPOINT):
        request = request_of(endpoint)
        if request is None or not leads_to_a_service(target_of(request)):
            continue
        address = address_of(facts, endpoint)
        if status_of(request).lower() == "approved" and address:
            yield endpoint, address


def _records(facts: Facts) -> list[Body]:
    """The A records that somebody has written."""
    private = (
        record for record in facts.of(Side.CUSTOMER, RECORD) if properties(record).get("isAutoRegistered") is not True
    )
    return [*private, *facts.of(Side.CUSTOMER, PUBLIC_RECORD)]


def _addresses(record: Body) -> list[str]:
    found = properties(record).get(_list_in(id_of(record)))
    return (
        [str(one.get("ipv4Address", "")) for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    )


def _is_public(zone_or_record: ResourceId) -> bool:
    return zone_or_record.is_type(PUBLIC_ZONE) or zone_or_record.is_type(PUBLIC_RECORD)


def _list_in(zone_or_record: ResourceId) -> str:
    """The property that a record's addresses are in; Azure spells it differently in public zones."""
    return "ARecords" if _is_public(zone_or_record) else "aRecords"


@once
def _naming(facts: Facts) -> dict[ResourceId, set[ResourceId]]:
    """The zones that each endpoint has a name in, but for public ones where its network never gets to ask."""
    named: dict[str, list[ResourceId]] = {}
    for record in _records(facts):
        for address in _addresses(record):
            named.setdefault(address, []).append(id_of(record))
    found: dict[ResourceId, set[ResourceId]] = {}
    for endpoint, address in approved_endpoints(facts):
        network = _network(endpoint)
        zones = (record.parent for record in named.get(address, ()) if not _is_hidden(facts, record, network))
        found[id_of(endpoint)] = {zone for zone in zones if zone}
    return found


def _is_hidden(facts: Facts, record: ResourceId, network: ResourceId | None) -> bool:
    """Whether a public name is one that a private zone answers for: also with that there is no such name."""
    if not _is_public(record):
        return False
    name = f".{_full_name(record)}".lower()
    return any(
        reference(link, "virtualNetwork") == network and name.endswith(f".{zone.name.lower()}")
        for link in facts.of(Side.CUSTOMER, ZONE_LINK)
        if (zone := id_of(link).parent)
    )


def _known(facts: Facts) -> bool:
    return all(facts.knows(Side.CUSTOMER, kind) for kind in (RECORD, ZONE, INTERFACE, *PUBLIC_TYPES))


def unnamed(facts: Facts) -> bool:
    """Whether an endpoint has no name in a private zone that its network asks, so that public zones matter as well."""
    for endpoint, _ in approved_endpoints(facts):
        network, zones = _network(endpoint), _naming(facts)[id_of(endpoint)]
        if not any(network and _is_asked(facts, zone, network) for zone in zones):
            return True
    return False


def elsewhere(facts: Facts) -> Iterator[Finding]:
    """A record that should lead to an endpoint which has no other name, and does not.

    It is the lab's own, or leads to where nothing is in the endpoint's subnet.
    """
    if not _known(facts):
        return
    taken = {
        word(configuration, "privateIPAddress")
        for nic in facts.of(Side.CUSTOMER, INTERFACE)
        for configuration in items(nic, "ipConfigurations")
    }
    named = _naming(facts)
    approved = list(approved_endpoints(facts))
    right_ones = {address for _, address in approved}
    nameless = [
        (endpoint, address, _ranges(facts, endpoint)) for endpoint, address in approved if not named[id_of(endpoint)]
    ]
    for record in _records(facts) if nameless else ():
        # Where it leads to an endpoint, it is that endpoint's name and works.
        strays = [address for address in _addresses(record) if address not in right_ones]
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
        zone = id_of(record).parent
        yield Finding(
            rule="name-elsewhere",
            severity=Severity.ERROR,
            where=id_of(record),
            what=f"{_full_name(id_of(record))} leads to {wrong}, and {id_of(endpoint).name} is at {right}.",
            remedy="Let the record lead to the endpoint's address.",
            evidence={f"{_list_in(id_of(record))}.ipv4Address": ", ".join(_addresses(record)), "endpoint": right},
            az=_set_record(zone, id_of(record).name, wrong, right) if zone else "",
            # What somebody else has written the lab leaves alone.
            fix="step:record" if own else "",
        )


def _is_the_labs(record: Body) -> bool:
    """Whether the lab has made a record, which it then marks."""
    metadata = properties(record).get("metadata")
    return isinstance(metadata, dict) and metadata.get("created-by") == "plstui"


_Range = IPv4Network | IPv6Network


def _ranges(facts: Facts, endpoint: Body) -> list[_Range]:
    """The ranges of an endpoint's subnet."""
    try:
        return [ip_network(prefix) for prefix in prefixes(facts.get(properties(endpoint).get("subnet")))]
    except ValueError:
        return []


def _is_in(address: str, ranges: list[_Range]) -> bool:
    try:
        return any(ip_address(address) in each for each in ranges)
    except ValueError:
        return False


def _set_record(zone: ResourceId, name: str, wrong: str, right: str) -> str:
    where = f"{_in_zone(zone)} --record-set-name {shell_word(name)}"
    records = _record_sets(zone)
    return (
        f"{records} add-record {where} --ipv4-address {shell_word(right)} && "
        f"{records} remove-record {where} --ipv4-address {shell_word(wrong)}"
    )


def _record_sets(zone: ResourceId) -> str:
    """The group of az's commands for the A records of a zone."""
    return f"az network {'dns' if _is_public(zone) else 'private-dns'} record-set a"


def _in_zone(zone: ResourceId) -> str:
    return (
        f"--resource-group {shell_word(zone.resource_group)} --subscription {shell_word(zone.subscription)} "
        f"--zone-name {shell_word(zone.name)}"
    )


def _full_name(record: ResourceId) -> str:
    return f"{record.name}.{record.parent.name if record.parent else ''}"


def no_name(facts: Facts) -> Iterator[Finding]:
    """A zone of one's own, and no name for the endpoint in it: no matter where another leads to the same service."""
    private = [body for body in facts.of(Side.CUSTOMER, ZONE) if not id_of(body).name.lower().startswith(_AZURES_OWN)]
    # Who has a private zone does not want such names in the public one.
    zones = private or list(facts.of(Side.CUSTOMER, PUBLIC_ZONE))
    if not _known(facts) or not zones:
        return
    told_wrong, named = {finding.evidence.get("endpoint") for finding in elsewhere(facts)}, _naming(facts)
    service_of = {id_of(ends.endpoint): ends.service for ends in connections(facts) if ends.endpoint}
    reached = {service_of.get(endpoint_id) for endpoint_id, where in named.items() if where}
    for endpoint, address in approved_endpoints(facts):
        if named[id_of(endpoint)] or address in told_wrong:
            continue
        network = _network(endpoint)
        asked = (id_of(body) for body in zones if network and _is_asked(facts, id_of(body), network))
        zone = next(asked, id_of(zones[0]))
        second = service_of.get(id_of(endpoint)) in reached
        # A name that somebody has given to something else would then lead to both.
        used = {
            id_of(record).name.lower()
            for kind in (RECORD, PUBLIC_RECORD)
            for record in facts.of(Side.CUSTOMER, kind)
            if id_of(record).parent == zone
        }
        free = (name for name in (*(() if second else (_LABS_NAME,)), id_of(endpoint).name) if name.lower() not in used)
        name = next(free, "")
        yield Finding(
            rule="name-missing",
            # A public zone that has names already may well be for other things.
            severity=Severity.INFO if second or (used and _is_public(zone)) else Severity.WARNING,
            where=zone,
            what=f"No name leads to {id_of(endpoint).name}; only its address {address} does.",
            remedy="Add an A record with the endpoint's address.",
            evidence={_list_in(zone): "none with the endpoint's address"},
            az=f"{_record_sets(zone)} add-record {_in_zone(zone)} "
            f"--record-set-name {shell_word(name)} "
            f"--ipv4-address {shell_word(address)}"
            if name
            else "",
            # The lab's name is for one endpoint, and leads nowhere else.
            fix="step:record" if name == _LABS_NAME and not second else "",
        )


def not_linked(facts: Facts) -> Iterator[Finding]:
    """A zone with the endpoint's name that the endpoint's network does not ask."""
    if not _known(facts) or not facts.knows(Side.CUSTOMER, ZONE_LINK):
        return
    for endpoint, _ in approved_endpoints(facts):
        network, zones = _network(endpoint), _naming(facts)[id_of(endpoint)]
        if network is None or not zones or any(_is_asked(facts, zone, network) for zone in zones):
            continue
        zone = min(zones, key=str)
        yield Finding(
            rule="zone-not-linked",
            severity=Severity.ERROR,
            where=zone,
            what=f"{network.name} does not ask {zone.name}, where the endpoint's name is.",
            remedy="Link the zone to the network.",
            evidence={"virtualNetworkLinks": f"none to {network.name}"},
            az=f"az network private-dns link vnet create {_in_zone(zone)} --name dnsLink "
            f"--virtual-network {shell_word(network.text)} --registration-enabled false",
            fix="step:customer-network",
        )


def _network(endpoint: Body) -> ResourceId | None:
    """The network that an endpoint is in."""
    subnet = reference(endpoint, "subnet")
    return subnet.parent if subnet else None


def _is_asked(facts: Facts, zone: ResourceId, network: ResourceId) -> bool:
    """Whether the machines of a network get answers from a zone: public ones answer all, private ones who is linked."""
    if _is_public(zone):
        return True
    links = (link for link in facts.of(Side.CUSTOMER, ZONE_LINK) if id_of(link).parent == zone)
    # Name servers of one's own forward from the network that they are in, which may be any.
    relayed = bool(_servers(facts.get(network)))
    return any(relayed or reference(link, "virtualNetwork") == network for link in links)


def own_servers(facts: Facts) -> Iterator[Finding]:
    """A network that asks name servers of its own: whether they pass the question on to Azure cannot be seen from here.

    They know the names of public zones like everybody else.
    """
    told: set[ResourceId] = set()
    for endpoint, _ in approved_endpoints(facts):
        network, zones = _network(endpoint), _naming(facts)[id_of(endpoint)]
        servers = _servers(facts.get(network))
        private = sorted(zone.name for zone in zones if zone.is_type(ZONE))
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


def _servers(network: Body | None) -> list[str]:
    """The name servers that a network's machines ask instead of Azure's."""
    options = properties(network).get("dhcpOptions")
    listed = options.get("dnsServers") if isinstance(options, dict) else None
    return [str(server) for server in listed if server != _RESOLVER] if isinstance(listed, list) else []


RULES = (elsewhere, not_linked, no_name, own_servers)
