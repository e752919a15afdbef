"""Microsoft.Network without private link and private DNS."""

from __future__ import annotations

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Endpoint
from plstui.sandbox.providers.network.polling import OperationResultsEndpoint, OperationsEndpoint


def endpoints(azure: Azure) -> list[Endpoint]:
    """Every resource type in here."""
    return [OperationsEndpoint(azure), OperationResultsEndpoint(azure)]
