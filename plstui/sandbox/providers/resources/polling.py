"""The operations of ARM itself: a Location and nothing else, until what was to be deleted is gone."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import routing
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.gateway.operations import FAILED, Operation, opaque_id


def accepted(azure: Azure, call: Call, operation: Operation) -> Response:
    """The answer to a request that has started an operation, and to a poll that comes too early."""
    path = f"/subscriptions/{call.subscription}/operationresults/{opaque_id(operation)}"
    location = routing.address(call.request.base_url, path, f"api-version={operation.api_version}")
    return Response(202, None, {"Location": location, **azure.operations.wait_headers(operation)})


async def result(azure: Azure, call: Call, operation_id: str) -> Response:
    """The answer to a poll; an operation's output is the status it ends with. Raises what it failed with."""
    try:
        padding = "=" * (-len(operation_id) % 4)
        text = urlsafe_b64decode(operation_id.encode() + padding.encode()).decode()
    except (binascii.Error, ValueError):
        text = ""
    operation = azure.operations.find(text, call.subscription)
    if operation is None:
        raise ArmError(404, "OperationNotFound", f"The operation '{operation_id[:100]}' could not be found.")
    await azure.operations.patience(operation)
    if operation.status == FAILED and operation.error:
        raise operation.error
    if operation.over:
        return Response(operation.output)
    response = accepted(azure, call, operation)
    operation.polls += 1
    return response
