"""What is in the way of the lab, told before the first write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plstui.domain.errors import ConfigError, PlstuiError


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is in the way."""

    code: str
    """A word for programs."""
    message: str
    """One sentence."""
    hint: str
    """The next step, one sentence."""
    setting: bool = False
    """Whether it is a value in the settings that cannot be, whatever Azure holds."""


class PreflightError(PlstuiError):
    """The lab cannot be built as things are; nothing was sent."""

    code = "LabNotReady"

    def __init__(self, problems: Sequence[Problem]) -> None:
        first, *more = problems
        if more:
            listed = " ".join(f"({at}) {one.message} {one.hint}" for at, one in enumerate(problems, start=1))
            super().__init__(f"{len(problems)} things are in the way, and nothing was sent.", hint=listed)
        else:
            super().__init__(first.message, hint=first.hint, code=first.code)
        self.problems = tuple(problems)
        """All that was found."""


class LabSettingsError(PreflightError, ConfigError):
    """All that is in the way stands in the settings."""


def refusal(problems: Sequence[Problem]) -> PreflightError:
    """The error that tells of some problems."""
    in_settings = all(problem.setting for problem in problems)
    return LabSettingsError(problems) if in_settings else PreflightError(problems)
