"""Approving, rejecting and removing a connection, as a change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from plstui.domain.az import az_line
from plstui.domain.change import Change, Decide, Reads, Request
from plstui.domain.connection import Connection, Verb, why_not
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.text import clean
from plstui.domain.world import World

MAX_DESCRIPTION = 140
"""Characters in a description: the limit Azure documents for the request message, kept for the answer too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Change[Connection, Connection | None]):
    """What the ISV decides on a connection; what comes of it is the connection as read back, None when it is gone."""

    reads: ClassVar[Reads] = Reads.CONNECTION

    verb: Verb
    description: str
    """What the other side reads; empty for a removal."""

    def why_not(self, world: World) -> str | None:
        """Why it is not possible by what was last seen; of what was not seen nothing is known."""
        link = world.link(self.target)
        return link.why_not(self.verb) if link else None

    def why_not_now(self, state: Connection) -> str | None:
        """Why it is not possible by what the service says."""
        return why_not(self.verb, state)

    def request(self, state: Connection) -> Request[Connection | None]:
        """The status and the description."""
        return Decide(self.verb.status, self.description, state.status)

    def described(self, text: str) -> Decision:
        """The same with another description."""
        text = clean(text, MAX_DESCRIPTION)
        return replace(self, description=text, az=az_line(self.verb, self.target, text))


def decision(verb: Verb, connection_id: ResourceId, description: str | None = None) -> Decision:
    """A decision; a description of plstui's own stands where none is given.

    Azure replaces the state whole, so leaving the description out would empty it.
    """
    if description is None:
        description = "" if verb is Verb.REMOVE else f"{verb.done.capitalize()} with plstui"
    text = clean(description, MAX_DESCRIPTION)
    return Decision(
        side=Side.ISV,
        target=connection_id,
        verb=verb,
        az=az_line(verb, connection_id, text),
        doing=f"{verb.doing} this connection",
        warning=verb.warning,
        description=text,
    )
