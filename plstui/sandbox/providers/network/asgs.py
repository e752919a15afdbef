"""Application security groups: names for sets of interfaces, which security rules use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.store import Body


class ApplicationSecurityGroups(NetworkEndpoint):
    """Groups without any content of their own; who is in one is said by the interfaces."""

    type: ClassVar[str] = "Microsoft.Network/applicationSecurityGroups"
    put_pace: ClassVar[Pace] = Pace(1, 1)

    def build(self, call: Call, old: Body | None) -> Body:
        """A group."""
        body = self.head(call, old, {})
        del body["properties"]["resourceGuid"]
        return body

    def check_unused(self, body: Body) -> None:
        """A group that an interface or a rule names stays."""
        user = next(self._users(ResourceId(body["id"])), None)
        if user:
            raise bad_request(
                "InUseApplicationSecurityGroupCannotBeDeleted",
                f"Application security group {body['id']} cannot be deleted because it is in use by the following "
                f"resources: {user}.",
            )

    def _users(self, group_id: ResourceId) -> Iterator[str]:
        """Who names a group."""
        store = self.azure.store
        for nic in store.of_type("Microsoft.Network/networkInterfaces"):
            for configuration in nic["properties"]["ipConfigurations"]:
                if _names(configuration["properties"].get("applicationSecurityGroups"), group_id):
                    yield configuration["id"]
        for group in store.of_type("Microsoft.Network/networkSecurityGroups"):
            for rule in group["properties"]["securityRules"]:
                for end in ("source", "destination"):
                    if _names(rule["properties"].get(f"{end}ApplicationSecurityGroups"), group_id):
                        yield rule["id"]


def _names(references: list[Body] | None, group_id: ResourceId) -> bool:
    return any(ResourceId(reference["id"]) == group_id for reference in references or ())
