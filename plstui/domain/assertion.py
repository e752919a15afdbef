"""What a script may demand of a probe, like `hosts>=3` or `endpoint.failures==0`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan, nan

from plstui.domain.probe import TargetKind, TargetResult

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}

_METRICS: dict[str, Callable[[Sequence[TargetResult]], float]] = {
    "targets": lambda results: len(results),
    "ok": lambda results: sum(r.ok for r in results),
    "hosts": lambda results: len({host for r in results for host in r.hosts}),
    "attempts": lambda results: sum(len(r.attempts) for r in results),
    "failures": lambda results: sum(sum(r.failures.values()) for r in results),
    "connect_p50": lambda results: max((r.connect_ms[0] for r in results if r.connect_ms), default=nan),
    "connect_p95": lambda results: max((r.connect_ms[1] for r in results if r.connect_ms), default=nan),
    "first_byte_p50": lambda results: max((r.first_byte_ms[0] for r in results if r.first_byte_ms), default=nan),
    "first_byte_p95": lambda results: max((r.first_byte_ms[1] for r in results if r.first_byte_ms), default=nan),
}
"""Each metric over some results: counts are summed, hosts counted once, times are the worst target's in ms."""

METRICS = tuple(_METRICS)

_SYNTAX = re.compile(
    r"^\s*(?:(?P<kind>\w+)\.)?(?P<metric>\w+)\s*(?P<op>>=|<=|==|!=|>|<)\s*(?P<value>\d+(?:\.\d+)?)\s*$"
)


@dataclass(frozen=True, slots=True)
class Assertion:
    """`[KIND.]METRIC OPERATOR NUMBER`, over the results of one kind of target or of all."""

    text: str
    kind: TargetKind | None
    metric: str
    operator: str
    value: float

    @classmethod
    def parse(cls, text: str) -> Assertion:
        """Read one assertion; raises `ValueError` with a sentence."""
        match = _SYNTAX.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not an assertion; write for example hosts>=3 or endpoint.failures==0.")
        if match["metric"] not in _METRICS:
            raise ValueError(f"there is no metric {match['metric']!r}; there are {', '.join(METRICS)}.")
        kinds = [kind.value for kind in TargetKind]
        if match["kind"] and match["kind"] not in kinds:
            raise ValueError(f"there is no kind of target {match['kind']!r}; there are {', '.join(kinds)}.")
        kind = TargetKind(match["kind"]) if match["kind"] else None
        return cls(text.strip(), kind, match["metric"], match["op"], float(match["value"]))

    def measure(self, results: Sequence[TargetResult]) -> float:
        """The metric's value; not a number when nothing was measured."""
        return _METRICS[self.metric]([r for r in results if self.kind in (None, r.target.kind)])

    def holds(self, results: Sequence[TargetResult]) -> bool:
        """Whether the results meet it; what was not measured meets nothing."""
        measured = self.measure(results)
        return not isnan(measured) and _OPERATORS[self.operator](measured, self.value)
