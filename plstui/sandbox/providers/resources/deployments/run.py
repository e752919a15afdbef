"""Carry out a template: each resource with a request of its own, as soon as what it depends on is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.tokens import Client
from plstui.sandbox.providers.resources.deployments.expressions import invalid_template
from plstui.sandbox.providers.resources.deployments.template import MissingReference, Planned, Template
from plstui.sandbox.providers.resources.errands import Errands
from plstui.sandbox.store import Body

TRIES = 30
"""How often a resource is sent again when what it refers to is not ready yet."""
PAUSE = 5.0
"""Seconds of Azure before it is sent again, where the refusal does not say how long."""
SHORTEST_PAUSE = 0.01
"""Seconds that are waited where nothing takes any time."""

References = Mapping[tuple[ResourceId, str, bool], Any]


@dataclass(eq=False, slots=True)
class Step:
    """How one resource of a deployment is doing."""

    resource: Planned | None
    """None stands for the outputs, which are worked out last."""
    started: datetime
    number: str = field(default_factory=lambda: uuid4().hex[:16].upper())
    tracking: str = field(default_factory=lambda: str(uuid4()))
    state: str = "Running"
    ended: datetime | None = None
    status: int = 200
    error: ArmError | None = None


class Run:
    """One carrying out of a template."""

    def __init__(self, azure: Azure, client: Client, template: Template) -> None:
        self._azure = azure
        self._template = template
        self._errands = Errands(azure, client)
        self._gone: dict[Planned, asyncio.Event] = {resource: asyncio.Event() for resource in template.resources}
        self._well: set[Planned] = set()
        self.steps: list[Step] = []
        """In the order in which they began; what never began is not among them."""

    async def carry_out(self, target: str) -> Body:
        """Create everything and give the outputs; raises `DeploymentFailed` once nothing is under way any more."""
        await asyncio.gather(*(self._one(resource) for resource in self._template.resources))
        if not self._failed():
            if "outputs" in self._template.fields and self._template.fields.fields("outputs").raw:
                return await self._outputs(target)
            return {}
        raise self._failure(target)

    def _failed(self) -> list[ArmError]:
        return [step.error for step in self.steps if step.error]

    def _failure(self, target: str) -> ArmError:
        details = [
            {"code": error.code, "message": error.message, **({"details": error.details} if error.details else {})}
            for error in self._failed()
        ]
        return DeploymentFailed(target, details)

    async def _one(self, resource: Planned) -> None:
        for other in resource.after:
            await self._gone[other].wait()
        if all(other in self._well for other in resource.after):
            step = Step(resource, self._azure.clock.now())
            self.steps.append(step)
            try:
                await self._create(step, resource)
                self._end(step, "Succeeded")
                self._well.add(resource)
            except ArmError as error:
                step.error, step.status = error, error.status
                self._end(step, "Failed")
        self._gone[resource].set()

    def _end(self, step: Step, state: str) -> None:
        step.state, step.ended = state, self._azure.clock.now()

    async def _create(self, step: Step, resource: Planned) -> None:
        body = await self._with_references(lambda known: self._template.body_of(resource, known))
        for _ in range(TRIES):
            response = await self._errands.send("PUT", resource.id.text, resource.api_version, body)
            if response.status != 429:
                break
            seconds = float(response.headers.get("Retry-After", PAUSE)) * self._azure.operations.latency.factor
            await self._azure.clock.sleep(max(seconds, SHORTEST_PAUSE))
        step.status = response.status
        await self._errands.finish(response)

    async def _outputs(self, target: str) -> Body:
        step = Step(None, self._azure.clock.now())
        self.steps.append(step)
        try:
            outputs = await self._with_references(self._template.outputs)
        except ArmError as error:
            step.error, step.status = error, error.status
            self._end(step, "Failed")
            raise self._failure(target) from None
        self._end(step, "Succeeded")
        return outputs

    async def _with_references(self, work_out: Callable[[References], Body]) -> Body:
        """Work something out, asking for each resource that it refers to."""
        known: dict[tuple[ResourceId, str, bool], Any] = {}
        while True:
            try:
                return work_out(known)
            except MissingReference as missing:
                known[missing.wanted] = await self._ask(*missing.wanted)

    async def _ask(self, resource_id: ResourceId, api_version: str, full: bool) -> Any:
        if not api_version:
            raise invalid_template(
                f"The api-version is required when referencing a resource that is not in the template: '{resource_id}'"
            )
        response = await self._errands.send("GET", resource_id.text, api_version)
        await self._errands.finish(response)
        body = response.body
        return body if full or not isinstance(body, dict) else body.get("properties", {})


class DeploymentFailed(ArmError):
    """Something in the template could not be created."""

    def __init__(self, target: str, details: list[Body]) -> None:
        super().__init__(
            409,
            "DeploymentFailed",
            "At least one resource deployment operation failed. Please list deployment operations for details. Please "
            "see https://aka.ms/arm-deployment-operations for usage details.",
            details=details,
        )
        self.target = target

    def error(self) -> Body:
        """As it stands in the deployment and in the poll."""
        return {"code": self.code, "target": self.target, "message": self.message, "details": self.details}
