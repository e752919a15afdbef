"""The SDK's management clients of one side, which write. Known to the road alone, which imports them late."""

from __future__ import annotations

from typing import Any

from azure.core.pipeline import AsyncPipeline
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.network.models import PrivateEndpointConnection
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from plstui.arm.credentials import Tokens
from plstui.arm.versions import RESOURCES_API


class Clients:
    """What one side's writers call Azure with: three clients that share the pipeline of its road."""

    def __init__(
        self, tokens: Tokens, subscription: str, arm: str, pipeline: AsyncPipeline[Any, Any], poll_seconds: float
    ) -> None:
        """`poll_seconds` lie between two questions about an operation when Azure does not say."""
        shared: dict[str, Any] = {
            "base_url": arm,
            "credential_scopes": [f"{arm}/.default"],
            "pipeline": pipeline,
            "polling_interval": poll_seconds,
        }
        self.network = NetworkManagementClient(tokens, subscription, **shared)
        self.compute = ComputeManagementClient(tokens, subscription, **shared)
        self.resources = ResourceManagementClient(tokens, subscription, api_version=RESOURCES_API, **shared)

    @staticmethod
    def connection(body: dict[str, Any]) -> PrivateEndpointConnection:
        """A connection as it is written: with all that has been read of it but what only Azure sets."""
        return PrivateEndpointConnection(body)
