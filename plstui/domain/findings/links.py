"""Connections that do not stand: not decided, refused, cut, or seen by one side only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from plstui.domain.az import az_line, shell_word
from plstui.domain.connection import Verb
from plstui.domain.facts import (
    ENDPOINT,
    INTERFACE,
    NETWORK,
    SERVICE,
    Body,
    Facts,
    id_of,
    items,
    once,
    properties,
    reference,
    word,
)
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side

REQUESTS = ("manualPrivateLinkServiceConnections", "privateLinkServiceConnections")


@dataclass(frozen=True, slots=True)
class Ends:
    """One private link connection from whichever ends are seen."""

    service: str
    """The service's id in lower case, or the alias that was asked for when nothing is known of it."""
    at_service: Body | None
    endpoint: Body | None
    at_endpoint: Body | None
    statuses: tuple[str, ...]
    """The status at each end that is seen, the service's first, in lower case."""

    @classmethod
    def of(cls, service: str, at_service: Body | None, endpoint: Body | None) -> Ends:
        """A connection as the service has it, with the customer's endpoint, where these are seen."""
        at_endpoint = request_of(endpoint) if endpoint else None
        statuses = tuple(status_of(end).lower() for end in (at_service, at_endpoint) if end)
        return cls(service, at_service, endpoint, at_endpoint, statuses)

    @property
    def where(self) -> ResourceId:
        """The connection at the service, or the endpoint when only that is seen."""
        body = self.at_service or self.endpoint
        assert body is not None, "a connection is seen from at least one end"
        return id_of(body)

    @property
    def name(self) -> str:
        """The endpoint's name."""
        if self.endpoint:
            return id_of(self.endpoint).name
        other = properties(self.at_service).get("privateEndpoint")
        return id_of(other).name if isinstance(other, dict) and other.get("id") else self.where.name


@once
def connections(facts: Facts) -> tuple[Ends, ...]:
    """Every connection of the ISV's services, and every one of the customer's endpoints that leads to a service."""
    return tuple(_connections(facts))


def _connections(facts: Facts) -> Iterator[Ends]:
    seen: set[ResourceId] = set()
    by_id = {id_of(body): body for body in facts.of(Side.CUSTOMER, ENDPOINT)}
    by_name = {f"{id_of(body).name}.{word(body, 'resourceGuid')}".lower(): body for body in by_id.values()}
    aliases: dict[str, str] = {}
    for service in facts.of(Side.ISV, SERVICE):
        key = id_of(service).key
        aliases[word(service, "alias").lower()] = key
        for connection in items(service, "privateEndpointConnections"):
            other = reference(connection, "privateEndpoint")
            endpoint = by_id.get(other) if other else None
            endpoint = endpoint or by_name.get(str(connection.get("name", "")).lower())
            if endpoint:
                seen.add(id_of(endpoint))
            yield Ends.of(key, connection, endpoint)
    for endpoint_id, endpoint in by_id.items():
        request = request_of(endpoint)
        if endpoint_id not in seen and request and leads_to_a_service(target_of(request)):
            target = target_of(request).lower()
            yield Ends.of(aliases.get(target, target), None, endpoint)


def is_shown(facts: Facts, ends: Ends) -> bool:
    """Whether a connection is one between the two sides; a service has other customers, too."""
    customer = facts.subscriptions.get(Side.CUSTOMER)
    if ends.endpoint or not customer:
        return True
    other = reference(ends.at_service, "privateEndpoint")
    return other is not None and other.subscription.lower() == customer.lower()


@once
def services(facts: Facts) -> tuple[Body, ...]:
    """The services that this customer has asked for; all while there is none, or where no customer is configured."""
    found = facts.of(Side.ISV, SERVICE)
    if Side.CUSTOMER not in facts.subscriptions:
        return found
    asked = {ends.service for ends in connections(facts) if is_shown(facts, ends)}
    return tuple(body for body in found if id_of(body).key in asked) or found


@once
def standing(facts: Facts) -> frozenset[str]:
    """The services that this customer has an approved connection to, however many others there are beside it."""
    if Side.CUSTOMER not in facts.subscriptions:
        return frozenset()
    ours = (ends for ends in connections(facts) if is_shown(facts, ends))
    return frozenset(ends.service for ends in ours if set(ends.statuses) == {"approved"})


def _severity(facts: Facts, ends: Ends) -> Severity:
    """A customer's second endpoint may wait or be left over while the page comes through the first."""
    return Severity.WARNING if ends.service in standing(facts) else Severity.ERROR


def request_of(endpoint: Body) -> Body | None:
    """An endpoint's own view of its connection; it has one in practice."""
    return next((request for kind in REQUESTS for request in items(endpoint, kind)), None)


def target_of(request: Body) -> str:
    """What an endpoint asked for: a resource id or an alias."""
    return word(request, "privateLinkServiceId")


def leads_to_a_service(target: str) -> bool:
    """Whether it is a private link service of somebody, not Azure's own storage, database and the like."""
    return "/privatelinkservices/" in target.lower() or target.lower().endswith(".azure.privatelinkservice")


def status_of(connection: Body) -> str:
    """A connection's status as this end has it."""
    state = properties(connection).get("privateLinkServiceConnectionState")
    return str(state.get("status") or "") if isinstance(state, dict) else ""


def _decided(facts: Facts, rule: str, status: str, what: str, remedy: str) -> Iterator[Finding]:
    """A finding for each connection that all ends that are seen have in a status."""
    for ends in connections(facts):
        if set(ends.statuses) == {status} and is_shown(facts, ends):
            seen = ends.at_service
            yield Finding(
                rule=rule,
                severity=_severity(facts, ends),
                where=ends.where,
                what=what.format(name=ends.name),
                remedy=remedy,
                evidence={"privateLinkServiceConnectionState.status": status.capitalize()},
                az=az_line(Verb.APPROVE, ends.where, "Approved") if seen and ends.where.parent else "",
                fix="approve" if seen else "",
            )


def pending(facts: Facts) -> Iterator[Finding]:
    """Nobody has decided yet."""
    what = "The request of {name} has not been decided on."
    return _decided(facts, "connection-pending", "pending", what, "The ISV approves or rejects it.")


def rejected(facts: Facts) -> Iterator[Finding]:
    """The ISV has said no."""
    what = "The ISV has rejected the request of {name}."
    return _decided(facts, "connection-rejected", "rejected", what, "The ISV can still approve it.")


def waiting(facts: Facts) -> Iterator[Finding]:
    """Others who wait for a decision: nothing that keeps this customer's page away."""
    if Side.CUSTOMER not in facts.subscriptions:
        return
    count = Counter(
        service
        for ends in connections(facts)
        if ends.statuses == ("pending",) and not is_shown(facts, ends) and (service := ends.where.parent)
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


def disconnected(facts: Facts) -> Iterator[Finding]:
    """The ISV has removed it: the endpoint is of no more use."""
    for ends in connections(facts):
        if "disconnected" in ends.statuses and ends.endpoint:
            endpoint = id_of(ends.endpoint)
            yield Finding(
                rule="connection-disconnected",
                severity=_severity(facts, ends),
                where=endpoint,
                what=f"The ISV has removed the connection of {endpoint.name}, for good.",
                remedy="The customer deletes the endpoint and asks again with a new one.",
                evidence={"privateLinkServiceConnectionState.status": "Disconnected"},
                az=_delete(endpoint),
                fix="step:endpoint",
            )


def _delete(endpoint: ResourceId) -> str:
    return f"az network private-endpoint delete --ids {shell_word(endpoint.text)}"


def one_sided(facts: Facts) -> Iterator[Finding]:
    """The two ends tell different stories."""
    for ends in connections(facts):
        if len(set(ends.statuses)) > 1 and "disconnected" not in ends.statuses:
            service, endpoint = ends.statuses
            yield Finding(
                rule="connection-one-sided",
                severity=Severity.ERROR,
                where=ends.where,
                what=f"The service says {service} of {ends.name}, and the endpoint says {endpoint}.",
                remedy="Azure takes a moment to tell the other end; if it stays so, decide again.",
                evidence={"service": service.capitalize(), "endpoint": endpoint.capitalize()},
            )


def no_connection(facts: Facts) -> Iterator[Finding]:
    """The endpoint names a service that knows nothing of it, or that is not there."""
    if not facts.knows(Side.ISV, SERVICE):
        return
    own = facts.subscriptions.get(Side.ISV, "").lower()
    names = {name for body in facts.of(Side.ISV, SERVICE) for name in (id_of(body).key, word(body, "alias").lower())}
    for ends in connections(facts):
        if ends.at_service or ends.endpoint is None or ends.at_endpoint is None:
            continue
        if "disconnected" in ends.statuses:
            continue
        target = target_of(ends.at_endpoint)
        if target.lower() in names:
            what = f"The service knows nothing of {ends.name}, which asked for it."
        elif ResourceId(target).subscription.lower() == own:
            what = f"{ends.name} asked for {ResourceId(target).name}, which is not there."
        else:
            continue  # Somebody else's service.
        yield Finding(
            rule="service-without-connection",
            severity=Severity.ERROR,
            where=ends.where,
            what=what,
            remedy="The customer deletes the endpoint and asks again with the service's id or alias.",
            evidence={"privateLinkServiceId": target},
            az=_delete(ends.where),
            fix="step:endpoint",
        )


def no_address(facts: Facts) -> Iterator[Finding]:
    """An endpoint that stands must have an address."""
    if not facts.knows(Side.CUSTOMER, INTERFACE):
        return  # Only the interface knows it.
    for endpoint in facts.of(Side.CUSTOMER, ENDPOINT):
        request = request_of(endpoint)
        done = word(endpoint, "provisioningState").lower() == "succeeded"
        ours = request is not None and leads_to_a_service(target_of(request))
        if done and ours and not address_of(facts, endpoint):
            yield Finding(
                rule="endpoint-no-address",
                severity=Severity.ERROR,
                where=id_of(endpoint),
                what=f"{id_of(endpoint).name} is there and has no address.",
                remedy="The customer deletes the endpoint and makes it again.",
                evidence={"networkInterfaces": "none with an address"},
                az=_delete(id_of(endpoint)),
            )


def address_of(facts: Facts, endpoint: Body) -> str:
    """An endpoint's address, which only its interface knows; empty while there is none."""
    interfaces = [facts.get(nic) for nic in items(endpoint, "networkInterfaces")]
    configurations = [c for nic in interfaces for c in items(nic, "ipConfigurations")]
    return next((address for c in configurations if (address := word(c, "privateIPAddress"))), "")


def no_endpoint(facts: Facts) -> Iterator[Finding]:
    """The customer has not asked for anything yet."""
    if not facts.knows(Side.CUSTOMER, ENDPOINT):
        return
    requests = [request_of(endpoint) for endpoint in facts.of(Side.CUSTOMER, ENDPOINT)]
    if any(request and leads_to_a_service(target_of(request)) for request in requests):
        return
    offered = facts.of(Side.ISV, SERVICE)
    if not offered and Side.ISV in facts.bodies:
        return  # There is nothing yet that could be asked for.
    network = next((body for body in facts.of(Side.CUSTOMER, NETWORK) if any(items(body, "subnets"))), None)
    yield Finding(
        rule="endpoint-missing",
        severity=Severity.ERROR,
        where=id_of(network) if network else ResourceId(f"/subscriptions/{facts.subscriptions[Side.CUSTOMER]}"),
        what="The customer has no private endpoint for a private link service.",
        remedy="The customer makes one with the service's id or alias.",
        evidence={"privateEndpoints": "none that leads to a private link service"},
        az=_create(network, id_of(offered[0])) if network and offered else "",
        fix="step:endpoint" if network else "step:customer-network",
    )


def _create(network: Body, service: ResourceId) -> str:
    where, subnet = id_of(network), next(items(network, "subnets"))
    return (
        f"az network private-endpoint create --resource-group {shell_word(where.resource_group)} "
        f"--subscription {shell_word(where.subscription)} --location {shell_word(str(network.get('location', '')))} "
        f"--name saasPrivateEndpoint --connection-name connectionToSaasService --vnet-name {shell_word(where.name)} "
        f"--subnet {shell_word(str(subnet.get('name', '')))} --manual-request true "
        f"--private-connection-resource-id {shell_word(service.text)}"
    )


RULES = (disconnected, rejected, one_sided, no_connection, no_endpoint, no_address, pending, waiting)
