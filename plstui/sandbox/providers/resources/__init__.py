"""What belongs to ARM itself: subscriptions, groups, the list of all resources, provider registrations, deployments.

How it is joined to the rest:

    front_door = resources.front_door(azure)
    gateway = Gateway(azure.directory, azure.operations, front_door, [*resources.endpoints(azure), …])
    azure.dispatch = gateway.handle_for

Deployments and the deletion of a group send requests of their own, with the rights of the client that asked for them;
`azure.dispatch` is how they reach the gateway.
"""

from __future__ import annotations

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Endpoint
from plstui.sandbox.providers.resources import authorization, deployments
from plstui.sandbox.providers.resources.front_door import ResourceManager

__all__ = ["ResourceManager", "endpoints", "front_door"]


def front_door(azure: Azure) -> ResourceManager:
    """What answers where no provider does."""
    return ResourceManager(azure)


def endpoints(azure: Azure) -> list[Endpoint]:
    """The types of ARM itself that are written like a provider's."""
    return [*authorization.endpoints(azure), *deployments.endpoints(azure)]
