"""A resource type with the least it takes, for tests of what works with every type."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError, bad_request
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.latency import Latency, Pace
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.store import Body
from tests.sandbox.support import Sandbox, sandbox


class Boxes(ResourceEndpoint):
    """A type with the least it takes: a box is made at once, takes a while to go, and does not go while it is full."""

    type: ClassVar[str] = "Microsoft.Compute/disks"

    async def put(self, call: Call) -> Response:
        fields = call.fields
        if fields.text("refuse"):
            raise bad_request(fields.text("refuse"), "This box was to be refused.")
        after = fields.fields("properties").text("after")
        if after and self.azure.store.get(after) is None:
            raise ArmError(429, "RetryableError", "What this box stands on is not there yet.", details=())
        body: Body = {
            "id": call.named.text,
            "name": call.named.name,
            "type": self.type,
            "location": fields.text("location", "westeurope"),
            "tags": fields.tags(),
            "sku": {"name": fields.text("sku", "Standard")},
            "properties": {**fields.fields("properties").raw, "holds": fields.text("holds")},
        }
        work = self._accepted(call, Pace(20), lambda: self._end(body, fields.text("fail")))
        self.azure.store.put({**body, "properties": {**body["properties"], "provisioningState": "Updating"}})
        return Response(201, body, work)

    def _end(self, body: Body, failure: str) -> None:
        if failure:
            raise bad_request(failure, "This box was to fail.")
        self.azure.store.put({**body, "properties": {**body["properties"], "provisioningState": "Succeeded"}})

    async def delete(self, call: Call) -> Response:
        body = self.find(call.named)
        held = body["properties"]["holds"]
        if held == "forever" or (held and self.azure.store.get(held)):
            raise bad_request("BoxIsFull", f"The box {call.named} is full.")
        return Response(202, None, self._accepted(call, Pace(60), lambda: self.azure.store.delete(call.named)))

    def _accepted(self, call: Call, pace: Pace, finish: Callable[[], None]) -> dict[str, str]:
        operation = self.azure.operations.start(
            finish, pace, subscription=call.subscription, location="westeurope", api_version=call.api_version
        )
        where = f"/subscriptions/{call.subscription}/providers/Microsoft.Compute/locations/westeurope/operations"
        return {"Azure-AsyncOperation": f"https://localhost{where}/{operation.id}?api-version=2024-05-01"}


class BoxOperations(ResourceEndpoint):
    type: ClassVar[str] = "Microsoft.Compute/locations/operations"

    async def get(self, call: Call) -> Response:
        operation = self.azure.operations.find(call.named.name, call.subscription)
        assert operation is not None
        error = operation.error.body() if operation.error else {}
        return Response(200, {"status": operation.status, **error})


def with_boxes(latency: Latency = Latency.NONE) -> Sandbox:
    azure = Azure(latency=latency)
    return sandbox([Boxes(azure), BoxOperations(azure)], azure=azure)
