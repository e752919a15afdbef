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
    properties,
    refers_to,
    word,
)
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.findings.links import connections, request_of, target_of
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side

RESERVED = 5
"""Addresses of every subnet that Azure keeps for itself."""


def missing(facts: Facts) -> Iterator[Finding]:
    """A balancer, and nothing in front of it that customers could connect to."""
    if not facts.knows(Side.ISV, SERVICE) or facts.of(Side.ISV, SERVICE):
        return
    for balancer in facts.of(Side.ISV, BALANCER):
        subnet = next((properties(one).get("subnet") for one in items(balancer, "frontendIPConfigurations")), None)
        body = facts.get(subnet) if subnet else None
        if body is None:
            continue
        closed = word(body, "privateLinkServiceNetworkPolicies").lower() != "disabled"
        yield Finding(
            rule="service-subnet-policies" if closed else "service-missing",
            severity=Severity.ERROR,
            where=id_of(body) if closed else id_of(balancer),
            what=(
                f"No private link service can take addresses from {id_of(body).name}: its policies are on."
                if closed
                else f"No private link service stands in front of {id_of(balancer).name}."
            ),
            remedy="Switch the policies off, then create the service." if closed else "Create the service.",
            evidence={"privateLinkServiceNetworkPolicies": word(body, "privateLinkServiceNetworkPolicies")},
            az=_switch_off(body) if closed else "",
            fix="step:policies" if closed else "step:service",
        )


def subnet_policies(facts: Facts) -> Iterator[Finding]:
    """The subnet that a service takes its addresses from must have its policies off."""
    for service in facts.of(Side.ISV, SERVICE):
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


def wrong_frontend(facts: Facts) -> Iterator[Finding]:
    """The service stands on a frontend that no rule listens on."""
    for service in facts.of(Side.ISV, SERVICE):
        for reference in items(service, "loadBalancerFrontendIpConfigurations"):
            frontend = id_of(reference)
            balancer = facts.get(frontend.parent) if frontend.parent else None
            rules = list(items(balancer, "loadBalancingRules"))
            if rules and not any(
                refers_to(properties(rule).get("frontendIPConfiguration"), frontend) for rule in rules
            ):
                used = properties(rules[0]).get("frontendIPConfiguration")
                right = id_of(used).name if isinstance(used, dict) else ""
                yield Finding(
                    rule="service-wrong-frontend",
                    severity=Severity.ERROR,
                    where=id_of(service),
                    what=f"{id_of(service).name} stands on {frontend.name}, where no rule listens.",
                    remedy=f"Put it on {right}, which the rule {id_of(rules[0]).name} listens on.",
                    evidence={"loadBalancerFrontendIpConfigurations": frontend.text},
                    az=f"az network private-link-service update --ids {shell_word(id_of(service).text)} "
                    f"--lb-name {shell_word(frontend.parent.name if frontend.parent else '')} "
                    f"--lb-frontend-ip-configs {shell_word(right)}",
                    fix="step:service",
                )


def nat_addresses(facts: Facts) -> Iterator[Finding]:
    """A service needs an address for every 64,000 connections to one machine, and its subnet has none left."""
    for service in facts.of(Side.ISV, SERVICE):
        for subnet in _subnets(facts, service):
            try:
                size = ip_network(word(subnet, "addressPrefix")).num_addresses
            except ValueError:
                continue
            used = sum(1 for _ in items(subnet, "ipConfigurations"))
            if used >= size - RESERVED:
                yield Finding(
                    rule="service-nat-exhausted",
                    severity=Severity.WARNING,
                    where=id_of(subnet),
                    what=f"Every address of {id_of(subnet).name} is taken: the service cannot have another one.",
                    remedy="Give the service a second address in a larger subnet.",
                    evidence={"addressPrefix": word(subnet, "addressPrefix"), "ipConfigurations": str(used)},
                )


def proxy_protocol(facts: Facts) -> Iterator[Finding]:
    """With the PROXY protocol on, every connection begins with bytes that a plain web server takes for nonsense."""
    through = [result for result in facts.results if result.target.side is Side.CUSTOMER]
    if through and all(result.ok for result in through):
        return
    for service in facts.of(Side.ISV, SERVICE):
        if properties(service).get("enableProxyProtocol") is True:
            yield Finding(
                rule="service-proxy-protocol",
                severity=Severity.ERROR,
                where=id_of(service),
                what=f"{id_of(service).name} sends PROXY protocol headers, and the machines serve plain HTTP.",
                remedy="Switch it off, or teach the web servers to read the header.",
                evidence={"enableProxyProtocol": "true"},
                az=f"az network private-link-service update --ids {shell_word(id_of(service).text)} "
                "--enable-proxy-protocol false",
            )


def visibility(facts: Facts) -> Iterator[Finding]:
    """A service that names who may see it and leaves this customer out."""
    customers = [facts.subscriptions[side] for side in (Side.CUSTOMER,) if side in facts.subscriptions]
    for service in facts.of(Side.ISV, SERVICE):
        listed = _listed(service, "visibility")
        for customer in customers if listed else ():
            if "*" not in listed and customer.lower() not in listed:
                connected = any(
                    _subscription(ends.endpoint) == customer for ends in connections(facts) if ends.at_service
                )
                yield Finding(
                    rule="service-visibility",
                    severity=Severity.WARNING if connected else Severity.ERROR,
                    where=id_of(service),
                    what=f"{id_of(service).name} is not visible to subscription {customer}.",
                    remedy="Add the customer's subscription to the service's visibility.",
                    evidence={"visibility.subscriptions": ", ".join(sorted(listed))},
                    az=f"az network private-link-service update --ids {shell_word(id_of(service).text)} "
                    f"--visibility {' '.join(map(shell_word, (*sorted(listed), customer)))}",
                )


def auto_approval(facts: Facts) -> Iterator[Finding]:
    """Others are approved by themselves, this customer is not."""
    customers = [facts.subscriptions[side] for side in (Side.CUSTOMER,) if side in facts.subscriptions]
    for service in facts.of(Side.ISV, SERVICE):
        listed = _listed(service, "autoApproval")
        for customer in customers if listed else ():
            if "*" not in listed and customer.lower() not in listed:
                yield Finding(
                    rule="service-auto-approval",
                    severity=Severity.INFO,
                    where=id_of(service),
                    what=f"{id_of(service).name} approves others by itself, and not subscription {customer}.",
                    remedy="Approve this customer's requests by hand, or add the subscription.",
                    evidence={"autoApproval.subscriptions": ", ".join(sorted(listed))},
                    az=f"az network private-link-service update --ids {shell_word(id_of(service).text)} "
                    f"--auto-approval {' '.join(map(shell_word, (*sorted(listed), customer)))}",
                )


def _subscription(endpoint: Body | None) -> str:
    return id_of(endpoint).subscription if endpoint else ""


def _listed(service: Body, name: str) -> set[str]:
    value = properties(service).get(name)
    found = value.get("subscriptions") if isinstance(value, dict) else None
    return {str(one).lower() for one in found} if isinstance(found, list) else set()


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


RULES = (missing, subnet_policies, wrong_frontend, proxy_protocol, visibility, nat_addresses, auto_approval, regions)
