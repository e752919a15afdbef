"""What a request to Microsoft.Compute refers to."""

from __future__ import annotations

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.providers.compute.errors import reference_not_found
from plstui.sandbox.store import Body


def find(azure: Azure, call: Call, wanted: ResourceId) -> Body:
    """What a reference leads to; raises when it is not there, and when it is another tenant's, there or not."""
    subscription = azure.directory.subscriptions.get(wanted.subscription.lower())
    if subscription is None or subscription.tenant.lower() != call.client.tenant.lower():
        raise ArmError(
            403,
            "LinkedAuthorizationFailed",
            f"The client has permission to perform action '{wanted.type}/join/action' on scope '{call.named}', however "
            f"the current tenant '{call.client.tenant}' is not authorized to access linked subscription "
            f"'{wanted.subscription}'.",
        )
    found = azure.store.get(wanted)
    if found is None:
        raise reference_not_found(wanted)
    return dict(found)
