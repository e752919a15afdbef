"""Both sides together: each connection joined from what the service and the endpoint say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import TypeVar

from plstui.domain.connection import (
    APPROVED,
    DISCONNECTED,
    PENDING,
    Connection,
    ConnectionStatus,
    EndpointConnection,
    Verb,
    allowed_verbs,
    endpoint_name_of,
    why_not,
)
from plstui.domain.errors import PlstuiError
from plstui.domain.ids import ResourceId
from plstui.domain.probe import TargetResult
from plstui.domain.resources import Kind, LoadBalancer, LoadBalancingRule, PrivateEndpoint, PrivateLinkService
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Link:
    """One private link connection, seen from one or both ends."""

    service_side: Connection | None
    """The connection as the private link service reports it; None when the ISV's side does not show it."""
    endpoint: PrivateEndpoint | None
    """The private endpoint; None when the customer's side does not show it."""
    endpoint_side: EndpointConnection | None
    """The connection as the endpoint reports it; present exactly when `endpoint` is."""
    endpoint_address: str = ""

    @property
    def id(self) -> ResourceId:
        """The connection's id at the service, or at the endpoint when only that is seen."""
        if self.service_side:
            return self.service_side.id
        assert self.endpoint_side is not None, "a link is seen from at least one end"
        return self.endpoint_side.id

    @property
    def name(self) -> str:
        """The connection's name where `id` is."""
        return self.service_side.name if self.service_side else self.id.name

    @property
    def status(self) -> ConnectionStatus:
        """The service's word, which decides; the endpoint's when only that is seen."""
        end = self.service_side or self.endpoint_side
        assert end is not None, "a link is seen from at least one end"
        return end.status

    @property
    def agrees(self) -> bool:
        """Whether the two ends report the same status, as far as both are seen."""
        if self.service_side is None or self.endpoint_side is None:
            return True
        return self.service_side.status == self.endpoint_side.status

    @property
    def statuses(self) -> tuple[ConnectionStatus, ...]:
        """The status at each end that is seen, the service's first."""
        return tuple(end.status for end in (self.service_side, self.endpoint_side) if end)

    @property
    def message(self) -> str:
        """The customer's request message. While the request waits, the service's description is that."""
        if self.endpoint_side:
            return self.endpoint_side.request_message
        return self.description if self.status == PENDING else ""

    @property
    def description(self) -> str:
        """The service's description of the state; the endpoint's when only that is seen."""
        end = self.service_side or self.endpoint_side
        return end.description if end else ""

    @property
    def endpoint_id(self) -> ResourceId | None:
        """The private endpoint's id; the service knows it even when the endpoint cannot be read."""
        if self.endpoint:
            return self.endpoint.id
        return self.service_side.endpoint_id if self.service_side else None

    @property
    def endpoint_name(self) -> str:
        """The private endpoint's name."""
        return self.endpoint_id.name if self.endpoint_id else endpoint_name_of(self.name)

    @property
    def service_name(self) -> str:
        """The private link service's name, or the target as the request named it."""
        if self.service_side:
            return self.service_side.service_id.name
        target = self.endpoint_side.target if self.endpoint_side else ""
        return target.rsplit("/", 1)[-1]

    @property
    def seen_from(self) -> tuple[Side, ...]:
        """The sides that show this connection."""
        seen = []
        if self.service_side:
            seen.append(Side.ISV)
        if self.endpoint_side:
            seen.append(Side.CUSTOMER)
        return tuple(seen)

    def why_not(self, verb: Verb) -> str | None:
        """Why `verb` is not possible now; None when it is."""
        if self.service_side is None and self.status == DISCONNECTED:
            return "The ISV has removed this connection for good: the customer deletes the endpoint and asks again."
        return why_not(verb, self.service_side)

    @property
    def allowed(self) -> tuple[Verb, ...]:
        """The verbs that are possible now."""
        return allowed_verbs(self.service_side)


@dataclass(frozen=True)
class World:
    """The two sides, as last seen. A side is None while it is not configured.

    What stands below the sides only a diagnosis finds out.
    """

    isv: Snapshot | None = None
    customer: Snapshot | None = None
    results: tuple[TargetResult, ...] = ()
    """What a probe brought, if one was made."""
    boots: Mapping[ResourceId, str] = field(default_factory=dict)
    """What `cloud-init status` says on a machine, where it could be asked: `done`, `running`, `error`."""
    silent: Mapping[ResourceId, str] = field(default_factory=dict)
    """Why a machine that was asked does not say that."""
    failures: Mapping[Side, PlstuiError] = field(default_factory=dict, compare=False)
    """The sides that could not be read at all, and why."""

    @property
    def sides(self) -> tuple[Snapshot, ...]:
        """The sides that are configured."""
        return tuple(side for side in (self.isv, self.customer) if side)

    def knows(self, side: Side, *kinds: Kind) -> bool:
        """Whether all resources of these types on a side are known."""
        snapshot = self.side(side)
        return snapshot is not None and snapshot.knows(*kinds)

    def side(self, side: Side) -> Snapshot | None:
        """One side's snapshot."""
        return self.isv if side is Side.ISV else self.customer

    @property
    def all_read(self) -> bool:
        """Whether every side that is configured has been read, and is not old."""
        sides = [snapshot for snapshot in (self.isv, self.customer) if snapshot]
        return bool(sides) and all(side.reachable for side in sides)

    def links(self) -> tuple[Link, ...]:
        """Every connection of the ISV's services and every one of the customer's endpoints that leads to a service.

        Ends are joined by name (`<endpoint>.<resourceGuid>`: needs no right on the other side), then by endpoint id.
        """
        return self._links

    @cached_property
    def _links(self) -> tuple[Link, ...]:
        """Joined once: there may be thousands, and many ask for them."""
        endpoints = self.customer.endpoints if self.customer else ()
        by_name = {f"{e.name}.{e.resource_guid}".lower(): e for e in endpoints if e.resource_guid}
        by_id = {e.id: e for e in endpoints}
        joined: set[ResourceId] = set()
        links: list[Link] = []
        for service in self.isv.services if self.isv else ():
            for connection in service.connections:
                endpoint = by_name.get(connection.name.lower())
                if endpoint is None and connection.endpoint_id:
                    endpoint = by_id.get(connection.endpoint_id)
                own = _connection_to(endpoint, service) if endpoint else None
                if own:
                    joined.add(own.id)
                links.append(self._link(connection, endpoint if own else None, own))
        for endpoint in endpoints:
            for own in endpoint.connections:
                if own.id not in joined and own.leads_to_a_service:
                    links.append(self._link(None, endpoint, own))
        return tuple(links)

    def link(self, connection_id: ResourceId) -> Link | None:
        """The connection with an id; None when it is not seen."""
        return self._links_by_id.get(connection_id)

    @cached_property
    def _links_by_id(self) -> dict[ResourceId, Link]:
        return {link.id: link for link in self.links()}

    def _link(
        self, connection: Connection | None, endpoint: PrivateEndpoint | None, own: EndpointConnection | None
    ) -> Link:
        address = self.customer.endpoint_address(endpoint) if self.customer and endpoint else ""
        return Link(connection, endpoint, own, address)

    def service_of(self, link: Link) -> PrivateLinkService | None:
        """The service that a link is with, or was: the endpoint still knows it when the connection is gone."""
        if link.service_side:
            return self._services.get(link.service_side.service_id.key)
        return self._services.get(link.endpoint_side.target.lower()) if link.endpoint_side else None

    @cached_property
    def _services(self) -> dict[str, PrivateLinkService]:
        """The ISV's services by what an endpoint may call them, in lower case: id and alias."""
        services = self.isv.services if self.isv else ()
        return {name: service for service in services for name in (service.alias.lower(), service.id.key) if name}

    def only_service(self) -> PrivateLinkService | None:
        """The ISV's service, where it has one and no more."""
        services = self.isv.services if self.isv else ()
        return services[0] if len(services) == 1 else None

    def service_key(self, link: Link) -> str:
        """The id of the service that a link is with, or what the request named it by where nothing is known of it.

        In lower case; a name alone may be two services'.
        """
        if link.service_side:
            return link.service_side.service_id.key
        service = self.service_of(link)
        return service.id.key if service else link.endpoint_side.target.lower() if link.endpoint_side else ""

    def is_between(self, link: Link) -> bool:
        """Whether a connection is one between the two sides; a service has other customers, too."""
        if link.endpoint or self.customer is None:
            return True
        other = link.endpoint_id
        return other is not None and other.subscription.lower() == self.customer.subscription.lower()

    def asked_services(self) -> tuple[PrivateLinkService, ...]:
        """The services that this customer has asked for; all while there is none, or where there is no customer."""
        return self._asked_services

    @cached_property
    def _asked_services(self) -> tuple[PrivateLinkService, ...]:
        services = self.isv.services if self.isv else ()
        if self.customer is None:
            return services
        asked = {service.id for link in self.links() if self.is_between(link) and (service := self.service_of(link))}
        return tuple(service for service in services if service.id in asked) or services

    def balancers(self) -> Iterator[LoadBalancer]:
        """The balancers that these services stand on; all of them where there is no service yet."""
        if self.isv is None:
            return
        used = {frontend.parent for service in self.asked_services() for frontend in service.frontend_ids}
        yield from (balancer for balancer in self.isv.balancers if not self.isv.services or balancer.id in used)

    def balancer_rules(self) -> Iterator[tuple[LoadBalancer, LoadBalancingRule]]:
        """Each of these balancers with each of its rules."""
        return ((balancer, rule) for balancer in self.balancers() for rule in balancer.rules)

    def stands(self, link: Link) -> bool:
        """Whether the customer has an approved connection to the service that a link is with, by whatever endpoint."""
        return self.service_key(link) in self._standing

    @cached_property
    def _standing(self) -> frozenset[str]:
        if self.customer is None:
            return frozenset()
        approved = (link for link in self.links() if set(link.statuses) == {APPROVED} and self.is_between(link))
        return frozenset(map(self.service_key, approved))

    def find(self, target: str) -> tuple[Link, ...]:
        """The links a person may mean by `target`: a connection id or name, or an endpoint id or name, in any case."""
        wanted = target.strip().lower()
        links = self.links()
        exact = tuple(link for link in links if wanted in (link.id.key, link.name.lower()))
        if exact:
            return exact
        return tuple(
            link
            for link in links
            if link.endpoint_name.lower() == wanted or (link.endpoint_id and link.endpoint_id.key == wanted)
        )


def _connection_to(endpoint: PrivateEndpoint, service: PrivateLinkService) -> EndpointConnection | None:
    """The endpoint's connection to a service, which it names by id or alias; an endpoint has one in practice."""
    own = [connection for connection in endpoint.connections if service.is_target(connection.target)]
    if own:
        return own[0]
    return endpoint.connections[0] if len(endpoint.connections) == 1 else None


Answer = TypeVar("Answer")


def once(question: Callable[[World], Answer]) -> Callable[[World], Answer]:
    """Answers a question about a world a single time: several rules ask, and there may be thousands of connections."""
    name = f"{question.__module__}.{question.__qualname__}"

    @wraps(question)
    def answered(world: World) -> Answer:
        kept = vars(world)  # Where a cached property of its own would keep them.
        if name not in kept:
            kept[name] = question(world)
        answer: Answer = kept[name]
        return answer

    return answered
