"""Two people decide on one connection at the same time: each is told what was so."""

from __future__ import annotations

import asyncio
import json
import os
import random
from copy import deepcopy
from pathlib import Path

import pytest

from plstui.cli.connections import decide_all
from plstui.cli.results import Result
from plstui.domain.connection import Verb
from plstui.engine.runtime import Runtime
from plstui.sandbox.gateway.messages import Request
from tests.lab.rig import Rig, rig

ROUNDS = 200 if "CI" in os.environ else 30
"""Of approve against reject. At 8bfa69d, 83 of 200 told one of the two the other's status as done."""

STATUS = {"approve": "Approved", "reject": "Rejected"}


class History:
    """What the store held of the connection, one entry a change, and where in it each decision was taken."""

    def __init__(self, azure: Rig) -> None:
        self.statuses = ["Pending"]
        self.taken: dict[str, int] = {}
        """The place in the history of each decision, by the status that it asks for."""
        self._azure = azure
        azure.sandbox.azure.store.subscribe(self._note)
        azure.after = self._took

    def _note(self, _: str) -> None:
        (connection,) = self._azure.body("saasPrivateLinkService")["properties"]["privateEndpointConnections"]
        status = connection["properties"]["privateLinkServiceConnectionState"]["status"]
        if status != self.statuses[-1]:
            self.statuses.append(status)

    async def _took(self, request: Request) -> None:
        if request.method == "PUT" and "/privateendpointconnections/" in request.path.lower():
            asked = json.loads(request.content)["properties"]["privateLinkServiceConnectionState"]["status"]
            assert self.statuses[-1] == asked, "the store takes one write after the other"
            self.taken[asked] = len(self.statuses) - 1


async def decide(runtime: Runtime, verb: Verb, connection: str, history: History) -> tuple[Result, int]:
    """What a decision is told, and how far the history was by then."""
    (result,) = await decide_all(runtime, verb, [connection], None, ask=False)
    return result, len(history.statuses)


async def test_the_status_told_was_held_by_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    told: list[str] = []
    chance = random.Random(7)
    async with rig(tmp_path, "pending") as azure, azure.session() as one, azure.session() as other:
        service = azure.body("saasPrivateLinkService")
        connection = service["properties"]["privateEndpointConnections"][0]["id"]
        begun = [deepcopy(service), deepcopy(azure.body("saasPrivateEndpoint"))]

        async def dawdle(_: Request) -> None:
            for _turn in range(chance.randrange(30)):
                await asyncio.sleep(0)

        azure.meddle = dawdle
        for _ in range(ROUNDS):
            for body in begun:
                azure.sandbox.azure.store.put(deepcopy(body))
            history = History(azure)
            ends = await asyncio.gather(
                decide(one.runtime, Verb.APPROVE, connection, history),
                decide(other.runtime, Verb.REJECT, connection, history),
            )
            for result, until in ends:
                asked = STATUS[result.document["verb"]]
                code = result.document["error"]["code"] if result.document["error"] else ""
                told.append(code or "done")
                if code == "Refused":
                    assert asked not in history.taken
                    assert result.document["status"] in history.statuses
                    continue
                assert code in ("", "DecidedOtherwise"), result.document
                assert result.document["ok"] == (code == "")
                assert (result.document["status"] == asked) == result.document["ok"]
                assert result.document["status"] in history.statuses[history.taken[asked] : until]
    assert "done" in told
    assert "DecidedOtherwise" in told, "they have met"
    entries = [json.loads(line) for line in (tmp_path / "state/plstui/journal.jsonl").read_text().splitlines()]
    outcomes = [entry["outcome"] for entry in entries]
    assert outcomes.count("sent") == len(outcomes) / 2, "every pair is complete"
    assert outcomes.count("done, decided otherwise") == told.count("DecidedOtherwise")
    assert outcomes.count("done") == told.count("done")
