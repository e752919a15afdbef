"""What happened between two snapshots of a side."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plstui.domain.connection import CONNECTION_TYPE, endpoint_name_of
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.text import clean
from plstui.domain.tree import TreeRow, rows


class ChangeKind(StrEnum):
    """What happened to a resource."""

    APPEARED = "appeared"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that came, went, or shows another state."""

    side: Side
    kind: ChangeKind
    id: ResourceId
    before: str = ""
    """The badge's word before; empty when it has just appeared."""
    after: str = ""
    """The badge's word now; empty when it is gone."""

    def __str__(self) -> str:
        # A connection is called after its endpoint; the guid behind that tells a person nothing.
        name = endpoint_name_of(self.id.name) if self.id.is_type(CONNECTION_TYPE) else self.id.name
        what = f"{self.side.marker} {clean(name, 60)}"
        match self.kind:
            case ChangeKind.APPEARED:
                return f"{what} appeared{f', {clean(self.after, 40)}' if self.after else ''}"
            case ChangeKind.GONE:
                return f"{what} is gone"
            case ChangeKind.CHANGED:
                return f"{what} is {clean(self.after, 40) or 'without a state'} now"


def diff(old: Snapshot | None, new: Snapshot) -> tuple[Change, ...]:
    """What a person would want to be told: nothing for the first content, then every coming, going and new state."""
    if old is None or not old.answered:
        return ()
    before = {row.id: row for row in rows(old)}
    after = {row.id: row for row in rows(new)}
    changes = [_compare(new.side, before.get(row_id), row) for row_id, row in after.items()]
    gone = [
        Change(new.side, ChangeKind.GONE, row_id, before=row.state)
        for row_id, row in before.items()
        if row_id not in after
    ]
    return (*(change for change in changes if change), *gone)


def _compare(side: Side, before: TreeRow | None, after: TreeRow) -> Change | None:
    if before is None:
        return Change(side, ChangeKind.APPEARED, after.id, after=after.state)
    # A balancer's badge is n/m while its health is known and its provisioning state otherwise: that is no event.
    about_health = ("/" in after.state) != ("/" in before.state)
    if before.state == after.state or about_health:
        return None
    return Change(side, ChangeKind.CHANGED, after.id, before=before.state, after=after.state)
