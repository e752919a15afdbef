"""Why the page does not come: rules that look at both sides and name what is wrong, worst first.

Each rule is a function from a `World` to findings. None asks anything. What could not be read, only `unseen` speaks of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from plstui.domain.findings import (
    account,
    balancer,
    hints,
    links,
    machines,
    names,
    pool,
    probing,
    security,
    service,
    unseen,
)
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.world import World

Rule = Callable[[World], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    *account.RULES,
    *balancer.FIRST,
    *service.RULES,
    *links.RULES,
    *balancer.RULES,
    *pool.RULES,
    *security.RULES,
    *machines.RULES,
    *names.RULES,
    *probing.RULES,
    *unseen.RULES,
    *hints.RULES,
)
"""In the order in which causes come before their effects: of two findings that weigh the same, the earlier is first."""


def diagnose(world: World) -> tuple[Finding, ...]:
    """All findings, the worst first, and among those the one that explains the most."""
    found = [finding for rule in RULES for finding in rule(world)]
    if all(finding.severity is not Severity.ERROR for finding in found):
        found += hints.unexplained(world)
    return tuple(sorted(found, key=lambda finding: finding.severity.rank))


def healthy(findings: Sequence[Finding]) -> bool:
    """Whether nothing is wrong; hints do not count."""
    return all(finding.severity is Severity.INFO for finding in findings)
