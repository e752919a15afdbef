"""What a rule says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from plstui.domain.ids import ResourceId


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """The page cannot come while this is so."""
    WARNING = "warning"
    """It may come, and not as it should or not for long."""
    INFO = "info"
    """Good to know."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


def counted(failures: Mapping[str, int]) -> str:
    """How often each kind of failure happened, `3 × timeout`."""
    return ", ".join(f"{count} × {kind}" for kind, count in failures.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong or worth knowing, with what proves it and what mends it."""

    rule: str
    """The rule's name, `connection-pending`: stable, for scripts."""
    severity: Severity
    where: ResourceId
    """The resource to look at."""
    what: str
    """What is wrong, in one sentence."""
    remedy: str
    """What to do, in one sentence."""
    evidence: Mapping[str, str] = field(default_factory=dict)
    """The property that proves it, and its value; the name as in ARM's JSON."""
    az: str = ""
    """The `az` command that mends it; empty when there is none."""
    fix: str = ""
    """What of ours mends it: `approve`, or a step of the lab as `step:policies`; empty when nothing does."""
