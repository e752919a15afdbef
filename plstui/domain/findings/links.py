"""Connections that do not stand: not decided, refused, cut, or seen by one side only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from plstui.domain.az import az, az_line, delete_line
from plstui.domain.connection import APPROVED, DISCONNECTED, PENDING, REJECTED, ConnectionStatus, Verb
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.resources import Kind, PrivateEndpoint, VirtualNetwork
from plstui.domain.world import Link, World


def _where(link: Link) -> ResourceId:
    """The connection at the service, or the endpoint when only that is seen."""
    if link.endpoint and link.service_side is None:
        return link.endpoint.id
    return link.id


def _severity(world: World, link: Link) -> Severity:
    """A customer's second endpoint may wait or be left over while the page comes through the first."""
    return Severity.WARNING if world.stands(link) else Severity.ERROR


def _decided(world: World, rule: str, status: ConnectionStatus, what: str, remedy: str) -> Iterator[Finding]:
    """A finding for each connection that all ends that are seen have in a status."""
    for link in world.links():
        if set(link.statuses) == {status} and world.is_between(link):
            seen = link.service_side
            yield Finding(
                rule=rule,
                severity=_severity(world, link),
                where=_where(link),
                what=what.format(name=link.endpoint_name),
                remedy=remedy,
                evidence={"privateLinkServiceConnectionState.status": status.word},
                az=az_line(Verb.APPROVE, seen.id, "Approved") if seen else "",
                fix="approve" if seen else "",
            )


def pending(world: World) -> Iterator[Finding]:
    """Nobody has decided yet."""
    what = "The request of {name} has not been decided on."
    return _decided(world, "connection-pending", PENDING, what, "The ISV approves or rejects it.")


def rejected(world: World) -> Iterator[Finding]:
    """The ISV has said no."""
    what = "The ISV has rejected the request of {name}."
    return _decided(world, "connection-rejected", REJECTED, what, "The ISV can still approve it.")


def waiting(world: World) -> Iterator[Finding]:
    """Others who wait for a decision: nothing that keeps this customer's page away."""
    if world.customer is None:
        return
    count = Counter(
        link.service_side.service_id
        for link in world.links()
        if link.service_side and link.statuses == (PENDING,) and not world.is_between(link)
    )
    for service, number in count.items():
        yield Finding(
            rule="requests-waiting",
            severity=Severity.INFO,
            where=service,
            what=f"{number} {'request' if number == 1 else 'requests'} of other customers of {service.name} "
            f"{'waits' if number == 1 else 'wait'} for a decision.",
            remedy="The ISV approves or rejects them.",
            evidence={"privateLinkServiceConnectionState.status": f"{number} × Pending"},
        )


def disconnected(world: World) -> Iterator[Finding]:
    """The ISV has removed it: the endpoint is of no more use."""
    for link in world.links():
        if DISCONNECTED in link.statuses and link.endpoint:
            endpoint = link.endpoint.id
            yield Finding(
                rule="connection-disconnected",
                severity=_severity(world, link),
                where=endpoint,
                what=f"The ISV has removed the connection of {endpoint.name}, for good.",
                remedy="The customer deletes the endpoint and asks again with a new one.",
                evidence={"privateLinkServiceConnectionState.status": "Disconnected"},
                az=delete_line(endpoint),
                fix="step:endpoint",
            )


def one_sided(world: World) -> Iterator[Finding]:
    """The two ends tell different stories."""
    for link in world.links():
        if len(set(link.statuses)) > 1 and DISCONNECTED not in link.statuses:
            service, endpoint = (status.word for status in link.statuses)
            yield Finding(
                rule="connection-one-sided",
                severity=Severity.ERROR,
                where=_where(link),
                what=f"The service says {service.lower()} of {link.endpoint_name}, and the endpoint says "
                f"{endpoint.lower()}.",
                remedy="Azure takes a moment to tell the other end; if it stays so, decide again.",
                evidence={"service": service, "endpoint": endpoint},
            )


def no_connection(world: World) -> Iterator[Finding]:
    """The endpoint names a service that knows nothing of it, or that is not there."""
    isv = world.isv
    if isv is None or not isv.knows(Kind.SERVICES):
        return
    for link in world.links():
        if link.service_side or link.endpoint is None or link.endpoint_side is None or link.status == DISCONNECTED:
            continue
        target = link.endpoint_side.target
        if world.service_of(link):
            what = f"The service knows nothing of {link.endpoint_name}, which asked for it."
        elif ResourceId(target).subscription.lower() == isv.subscription.lower():
            what = f"{link.endpoint_name} asked for {ResourceId(target).name}, which is not there."
        else:
            continue  # Somebody else's service.
        yield Finding(
            rule="service-without-connection",
            severity=Severity.ERROR,
            where=link.endpoint.id,
            what=what,
            remedy="The customer deletes the endpoint and asks again with the service's id or alias.",
            evidence={"privateLinkServiceId": target},
            az=delete_line(link.endpoint.id),
            fix="step:endpoint",
        )


def endpoints(world: World) -> Iterator[PrivateEndpoint]:
    """The customer's endpoints that lead to a private link service."""
    for endpoint in world.customer.endpoints if world.customer else ():
        if endpoint.request and endpoint.request.leads_to_a_service:
            yield endpoint


def approved_endpoints(world: World) -> Iterator[tuple[PrivateEndpoint, str]]:
    """Those of them that traffic may flow through, each with its address."""
    for endpoint in endpoints(world):
        address = world.customer.endpoint_address(endpoint) if world.customer else ""
        if endpoint.request and endpoint.request.status == APPROVED and address:
            yield endpoint, address


def no_address(world: World) -> Iterator[Finding]:
    """An endpoint that stands must have an address."""
    customer = world.customer
    if customer is None or not customer.knows(Kind.INTERFACES):
        return  # Only the interface knows it.
    for endpoint in endpoints(world):
        if endpoint.provisioning_state.lower() == "succeeded" and not customer.endpoint_address(endpoint):
            yield Finding(
                rule="endpoint-no-address",
                severity=Severity.ERROR,
                where=endpoint.id,
                what=f"{endpoint.id.name} is there and has no address.",
                remedy="The customer deletes the endpoint and makes it again.",
                evidence={"networkInterfaces": "none with an address"},
                az=delete_line(endpoint.id),
            )


def no_endpoint(world: World) -> Iterator[Finding]:
    """The customer has not asked for anything yet."""
    customer, isv = world.customer, world.isv
    if customer is None or not customer.knows(Kind.ENDPOINTS) or any(endpoints(world)):
        return
    offered = isv.services if isv else ()
    if isv and isv.read_at and not offered:
        return  # There is nothing yet that could be asked for.
    network = next((network for network in customer.networks if network.subnets), None)
    yield Finding(
        rule="endpoint-missing",
        severity=Severity.ERROR,
        where=network.id if network else ResourceId(f"/subscriptions/{customer.subscription}"),
        what="The customer has no private endpoint for a private link service.",
        remedy="The customer makes one with the service's id or alias.",
        evidence={"privateEndpoints": "none that leads to a private link service"},
        az=_create(network, offered[0].id) if network and offered else "",
        fix="step:endpoint" if network else "step:customer-network",
    )


def _create(network: VirtualNetwork, service: ResourceId) -> str:
    where, subnet = network.id, network.subnets[0]
    return az(
        "network private-endpoint create",
        {
            "--resource-group": where.resource_group,
            "--subscription": where.subscription,
            "--location": network.location,
            "--name": f"{service.name}-endpoint",
            "--connection-name": service.name,
            "--vnet-name": where.name,
            "--subnet": subnet.name,
            "--manual-request": "true",
            "--private-connection-resource-id": service,
        },
    )


RULES = (disconnected, rejected, one_sided, no_connection, no_endpoint, no_address, pending, waiting)
