"""Deployments: accept a template, carry it out beside the requests, tell how it is doing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors, routing
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.gateway.operations import CANCELED, Operation
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.resources import listing, odata, polling
from plstui.sandbox.providers.resources.deployments import bodies
from plstui.sandbox.providers.resources.deployments.run import DeploymentFailed, Run
from plstui.sandbox.providers.resources.deployments.template import Scope, Template
from plstui.sandbox.providers.resources.subscriptions import subscription_body
from plstui.sandbox.store import Body

DEPLOY = Pace(0)
"""A deployment takes what its resources take; no recorded answer advises how long to wait."""
DELETE = Pace(10, 15)

_NAME = re.compile(r"^[\w().-]{1,64}$")
_TICKS_OF_1970 = 621_355_968_000_000_000


@dataclass(eq=False, slots=True)
class Deployed:
    """A deployment that this sandbox has carried out or is carrying out."""

    number: str
    """The last segment of the address that tells how it is doing."""
    template: Template
    run: Run
    started: datetime
    operation: Operation | None = None


class Deployments(ResourceEndpoint):
    """Deployments into a resource group."""

    type: ClassVar[str] = bodies.TYPE

    def __init__(self, azure: Azure) -> None:
        super().__init__(azure)
        self._deployed: dict[ResourceId, Deployed] = {}
        azure.store.subscribe(self._forget)

    def _forget(self, resource_id: str) -> None:
        if self._deployed and self.azure.store.get(resource_id) is None:
            self._deployed.pop(ResourceId(resource_id), None)

    def find(self, resource_id: ResourceId) -> Body:
        """A deployment; raises the 404 that only deployments have."""
        found = self.azure.store.get(resource_id)
        if found is None:
            raise ArmError(404, "DeploymentNotFound", f"Deployment '{resource_id.name}' could not be found.")
        return dict(found)

    def deployed(self, resource_id: ResourceId) -> Deployed:
        """What is known of a deployment beside its body; raises the 404."""
        self.find(resource_id)
        return self._deployed[resource_id]

    async def list(self, call: Call) -> Response:
        """The deployments of a group, the newest first."""
        start = f"{call.group_id.key}/"
        found = [body for body in self.azure.store.of_type(self.type) if body["id"].lower().startswith(start)]
        if text := call.request.query.get("$filter", "").strip():
            wanted = odata.parse(text, frozenset({"provisioningstate"}))
            found = [body for body in found if wanted({"provisioningstate": body["properties"]["provisioningState"]})]
        found.sort(key=lambda body: str(body["properties"]["timestamp"]), reverse=True)
        return listing.page(call, found)

    async def put(self, call: Call) -> Response:
        """Start a deployment."""
        template = self._template(call)
        old = self.azure.store.get(call.named)
        if old and (known := self._deployed[call.named]).operation and not known.operation.over:
            raise ArmError(
                409,
                "DeploymentActive",
                f"Unable to edit or replace deployment '{call.named.name}': previous deployment from "
                f"'{known.started:%m/%d/%Y %I:%M:%S %p}' is still active. Please see https://aka.ms/arm-deploy for "
                "usage details.",
            )
        now = self.azure.clock.now()
        correlation = call.request.headers.get("x-ms-correlation-request-id") or str(uuid4())
        body: Body = {
            "id": old["id"] if old else call.named.text,
            "name": old["name"] if old else call.named.name,
            "type": self.type,
            **({"tags": call.fields.tags()} if "tags" in call.fields else {}),
            "properties": bodies.properties(template, "Accepted", now, now, correlation),
        }
        self.azure.store.put(body)
        self._start(call, body, template, now)
        known = self._deployed[call.named]
        assert known.operation is not None
        path = f"{call.request.path.rstrip('/')}/operationStatuses/{known.number}"
        address = routing.address(call.request.base_url, path, f"api-version={call.api_version}")
        advice = self.azure.operations.wait_headers(known.operation)
        return Response(200 if old else 201, body, {"Azure-AsyncOperation": address, **advice})

    def _start(self, call: Call, body: Body, template: Template, now: datetime) -> None:
        ticks = int(now.timestamp() * 10_000_000) + _TICKS_OF_1970
        known = Deployed(f"{2**63 - 1 - ticks:020d}", template, Run(self.azure, call.client, template), now)
        self._deployed[call.named] = known

        async def work() -> None:
            self._show(body, known, "Running")
            outputs = await known.run.carry_out(body["id"])
            more: Body = {"outputResources": bodies.output_resources(template)}
            if "outputs" in template.fields:
                more = {"outputs": outputs, **more}
            self._show(body, known, "Succeeded", more)

        def failed() -> None:
            assert known.operation is not None
            assert known.operation.error is not None
            self._show(body, known, "Failed", {"error": _inside(known.operation.error)})

        known.operation = self.azure.operations.start(
            work,
            DEPLOY,
            subscription=call.subscription,
            location="",
            api_version=call.api_version,
            target=body["id"],
            on_failure=failed,
        )

    def _show(self, body: Body, known: Deployed, state: str, more: Body | None = None) -> None:
        """Put a deployment's state where it can be seen, unless it was deleted meanwhile."""
        if self._deployed.get(ResourceId(body["id"])) is not known:
            return
        now = self.azure.clock.now()
        correlation = body["properties"]["correlationId"]
        shown = bodies.properties(known.template, state, known.started, now, correlation)
        self.azure.store.put({**body, "properties": {**shown, **(more or {})}})

    async def delete(self, call: Call) -> Response:
        """Forget a deployment; what it created stays."""
        if self.azure.store.get(call.named) is None:
            return Response(204)

        def forget() -> int:
            self.azure.store.delete(call.named)
            return 204

        operation = self.azure.operations.start(
            forget, DELETE, subscription=call.subscription, location="", api_version=call.api_version
        )
        return polling.accepted(self.azure, call, operation)

    async def act(self, call: Call) -> Response:
        """POST: validate, cancel, exportTemplate."""
        if call.method != "POST":
            raise errors.method_not_allowed(call.method)
        match call.action:
            case "validate":
                return self._validate(call)
            case "cancel":
                return self._cancel(call)
            case "exporttemplate":
                return Response(200, {"template": self.deployed(call.named).template.fields.raw})
        return await super().act(call)

    def _validate(self, call: Call) -> Response:
        template = self._template(call)
        now = self.azure.clock.now()
        shown = bodies.properties(template, "Succeeded", now, now, str(uuid4()))
        shown["validatedResources"] = bodies.output_resources(template)
        return Response(200, {"id": call.named.text, "name": call.named.name, "type": self.type, "properties": shown})

    def _cancel(self, call: Call) -> Response:
        body = self.find(call.named)
        known = self._deployed[call.named]
        if known.operation is None or known.operation.over:
            raise ArmError(
                409,
                "DeploymentCannotBeCancelled",
                f"The deployment '{call.named.name}' cannot be cancelled because its provisioning state is "
                f"'{body['properties']['provisioningState']}'.",
            )
        self.azure.operations.cancel(known.operation)
        self._show(body, known, CANCELED)
        return Response(204)

    def _template(self, call: Call) -> Template:
        """The template of a request; raises the 400s of ARM."""
        if not _NAME.match(call.named.name):
            raise ArmError(
                400,
                "InvalidDeploymentName",
                f"The deployment name '{call.named.name[:100]}' is invalid. It has up to 64 letters, digits, '-', '_', "
                "'.', '(' and ')'.",
            )
        if "location" in call.fields:
            raise ArmError(
                400,
                "InvalidDeployment",
                f"The 'location' property is not allowed for '{call.named.name}' at resource group scope. Please see "
                "https://aka.ms/arm-deployment-subscription for usage details.",
            )
        properties = call.fields.fields("properties")
        if not properties.text("mode"):
            raise errors.invalid_content("Required property 'mode' not found in JSON. Path 'properties'")
        if properties.word("mode", "Incremental", "Complete") == "Complete":
            raise ArmError(400, "InvalidDeployment", "This sandbox carries out deployments of mode Incremental only.")
        if "templateLink" in properties or "parametersLink" in properties:
            raise ArmError(400, "InvalidDeployment", "This sandbox fetches no templates: send it in 'template'.")
        group = self.azure.store.get(call.group_id)
        assert group is not None, "the front door has looked"
        subscription = subscription_body(self.azure.directory.subscriptions[call.subscription.lower()])
        shown = {name: subscription[name] for name in ("id", "subscriptionId", "tenantId", "displayName")}
        return Template(properties, Scope(group, shown, call.named.name))


def _inside(error: ArmError) -> Body:
    """A failure as it stands inside an answer."""
    inner: Body = error.error() if isinstance(error, DeploymentFailed) else error.body()["error"]
    return inner


class OperationStatuses(ResourceEndpoint):
    """How a deployment is doing."""

    type: ClassVar[str] = "Microsoft.Resources/deployments/operationStatuses"

    def __init__(self, azure: Azure, deployments: Deployments) -> None:
        super().__init__(azure)
        self._deployments = deployments

    async def get(self, call: Call) -> Response:
        """Running until it has ended; a failure is told with status 200."""
        deployment = call.named.parent
        assert deployment is not None
        known = self._deployments.deployed(deployment)
        if known.number != call.named.name or known.operation is None:
            raise ArmError(
                404, "DeploymentOperationNotFound", f"Deployment operation '{call.named.name}' could not be found."
            )
        operation = known.operation
        await self.azure.operations.patience(operation)
        if not operation.over:
            advice = self.azure.operations.wait_headers(operation)
            operation.polls += 1
            return Response(200, {"status": "Running" if operation.task else "Accepted"}, advice)
        if operation.error:
            return Response(200, {"status": operation.status, "error": _inside(operation.error)})
        return Response(200, {"status": operation.status})


class DeploymentOperations(ResourceEndpoint):
    """What a deployment did for each resource."""

    type: ClassVar[str] = "Microsoft.Resources/deployments/operations"

    def __init__(self, azure: Azure, deployments: Deployments) -> None:
        super().__init__(azure)
        self._deployments = deployments

    async def list(self, call: Call) -> Response:
        """The operations of one deployment."""
        return listing.page(call, self._bodies(call.named))

    async def get(self, call: Call) -> Response:
        """One operation."""
        deployment = call.named.parent
        assert deployment is not None
        for body in self._bodies(deployment):
            if body["operationId"].lower() == call.named.name.lower():
                return Response(200, body)
        raise ArmError(
            404, "DeploymentOperationNotFound", f"Deployment operation '{call.named.name}' could not be found."
        )

    def _bodies(self, deployment: ResourceId) -> Sequence[Body]:
        steps = self._deployments.deployed(deployment).run.steps
        return [bodies.operation(deployment, step, self.azure.clock.now()) for step in steps]
