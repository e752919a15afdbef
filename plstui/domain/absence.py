"""What may be said where a table has no rows: that there is nothing, or why nobody knows yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.domain.snapshot import ENDS, Snapshot
from plstui.domain.world import World

MEMBERS = (Kind.BALANCERS, Kind.INTERFACES)
"""What machines behind a balancer are seen in."""

TARGETS = {Side.ISV: MEMBERS, Side.CUSTOMER: (Kind.ENDPOINTS, Kind.INTERFACES)}
"""What each side sees the targets of a probe in."""

UNCONNECTED = "Not connected yet."


def absence(
    world: World,
    nothing: str,
    *,
    what: str,
    of: Sequence[Side] = tuple(Side),
    needs: Mapping[Side, Sequence[Kind]] = ENDS,
) -> str:
    """`nothing` where every side of these that is configured has been read; otherwise what is still to come or unknown.

    `what` is a noun without an article, like `connection`; `of` are the sides that could show it, and `needs` the types
    that each would see it in.
    """
    sides = [snapshot for side in of if (snapshot := world.side(side))]
    if not sides:
        elsewhere = any(world.side(side) for side in Side)
        return f"No {what} is seen from here: {_names(of)} is not configured." if elsewhere else UNCONNECTED
    unread = [
        side for side in sides if side.stale_since or any(kind in side.not_read for kind in needs.get(side.side, ()))
    ]
    awaited = [side for side in sides if side.awaited]
    if awaited:
        failed = f" {_sides(unread)} could not be read." if unread else ""
        return f"Reading {_sides(awaited)}…{failed}"
    if not unread:
        return nothing
    read = [side for side in sides if side not in unread]
    if read:
        return f"{_sides(read)} shows no {what}; {_sides(unread)} could not be read."
    if len(sides) > 1:
        return f"Whether there is a {what} is not known: neither side could be read."
    who = _sides(sides) if len(of) == 1 else "the one side"
    return f"Whether there is a {what} is not known: {who} could not be read."


def _sides(snapshots: Iterable[Snapshot]) -> str:
    return _names(snapshot.side for snapshot in snapshots)


def _names(sides: Iterable[Side]) -> str:
    return " and ".join(f"{side.marker} {side.label}" for side in sides)
