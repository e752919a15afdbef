"""What the account lacks: a provider, or a right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from plstui.domain.az import register_line
from plstui.domain.connection import APPROVED
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.resources import Kind, Permission
from plstui.domain.sides import Side
from plstui.domain.world import World

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


def provider_not_registered(world: World) -> Iterator[Finding]:
    """Without its provider, nothing of a kind can be made."""
    for snapshot in world.sides:
        states = {provider.namespace.lower(): provider.state for provider in snapshot.providers}
        for namespace in PROVIDERS[snapshot.side]:
            state = states.get(namespace.lower(), "")
            if state and state.lower() != "registered":
                subscription = snapshot.subscription
                yield Finding(
                    rule="provider-not-registered",
                    severity=Severity.ERROR,
                    where=ResourceId(f"/subscriptions/{subscription}/providers/{namespace}"),
                    what=f"The resource provider {namespace} is not registered in the {snapshot.side.label}'s "
                    "subscription.",
                    remedy="Register it; that takes a minute or two.",
                    evidence={"registrationState": state},
                    az=register_line(namespace, subscription),
                )


def missing_right(world: World) -> Iterator[Finding]:
    """Who is signed in may look and not act: no matter while the link stands, else it keeps the remedy from them."""
    for snapshot in world.sides:
        if not snapshot.knows(Kind.PERMISSIONS):
            continue
        for action in NEEDED[snapshot.side]:
            if not allowed(snapshot.permissions, action):
                yield Finding(
                    rule="missing-right",
                    severity=Severity.INFO if _stands(world) else Severity.WARNING,
                    where=ResourceId(f"/subscriptions/{snapshot.subscription}"),
                    what=f"You may not do {action} in the {snapshot.side.label}'s subscription.",
                    remedy="Ask for a role with this action, like Network Contributor.",
                    evidence={"action": action},
                )


def _stands(world: World) -> bool:
    """Whether a connection between the two sides is approved at every end that is seen."""
    return any(set(link.statuses) == {APPROVED} and world.is_between(link) for link in world.links())


def allowed(permissions: Sequence[Permission], action: str) -> bool:
    """Whether any of the permissions grants an action and does not take it away again."""
    return any(_matches(one.actions, action) and not _matches(one.not_actions, action) for one in permissions)


def _matches(patterns: Sequence[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


RULES = (provider_not_registered, missing_right)
