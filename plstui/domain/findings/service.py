"""The private link service: that it is there, stands on the right frontend, and lets this customer in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network

from plstui.domain.az import az
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Failure
from plstui.domain.resources import Kind, LoadBalancer, PrivateLinkService, Subnet
from plstui.domain.sides import Side
from plstui.domain.world import World

RESERVED = 5
"""Addresses of every subnet that Azure keeps for itself."""

MOST_ADDRESSES = 8
"""NAT addresses that one service can have."""


def missing(world: World) -> Iterator[Finding]:
    """A balancer, and nothing in front of it that customers could connect to."""
    isv = world.isv
    if isv is None or not isv.knows(Kind.SERVICES) or isv.services:
        return
    for balancer in isv.balancers:
        subnet = isv.subnet(balancer.frontends[0].subnet_id) if balancer.frontends else None
        if subnet is None or balancer.is_basic:
            continue
        closed = _is_closed(subnet)
        yield Finding(
            rule="service-subnet-policies" if closed else "service-missing",
            severity=Severity.ERROR,
            where=subnet.id if closed else balancer.id,
            what=(
                f"No private link service can take addresses from {subnet.id.name}: its policies are on."
                if closed
                else f"No private link service stands in front of {balancer.id.name}."
            ),
            remedy="Switch the policies off, then create the service." if closed else "Create the service.",
            evidence=({"privateLinkServiceNetworkPolicies": "Enabled"} if closed else {"privateLinkServices": "[]"}),
            az=_switch_off(subnet) if closed else _create(balancer, subnet.id),
            fix="step:policies" if closed else "step:service",
        )


def _is_closed(subnet: Subnet) -> bool:
    """Whether no private link service can take addresses from it."""
    return subnet.private_link_service_network_policies.lower() == "enabled"


def _create(balancer: LoadBalancer, subnet: ResourceId) -> str:
    where, frontend = balancer.id, balancer.frontends[0]
    return az(
        "network private-link-service create",
        {
            "--resource-group": where.resource_group,
            "--subscription": where.subscription,
            "--location": balancer.location,
            "--name": f"{where.name}-service",
            "--subnet": subnet,
            "--lb-frontend-ip-configs": frontend.id,
        },
    )


def subnet_policies(world: World) -> Iterator[Finding]:
    """The subnet that a service takes its addresses from must have its policies off."""
    for service in world.asked_services():
        for subnet in filter(_is_closed, _subnets(world, service)):
            yield Finding(
                rule="service-subnet-policies",
                severity=Severity.ERROR,
                where=subnet.id,
                what=f"The private link service policies of {subnet.id.name} are on, and a service is in it.",
                remedy="Switch them off for this subnet.",
                evidence={"privateLinkServiceNetworkPolicies": "Enabled"},
                az=_switch_off(subnet),
                fix="step:policies",
            )


def _switch_off(subnet: Subnet) -> str:
    return az(
        "network vnet subnet update",
        {"--ids": subnet.id, "--private-link-service-network-policies": "Disabled"},
    )


def nat_addresses(world: World) -> Iterator[Finding]:
    """Each address of a service carries 64,000 connections to one machine; more need one more, and none is left."""
    for service in world.asked_services():
        own = service.ip_configurations
        for subnet in _subnets(world, service):
            free = _free(subnet)
            if free is None or free > 0 or len(own) >= MOST_ADDRESSES:
                continue
            yield Finding(
                rule="service-nat-exhausted",
                severity=Severity.WARNING,
                where=subnet.id,
                what=f"Every address of {subnet.id.name} is taken: {service.id.name} has {len(own)} and cannot get "
                "another one.",
                remedy="Give the subnet a larger range, or the service a second address in another subnet.",
                evidence={
                    "addressPrefix": ", ".join(subnet.address_prefixes),
                    "addresses in use": str(_taken(subnet)),
                },
            )


def _taken(subnet: Subnet) -> int:
    """How many addresses of a subnet are given away; it lists a service's twice, as the service's and its NIC's."""
    return sum(not user.is_type(f"{Kind.SERVICES}/ipConfigurations") for user in subnet.address_ids)


def _free(subnet: Subnet) -> int | None:
    """How many addresses of a subnet are left; None when its ranges say nothing."""
    try:
        sizes = [ip_network(prefix).num_addresses for prefix in subnet.address_prefixes if ":" not in prefix]
    except ValueError:
        return None
    return sum(size - RESERVED for size in sizes) - _taken(subnet) if sizes else None


def proxy_protocol(world: World) -> Iterator[Finding]:
    """With the PROXY protocol on, every connection begins with bytes that a plain web server takes for nonsense.

    Web servers that expect them are known by what comes through the endpoint, and plain ones by what comes without
    these bytes; where nobody has fetched a page it is a guess.
    """
    through = [
        result
        for result in world.results
        if result.target.side is Side.CUSTOMER and result.failures and Failure.JUMP.value not in result.failures
    ]
    plain = any(result.hosts for result in world.results if result.target.side is Side.ISV)
    if any(result.hosts for result in world.results if result.target.side is Side.CUSTOMER):
        return
    for service in world.asked_services():
        if service.proxy_protocol:
            name = service.id.name
            yield Finding(
                rule="service-proxy-protocol",
                severity=Severity.ERROR if plain or through else Severity.WARNING,
                where=service.id,
                what=f"{name} sends PROXY protocol headers, and the machines serve plain HTTP."
                if plain
                else f"{name} sends PROXY protocol headers; a web server that does not expect them answers with 400.",
                remedy="Switch it off, or teach the web servers to read the header.",
                evidence={"enableProxyProtocol": "true"},
                az=_update(service, "--enable-proxy-protocol", "false"),
            )


def visibility(world: World) -> Iterator[Finding]:
    """A service that names who may see it and leaves this customer out."""
    customer = world.customer.subscription.lower() if world.customer else ""
    services = world.asked_services()
    hidden = [service for service in services if customer and not _admits(service.visibility, customer)]
    for service in hidden:
        listed = service.visibility or ()
        others = [connection.endpoint_id for connection in service.connections]
        connected = any(other and other.subscription.lower() == customer for other in others)
        if not connected and len(hidden) < len(services):
            continue  # Who has asked for none yet needs one of them, not all.
        yield Finding(
            rule="service-visibility",
            # What has been asked for stands; only a new request is refused.
            severity=Severity.WARNING if connected else Severity.ERROR,
            where=service.id,
            what=f"{service.id.name} is not visible to subscription {customer}"
            + (": a new endpoint could not be made." if connected else "."),
            remedy="Add the customer's subscription to the service's visibility.",
            evidence={"visibility.subscriptions": ", ".join(listed) or "[]"},
            az=_update(service, "--visibility", [*listed, customer]),
        )


def auto_approval(world: World) -> Iterator[Finding]:
    """Others are approved by themselves, this customer is not."""
    customer = world.customer.subscription.lower() if world.customer else ""
    for service in world.asked_services() if customer else ():
        listed = service.auto_approval
        if not listed or _admits(listed, customer):
            continue
        yield Finding(
            rule="service-auto-approval",
            severity=Severity.INFO,
            where=service.id,
            what=f"{service.id.name} approves others by itself, and not subscription {customer}.",
            remedy="Approve this customer's requests by hand, or add the subscription.",
            evidence={"autoApproval.subscriptions": ", ".join(listed)},
            az=_update(service, "--auto-approval", [*listed, customer]),
        )


def _admits(listed: Sequence[str] | None, customer: str) -> bool:
    """Whether a list of a service lets a subscription in; one that is left open does."""
    return listed is None or "*" in listed or customer in listed


def _update(service: PrivateLinkService, option: str, value: str | Sequence[str]) -> str:
    return az("network private-link-service update", {"--ids": service.id, option: value})


def _subnets(world: World, service: PrivateLinkService) -> Iterator[Subnet]:
    """The subnets that a service takes its NAT addresses from, each once."""
    for subnet_id in dict.fromkeys(configuration.subnet_id for configuration in service.ip_configurations):
        subnet = world.isv.subnet(subnet_id) if world.isv else None
        if subnet:
            yield subnet


def regions(world: World) -> Iterator[Finding]:
    """An endpoint in another region than the service: works, and every byte crosses regions."""
    for link in world.links():
        service, endpoint = world.service_of(link), link.endpoint
        if service and endpoint and endpoint.location.lower() != service.location.lower():
            yield Finding(
                rule="regions-differ",
                severity=Severity.INFO,
                where=endpoint.id,
                what=f"{endpoint.id.name} is in {endpoint.location}, and the service in {service.location}.",
                remedy="That works; it adds the way between the regions to every answer, and its price.",
                evidence={"location": endpoint.location, "service location": service.location},
            )


RULES = (missing, subnet_policies, visibility, proxy_protocol, nat_addresses, auto_approval, regions)
