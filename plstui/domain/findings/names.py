"""Names: that there is one for the endpoint, that it leads there, and that the network can see the zone."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from plstui.domain.az import shell_word
from plstui.domain.facts import (
    ENDPOINT,
    INTERFACE,
    RECORD,
    ZONE,
    ZONE_LINK,
    Body,
    Facts,
    id_of,
    items,
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
    return [
        record for record in facts.of(Side.CUSTOMER, RECORD) if properties(record).get("isAutoRegistered") is not True
    ]


def _addresses(record: Body) -> list[str]:
    found = properties(record).get("aRecords")
    return (
        [str(one.get("ipv4Address", "")) for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    )


def _named(facts: Facts) -> dict[str, list[Body]]:
    """The records that lead to an address, by address."""
    found: dict[str, list[Body]] = {}
    for record in _records(facts):
        for address in _addresses(record):
            found.setdefault(address, []).append(record)
    return found


def _known(facts: Facts) -> bool:
    return all(facts.knows(Side.CUSTOMER, kind) for kind in (RECORD, ZONE, INTERFACE))


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
    named = _named(facts)
    approved = list(approved_endpoints(facts))
    right_ones = {address for _, address in approved}
    nameless = [(endpoint, address, _ranges(facts, endpoint)) for endpoint, address in approved if address not in named]
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
            what=f"{_full_name(record)} leads to {wrong}, and {id_of(endpoint).name} is at {right}.",
            remedy="Let the record lead to the endpoint's address.",
            evidence={"aRecords.ipv4Address": ", ".join(_addresses(record)), "endpoint": right},
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
    return (
        f"az network private-dns record-set a add-record {where} --ipv4-address {shell_word(right)} && "
        f"az network private-dns record-set a remove-record {where} --ipv4-address {shell_word(wrong)}"
    )


def _in_zone(zone: ResourceId) -> str:
    return (
        f"--resource-group {shell_word(zone.resource_group)} --subscription {shell_word(zone.subscription)} "
        f"--zone-name {shell_word(zone.name)}"
    )


def _full_name(record: Body) -> str:
    zone = id_of(record).parent
    return f"{id_of(record).name}.{zone.name if zone else ''}"


def no_name(facts: Facts) -> Iterator[Finding]:
    """A zone of one's own, and no name for the endpoint in it: no matter where another leads to the same service."""
    zones = [body for body in facts.of(Side.CUSTOMER, ZONE) if not id_of(body).name.lower().startswith(_AZURES_OWN)]
    if not _known(facts) or not zones:
        return
    told_wrong, named = {finding.evidence.get("endpoint") for finding in elsewhere(facts)}, _named(facts)
    service_of = {id_of(ends.endpoint): ends.service for ends in connections(facts) if ends.endpoint}
    reached = {service_of.get(id_of(endpoint)) for endpoint, address in approved_endpoints(facts) if address in named}
    for endpoint, address in approved_endpoints(facts):
        if address in named or address in told_wrong:
            continue
        network = _network(endpoint)
        linked = (id_of(body) for body in zones if network and _is_linked(facts, id_of(body), network))
        zone = next(linked, id_of(zones[0]))
        second = service_of.get(id_of(endpoint)) in reached
        # A name that somebody has given to something else would then lead to both.
        used = {
            id_of(record).name.lower() for record in facts.of(Side.CUSTOMER, RECORD) if id_of(record).parent == zone
        }
        free = (name for name in (*(() if second else (_LABS_NAME,)), id_of(endpoint).name) if name.lower() not in used)
        name = next(free, "")
        yield Finding(
            rule="name-missing",
            severity=Severity.INFO if second else Severity.WARNING,
            where=zone,
            what=f"No name leads to {id_of(endpoint).name}; by its address {address} the page comes.",
            remedy="Add an A record with the endpoint's address.",
            evidence={"aRecords": "none with the endpoint's address"},
            az=f"az network private-dns record-set a add-record {_in_zone(zone)} "
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
    named = _named(facts)
    for endpoint, address in approved_endpoints(facts):
        network = _network(endpoint)
        zones = {zone for record in named.get(address, ()) if (zone := id_of(record).parent)}
        if network is None or not zones or any(_is_linked(facts, zone, network) for zone in zones):
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


def _is_linked(facts: Facts, zone: ResourceId, network: ResourceId) -> bool:
    links = (link for link in facts.of(Side.CUSTOMER, ZONE_LINK) if id_of(link).parent == zone)
    return any(reference(link, "virtualNetwork") == network for link in links)


RULES = (elsewhere, not_linked, no_name)
