"""The connections of a private link service: what its owner approves, rejects and removes."""

from __future__ import annotations

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import bad_request
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.latency import Pace
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.network import polling, shapes
from plstui.sandbox.providers.network.bodies import DELETING, FAILED, UPDATING
from plstui.sandbox.providers.network.links import new_etag
from plstui.sandbox.providers.privatelink import pairing
from plstui.sandbox.providers.privatelink.lookup import (
    APPROVED,
    CONNECTION,
    REJECTED,
    connections_of,
    find_connection,
    state,
)
from plstui.sandbox.store import Body

DECISION = Pace(1)
REMOVAL = Pace(11, 10)


class PrivateEndpointConnections(ResourceEndpoint):
    """Connections. The endpoint makes them; the service's owner decides about them."""

    type = CONNECTION

    async def get(self, call: Call) -> Response:
        """GET of one connection, with the etag of its service."""
        connection = self._connection(call)
        return Response(200, self.shape(call, connection), {"ETag": connection["etag"]})

    async def list(self, call: Call) -> Response:
        """GET of a service's connections."""
        return Response(200, {"value": [self.shape(call, c) for c in connections_of(self._service(call, call.named))]})

    async def put(self, call: Call) -> Response:
        """PUT of one connection: the state is replaced whole, and both sides show it at once.

        The answer says Updating; whoever looks next sees Succeeded, under a newer etag.
        """
        service = self._service(call, call.named.parent)
        connection = find_connection(service, call.named.name)
        if connection is None:
            raise bad_request(
                "PrivateEndpointConnectionCannotBeCreatedByServiceProvider",
                f"Private endpoint connection {call.named} cannot be created by the owner of the private link service. "
                "It comes into being when a private endpoint is created.",
            )
        sent = call.fields.fields("properties").fields("privateLinkServiceConnectionState")
        status = sent.word("status", APPROVED, REJECTED)
        before = connection["properties"]["privateLinkServiceConnectionState"]["status"]
        if not status or (before == REJECTED and status == APPROVED and not self.azure.rejected_may_be_approved):
            raise bad_request(
                "InvalidPrivateEndpointConnectionStateTransition",
                f"The status of private endpoint connection {call.named} cannot be changed from '{before}' to "
                f"'{status}'.",
            )
        shown = state(status, sent.text("description"), sent.text("actionsRequired"))
        answer = {**pairing.with_state(connection, shown, UPDATING), "etag": new_etag()}
        pairing.show(self.azure.store, service, connection, shown)
        operation = self.azure.operations.start(
            lambda: None,
            DECISION,
            subscription=call.subscription,
            location=service["location"],
            api_version=call.api_version,
            result_id=call.named.text,
        )
        headers = polling.async_headers(self.azure, call, operation, location=False)
        return Response(200, self.shape(call, answer), headers)

    async def delete(self, call: Call) -> Response:
        """DELETE of one connection: 204 when there is none; at the end it is gone, and the endpoint is disconnected."""
        service = self._service(call, call.named.parent)
        connection = find_connection(service, call.named.name)
        if connection is None:
            return Response(204)
        operation = self.azure.operations.under_way(call.named.key)
        if operation is None:
            self._mark(call.named, DELETING)
            operation = self.azure.operations.start(
                lambda: self._remove(call.named),
                REMOVAL,
                subscription=call.subscription,
                location=service["location"],
                api_version=call.api_version,
                target=call.named.key,
                on_failure=lambda: self._mark(call.named, FAILED),
            )
        return Response(202, None, polling.async_headers(self.azure, call, operation, location=True))

    def shape(self, call: Call, body: Body) -> Body:
        """A connection as this api-version shows it."""
        return shapes.shape(body, call.api_version)

    def _both(self, connection_id: ResourceId) -> tuple[Json, Json] | None:
        """A connection and its service, as far as they are still there."""
        service = self.azure.store.get(connection_id.parent) if connection_id.parent else None
        connection = find_connection(service, connection_id.name) if service else None
        return (service, connection) if service and connection else None

    def _mark(self, connection_id: ResourceId, provisioning: str) -> None:
        """Show how far the deletion of a connection is."""
        if both := self._both(connection_id):
            service, connection = both
            shown = connection["properties"]["privateLinkServiceConnectionState"]
            marked = pairing.with_state(connection, shown, provisioning)
            self.azure.store.put(pairing.with_connections(service, pairing.replaced(service, marked)))

    def _remove(self, connection_id: ResourceId) -> None:
        if both := self._both(connection_id):
            pairing.disconnect(self.azure.store, *both)

    def _service(self, call: Call, service_id: ResourceId | None) -> Body:
        found = self.azure.store.get(service_id) if service_id else None
        if found is None:
            raise errors.resource_not_found(service_id or call.named)
        return dict(found)

    def _connection(self, call: Call) -> Body:
        connection = find_connection(self._service(call, call.named.parent), call.named.name)
        if connection is None:
            raise errors.child_not_found(call.named)
        return connection
