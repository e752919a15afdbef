"""How a client asks what became of an operation of Microsoft.Network.

The status address always answers 200; a failure is in the body. The result address answers 202 while the operation is
under way, then 204 for deletions and otherwise 200 with what came of it.
"""

from __future__ import annotations

from urllib.parse import quote

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.gateway.operations import FAILED, IN_PROGRESS, Operation, is_signed, signature_of
from plstui.sandbox.gateway.routing import address
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.network import shapes


def operation_address(call: Call, operation: Operation, kind: str = "operations") -> str:
    """The absolute address of an operation, signature included: to be called as it is."""
    path = (
        f"/subscriptions/{call.subscription}/providers/Microsoft.Network/locations/{operation.location}/{kind}/"
        f"{operation.id}"
    )
    query = "&".join(f"{name}={quote(value)}" for name, value in signature_of(operation).items())
    return address(call.request.base_url, path, f"api-version={operation.api_version}&{query}")


def async_headers(azure: Azure, call: Call, operation: Operation, *, location: bool) -> dict[str, str]:
    """The headers of an accepted write; `location` for deletions and actions."""
    headers = {"Azure-AsyncOperation": operation_address(call, operation), "Azure-AsyncNotification": "Enabled"}
    if location:
        headers["Location"] = operation_address(call, operation, "operationResults")
    return {**headers, **azure.operations.wait_headers(operation)}


class _Poll(ResourceEndpoint):
    def operation(self, call: Call) -> Operation:
        """The operation that was asked about; raises the 404 for a wrong id, region or signature."""
        operation = self.azure.operations.find(call.named.name, call.subscription)
        place = call.path.pairs[0][1]
        if operation and place.lower() == operation.location and is_signed(operation, call.request.query):
            return operation
        raise ArmError(
            404,
            "OperationNotFound",
            f"The operation '{call.named.name}' was not found at this address. Call the address exactly as it was "
            "given, with every parameter.",
            details=(),
        )

    async def list(self, call: Call) -> Response:
        """Operations cannot be listed."""
        raise errors.method_not_allowed(call.method)


class OperationsEndpoint(_Poll):
    """The address in Azure-AsyncOperation."""

    type = "Microsoft.Network/locations/operations"

    async def get(self, call: Call) -> Response:
        """The status of an operation."""
        operation = self.operation(call)
        await self.azure.operations.patience(operation)
        body: dict[str, object] = {"status": operation.status}
        if operation.status == FAILED and operation.error is not None:
            error = operation.error
            body["error"] = {"code": error.code, "message": error.message, "details": list(error.details or ())}
        elif operation.over and operation.output is not None:
            body["properties"] = operation.output
        headers = self.azure.operations.wait_headers(operation)
        operation.polls += operation.status == IN_PROGRESS
        return Response(200, body, headers)


class OperationResultsEndpoint(_Poll):
    """The address in Location."""

    type = "Microsoft.Network/locations/operationResults"

    async def get(self, call: Call) -> Response:
        """The result of an operation."""
        operation = self.operation(call)
        await self.azure.operations.patience(operation)
        headers = async_headers(self.azure, call, operation, location=True)
        if not operation.over:
            operation.polls += 1
            return Response(202, None, headers)
        if operation.error is not None:
            raise operation.error
        if operation.output is not None:
            return Response(200, operation.output, headers)
        found = self.azure.store.get(ResourceId(operation.result_id)) if operation.result_id else None
        if found is None:
            return Response(204, None, headers)
        return Response(200, shapes.shape(dict(found), operation.api_version), headers)
