"""Probe by scripts that Azure runs in machines of the sandbox's lab, and look at what was sent and what is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from plstui.domain.probe import Target, TargetResult
from plstui.domain.targets import frontends, targets
from plstui.sandbox.gateway.messages import Request, Response
from tests.domain.findings.ward import Ward

RUNS = "/runcommands/"


async def probe(lab: Ward, *wanted: Target, count: int = 6) -> dict[str, TargetResult]:
    """The results by the target's name."""
    world = lab.runtime.world()
    asked = wanted or (*targets(world), *frontends(world))
    return {result.target.name: result async for result in lab.runtime.prober.probe(asked, count)}


def runs(lab: Ward) -> list[str]:
    """The scripts that stand in the sandbox as resources."""
    return [str(body["id"]) for body in lab.box.azure.store if RUNS in str(body["id"]).lower()]


class Sent:
    """The writes that were sent, and answers given in Azure's stead."""

    def __init__(self, lab: Ward) -> None:
        self.writes: list[str] = []
        self.refused: dict[str, Response] = {}
        """By method and the last but one word of the path."""
        self.on: Callable[[str], None] = lambda _: None
        """Hears of each write."""
        lab.meddle = self._see

    async def _see(self, request: Request) -> Response | None:
        if request.method == "GET" or "oauth2" in request.path:
            return None
        words = request.path.split("/")
        what = f"{request.method} {words[-2] if words[-2].lower() == 'runcommands' else words[-1]}"
        self.writes.append(what)
        self.on(what)
        return self.refused.get(what)


def refusal(status: int, code: str, message: str) -> Response:
    return Response(status, {"error": {"code": code, "message": message}})


def journal(lab: Ward) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lab.runtime.journal.path.read_text().splitlines()]
