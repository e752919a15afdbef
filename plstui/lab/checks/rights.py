"""Rights: what building the lab takes, against what Azure says that the caller may do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from plstui.domain.az import az
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.lab.checks.problem import Problem
from plstui.lab.fragments import Body

NAMED = 6
"""Missing actions that are named; who lacks more needs another role anyway."""

_SUBNET = "Microsoft.Network/virtualNetworks/subnets/join/action"
_GROUP = "microsoft.resources/resourcegroups"

JOINS: Mapping[str, Sequence[str]] = {
    "microsoft.network/natgateways": ("Microsoft.Network/publicIPAddresses/join/action",),
    "microsoft.network/networkinterfaces": (
        _SUBNET,
        "Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action",
        "Microsoft.Network/loadBalancers/backendAddressPools/join/action",
    ),
    "microsoft.compute/virtualmachines": ("Microsoft.Network/networkInterfaces/join/action",),
    "microsoft.network/loadbalancers": (_SUBNET,),
    "microsoft.network/privatelinkservices": (_SUBNET,),
    "microsoft.network/privateendpoints": (_SUBNET,),
    "microsoft.network/privatednszones/virtualnetworklinks": ("Microsoft.Network/virtualNetworks/join/action",),
}
"""By type, what writing one takes beside the write itself: a right in whatever it refers to."""

DECISION = (
    "Microsoft.Network/privateLinkServices/privateEndpointConnections/write",
    "Microsoft.Network/privateLinkServices/PrivateEndpointConnectionsApproval/action",
)
"""What approving a request takes."""

HEALTH = "Microsoft.Network/loadBalancers/loadBalancingRules/health/action"
"""What asking for the health of a balancer's members takes; Readers may not."""


def needed_for(kind: str) -> tuple[str, ...]:
    """The actions that writing a resource of a full type takes."""
    # ResourceId and roles spell this one type differently.
    name = "Microsoft.Resources/subscriptions/resourceGroups" if kind.lower() == _GROUP else kind
    return (f"{name}/write", *JOINS.get(kind.lower(), ()))


def missing(permissions: Sequence[Body], actions: Iterable[str]) -> list[str]:
    """The actions that no permission grants; each permission takes its `notActions` from its own `actions` alone."""
    return [action for action in dict.fromkeys(actions) if not any(_grants(one, action) for one in permissions)]


def _grants(permission: Body, action: str) -> bool:
    return _any(permission.get("actions"), action) and not _any(permission.get("notActions"), action)


def _any(patterns: Sequence[str] | None, action: str) -> bool:
    """Whether an action is one of those that patterns with `*` stand for."""
    regexes = (".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns or [])
    return any(re.fullmatch(regex, action, re.IGNORECASE) for regex in regexes)


def problem(side: Side, scope: ResourceId, lacking: Sequence[str]) -> Problem:
    """The caller may not do these actions in a scope."""
    named = ", ".join(lacking[:NAMED])
    more = f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
    where = f"resource group {scope.name}" if scope.resource_group else f"subscription {scope.subscription}"
    grant = az("role assignment create", {"--role": "Contributor", "--assignee": "WHO", "--scope": scope})
    return Problem(
        code="RightsMissing",
        message=f"The {side.label}'s sign-in may not do this in {where}: {named}{more}.",
        hint=f"Have its owner run: {grant}",
    )
