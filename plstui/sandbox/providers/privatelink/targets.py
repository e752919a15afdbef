"""What an endpoint asks to be connected with: found, allowed, and with which state it begins."""

from __future__ import annotations

from dataclasses import dataclass

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError, bad_request
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.network.bodies import DELETING, UPDATING
from plstui.sandbox.providers.network.refusals import not_ready
from plstui.sandbox.providers.privatelink.lookup import (
    APPROVED,
    PENDING,
    SERVICE,
    connections_of,
    find_service,
    is_alias,
    state,
)
from plstui.sandbox.providers.privatelink.visibility import is_auto_approved, is_visible, tenant_of
from plstui.sandbox.store import Body

MOST_ENDPOINTS = 1000
"""Connections of one service."""

_APPROVE = f"{SERVICE}/PrivateEndpointConnectionsApproval/action"
_NETWORK_TARGETS = frozenset({SERVICE.lower(), "microsoft.network/applicationgateways"})

AUTO_APPROVED = state(APPROVED, "Auto Approved")
"""With a right on the service, as recorded from 2022 to 2024."""

APPROVED_ELSEWHERE = state(APPROVED, "Auto-Approved")
"""What a storage account, for example, makes of that at the end."""

LISTED = state(APPROVED, "")
"""By the service's list; the service says `Approved`, and at the end the endpoint does so too (recorded in 2021)."""

AWAITING = state(PENDING, "Awaiting Approval")


@dataclass(frozen=True, slots=True)
class Target:
    """What a connection leads to."""

    text: str
    """An id or an alias, as the endpoint shows it."""
    service: Body | None
    """The private link service; None for a resource of another provider, of which nothing is known here."""


def find(azure: Azure, call: Call, asked: Fields, *, manual: bool) -> Target:
    """What the request of an endpoint leads to; raises the errors of Azure for what is not there, or not seen."""
    text = asked.text("privateLinkServiceId")
    if is_alias(text):
        service = find_service(azure.store, text)
        if service and not manual and not is_auto_approved(service, call.subscription):
            # Without approval an automatic request needs a right, and rights are held on ids alone.
            raise errors.invalid_property_id(text, f"{asked.where}.privateLinkServiceId")
        return Target(text, _seen(azure, call, text, service))
    target = asked.id("privateLinkServiceId")
    if target is None or not target.type.count("/") or _is_no_target(target):
        raise bad_request(
            "InvalidPrivateLinkServiceIdType",
            f"Private link service Id {text[:300]} has an invalid resource type.",
        )
    if not target.is_type(SERVICE):
        return Target(target.text, None)
    return Target(target.text, _seen(azure, call, target.text, find_service(azure.store, target.text)))


def _is_no_target(target: ResourceId) -> bool:
    kind = target.type.lower()
    return kind.startswith(("microsoft.network/", "microsoft.resources/")) and kind not in _NETWORK_TARGETS


def _seen(azure: Azure, call: Call, text: str, service: Body | None) -> Body:
    if service is None or not is_visible(azure, service, call.subscription, call.client.tenant):
        raise bad_request(
            "ThirdPartyPrivateLinkServiceProvidedDuringPrivateEndpointCreationDoesNotExistOrIsNotVisible",
            f"Third-party Private Link Service Id {text} provided during the creation of private endpoint {call.named} "
            "does not exist or is not visible.",
        )
    return service


def first_state(azure: Azure, call: Call, target: Target, *, manual: bool) -> Body:
    """The state that a new connection begins with; raises the refusals of a service that cannot take it."""
    if target.service is None:
        if not manual:
            _check_right(azure, call, ResourceId(target.text))
        return AWAITING if manual else AUTO_APPROVED
    service_id = ResourceId(target.service["id"])
    provisioning = target.service["properties"]["provisioningState"]
    if provisioning in (UPDATING, DELETING):
        raise not_ready(service_id, call.named, provisioning)
    if len(connections_of(target.service)) >= MOST_ENDPOINTS:
        raise bad_request(
            "PrivateEndpointConnectionCountLimitReached",
            f"Private link service {target.text} has {MOST_ENDPOINTS} private endpoint connections, which is the most "
            "that is allowed.",
        )
    if is_auto_approved(target.service, call.subscription):
        return LISTED
    if manual:
        return AWAITING
    if tenant_of(azure, target.service) != call.client.tenant.lower():
        raise _foreign(call, service_id)
    return AUTO_APPROVED


def at_service(asked: Json) -> Body:
    """What a service says of a new connection, from the properties of what the endpoint asks for."""
    shown: Body = asked["privateLinkServiceConnectionState"]
    if shown == AWAITING and asked.get("requestMessage"):
        return {**shown, "description": asked["requestMessage"]}
    return {**shown, "description": APPROVED} if shown == LISTED else shown


def _check_right(azure: Azure, call: Call, target: ResourceId) -> None:
    subscription = azure.directory.subscriptions.get(target.subscription.lower())
    if subscription is None or subscription.tenant.lower() != call.client.tenant.lower():
        raise _foreign(call, target)


def _foreign(call: Call, target: ResourceId) -> ArmError:
    action = _APPROVE if target.is_type(SERVICE) else f"{target.type}/PrivateEndpointConnectionsApproval/action"
    return errors.linked_authorization_failed(action, call.named, call.client.tenant, target.subscription)
