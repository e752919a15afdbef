"""The two parties of a private link."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """Whose subscription something is in."""

    ISV = "isv"
    CUSTOMER = "customer"

    @property
    def marker(self) -> str:
        """The coloured dot that stands for the side everywhere."""
        return "🔵" if self is Side.ISV else "🟢"

    @property
    def label(self) -> str:
        """The side's name as people say it."""
        return "ISV" if self is Side.ISV else "Customer"

    @property
    def other(self) -> Side:
        """The party at the other end."""
        return Side.CUSTOMER if self is Side.ISV else Side.ISV
