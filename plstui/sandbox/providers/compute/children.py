"""What hangs under a machine as a resource of its own: how it is found, listed and told from what is not there."""

from __future__ import annotations

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers import locations
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.compute import polling
from plstui.sandbox.store import Body

DELETE = Pace(10)


class MachineChild(ResourceEndpoint):
    """A type under `virtualMachines`."""

    def machine(self, call: Call, verb: str) -> Body:
        """The machine in the path; raises the 404 that names it."""
        parent = call.named if call.listing else call.named.parent
        assert parent is not None
        found = self.azure.store.get(parent)
        if found is None:
            raise errors.parent_not_found(verb, self.type, parent)
        return dict(found)

    def find(self, resource_id: ResourceId) -> Body:
        """The child; the front door answers for one that is not there."""
        found = self.azure.store.get(resource_id)
        if found is None:
            raise errors.resource_not_found(resource_id)
        return dict(found)

    async def list(self, call: Call) -> Response:
        """The children of one machine."""
        start = self.machine(call, "read")["id"].lower() + "/"
        found = [body for body in self.azure.store.of_type(self.type) if body["id"].lower().startswith(start)]
        return Response(200, {"value": [self.shape(call, body) for body in found]})

    def head(self, call: Call, machine: Body, old: Body | None) -> Body:
        """The beginning of a child's body: it is where its machine is."""
        asked = call.fields.text("location") or (old or machine)["location"]
        known = self.azure.store.get(call.named)
        resource_id = ResourceId(known["id"]) if known else call.named
        return {
            "name": resource_id.name,
            "id": resource_id.text,
            "type": self.type,
            "location": locations.check(asked, self.type),
            **({"tags": call.fields.tags()} if "tags" in call.fields else {}),
        }

    def set_state(self, resource_id: str, state: str) -> None:
        """Show how the last change of a child went, if it is still there."""
        body = self.azure.store.get(resource_id)
        if body is not None:
            properties = {**body["properties"], "provisioningState": state}
            self.azure.store.put({**body, "properties": properties})

    async def delete(self, call: Call) -> Response:
        """DELETE: 204 when there is nothing to delete."""
        machine = self.machine(call, "delete")
        if self.azure.store.get(call.named) is None:
            return Response(204)
        body = self.find(call.named)
        self.set_state(body["id"], "Deleting")
        operation = self.azure.operations.start(
            lambda: self.azure.store.delete(call.named),
            DELETE,
            subscription=call.subscription,
            location=machine["location"],
            api_version=call.api_version,
            target=body["id"],
            on_failure=lambda: self.set_state(body["id"], "Failed"),
        )
        return polling.accepted(self.azure, call, operation, 202)
