"""What is right: rules over what was told, what the store held, and what it took. Pure; `test_judge.py` has cases."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.chaos.truth import Truth

WANTED = {"approve": "Approved", "reject": "Rejected", "remove": None}
"""What a verb leaves; None where the connection is gone."""

UNKNOWN, OTHERWISE = "OutcomeUnknown", "DecidedOtherwise"


@dataclass(frozen=True, slots=True)
class Told:
    """What a decision's document said of one connection."""

    by: str
    """The label of its requests."""
    began: float
    ended: float
    result: Mapping[str, Any]
    """One of `results`."""


def wrong_decision(told: Told, truth: Truth) -> str:
    """What is wrong with what was told of a decision; empty when it is right."""
    result = told.result
    verb, status, error = result["verb"], result["status"], result["error"] or {}
    if result["id"] is None:
        return "" if not result["ok"] else "done, and to nothing"
    taken = truth.accepted(told.by, result["id"])
    # What it was is told of the time since it was taken; of one that was not taken, since the command began.
    since = min((truth.taken_at(write, WANTED[verb]) for write in taken), default=told.began)

    def held(status: str | None) -> bool:
        return truth.was(result["id"], status, since, told.ended)

    if result["ok"]:
        if result["unread"]:
            wrong = f"ok, not read back, and yet the status is {status}" if status is not None else ""
            return wrong if taken else "ok without having been taken"
        if status != WANTED[verb]:
            return f"ok, and the status is {status}"
        return "" if held(status) else f"ok, and the store never held {status}"
    if error.get("code") == UNKNOWN:
        return "" if status is None else f"unknown, and the status is {status}"
    if error.get("code") == OTHERWISE:
        if not taken:
            return "decided otherwise, and nothing was taken"
        return "" if held(status) else f"decided otherwise, and the store never held {status}"
    if taken and not error.get("code", "").startswith("Injected"):
        return f"{error.get('code')}: told as not done, and it was taken"
    if status is not None and not truth.was(result["id"], status, told.began, told.ended):
        return f"not done, and the store never held {status}"
    return ""


def wrong_list(connections: Iterable[Mapping[str, Any]], truth: Truth, began: float, ended: float) -> Iterator[str]:
    """What is wrong with what a list told."""
    for connection in connections:
        if not truth.was_endpoints(connection["endpoint"], connection["status"], began, ended):
            yield f"{connection['endpoint']} listed as {connection['status']}, which the store did not hold"


def doubled(by: str, truth: Truth, usual: Mapping[tuple[str, str], int] | None = None) -> list[str]:
    """The writes of one command that were taken more often than they may be: once, or as often as it usually sends
    them."""
    times = Counter((write.method, write.id) for write in truth.accepted(by))
    most = usual or {}
    return [
        f"{method} {resource_id} was taken {count} times"
        for (method, resource_id), count in times.items()
        if count > max(1, most.get((method, resource_id), 1))
    ]


def unpaired(journal: str) -> list[str]:
    """The lines of a journal that begin a write and have no end, or end one that never began."""
    words: dict[str, list[str]] = defaultdict(list)
    for line in journal.splitlines():
        entry = json.loads(line)
        words[entry["action"]].append(entry["outcome"])
    return [f"{action}: {outcomes}" for action, outcomes in words.items() if not _is_pair(outcomes)]


def _is_pair(outcomes: list[str]) -> bool:
    return len(outcomes) == 2 and outcomes[0] == "sent" and outcomes[1] != "sent"


def more_than_sent(by: str, truth: Truth, journal: str) -> list[str]:
    """The resources of which more writes were taken from somebody than they have begun by their journal."""
    sent = Counter(
        entry["id"].lower() for line in journal.splitlines() if (entry := json.loads(line))["outcome"] == "sent"
    )
    # A machine is asked to run a script at an address under its own.
    taken = Counter(write.id.removesuffix("/runcommand") for write in truth.accepted(by))
    return [
        f"{resource_id} was sent {sent[resource_id]} times and taken {count} times"
        for resource_id, count in taken.items()
        if count > sent[resource_id]
    ]
