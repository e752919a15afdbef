"""What was not looked at for lack of a right: where nothing could be seen, nobody knows that nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.resources import Kind
from plstui.domain.snapshot import Outcome
from plstui.domain.world import World

HEALTH = "Microsoft.Network/loadBalancers/loadBalancingRules/health/action"
"""What one must be allowed to do to ask a balancer how its members are."""

_ACCOUNT = (Kind.PROVIDERS, Kind.PERMISSIONS)
"""What no rule calls wrong for not being known."""


def unread_types(world: World) -> Iterator[Finding]:
    """Types that could not be listed, once for each side."""
    for snapshot in world.sides:
        states = {provider.namespace.lower(): provider.state.lower() for provider in snapshot.providers}
        kinds = [
            kind
            for kind in Kind
            # Of a provider that is not registered there is nothing to see; who needs it hears of that elsewhere.
            if snapshot.outcome(kind) not in (Outcome.READ, Outcome.NOT_ASKED)
            and kind not in _ACCOUNT
            and states.get(kind.partition("/")[0].lower(), "registered") == "registered"
        ]
        if kinds:
            yield Finding(
                rule="not-looked-at",
                severity=Severity.WARNING,
                where=ResourceId(f"/subscriptions/{snapshot.subscription}"),
                what=f"Not everything on the {snapshot.side.label}'s side could be looked at: {', '.join(kinds)}.",
                remedy="Ask for a role that may read these, like Reader, and look again.",
                evidence={"types": ", ".join(kinds)},
            )


def unasked_balancers(world: World) -> Iterator[Finding]:
    """Balancers that may not be asked how their members are, once for each side."""
    for snapshot in world.sides:
        if rules := snapshot.health_refused:
            yield Finding(
                rule="not-looked-at",
                severity=Severity.WARNING,
                where=rules[0],
                what=f"The balancer may not be asked which machines are up behind {', '.join(r.name for r in rules)} "
                f"on the {snapshot.side.label}'s side.",
                remedy="Ask for a role with this action, like Network Contributor, and look again.",
                evidence={"action": HEALTH},
            )


RULES = (unread_types, unasked_balancers)
