"""Long-running operations as private DNS has them: 202 with an empty object, polled under the resource group.

Unlike the rest of Microsoft.Network a poll answers 202 while the operation is under way, and a zone or link that is
written appears only when the operation ends: what is wrong with it is then in the last poll, an HTTP 200.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.gateway.operations import Finish, Operation, is_signed, opaque_id, operation_id, signature_of
from plstui.sandbox.gateway.routing import address
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.base import ResourceEndpoint

WRITE = Pace(15, 30)
DELETE = Pace(10, 30)

_NETWORK = "Microsoft.Network"


def accept(azure: Azure, call: Call, finish: Finish, pace: Pace, *, deletes: bool = False) -> Response:
    """Begin what a call asks for and answer 202."""
    operation = azure.operations.start(
        finish,
        pace,
        subscription=call.subscription,
        location="global",
        api_version=call.api_version,
        result_id=None if deletes else call.named.text,
        target=call.named.key,
    )
    return Response(202, None if deletes else {}, _headers(azure, call, operation))


def _headers(azure: Azure, call: Call, operation: Operation) -> dict[str, str]:
    # Public zones have the same operations under another word; polls give the address they were asked at once more.
    family = "dns" if call.named.type.lower().startswith("microsoft.network/dns") else "privateDns"
    query = urlencode({"api-version": operation.api_version, **signature_of(operation)})

    def at(kind: str) -> str:
        path = f"{call.group_id}/providers/{_NETWORK}/{family}{kind}/{opaque_id(operation)}"
        return address(call.request.base_url, path, query)

    return {
        "Azure-AsyncOperation": at("OperationStatuses"),
        "Location": at("OperationResults"),
        **azure.operations.wait_headers(operation),
    }


class _Poll(ResourceEndpoint):
    def operation(self, call: Call) -> Operation:
        """The operation that was asked about; raises the 404 for a wrong id or signature."""
        operation = self.azure.operations.find(operation_id(call.named.name), call.subscription)
        if operation is None or not is_signed(operation, call.request.query):
            raise ArmError(
                404,
                "NotFound",
                "The operation was not found at this address. Call the address exactly as it was given, with every "
                "parameter.",
                envelope=False,
            )
        return operation


class OperationStatuses(_Poll):
    """The address in Azure-AsyncOperation."""

    type = f"{_NETWORK}/privateDnsOperationStatuses"

    async def get(self, call: Call) -> Response:
        """202 while it is under way; then 200, and a failure is in the body."""
        operation = self.operation(call)
        if not operation.over:
            return Response(202, {"status": operation.status}, _headers(self.azure, call, operation))
        body: dict[str, Any] = {"status": operation.status}
        if operation.error is not None:
            body = {"error": {"code": operation.error.code, "message": operation.error.message}, **body}
        return Response(200, body)


class OperationResults(_Poll):
    """The address in Location."""

    type = f"{_NETWORK}/privateDnsOperationResults"

    async def get(self, call: Call) -> Response:
        """202 while it is under way; then what came of it, and nothing after a deletion."""
        operation = self.operation(call)
        if not operation.over:
            return Response(202, None, _headers(self.azure, call, operation))
        if operation.error is not None:
            raise operation.error
        found = self.azure.store.get(operation.result_id) if operation.result_id else None
        return Response(200, dict(found)) if found else Response(204)
