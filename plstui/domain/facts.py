"""Both sides in full, as ARM's JSON: what a diagnosis looks at.

The snapshots that the panes live on hold what is shown. A diagnosis also needs what is usually nobody's business, so it
reads everything once, when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from plstui.domain.errors import PlstuiError
from plstui.domain.ids import ResourceId
from plstui.domain.probe import TargetResult
from plstui.domain.resources import BalancerHealth
from plstui.domain.sides import Side

Body = Mapping[str, Any]

N = "Microsoft.Network/"
NETWORK, SECURITY_GROUP, APPLICATION_GROUP = (
    f"{N}virtualNetworks",
    f"{N}networkSecurityGroups",
    f"{N}applicationSecurityGroups",
)
INTERFACE, BALANCER, NAT_GATEWAY = f"{N}networkInterfaces", f"{N}loadBalancers", f"{N}natGateways"
SERVICE, ENDPOINT = f"{N}privateLinkServices", f"{N}privateEndpoints"
ZONE, ZONE_LINK, RECORD = f"{N}privateDnsZones", f"{N}privateDnsZones/virtualNetworkLinks", f"{N}privateDnsZones/A"
PUBLIC_ZONE, PUBLIC_RECORD = f"{N}dnsZones", f"{N}dnsZones/A"
MACHINE = "Microsoft.Compute/virtualMachines"

TYPES = (
    NETWORK,
    SECURITY_GROUP,
    APPLICATION_GROUP,
    INTERFACE,
    BALANCER,
    NAT_GATEWAY,
    SERVICE,
    ENDPOINT,
    ZONE,
    MACHINE,
)
"""What is listed in a subscription."""
ZONE_TYPES = (ZONE_LINK, RECORD)
"""What is listed in each zone."""
PUBLIC_TYPES = (PUBLIC_ZONE, PUBLIC_RECORD)
"""What is listed of the customer's too where no private zone names an endpoint."""


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of both sides; no two are equal, so that what follows from one can be kept with it."""

    subscriptions: Mapping[Side, str] = field(default_factory=dict)
    """The sides that were looked at."""
    bodies: Mapping[Side, tuple[Body, ...]] = field(default_factory=dict)
    """Every resource that was read, by side; a side that is not configured is missing."""
    unread: Mapping[Side, frozenset[str]] = field(default_factory=dict)
    """The types that could not be read, in lower case: nothing is known of them, not even that there are none."""
    health: tuple[BalancerHealth, ...] = ()
    """What the balancers say of the members behind each rule; a rule that was not answered for is missing."""
    forbidden: tuple[ResourceId, ...] = ()
    """The rules whose balancers may not be asked."""
    results: tuple[TargetResult, ...] = ()
    """What a probe brought, if one was made."""
    providers: Mapping[Side, Mapping[str, str]] = field(default_factory=dict)
    """Each resource provider's registration state, by its namespace in lower case."""
    permissions: Mapping[Side, tuple[Body, ...]] = field(default_factory=dict)
    """`actions` and `notActions` that hold for who is signed in; a side where that could not be read is missing."""
    boots: Mapping[ResourceId, str] = field(default_factory=dict)
    """What `cloud-init status` says on a machine, where it could be asked: `done`, `running`, `error`."""
    silent: Mapping[ResourceId, str] = field(default_factory=dict)
    """Why a machine that was asked does not say that."""
    failures: Mapping[Side, PlstuiError] = field(default_factory=dict)
    """The sides that could not be read at all, and why."""

    @cached_property
    def _by_id(self) -> dict[ResourceId, Body]:
        """Resources and the sub-resources in their bodies."""
        found: dict[ResourceId, Body] = {}
        stack = [body for bodies in self.bodies.values() for body in bodies]
        while stack:
            body = stack.pop()
            found[id_of(body)] = body
            for value in properties(body).values():
                if isinstance(value, list):
                    stack += [
                        item for item in value if isinstance(item, Mapping) and "id" in item and "properties" in item
                    ]
        return found

    def knows(self, side: Side, kind: str) -> bool:
        """Whether all resources of a type on a side were read."""
        return side in self.bodies and kind.lower() not in self.unread.get(side, frozenset())

    def of(self, side: Side, kind: str) -> tuple[Body, ...]:
        """A side's resources of one full type."""
        return self._by_type.get((side, kind.lower()), ())

    @cached_property
    def _by_type(self) -> dict[tuple[Side, str], tuple[Body, ...]]:
        found: dict[tuple[Side, str], list[Body]] = {}
        for side, bodies in self.bodies.items():
            for body in bodies:
                found.setdefault((side, id_of(body).type.lower()), []).append(body)
        return {key: tuple(value) for key, value in found.items()}

    def get(self, reference: object) -> Body | None:
        """What a reference, `{"id": …}` or an id, leads to; None when it was not read or is not there."""
        text = reference.get("id") if isinstance(reference, Mapping) else reference
        if isinstance(text, ResourceId):
            return self._by_id.get(text)
        return self._by_id.get(ResourceId(text)) if isinstance(text, str) else None


Known = TypeVar("Known")


def once(question: Callable[[Facts], Known]) -> Callable[[Facts], Known]:
    """Answers a question about facts a single time: most rules ask, and a service may have a thousand connections."""
    answers: WeakKeyDictionary[Facts, Known] = WeakKeyDictionary()

    @wraps(question)
    def answered(facts: Facts) -> Known:
        if facts not in answers:
            answers[facts] = question(facts)
        return answers[facts]

    return answered


def id_of(body: Body) -> ResourceId:
    """A body's own id."""
    return ResourceId(str(body.get("id", "")))


def properties(body: Body | None) -> Body:
    """A body's properties; empty when there are none."""
    value = (body or {}).get("properties")
    return value if isinstance(value, Mapping) else {}


def items(body: Body | None, name: str) -> Iterator[Body]:
    """The objects in a list among a body's properties."""
    value = properties(body).get(name)
    for item in value if isinstance(value, list) else ():
        if isinstance(item, Mapping):
            yield item


def word(body: Body | None, name: str) -> str:
    """A property that is text; empty when there is none."""
    value = properties(body).get(name)
    return value if isinstance(value, str) else ""


def reference(body: Body | None, name: str) -> ResourceId | None:
    """The id in a property that is a reference, `{"id": …}`; None when there is none."""
    value = properties(body).get(name)
    return id_of(value) if isinstance(value, Mapping) and value.get("id") else None


def prefixes(subnet: Body | None) -> tuple[str, ...]:
    """A subnet's address ranges, which stand under two names."""
    many = properties(subnet).get("addressPrefixes")
    return (
        tuple(map(str, many))
        if isinstance(many, list) and many
        else tuple(filter(None, [word(subnet, "addressPrefix")]))
    )


def refers_to(reference: object, target: ResourceId) -> bool:
    """Whether `{"id": …}` leads there."""
    return isinstance(reference, Mapping) and ResourceId(str(reference.get("id", ""))) == target
