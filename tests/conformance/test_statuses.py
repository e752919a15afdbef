"""The life of every type: statuses, headers and states are among those that were recorded for it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from tests.conformance.estate import LOCATION, Wanted, estate
from tests.conformance.recordings import EVIDENCE
from tests.conformance.replay import Answer, Client
from tests.conformance.versions import OURS, version_for
from tests.support.served import serve

MATRIX = EVIDENCE / "_lro_matrix.json"

pytestmark = pytest.mark.skipif(
    not MATRIX.exists(), reason=f"no {MATRIX.name} in {EVIDENCE}; PLSTUI_ARM_EVIDENCE names its folder"
)

HEADERS = ("azure-asyncoperation", "location", "etag")

UNSEEN = {
    ("DELETE", 204): "recorded for some types only; the answer to deleting nothing is the same for all",
    ("PATCH", 200): "recorded for some types only; new tags are answered in the same way for all",
}
"""Statuses that are right for a type although nobody recorded them for it."""


@dataclass(frozen=True)
class Row:
    """All recorded answers with one status to one method, for one type."""

    count: int
    headers: dict[str, int]
    """How many had each header."""
    states: frozenset[str]
    """The provisioning states in their bodies; `-` for none."""


@cache
def recorded() -> dict[tuple[str, str, int], Row]:
    """By type in lower case, method and status."""
    rows: dict[tuple[str, str, int], Row] = {}
    for line in json.loads(MATRIX.read_text(encoding="utf-8")):
        key = (line["rtype"].lower(), line["method"], line["status"])
        states = frozenset(line["provisioningState_in_body"])
        if key in rows:  # The same type in another spelling.
            states |= rows[key].states
        rows[key] = Row(line["count"], line["headers"], states)
    return rows


@dataclass(frozen=True)
class Step:
    """One request in a resource's life and its answer."""

    wanted: Wanted
    method: str
    answer: Answer

    def faults(self) -> Iterator[str]:
        """What is unlike every recorded answer, each as a line."""
        key = (self.wanted.kind, self.method, self.answer.status)
        if not any(kind == self.wanted.kind for kind, _, _ in recorded()):
            return
        row = recorded().get(key)
        if row is None:
            if key[1:] not in UNSEEN:
                yield "nobody has recorded this status"
            return
        for header in HEADERS:
            seen = row.headers.get(header, 0)
            if header in self.answer.headers and not seen:
                yield f"{header} was never recorded"
            if header not in self.answer.headers and seen == row.count:
                yield f"{header} was always recorded"
        state = ((self.answer.body or {}).get("properties") or {}).get("provisioningState", "-")
        if state not in row.states:
            yield f"state {state} is not one of {', '.join(sorted(row.states))}"

    def __str__(self) -> str:
        return f"{self.method} {self.wanted.path} {self.answer.status}"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """Make everything, put it again as it is, tag it, delete it, and delete it once more."""
    steps: list[Step] = []
    with serve(tmp_path_factory.mktemp("statuses"), "empty") as served:
        client = Client(served.ready["arm"], ssl.create_default_context(cafile=served.ready["ca"]), served.token("isv"))
        group = f"/subscriptions/{served.ready['subscriptions']['isv']}/resourceGroups/statuses"
        client.call("PUT", f"{group}?api-version=2021-04-01", {"location": LOCATION})

        def step(wanted: Wanted, method: str, body: object = None) -> Answer:
            target = f"{group}/providers/{wanted.path}?api-version={version_for(wanted.path, OURS)}"
            answer = client.call(method, target, body)
            if method != "GET":
                steps.append(Step(wanted, method, answer))
                assert client.follow(answer) in ("", "Succeeded"), steps[-1]
            return answer

        things = estate(group, f"{group}/providers/Microsoft.Storage/storageAccounts/account")
        for wanted in things:
            step(wanted, "PUT", wanted.body)
        for wanted in things:
            step(wanted, "PUT", step(wanted, "GET").body)
            if "location" in wanted.body or wanted.kind.endswith("/a"):
                step(wanted, "PATCH", {"tags": {"a": "b"}})
        for wanted in reversed(things):
            step(wanted, "DELETE")
        for wanted in things:
            if len(wanted.kind.split("/")) == 2:
                step(wanted, "DELETE")
        client.close()
    return steps


def test_every_answer_is_one_that_was_recorded(life: list[Step]) -> None:
    unlike = [f"{step}: {fault}" for step in life for fault in step.faults()]

    assert not unlike, "\n".join(unlike)


def test_a_life_shows_what_can_be_shown(life: list[Step]) -> None:
    """Most rows of successes were compared: the test above did not pass for want of answers."""
    kinds = {step.wanted.kind for step in life}
    compared = {(step.wanted.kind, step.method, step.answer.status) for step in life}
    successes = {key for key in recorded() if key[0] in kinds and key[2] < 300}

    assert len(compared & successes) > 35
    assert {(key[1], key[2]) for key in successes - compared} <= {("DELETE", 200), ("DELETE", 204), ("PATCH", 202)}
