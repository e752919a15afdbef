"""Private-endpoint connections: what the service reports, what the endpoint reports, and what may be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from plstui.domain.ids import ResourceId
from plstui.domain.text import clean

CONNECTION_TYPE = "Microsoft.Network/privateLinkServices/privateEndpointConnections"
"""Azure's type of a connection, as a child of its service."""


def endpoint_name_of(connection_name: str) -> str:
    """The endpoint's part of a connection's name, `<endpoint>.<resourceGuid>`; an endpoint's own name may hold dots."""
    return connection_name.rpartition(".")[0] or connection_name


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """The status word of a connection. Azure's type is a plain string, in any case, and may grow new words."""

    word: str

    @classmethod
    def parse(cls, text: str | None) -> ConnectionStatus:
        """Azure's word in its usual spelling; an unknown word is kept, a missing one is `Unknown`."""
        word = clean(text, 40) or "Unknown"
        return cls(_KNOWN.get(word.lower(), word))

    def __str__(self) -> str:
        return self.word


PENDING = ConnectionStatus("Pending")
APPROVED = ConnectionStatus("Approved")
REJECTED = ConnectionStatus("Rejected")
DISCONNECTED = ConnectionStatus("Disconnected")

_KNOWN = {status.word.lower(): status.word for status in (PENDING, APPROVED, REJECTED, DISCONNECTED)}

STATUSES = tuple(_KNOWN.values())
"""The words that Azure documents."""


class Verb(StrEnum):
    """What the ISV can do with a connection."""

    APPROVE = "approve"
    REJECT = "reject"
    REMOVE = "remove"

    @property
    def status(self) -> ConnectionStatus | None:
        """The status Azure is asked to set; None for a removal."""
        return {Verb.APPROVE: APPROVED, Verb.REJECT: REJECTED}.get(self)

    @property
    def doing(self) -> str:
        """The word for a row while this verb is under way."""
        return {Verb.APPROVE: "approving", Verb.REJECT: "rejecting", Verb.REMOVE: "removing"}[self]

    @property
    def done(self) -> str:
        """The word once Azure has accepted it."""
        return {Verb.APPROVE: "approved", Verb.REJECT: "rejected", Verb.REMOVE: "removed"}[self]

    @property
    def warning(self) -> str:
        """What a person must know before saying yes; empty when there is nothing."""
        return {
            Verb.REJECT: "Azure's documents disagree on whether a rejected connection can be approved later. "
            "If not, remove it and let the customer ask again.",
            Verb.REMOVE: "The customer's endpoint is disconnected for good: "
            "its owner can only delete it and ask again.",
        }.get(self, "")


@dataclass(frozen=True, slots=True)
class Connection:
    """One private-endpoint connection, as the provider's service reports it."""

    id: ResourceId
    """The connection's own id (a child of the private link service), never the endpoint's."""
    name: str
    """`<endpoint name>.<endpoint resourceGuid>`, as every recording shows."""
    status: ConnectionStatus
    """What Azure says now; never predicted."""
    provisioning_state: str = ""
    description: str = ""
    """Free text, at the service: what was sent with the last decision, before it often the request message."""
    actions_required: str = ""
    endpoint_id: ResourceId | None = None
    """The private endpoint, in the customer's subscription. Knowing the id gives no right to read it."""
    endpoint_location: str = ""
    link_identifier: str = ""
    """Decimal text; the LINKID of the PROXY protocol header."""

    @property
    def service_id(self) -> ResourceId:
        """The private link service this connection belongs to."""
        parent = self.id.parent
        assert parent is not None, f"a connection is a child of a service: {self.id}"
        return parent


Seen = Callable[[Connection], object]
"""Hears of a connection as it was read."""


def unheard(_: Connection) -> None:
    """Nobody hears of it."""


@dataclass(frozen=True, slots=True)
class EndpointConnection:
    """A private endpoint's connection, as the customer's side reports it."""

    id: ResourceId
    name: str
    manual: bool
    """Whether the request waits for the other side's approval."""
    status: ConnectionStatus
    target: str = ""
    """The service's id or alias, as the request named it."""
    request_message: str = ""
    description: str = ""
    actions_required: str = ""
    provisioning_state: str = ""

    @property
    def leads_to_a_service(self) -> bool:
        """Whether the target is a private link service of somebody, not Azure's own storage, database and the like."""
        target = self.target.lower()
        return "/privatelinkservices/" in target or target.endswith(".azure.privatelinkservice")


def why_not(verb: Verb, connection: Connection | None) -> str | None:
    """Why `verb` is not possible for `connection` now, as a sentence a person can act on; None when it is.

    A rejected connection may be approved: Azure's documents contradict each other there, so the request is sent and
    the answer shown.
    """
    if connection is None:
        return "Only the service's owner can decide: the ISV's side does not show this connection."
    state = connection.provisioning_state.lower()
    if state == "deleting":
        return "Azure is already removing this connection."
    if verb is Verb.REMOVE:
        return None
    if state == "updating":
        return "Azure is still working on this connection; wait until it says Succeeded."
    if connection.status == DISCONNECTED:
        return "This connection is disconnected and cannot come back; remove it and let the customer ask again."
    if connection.status == verb.status:
        return f"This connection is {connection.status} already."
    return None


def allowed_verbs(connection: Connection | None) -> tuple[Verb, ...]:
    """The verbs that `why_not` has nothing against."""
    return tuple(verb for verb in Verb if why_not(verb, connection) is None)
