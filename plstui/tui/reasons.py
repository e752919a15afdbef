"""Why what a person points at cannot be changed now."""

from __future__ import annotations

from plstui.domain.connection import Verb
from plstui.domain.decision import decision
from plstui.domain.resources import PrivateLinkService
from plstui.domain.sides import Side
from plstui.domain.tags import tag_change
from plstui.domain.world import Link
from plstui.engine.gate import Gate


def why_not_decide(gate: Gate, verb: Verb, link: Link | None) -> str | None:
    """Why a decision is not possible now; None when it is."""
    if link is None:
        return gate.why_not() or gate.absent(Side.ISV) or "No connection is selected."
    return gate.why_not(decision(verb, link.id)) or link.why_not(verb)


def why_not_tag(gate: Gate, service: PrivateLinkService | None) -> str | None:
    """Why the tags of a service cannot be changed now; None when they can."""
    if service is None:
        return gate.why_not() or gate.absent(Side.ISV) or "No connection to a service of the ISV's is selected."
    return gate.why_not(tag_change(service.id, {}))
