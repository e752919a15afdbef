"""Why the page does not come: rules that look at both sides and name what is wrong, worst first.

Each rule is a function from a `World` to findings. None asks anything. What could not be read, only `unseen` speaks of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.world import World

Rule = Callable[[World], Iterator[Finding]]


@cache
def rules() -> tuple[Rule, ...]:
    """All rules, in the order in which causes come before their effects: of two findings that weigh the same, the
    earlier is first. They are read with the first diagnosis; nothing that is shown before needs them.
    """
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

    return (
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


def diagnose(world: World) -> tuple[Finding, ...]:
    """All findings, the worst first, and among those the one that explains the most."""
    from plstui.domain.findings import hints

    found = [finding for rule in rules() for finding in rule(world)]
    if all(finding.severity is not Severity.ERROR for finding in found):
        found += hints.unexplained(world)
    return tuple(sorted(found, key=lambda finding: finding.severity.rank))


def healthy(findings: Sequence[Finding]) -> bool:
    """Whether nothing is wrong; hints do not count."""
    return all(finding.severity is Severity.INFO for finding in findings)
