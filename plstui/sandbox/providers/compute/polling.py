"""How a client asks what became of an operation of Microsoft.Compute.

One address serves both ways of asking: with `monitor=true` it gives the result, as Location does, else the status.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.gateway.operations import FAILED, Operation, is_signed, signature_of
from plstui.sandbox.gateway.routing import address
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.compute.errors import ComputeError

PARTITION = "6a3c8ff4-0e4a-4b0c-9d65-6f1b7e7f2d11"
"""The part of the provider that keeps an operation; clients hand it back as they got it."""


def operation_address(call: Call, operation: Operation, *, monitor: bool = False, kind: str = "operations") -> str:
    """The absolute address of an operation, to be called as it is."""
    path = (
        f"/subscriptions/{call.subscription}/providers/Microsoft.Compute/locations/{operation.location}/{kind}/"
        f"{operation.id}"
    )
    query = f"p={PARTITION}&{'monitor=true&' if monitor else ''}api-version={operation.api_version}"
    signature = "&".join(f"{name}={quote(value)}" for name, value in signature_of(operation).items())
    return address(call.request.base_url, path, f"{query}&{signature}")


def accepted(
    azure: Azure, call: Call, operation: Operation, status: int, body: Any = None, *, kind: str = "operations"
) -> Response:
    """The answer to a request that has started an operation. What answers 202 can be asked for its result too."""
    headers = {
        "Azure-AsyncOperation": operation_address(call, operation, kind=kind),
        "Azure-AsyncNotification": "Enabled",
        **azure.operations.wait_headers(operation),
    }
    if status == 202:
        headers["Location"] = operation_address(call, operation, monitor=True, kind=kind)
    return Response(status, body, headers)


class OperationsEndpoint(ResourceEndpoint):
    """Operations on machines and what belongs to them."""

    type: ClassVar[str] = "Microsoft.Compute/locations/operations"

    async def get(self, call: Call) -> Response:
        """The status, or the result."""
        operation = self.azure.operations.find(call.named.name, call.subscription)
        if operation is None or not is_signed(operation, call.request.query):
            raise ComputeError(
                404,
                "NotFound",
                f"The operation '{call.named.name}' was not found at this address. Call the address exactly as it was "
                "given, with every parameter.",
            )
        await self.azure.operations.patience(operation)
        if call.request.query.get("monitor", "").lower() == "true":
            return self._result(call, operation)
        headers = self.azure.operations.wait_headers(operation)
        operation.polls += not operation.over
        return Response(200, _status(operation), headers)

    def _result(self, call: Call, operation: Operation) -> Response:
        if not operation.over:
            response = accepted(self.azure, call, operation, 202, kind=self.type.rpartition("/")[2])
            operation.polls += 1
            return response
        if operation.error is not None:
            raise operation.error
        return Response(200, operation.output)

    async def list(self, call: Call) -> Response:
        """Operations cannot be listed."""
        raise errors.method_not_allowed(call.method)


class DiskOperationsEndpoint(OperationsEndpoint):
    """Operations on disks."""

    type: ClassVar[str] = "Microsoft.Compute/locations/DiskOperations"


def _status(operation: Operation) -> dict[str, Any]:
    body: dict[str, Any] = {"startTime": moment(operation.started)}
    if operation.ended:
        body["endTime"] = moment(operation.ended)
    body["status"] = operation.status
    if operation.over and operation.output is not None:
        body["properties"] = {"output": operation.output}
    if operation.status == FAILED and operation.error is not None:
        body["error"] = {"code": operation.error.code, "message": operation.error.message}
    return {**body, "name": operation.id}


def moment(time: datetime) -> str:
    """A time as this provider writes it: seven digits after the point, and the offset."""
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}0+00:00"


def second(time: datetime) -> str:
    """A time as the machines' agents write it."""
    return f"{time:%Y-%m-%dT%H:%M:%S}+00:00"
