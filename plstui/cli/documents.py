"""The JSON documents other programs rely on. Fields may be added, never renamed or dropped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from plstui.cli.output import JSON_TEXT, time_json
from plstui.domain.probe import TargetResult
from plstui.domain.resources import PrivateLinkService
from plstui.domain.snapshot import Snapshot
from plstui.domain.text import clean
from plstui.domain.tree import TreeRow, rows
from plstui.domain.world import Link


def text(value: str) -> str | None:
    """A text from the other side, harmless; None when there is none."""
    return clean(value, JSON_TEXT) or None


def side_json(snapshot: Snapshot | None) -> dict[str, Any] | None:
    """SIDE: one subscription and everything seen in it; None for a side that is not configured."""
    if snapshot is None:
        return None
    return {
        "subscription": snapshot.subscription,
        "tenant": snapshot.tenant or None,
        "reachable": snapshot.reachable,
        "stale_since": time_json(snapshot.stale_since),
        "error": text(snapshot.error),
        "read_at": time_json(snapshot.read_at),
        "health_error": text(snapshot.health_error),
        "not_read": [
            {"type": kind.value, "why": text(known.why), "code": known.code or None}
            for kind, known in snapshot.not_read.items()
        ],
        "resources": [_resource_json(row) for row in rows(snapshot)],
    }


def _resource_json(row: TreeRow) -> dict[str, Any]:
    return {
        "id": row.id.text,
        "type": row.type,
        "name": text(row.name),
        "location": text(row.location),
        "state": text(row.state),
        "provisioning_state": text(row.provisioning_state),
        "detail": text(row.detail),
    }


def service_json(isv: Snapshot, service: PrivateLinkService) -> dict[str, Any]:
    """SERVICE: a private link service as among a side's resources, and what only a service has."""
    row = next(row for row in rows(isv) if row.id == service.id)
    return {
        **_resource_json(row),
        "alias": text(service.alias),
        "visibility": service.visibility,
        "auto_approval": service.auto_approval,
        "tags": tags_json(service.tags),
    }


def tags_json(tags: Iterable[tuple[str, str]]) -> dict[str, str]:
    """TAGS: values by the whole names that tags have; none hides another that reads alike once made harmless."""
    values: dict[str, str] = {}
    for name, value in tags:
        harmless = clean(name, JSON_TEXT)
        while harmless in values:
            harmless += " (again)"
        values[harmless] = text(value) or ""
    return values


def connection_json(link: Link) -> dict[str, Any]:
    """CONNECTION: one connection joined from both ends; what neither end says is None."""
    service = link.service_side
    end = service or link.endpoint_side
    location = service.endpoint_location if service else ""
    return {
        "id": link.id.text,
        "name": text(link.name),
        "service": text(link.service_name),
        "endpoint": text(link.endpoint_name),
        "endpoint_id": link.endpoint_id.text if link.endpoint_id else None,
        "customer_subscription": link.endpoint_id.subscription if link.endpoint_id else None,
        "status": link.status.word,
        "description": text(link.description),
        "message": text(link.message),
        "actions_required": text(end.actions_required) if end else None,
        "link_identifier": text(service.link_identifier) if service else None,
        "endpoint_location": text(location or (link.endpoint.location if link.endpoint else "")),
        "endpoint_address": text(link.endpoint_address),
        "provisioning_state": text(end.provisioning_state) if end else None,
        "seen_from": [side.value for side in link.seen_from],
        "allowed": [verb.value for verb in link.allowed],
    }


def target_json(result: TargetResult) -> dict[str, Any]:
    """TARGET: one probed address and what came back; times in milliseconds."""
    target = result.target
    return {
        "name": text(target.name),
        "kind": target.kind.value,
        "side": target.side.value,
        "address": target.address,
        "port": target.port,
        "route": text(result.route),
        "ok": result.ok,
        "attempts": len(result.attempts),
        "hosts": result.hosts,
        "failures": result.failures,
        "connect_ms": _percentiles(result.connect_ms),
        "first_byte_ms": _percentiles(result.first_byte_ms),
        "error": text(result.error),
        "untold": text(result.untold),
        "resolved": [text(address) for address in result.resolved],
    }


def _percentiles(values: tuple[float, float] | None) -> dict[str, float] | None:
    return {"p50": round(values[0], 2), "p95": round(values[1], 2)} if values else None
