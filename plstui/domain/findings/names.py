"""Names: that there is one for the endpoint, that it leads there, and that the network can see the zone."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

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
    properties,
    word,
)
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.findings.links import address_of, request_of, status_of
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side


def approved_endpoints(facts: Facts) -> Iterator[tuple[Body, str]]:
    """The customer's endpoints that traffic may flow through, each with its address."""
    for endpoint in facts.of(Side.CUSTOMER, ENDPOINT):
        request = request_of(endpoint)
        address = address_of(facts, endpoint)
        if request and status_of(request).lower() == "approved" and address:
            yield endpoint, address


def _addresses(record: Body) -> list[str]:
    return [
        str(one.get("ipv4Address", "")) for one in (properties(record).get("aRecords") or []) if isinstance(one, dict)
    ]


def _known(facts: Facts) -> bool:
    return (
        facts.knows(Side.CUSTOMER, RECORD)
        and facts.knows(Side.CUSTOMER, ZONE)
        and facts.knows(Side.CUSTOMER, INTERFACE)
    )


def elsewhere(facts: Facts) -> Iterator[Finding]:
    """A record that leads to an address in the endpoint's network where nothing is."""
    if not _known(facts):
        return
    taken = {
        word(configuration, "privateIPAddress")
        for nic in facts.of(Side.CUSTOMER, INTERFACE)
        for configuration in items(nic, "ipConfigurations")
    }
    endpoints = list(approved_endpoints(facts))
    named = {address for record in facts.of(Side.CUSTOMER, RECORD) for address in _addresses(record)}
    for record in facts.of(Side.CUSTOMER, RECORD):
        wrong = [address for address in _addresses(record) if address not in taken]
        for endpoint, right in endpoints if wrong else ():
            # A record of something else is nobody's mistake while the endpoint has a name of its own.
            if right in named or not (_near(facts, endpoint, wrong[0]) or len(endpoints) == 1):
                continue
            zone = id_of(record).parent
            yield Finding(
                rule="name-elsewhere",
                severity=Severity.ERROR,
                where=id_of(record),
                what=f"{_full_name(record)} leads to {wrong[0]}, and {id_of(endpoint).name} is at {right}.",
                remedy="Let the record lead to the endpoint's address.",
                evidence={"aRecords.ipv4Address": ", ".join(_addresses(record)), "endpoint": right},
                az=_set_record(zone, id_of(record).name, wrong[0], right),
                fix="step:record",
            )


def _near(facts: Facts, endpoint: Body, address: str) -> bool:
    """Whether an address is in the endpoint's subnet."""
    subnet = facts.get(properties(endpoint).get("subnet"))
    try:
        return ip_address(address) in ip_network(word(subnet, "addressPrefix"))
    except ValueError:
        return False


def _set_record(zone: ResourceId | None, name: str, wrong: str, right: str) -> str:
    if zone is None:
        return ""
    where = (
        f"--resource-group {shell_word(zone.resource_group)} --subscription {shell_word(zone.subscription)} "
        f"--zone-name {shell_word(zone.name)} --record-set-name {shell_word(name)}"
    )
    return (
        f"az network private-dns record-set a add-record {where} --ipv4-address {right} && "
        f"az network private-dns record-set a remove-record {where} --ipv4-address {shell_word(wrong)}"
    )


def _full_name(record: Body) -> str:
    zone = id_of(record).parent
    return f"{id_of(record).name}.{zone.name if zone else ''}"


def no_name(facts: Facts) -> Iterator[Finding]:
    """A zone of one's own, and no name for the endpoint in it."""
    zones = facts.of(Side.CUSTOMER, ZONE)
    if not _known(facts) or not zones:
        return
    told_wrong = {finding.evidence.get("endpoint") for finding in elsewhere(facts)}
    for endpoint, address in approved_endpoints(facts):
        named = any(address in _addresses(record) for record in facts.of(Side.CUSTOMER, RECORD))
        if named or address in told_wrong:
            continue
        zone = id_of(zones[0])
        yield Finding(
            rule="name-missing",
            severity=Severity.WARNING,
            where=zone,
            what=f"No name leads to {id_of(endpoint).name}; by its address {address} the page comes.",
            remedy="Add an A record with the endpoint's address.",
            evidence={"aRecords": "none with the endpoint's address"},
            az=f"az network private-dns record-set a add-record --resource-group {shell_word(zone.resource_group)} "
            f"--subscription {shell_word(zone.subscription)} --zone-name {shell_word(zone.name)} "
            f"--record-set-name saas-pls --ipv4-address {address}",
            fix="step:record",
        )


def not_linked(facts: Facts) -> Iterator[Finding]:
    """A zone with the endpoint's name that the endpoint's network does not ask."""
    if not _known(facts) or not facts.knows(Side.CUSTOMER, ZONE_LINK):
        return
    for endpoint, address in approved_endpoints(facts):
        subnet = properties(endpoint).get("subnet")
        network = id_of(subnet).parent if isinstance(subnet, dict) else None
        records = [record for record in facts.of(Side.CUSTOMER, RECORD) if address in _addresses(record)]
        zones = {zone for record in records if (zone := id_of(record).parent)}
        if network is None or not zones or any(_is_linked(facts, zone, network) for zone in zones):
            continue
        zone = sorted(zones, key=str)[0]
        yield Finding(
            rule="zone-not-linked",
            severity=Severity.ERROR,
            where=zone,
            what=f"{network.name} does not ask {zone.name}, where the endpoint's name is.",
            remedy="Link the zone to the network.",
            evidence={"virtualNetworkLinks": f"none to {network.name}"},
            az=f"az network private-dns link vnet create --resource-group {shell_word(zone.resource_group)} "
            f"--subscription {shell_word(zone.subscription)} --zone-name {shell_word(zone.name)} --name dnsLink "
            f"--virtual-network {shell_word(network.text)} --registration-enabled false",
            fix="step:customer-network",
        )


def _is_linked(facts: Facts, zone: ResourceId, network: ResourceId) -> bool:
    links = [link for link in facts.of(Side.CUSTOMER, ZONE_LINK) if id_of(link).parent == zone]
    targets = [properties(link).get("virtualNetwork") for link in links]
    return any(isinstance(target, dict) and id_of(target) == network for target in targets)


RULES = (elsewhere, not_linked, no_name)
