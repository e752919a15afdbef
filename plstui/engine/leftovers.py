"""Scripts of probes that were killed before they could remove them: what is ours among a machine's, and old."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from plstui.domain.ids import ResourceId
from plstui.engine.ports import CloudBodies

OLD = timedelta(hours=1)
"""How long a script may have been there before it counts as forgotten; far longer than any probe takes."""

PREFIX = "plstui-"
"""What the names of scripts begin with that a probe makes."""

RUN_COMMANDS = "Microsoft.Compute/virtualMachines/runCommands"

_NAME = re.compile(PREFIX + "[0-9a-f]{8}")


async def forgotten(
    bodies: CloudBodies, machine: ResourceId, now: datetime, is_probe: Callable[[str], bool]
) -> list[ResourceId]:
    """The scripts in a machine that probes have left there: one read, and one for each that may be such.

    One is when it has such a name, `is_probe` knows its text, and it was started long before `now`, by Azure's clock.
    Raises `PlstuiError`.
    """
    found = []
    for body in await bodies.collect(f"{machine.text}/runCommands", RUN_COMMANDS):
        run = machine.child("runCommands", str(body.get("name", "")))
        if _NAME.fullmatch(run.name.lower()) and is_probe(_script(body)):
            # A list tells nothing of when a script was started.
            known = await bodies.get(run) or {}
            started = started_at((known.get("properties") or {}).get("instanceView") or {})
            if started and now - started > max(OLD, _allowed(known)):
                found.append(run)
    return found


def started_at(view: Mapping[str, Any]) -> datetime | None:
    """When Azure started a script, by its view; None where it does not say."""
    try:
        started = datetime.fromisoformat(str(view.get("startTime") or ""))
    except ValueError:
        return None
    return started if started.tzinfo else started.replace(tzinfo=UTC)


def _script(body: Mapping[str, Any]) -> str:
    source = (body.get("properties") or {}).get("source") or {}
    return str(source.get("script") or "")


def _allowed(body: Mapping[str, Any]) -> timedelta:
    """How long a script may run: one with a thousand connections to each target takes its time."""
    seconds = (body.get("properties") or {}).get("timeoutInSeconds")
    return timedelta(seconds=seconds) if isinstance(seconds, int) and 0 <= seconds < 10**7 else timedelta(0)
