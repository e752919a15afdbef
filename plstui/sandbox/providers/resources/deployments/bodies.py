"""What answers say of a deployment."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from plstui.domain.ids import ResourceId
from plstui.sandbox.providers.resources.deployments.run import Step
from plstui.sandbox.providers.resources.deployments.template import Planned, Template
from plstui.sandbox.providers.resources.listing import timestamp
from plstui.sandbox.store import Body

TYPE = "Microsoft.Resources/deployments"


def properties(template: Template, state: str, started: datetime, now: datetime, correlation: str) -> Body:
    """The properties of a deployment that has not ended."""
    return {
        "templateHash": template.hash,
        "parameters": template.parameters.shown(),
        "mode": "Incremental",
        "provisioningState": state,
        "timestamp": timestamp(now),
        "duration": duration(now - started),
        "correlationId": correlation,
        "providers": _providers(template),
        "dependencies": [_dependency(resource) for resource in template.resources if resource.after],
    }


def _providers(template: Template) -> list[Body]:
    found: dict[str, dict[str, list[str | None]]] = {}
    for resource in template.resources:
        namespace, _, kind = resource.id.type.partition("/")
        where = found.setdefault(namespace, {}).setdefault(kind, [])
        if resource.location not in where:
            where.append(resource.location)
    return [
        {
            "namespace": namespace,
            "resourceTypes": [{"resourceType": kind, "locations": where} for kind, where in kinds.items()],
        }
        for namespace, kinds in found.items()
    ]


def _dependency(resource: Planned) -> Body:
    return {"dependsOn": [_named(other) for other in resource.after], **_named(resource)}


def _named(resource: Planned) -> Body:
    return {"id": resource.id.text, "resourceType": resource.id.type, "resourceName": resource.name}


def output_resources(template: Template) -> list[Body]:
    """What a deployment created, in the order of the ids."""
    return [{"id": text} for text in sorted((resource.id.text for resource in template.resources), key=str.lower)]


def operation(deployment: ResourceId, step: Step, now: datetime) -> Body:
    """One entry of the list of a deployment's operations."""
    body: dict[str, Any] = {
        "provisioningOperation": "Create" if step.resource else "EvaluateDeploymentOutput",
        "provisioningState": step.state,
        "timestamp": timestamp(step.ended or now),
        "duration": duration((step.ended or now) - step.started),
        "trackingId": step.tracking,
    }
    if step.ended:
        body["statusCode"] = HTTPStatus(step.status).phrase.replace(" ", "")
    if step.error:
        body["statusMessage"] = {"status": "Failed", **step.error.body()}
    if step.resource:
        body["targetResource"] = _named(step.resource)
    return {"id": f"{deployment}/operations/{step.number}", "operationId": step.number, "properties": body}


def duration(span: timedelta) -> str:
    """A span of time as ISO 8601 has it: `PT1M2.5S`."""
    minutes, seconds = divmod(max(span.total_seconds(), 0.0), 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{seconds:.7f}".rstrip("0").rstrip(".")
    return f"PT{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}{text}S"
