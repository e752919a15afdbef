"""Private Link: services and what is asked of them, connections, endpoints and their entries in private DNS."""

from __future__ import annotations

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Endpoint
from plstui.sandbox.providers.privatelink.connections import PrivateEndpointConnections
from plstui.sandbox.providers.privatelink.endpoints import PrivateEndpoints
from plstui.sandbox.providers.privatelink.services import PrivateLinkServices
from plstui.sandbox.providers.privatelink.visibility import AutoApproved, Visibility
from plstui.sandbox.providers.privatelink.zonegroups import PrivateDnsZoneGroups


def endpoints(azure: Azure) -> list[Endpoint]:
    """The endpoints of Private Link."""
    return [
        PrivateLinkServices(azure),
        PrivateEndpointConnections(azure),
        PrivateEndpoints(azure),
        PrivateDnsZoneGroups(azure),
        AutoApproved(azure),
        Visibility(azure),
    ]
