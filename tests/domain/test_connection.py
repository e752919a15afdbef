"""What may be done with a connection, and why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plstui.domain.connection import (
    APPROVED,
    DISCONNECTED,
    PENDING,
    REJECTED,
    Connection,
    ConnectionStatus,
    Verb,
    allowed_verbs,
    why_not,
)
from tests.support.lab import Request

REQUEST = Request()
CONNECTION = Connection(REQUEST.connection_id, REQUEST.connection_id.name, PENDING, provisioning_state="Succeeded")


@pytest.mark.parametrize(
    ("status", "allowed"),
    [
        (PENDING, {Verb.APPROVE, Verb.REJECT, Verb.REMOVE}),
        (APPROVED, {Verb.REJECT, Verb.REMOVE}),
        # Azure's documents contradict each other: approving is tried, and Azure's answer shown.
        (REJECTED, {Verb.APPROVE, Verb.REMOVE}),
        (DISCONNECTED, {Verb.REMOVE}),
        (ConnectionStatus("Dreaming"), {Verb.APPROVE, Verb.REJECT, Verb.REMOVE}),
    ],
)
def test_what_each_status_allows(status: ConnectionStatus, allowed: set[Verb]) -> None:
    assert set(allowed_verbs(replace(CONNECTION, status=status))) == allowed


@pytest.mark.parametrize("status", [PENDING, APPROVED, REJECTED, DISCONNECTED])
def test_while_azure_works_on_it_it_can_only_be_removed(status: ConnectionStatus) -> None:
    busy = replace(CONNECTION, status=status, provisioning_state="UPDATING")

    assert allowed_verbs(busy) == (Verb.REMOVE,)
    assert "still working" in (why_not(Verb.APPROVE, busy) or "")


@pytest.mark.parametrize("verb", Verb)
def test_while_it_is_being_removed_nothing_is_possible(verb: Verb) -> None:
    going = replace(CONNECTION, provisioning_state="Deleting")

    assert why_not(verb, going) == "Azure is already removing this connection."


@pytest.mark.parametrize("verb", Verb)
def test_only_the_owner_decides(verb: Verb) -> None:
    assert "Only the service's owner can decide" in (why_not(verb, None) or "")


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("status", [PENDING, APPROVED, REJECTED, DISCONNECTED])
@pytest.mark.parametrize("state", ["Succeeded", "Updating", "Deleting", "Failed", ""])
def test_every_reason_is_a_sentence(verb: Verb, status: ConnectionStatus, state: str) -> None:
    reason = why_not(verb, replace(CONNECTION, status=status, provisioning_state=state))

    assert reason is None or (reason[0].isupper() and reason.endswith("."))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("pending", "Pending"),
        ("APPROVED", "Approved"),
        (" Rejected\n", "Rejected"),
        ("Dreaming", "Dreaming"),
        ("\x1b[31mPending", "[31mPending"),
        ("", "Unknown"),
        (None, "Unknown"),
    ],
)
def test_status_words_in_any_case_and_unknown_ones(text: str | None, word: str) -> None:
    assert str(ConnectionStatus.parse(text)) == word


def test_verbs_say_what_they_do() -> None:
    assert [(verb.doing, verb.done, verb.status) for verb in Verb] == [
        ("approving", "approved", APPROVED),
        ("rejecting", "rejected", REJECTED),
        ("removing", "removed", None),
    ]


def test_a_connection_belongs_to_a_service() -> None:
    assert CONNECTION.service_id.name == "saasPrivateLinkService"
