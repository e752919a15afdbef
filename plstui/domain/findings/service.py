"""The private link service: that it is there, stands on the right frontend, and lets this customer in."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from plstui.domain.az import shell_word
from plstui.domain.facts import (
    BALANCER,
    ENDPOINT,
    SERVICE,
    Body,
    Facts,
    id_of,
    items,
    prefixes,
    properties,
    reference,
    word,
)
from plstui.domain.findings.balancer import is_basic
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.findings.links import request_of, services, target_of
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Failure
from plstui.domain.sides import Side

RESERVED = 5
"""Addresses of every subnet that Azure keeps for itself."""

MOST_ADDRESSES = 8
"""NAT addresses that one service can have."""


def missing(facts: Facts) -> Iterator[Finding]:
    """A balancer, and nothing in front of it that customers could connect to."""
    if not facts.knows(Side.ISV, SERVICE) or facts.of(Side.ISV, SERVICE):
        return
    for balancer in facts.of(Side.ISV, BALANCER):
        frontend = next(items(balancer, "frontendIPConfigurations"), {})
        subnet = facts.get(properties(frontend).get("subnet"))
        if subnet is None or is_basic(balancer):
            continue
        closed = word(subnet, "privateLinkServiceNetworkPolicies").lower() == "enabled"
        yield Finding(
            rule="service-subnet-policies" if closed else "service-missing",
            severity=Severity.ERROR,
            where=id_of(subnet) if closed else id_of(balancer),
            what=(
                f"No private link service can take addresses from {id_of(subnet).name}: its policies are on."
                if closed
                else f"No private link service stands in front of {id_of(balancer).name}."
            ),
            remedy="Switch the policies off, then create the service." if closed else "Create the service.",
            evidence=({"privateLinkServiceNetworkPolicies": "Enabled"} if closed else {"privateLinkServices": "[]"}),
            az=_switch_off(subnet) if closed else _create(balancer, frontend, id_of(subnet)),
            fix="step:policies" if closed else "step:service",
        )


def _create(balancer: Body, frontend: Body, subnet: ResourceId) -> str:
    where = id_of(balancer)
    return (
        f"az network private-link-service create --resource-group {shell_word(where.resource_group)} "
        f"--subscription {shell_word(where.subscription)} --location {shell_word(str(balancer.get('location', '')))} "
        f"--name saasPrivateLinkService --subnet {shell_word(subnet.text)} "
        f"--lb-frontend-ip-configs {shell_word(id_of(frontend).text)}"
    )


def subnet_policies(facts: Facts) -> Iterator[Finding]:
    """The subnet that a service takes its addresses from must have its policies off."""
    for service in services(facts):
        for subnet in _subnets(facts, service):
            if word(subnet, "privateLinkServiceNetworkPolicies").lower() == "enabled":
                yield Finding(
                    rule="service-subnet-policies",
                    severity=Severity.ERROR,
                    where=id_of(subnet),
                    what=f"The private link service policies of {id_of(subnet).name} are on, and a service is in it.",
                    remedy="Switch them off for this subnet.",
                    evidence={"privateLinkServiceNetworkPolicies": "Enabled"},
                    az=_switch_off(subnet),
                    fix="step:policies",
                )


def _switch_off(subnet: Body) -> str:
    return (
        f"az network vnet subnet update --ids {shell_word(id_of(subnet).text)} "
        "--private-link-service-network-policies Disabled"
    )


def nat_addresses(facts: Facts) -> Iterator[Finding]:
    """Each address of a service carries 64,000 connections to one machine; more need one more, and none is left."""
    for service in services(facts):
        own = list(items(service, "ipConfigurations"))
        for subnet in _subnets(facts, service):
            free = _free(subnet)
            if free is None or free > 0 or len(own) >= MOST_ADDRESSES:
                continue
            where = id_of(subnet)
            yield Finding(
                rule="service-nat-exhausted",
                severity=Severity.WARNING,
                where=where,
                what=f"Every address of {where.name} is taken: {id_of(service).name} has {len(own)} and cannot get "
                "another one.",
                remedy="Give the subnet a larger range, or the service a second address in another subnet.",
                evidence={"addressPrefix": ", ".join(prefixes(subnet)), "addresses in use": str(_taken(subnet))},
            )


def _taken(subnet: Body) -> int:
    """How many addresses of a subnet are given away; it lists a service's twice, as the service's and its NIC's."""
    users = map(id_of, items(subnet, "ipConfigurations"))
    return sum(not user.is_type(f"{SERVICE}/ipConfigurations") for user in users)


def _free(subnet: Body) -> int | None:
    """How many addresses of a subnet are left; None when its ranges say nothing."""
    try:
        sizes = [ip_network(prefix).num_addresses for prefix in prefixes(subnet) if ":" not in prefix]
    except ValueError:
        return None
    return sum(size - RESERVED for size in sizes) - _taken(subnet) if sizes else None


def proxy_protocol(facts: Facts) -> Iterator[Finding]:
    """With the PROXY protocol on, every connection begins with bytes that a plain web server takes for nonsense.

    Web servers that expect them are known by what comes through the endpoint, and plain ones by what comes without
    these bytes; where nobody has fetched a page it is a guess.
    """
    through = [
        result
        for result in facts.results
        if result.target.side is Side.CUSTOMER and result.failures and Failure.JUMP.value not in result.failures
    ]
    plain = any(result.hosts for result in facts.results if result.target.side is Side.ISV)
    if any(result.hosts for result in facts.results if result.target.side is Side.CUSTOMER):
        return
    for service in services(facts):
        if properties(service).get("enableProxyProtocol") is True:
            name = id_of(service).name
            yield Finding(
                rule="service-proxy-protocol",
                severity=Severity.ERROR if plain or through else Severity.WARNING,
                where=id_of(service),
                what=f"{name} sends PROXY protocol headers, and the machines serve plain HTTP."
                if plain
                else f"{name} sends PROXY protocol headers; a web server that does not expect them answers with 400.",
                remedy="Switch it off, or teach the web servers to read the header.",
                evidence={"enableProxyProtocol": "true"},
                az=f"az network private-link-service update --ids {shell_word(id_of(service).text)} "
                "--enable-proxy-protocol false",
            )


def visibility(facts: Facts) -> Iterator[Finding]:
    """A service that names who may see it and leaves this customer out."""
    customer = facts.subscriptions.get(Side.CUSTOMER, "").lower()
    hidden = [service for service in services(facts) if customer and not _admits(service, "visibility", customer)]
    for service in hidden:
        listed = _listed(service, "visibility") or []
        others = [
            reference(connection, "privateEndpoint") for connection in items(service, "privateEndpointConnections")
        ]
        connected = any(other and other.subscription.lower() == customer for other in others)
        if not connected and len(hidden) < len(services(facts)):
            continue  # Who has asked for none yet needs one of them, not all.
        yield Finding(
            rule="service-visibility",
            # What has been asked for stands; only a new request is refused.
            severity=Severity.WARNING if connected else Severity.ERROR,
            where=id_of(service),
            what=f"{id_of(service).name} is not visible to subscription {customer}"
            + (": a new endpoint could not be made." if connected else "."),
            remedy="Add the customer's subscription to the service's visibility.",
            evidence={"visibility.subscriptions": ", ".join(listed) or "[]"},
            az=_admit(service, "--visibility", [*listed, customer]),
        )


def auto_approval(facts: Facts) -> Iterator[Finding]:
    """Others are approved by themselves, this customer is not."""
    customer = facts.subscriptions.get(Side.CUSTOMER, "").lower()
    for service in services(facts) if customer else ():
        listed = _listed(service, "autoApproval")
        if not listed or _admits(service, "autoApproval", customer):
            continue
        yield Finding(
            rule="service-auto-approval",
            severity=Severity.INFO,
            where=id_of(service),
            what=f"{id_of(service).name} approves others by itself, and not subscription {customer}.",
            remedy="Approve this customer's requests by hand, or add the subscription.",
            evidence={"autoApproval.subscriptions": ", ".join(listed)},
            az=_admit(service, "--auto-approval", [*listed, customer]),
        )


def _admits(service: Body, name: str, customer: str) -> bool:
    """Whether a list of a service lets a subscription in; one that is left open does."""
    listed = _listed(service, name)
    return listed is None or "*" in listed or customer in listed


def _admit(service: Body, option: str, subscriptions: list[str]) -> str:
    words = " ".join(map(shell_word, subscriptions))
    return f"az network private-link-service update --ids {shell_word(id_of(service).text)} {option} {words}"


def _listed(service: Body, name: str) -> list[str] | None:
    """The subscriptions in a list of a service, in lower case; None when it leaves that open."""
    value = properties(service).get(name)
    found = value.get("subscriptions") if isinstance(value, dict) else None
    return sorted({str(one).lower() for one in found}) if isinstance(found, list) else None


def _subnets(facts: Facts, service: Body) -> Iterator[Body]:
    """The subnets that a service takes its NAT addresses from, each once."""
    seen: set[ResourceId] = set()
    for configuration in items(service, "ipConfigurations"):
        subnet = facts.get(properties(configuration).get("subnet"))
        if subnet and id_of(subnet) not in seen:
            seen.add(id_of(subnet))
            yield subnet


def regions(facts: Facts) -> Iterator[Finding]:
    """An endpoint in another region than the service: works, and every byte crosses regions."""
    services = {
        name: body for body in facts.of(Side.ISV, SERVICE) for name in (id_of(body).key, word(body, "alias").lower())
    }
    for endpoint in facts.of(Side.CUSTOMER, ENDPOINT):
        request = request_of(endpoint)
        service = services.get(target_of(request).lower()) if request else None
        here, there = str(endpoint.get("location", "")), str((service or {}).get("location", ""))
        if service and here.lower() != there.lower():
            yield Finding(
                rule="regions-differ",
                severity=Severity.INFO,
                where=id_of(endpoint),
                what=f"{id_of(endpoint).name} is in {here}, and the service in {there}.",
                remedy="That works; it adds the way between the regions to every answer, and its price.",
                evidence={"location": here, "service location": there},
            )


RULES = (missing, subnet_policies, visibility, proxy_protocol, nat_addresses, auto_approval, regions)
