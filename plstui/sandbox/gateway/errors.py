"""Azure's errors, with the codes and words of recorded traffic.

Three envelopes exist: a resource provider's carries `details`, the front door's does not and says so in a header, and
DNS record sets answer without any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.messages import Response


class ArmError(Exception):
    """An answer that is an error."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[Mapping[str, Any]] | None = None,
        envelope: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        """None for an error of the front door; a list, often empty, for one of a resource provider."""
        self.envelope = envelope
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        inner: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details is not None:
            inner["details"] = [dict(detail) for detail in self.details]
        return {"error": inner} if self.envelope else inner

    def response(self) -> Response:
        """The answer itself."""
        gateway = {"x-ms-failure-cause": "gateway"} if self.details is None and self.envelope else {}
        return Response(self.status, self.body(), {**gateway, **self.headers})


def bad_request(code: str, message: str, details: Sequence[Mapping[str, Any]] = ()) -> ArmError:
    """400 of a resource provider."""
    return ArmError(400, code, message, details=details)


def invalid_content(message: str) -> ArmError:
    """400 for a body that is not what this type takes."""
    return ArmError(
        400, "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{message}'."
    )


def subscription_not_found(subscription: str) -> ArmError:
    """404 for a subscription that is not there."""
    return ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def group_not_found(group: str) -> ArmError:
    """404 for any call into a group that is not there."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def resource_not_found(resource_id: ResourceId) -> ArmError:
    """404 for a tracked resource, and for a child whose parent is missing (which is then named)."""
    path = resource_id.text.partition("/providers/")[2]
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{path}' under resource group '{resource_id.resource_group}' was not found. For more details "
        "please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def parent_not_found(verb: str, resource_type: str, parent: ResourceId) -> ArmError:
    """404 of the front door for a child of a tracked resource that is missing; `verb` is read, write or delete."""
    kind = resource_type.partition("/")[2]
    return ArmError(
        404,
        "ParentResourceNotFound",
        f"Failed to perform '{verb}' on resource(s) of type '{kind}', because the parent resource '{parent}' could not "
        "be found.",
    )


def child_not_found(resource_id: ResourceId) -> ArmError:
    """404 for a child of a parent that is there."""
    return ArmError(404, "NotFound", f"Resource {resource_id} not found.", details=())


def invalid_resource_type(resource_type: str, api_version: str) -> ArmError:
    """404 for a type that this sandbox does not have."""
    namespace, _, kind = resource_type.partition("/")
    return ArmError(
        404,
        "InvalidResourceType",
        f"The resource type '{kind}' could not be found in the namespace '{namespace}' for api version "
        f"'{api_version}'.",
    )


def invalid_reference(resource_id: ResourceId, referenced_by: ResourceId, *, shouting: bool = False) -> ArmError:
    """400 for a reference that leads nowhere. References to whole resources come back with upper-cased names."""
    text = resource_id.text
    details: list[dict[str, str]] = []
    if shouting:
        group, name = resource_id.resource_group, resource_id.name
        text = text.replace(f"/{group}/", f"/{group.upper()}/").removesuffix(name) + name.upper()
        details = [{"code": "NotFound", "message": f"Resource {text} not found."}]
    return ArmError(
        400,
        "InvalidResourceReference",
        f"Resource {text} referenced by resource {referenced_by} was not found. Please make sure that the referenced "
        "resource exists, and that both resources are in the same region.",
        details=details,
    )


def method_not_allowed(method: str) -> ArmError:
    """405 for a verb that this type does not have."""
    return ArmError(405, "MethodNotAllowed", f"The requested resource does not support http method '{method}'.")


def authorization_failed(client: str, object_id: str, action: str, scope: str) -> ArmError:
    """403 for a right that the caller lacks."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{client}' with object id '{object_id}' does not have authorization to perform action '{action}' "
        f"over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials.",
    )


def invalid_property_id(text: str, path: str) -> ArmError:
    """400 for a property that has to be a resource id and is none."""
    return ArmError(
        400,
        "LinkedInvalidPropertyId",
        f"Property id '{text[:200]}' at path '{path}' is invalid. Expect fully qualified resource Id that start with "
        "'/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
    )


def linked_authorization_failed(action: str, scope: ResourceId, tenant: str, subscription: str) -> ArmError:
    """403 for a reference into another tenant's subscription, whether what it names is there or not."""
    return ArmError(
        403,
        "LinkedAuthorizationFailed",
        f"The client has permission to perform action '{action}' on scope '{scope}', however the current tenant "
        f"'{tenant}' is not authorized to access linked subscription '{subscription}'.",
    )


def unauthorized(code: str, message: str, tenant: str, base_url: str) -> ArmError:
    """401; the header tells a client where to get a token."""
    challenge = f'Bearer authorization_uri="{base_url}/{tenant}", error="invalid_token", error_description="{message}"'
    return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})
