"""What was not looked at for lack of a right: where nothing could be seen, nobody knows that nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from plstui.domain.facts import PUBLIC_TYPES, TYPES, ZONE_TYPES, Facts
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId

HEALTH = "Microsoft.Network/loadBalancers/loadBalancingRules/health/action"
"""What one must be allowed to do to ask a balancer how its members are."""


def unread_types(facts: Facts) -> Iterator[Finding]:
    """Types that could not be listed, once for each side."""
    for side, unread in facts.unread.items():
        states = facts.providers.get(side, {})
        kinds = [
            kind
            for kind in (*TYPES, *ZONE_TYPES, *PUBLIC_TYPES)
            # Of a provider that is not registered there is nothing to see; who needs it hears of that elsewhere.
            if kind.lower() in unread
            and states.get(kind.partition("/")[0].lower(), "registered").lower() == "registered"
        ]
        if kinds:
            yield Finding(
                rule="not-looked-at",
                severity=Severity.WARNING,
                where=ResourceId(f"/subscriptions/{facts.subscriptions.get(side, '')}"),
                what=f"Not everything on the {side.label}'s side could be looked at: {', '.join(kinds)}.",
                remedy="Ask for a role that may read these, like Reader, and look again.",
                evidence={"types": ", ".join(kinds)},
            )


def unasked_balancers(facts: Facts) -> Iterator[Finding]:
    """Balancers that may not be asked how their members are, once for each side."""
    for side, subscription in facts.subscriptions.items():
        rules = [rule for rule in facts.forbidden if rule.subscription.lower() == subscription.lower()]
        if rules:
            yield Finding(
                rule="not-looked-at",
                severity=Severity.WARNING,
                where=rules[0],
                what=f"The balancer may not be asked which machines are up behind {', '.join(r.name for r in rules)} "
                f"on the {side.label}'s side.",
                remedy="Ask for a role with this action, like Network Contributor, and look again.",
                evidence={"action": HEALTH},
            )


RULES = (unread_types, unasked_balancers)
