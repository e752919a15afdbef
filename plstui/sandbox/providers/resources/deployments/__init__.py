"""Template deployments: how az creates load balancers and machines."""

from __future__ import annotations

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Endpoint
from plstui.sandbox.providers.resources.deployments.endpoints import (
    DeploymentOperations,
    Deployments,
    OperationStatuses,
)


def endpoints(azure: Azure) -> list[Endpoint]:
    """Every type of this provider."""
    deployments = Deployments(azure)
    return [deployments, OperationStatuses(azure, deployments), DeploymentOperations(azure, deployments)]
