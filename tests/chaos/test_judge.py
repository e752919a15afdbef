"""The rules by which the attack judges: they must see what is wrong, or its zeros say nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.chaos.judge import Told, doubled, more_than_sent, unpaired, wrong_decision, wrong_list
from tests.chaos.truth import Truth

ID = "/subscriptions/s/connections/door.1"


@pytest.fixture
def truth(tmp_path: Any) -> Truth:
    """Pending from 1, approved by `me` at 10, rejected by somebody else at 20; the sandbox began anew at 30."""
    known = Truth(tmp_path / "log.jsonl")
    known.take(
        [
            {"at": 1.0, "id": ID, "endpoint": "door", "held": "Pending"},
            {"at": 10.0, "id": ID, "endpoint": "door", "held": "Approved"},
            {"at": 10.1, "came": 9.9, "id": ID, "method": "PUT", "by": "me", "status": 200},
            {"at": 20.0, "id": ID, "endpoint": "door", "held": "Rejected"},
            {"at": 20.1, "came": 19.9, "id": ID, "method": "PUT", "by": "else", "status": 200},
            {"at": 25.0, "came": 24.9, "id": ID, "method": "PUT", "by": "late", "status": 409},
            {"at": 30.0, "began": True},
        ]
    )
    return known


def told(by: str = "me", began: float = 9.0, ended: float = 12.0, code: str = "", **result: Any) -> Told:
    document = {"id": ID, "verb": "approve", "ok": not code, "status": None, "unread": None}
    return Told(by, began, ended, {**document, "error": {"code": code} if code else None, **result})


RIGHT = {
    "as asked": told(status="Approved"),
    "taken, and not read back": told(unread="it could not be read"),
    "taken, and somebody decided otherwise": told(ended=21.0, status="Rejected", code="DecidedOtherwise"),
    "nobody knows": told(code="OutcomeUnknown"),
    "refused, and told as it is": told("late", 21.0, 26.0, status="Rejected", code="Conflict"),
    "not sent": told("late", 21.0, 26.0, code="Unreachable"),
    "the answer was lost, and another did the same": told("nobody", 5.0, 12.0, status="Approved"),
    "gone with the sandbox": told("nobody", 5.0, 31.0, verb="remove"),
    "no such connection": told(id=None, code="NotFound"),
    "an operation that was made to fail": told(code="InjectedFailure"),
}

WRONG = {
    "the opposite": told(status="Rejected"),
    "ok, and the store never held it": told("nobody", 1.0, 9.0, status="Approved"),
    "ok without a look, and it was not taken": told("late", 21.0, 26.0, unread="it could not be read"),
    "not read back, and yet a status": told(status="Approved", unread="it could not be read"),
    "what it was before it was taken": told(status="Pending", code="DecidedOtherwise"),
    "decided otherwise, and never sent": told("nobody", 9.0, 21.0, status="Rejected", code="DecidedOtherwise"),
    "unknown, and yet a status": told(status="Approved", code="OutcomeUnknown"),
    "not done, and it was": told(code="Unreachable"),
    "refused, and told as it was long ago": told("late", 21.0, 26.0, status="Pending", code="Conflict"),
    "removed, and it is there": told("nobody", 5.0, 12.0, verb="remove"),
    "done, and to nothing": told(id=None),
}


@pytest.mark.parametrize("case", RIGHT.values(), ids=RIGHT)
def test_what_is_right(truth: Truth, case: Told) -> None:
    assert wrong_decision(case, truth) == ""


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_what_is_wrong(truth: Truth, case: Told) -> None:
    assert wrong_decision(case, truth)


@pytest.mark.parametrize(("status", "right"), [("Pending", True), ("Approved", True), ("Rejected", False)])
def test_a_list_tells_what_was_held_while_it_ran(truth: Truth, status: str, right: bool) -> None:
    assert bool(list(wrong_list([{"endpoint": "door", "status": status}], truth, 9.0, 12.0))) is not right


def test_a_write_is_taken_once_or_as_often_as_usual(truth: Truth) -> None:
    assert doubled("me", truth) == []
    truth.take([{"at": 11.0, "came": 10.9, "id": ID, "method": "PUT", "by": "me", "status": 201}])
    assert doubled("me", truth) == [f"PUT {ID} was taken 2 times"]
    assert doubled("me", truth, {("PUT", ID): 2}) == []
    assert doubled("late", truth) == []


def line(action: str, outcome: str) -> str:
    return json.dumps({"action": action, "outcome": outcome, "id": ID})


def test_a_journal_has_pairs(truth: Truth) -> None:
    journal = "\n".join((line("a", "sent"), line("b", "sent"), line("b", "Conflict"), line("a", "done")))
    assert unpaired(journal) == []
    assert unpaired(journal + "\n" + line("c", "sent")) == ["c: ['sent']"]
    assert unpaired(line("d", "done")) == ["d: ['done']"]
    assert more_than_sent("me", truth, journal) == []
    assert more_than_sent("me", truth, "") == [f"{ID} was sent 0 times and taken 1 times"]
