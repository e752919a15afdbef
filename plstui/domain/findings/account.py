"""What the account lacks: a provider, or a right."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from plstui.domain.az import shell_word
from plstui.domain.facts import Body, Facts
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.findings.links import connections, is_shown
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side

PROVIDERS = {Side.ISV: ("Microsoft.Network", "Microsoft.Compute"), Side.CUSTOMER: ("Microsoft.Network",)}
"""What each party needs for their half of a private link; a customer may well have no machine at all."""

_DECISIONS = "Microsoft.Network/privateLinkServices"
NEEDED = {
    Side.ISV: (
        f"{_DECISIONS}/privateEndpointConnections/write",
        f"{_DECISIONS}/privateEndpointConnections/delete",
        f"{_DECISIONS}/privateEndpointConnectionsApproval/action",
    ),
    Side.CUSTOMER: ("Microsoft.Network/privateEndpoints/write", "Microsoft.Network/privateDnsZones/A/write"),
}
"""What each party must be allowed to do for their half of a private link: to decide, and to ask and name."""


def provider_not_registered(facts: Facts) -> Iterator[Finding]:
    """Without its provider, nothing of a kind can be made."""
    for side, states in facts.providers.items():
        for namespace in PROVIDERS[side]:
            state = states.get(namespace.lower(), "")
            if state and state.lower() != "registered":
                subscription = facts.subscriptions.get(side, "")
                yield Finding(
                    rule="provider-not-registered",
                    severity=Severity.ERROR,
                    where=ResourceId(f"/subscriptions/{subscription}/providers/{namespace}"),
                    what=f"The resource provider {namespace} is not registered in the {side.label}'s subscription.",
                    remedy="Register it; that takes a minute or two.",
                    evidence={"registrationState": state},
                    az=f"az provider register --namespace {namespace} --subscription {shell_word(subscription)}",
                )


def missing_right(facts: Facts) -> Iterator[Finding]:
    """Who is signed in may look and not act: no matter while the link stands, else it keeps the remedy from them."""
    for side, permissions in facts.permissions.items():
        subscription = facts.subscriptions.get(side, "")
        for action in NEEDED[side]:
            if not allowed(permissions, action):
                yield Finding(
                    rule="missing-right",
                    severity=Severity.INFO if _stands(facts) else Severity.WARNING,
                    where=ResourceId(f"/subscriptions/{subscription}"),
                    what=f"You may not do {action} in the {side.label}'s subscription.",
                    remedy="Ask for a role with this action, like Network Contributor.",
                    evidence={"action": action},
                )


def _stands(facts: Facts) -> bool:
    """Whether a connection between the two sides is approved at every end that is seen."""
    return any(set(ends.statuses) == {"approved"} and is_shown(facts, ends) for ends in connections(facts))


def allowed(permissions: tuple[Body, ...], action: str) -> bool:
    """Whether any of the permissions grants an action and does not take it away again."""
    return any(
        _matches(one.get("actions"), action) and not _matches(one.get("notActions"), action) for one in permissions
    )


def _matches(patterns: object, action: str) -> bool:
    listed = patterns if isinstance(patterns, list) else []
    return any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in listed)


RULES = (provider_not_registered, missing_right)
