"""Quota: how much of something a subscription may have in each region."""

from __future__ import annotations


class Quotas:
    """Limits that are other than usual, by subscription and by Azure's word for what is counted."""

    def __init__(self) -> None:
        self._limits: dict[tuple[str, str], int] = {}

    def limit(self, subscription: str, word: str, usual: int) -> int:
        """How much there may be."""
        return self._limits.get((subscription.lower(), word.lower()), usual)

    def set_limit(self, subscription: str, word: str, limit: int) -> None:
        """Say how much there may be; what is there already stays."""
        self._limits[subscription.lower(), word.lower()] = limit
