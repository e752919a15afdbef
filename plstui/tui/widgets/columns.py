"""Which columns of a table fit, and how wide each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 2
"""Cells between two columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column and what it wants."""

    key: str
    title: str
    least: int
    """Cells below which it is of no use; with less room it is left out."""
    most: int
    """Cells beyond which it only spreads the table."""
    rank: int
    """Who stays when there is little room: 1 first."""
    enough: int = 0
    """Cells it gets, if its content needs them, before columns behind it get any."""


def fit(columns: Sequence[Column], wanted: Sequence[int], width: int) -> list[tuple[Column, int]]:
    """The columns that fit into `width` cells, each with its own width, in their given order.

    `wanted` is the widest content of each column. Columns are taken by rank at their least, or what is enough for them;
    what is left over is given out by rank too, up to what the content needs.
    """
    wishes = {c.key: max(min(want, c.most), c.least) for c, want in zip(columns, wanted, strict=True)}
    by_rank = sorted(columns, key=lambda column: column.rank)
    widths: dict[str, int] = {}
    left = width + GAP
    for column in by_rank:
        if column.least + GAP > left:
            break
        enough = max(column.least, min(column.enough, wishes[column.key]))
        widths[column.key] = min(enough, left - GAP)
        left -= widths[column.key] + GAP
    for column in by_rank:
        if column.key in widths:
            more = min(wishes[column.key] - widths[column.key], left)
            widths[column.key] += more
            left -= more
    return [(column, widths[column.key]) for column in columns if column.key in widths]
