"""What was not looked at for lack of a right: where nothing could be seen, nobody knows that nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.resources import Kind
from plstui.domain.snapshot import Outcome
from plstui.domain.text import clean
from plstui.domain.world import World

HEALTH = "Microsoft.Network/loadBalancers/loadBalancingRules/health/action"
"""What one must be allowed to do to ask a balancer how its members are."""

_ACCOUNT = (Kind.PROVIDERS, Kind.PERMISSIONS)
"""What no rule calls wrong for not being known."""


def unread_types(world: World) -> Iterator[Finding]:
    """Types that could not be listed, once for each side and reason."""
    for snapshot in world.sides:
        states = {provider.namespace.lower(): provider.state.lower() for provider in snapshot.providers}
        kinds: dict[bool, list[Kind]] = {}
        for kind in Kind:
            # Of a provider that is not registered there is nothing to see; who needs it hears of that elsewhere.
            registered = states.get(kind.partition("/")[0].lower(), "registered") == "registered"
            if kind in snapshot.not_read and kind not in _ACCOUNT and registered:
                kinds.setdefault(snapshot.outcome(kind) is Outcome.FAILED, []).append(kind)
        for failed, unread in sorted(kinds.items()):
            names, why = ", ".join(unread), snapshot.not_read[unread[0]].why
            yield Finding(
                rule="not-looked-at",
                severity=Severity.WARNING,
                where=ResourceId(f"/subscriptions/{snapshot.subscription}"),
                what=f"Not everything on the {snapshot.side.label}'s side could be looked at: {names}.",
                remedy="Look again in a moment; if it stays so, the reason is in the evidence."
                if failed
                else "Ask for a role that may read these, like Reader, and look again.",
                evidence={"types": names, **({"error": clean(why, 300)} if failed else {})},
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
