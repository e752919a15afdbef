"""What a script may demand of a probe."""

from __future__ import annotations

import pytest

from plstui.domain.assertion import METRICS, Assertion
from plstui.domain.probe import Attempt, Failure, Target, TargetKind, TargetResult
from plstui.domain.sides import Side


def backend(name: str, *attempts: Attempt) -> TargetResult:
    return TargetResult(Target(name, TargetKind.BACKEND, Side.ISV, "10.0.1.4", 80), "ssh web1", attempts)


PAGE = Attempt(host="web1", connect_ms=2.0, first_byte_ms=8.0)
RESULTS = (
    backend("web1", PAGE, PAGE),
    backend("web2", Attempt(failure=Failure.REFUSED), Attempt(host="web2", connect_ms=3.0, first_byte_ms=4.0)),
    TargetResult(
        Target("saasPrivateEndpoint", TargetKind.ENDPOINT, Side.CUSTOMER, "10.1.0.5", 80), "ssh testVM", (PAGE, PAGE)
    ),
)


@pytest.mark.parametrize(
    ("text", "measure", "holds"),
    [
        ("targets>=3", 3, True),
        ("backend.targets==2", 2, True),
        ("ok == 3", 2, False),
        ("hosts>=2", 2, True),
        ("endpoint.hosts > 1", 1, False),
        ("attempts<=6", 6, True),
        ("failures==0", 1, False),
        ("endpoint.failures==0", 0, True),
        ("failures!=0", 1, True),
        ("connect_p50<2.5", 3, False),
        ("backend.connect_p95<=3", 3, True),
        ("backend.first_byte_p95<=8", 8, True),
        (" first_byte_p50 >= 8 ", 8, True),
    ],
)
def test_measured_and_compared(text: str, measure: float, holds: bool) -> None:
    assertion = Assertion.parse(text)

    assert assertion.measure(RESULTS) == measure
    assert assertion.holds(RESULTS) is holds
    assert assertion.text == text.strip()


@pytest.mark.parametrize("operator", [">=", "<=", "==", "!=", ">", "<"])
@pytest.mark.parametrize("metric", [metric for metric in METRICS if "_p" in metric])
def test_a_time_that_nobody_measured_meets_nothing(metric: str, operator: str) -> None:
    assert not Assertion.parse(f"endpoint.{metric}{operator}5").holds(RESULTS[:2])


def test_where_nothing_was_probed_counts_are_zero() -> None:
    assert Assertion.parse("hosts==0").holds(())
    assert not Assertion.parse("endpoint.hosts>=1").holds(RESULTS[:2])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not an assertion; write for example hosts>=3"),
        ("hosts", "is not an assertion"),
        ("hosts=3", "is not an assertion"),
        ("hosts>=three", "is not an assertion"),
        ("hosts>=3; ok>1", "is not an assertion"),
        ("luck>3", "there is no metric 'luck'; there are targets, ok, hosts,"),
        ("client.hosts>3", "there is no kind of target 'client'; there are backend, balancer, endpoint, name."),
    ],
)
def test_what_cannot_be_read_is_explained(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Assertion.parse(text)
