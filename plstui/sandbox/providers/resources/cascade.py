"""Delete everything in a resource group, as ARM does it: by asking each provider, in an order that can work.

Azure knows no more than the providers tell it. What one of them refuses is tried again as long as something else in
the group could be deleted; when nothing moves any more the deletion has failed, and the rest of the group stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.tokens import Client
from plstui.sandbox.providers.resources.errands import Errands
from plstui.sandbox.providers.resources.listing import is_tracked
from plstui.sandbox.store import Body

ORDER = (
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Network/privateLinkServices",
    "Microsoft.Network/loadBalancers",
    "Microsoft.Network/networkInterfaces",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.Network/natGateways",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/applicationSecurityGroups",
)
"""What refers to others goes first; types that are not here go last."""

_API_VERSIONS = {"microsoft.network": "2024-05-01", "microsoft.compute": "2024-07-01"}
_ZONES_VERSION, _PUBLIC_ZONES_VERSION = "2020-06-01", "2018-05-01"


async def empty_group(azure: Azure, client: Client, group: ResourceId) -> int:
    """Delete the resources of a group and then the group; raises `ArmError` when something stays.

    Gives the status with which the deletion's operation ends.
    """
    errands = Errands(azure, client)
    while True:
        before = _deletable(azure.store.in_group(group))
        refusals: list[tuple[Body, ArmError]] = []
        for body in before:
            if azure.store.get(body["id"]) is None:
                continue  # It went with another one.
            if refusal := await errands.delete(body["id"], _api_version(body)):
                refusals.append((body, refusal))
        if not _deletable(azure.store.in_group(group)):
            break
        if all(azure.store.get(body["id"]) for body in before):
            raise _blocked(group, refusals)
    azure.store.delete(group)
    return 200


def _deletable(bodies: Sequence[Body]) -> list[Body]:
    """What a client could delete, in a good order; what hangs under something else goes with it."""
    rank = {kind.lower(): at for at, kind in enumerate(ORDER)}
    tracked = [body for body in bodies if is_tracked(body) and not body.get("managedBy")]
    ids = {body["id"].lower() for body in tracked}

    def goes_with_parent(body: Body) -> bool:
        resource_id = ResourceId(body["id"])
        parent = resource_id.parent
        return resource_id.type.lower() not in rank and parent is not None and parent.key in ids

    found = [body for body in tracked if not goes_with_parent(body)]
    return sorted(found, key=lambda body: rank.get(ResourceId(body["id"]).type.lower(), len(rank)))


def _api_version(body: Body) -> str:
    kind = ResourceId(body["id"]).type.lower()
    if kind.startswith("microsoft.network/privatednszones"):
        return _ZONES_VERSION
    if kind.startswith("microsoft.network/dnszones"):
        return _PUBLIC_ZONES_VERSION
    return _API_VERSIONS.get(kind.partition("/")[0], "2024-03-01")


def _blocked(group: ResourceId, refusals: Sequence[tuple[Body, ArmError]]) -> ArmError:
    names = ", ".join(f"{ResourceId(body['id']).type}/{body['name']}" for body, _ in refusals)
    details: list[dict[str, Any]] = [
        {"code": refusal.code, "target": body["id"], "message": refusal.message} for body, refusal in refusals
    ]
    return ArmError(
        409,
        "ResourceGroupDeletionBlocked",
        f"Deletion of resource group '{group.name}' failed as resources with identifiers '{names}' could not be "
        "deleted. The provisioning state of the resource group will be rolled back. The tracking Id is "
        f"'{uuid4()}'. Please check audit logs for more details.",
        details=details,
    )
