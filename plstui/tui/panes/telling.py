"""What the activity tells of a side's new snapshot."""

from __future__ import annotations

from collections.abc import Iterator

from plstui.domain.changes import ChangeKind, diff
from plstui.domain.snapshot import Snapshot
from plstui.domain.states import Tone, tone_of
from plstui.domain.text import clean


def news(old: Snapshot | None, new: Snapshot) -> Iterator[tuple[str, str]]:
    """A harmless line and its tone for each thing that has happened between two snapshots of a side."""
    for change in diff(old, new):
        gone = change.kind is ChangeKind.GONE
        yield str(change), Tone.QUIET if gone else tone_of(change.after)
    was_stale = old is not None and old.stale_since is not None
    who = f"{new.side.marker} {new.side.label}"
    if new.stale_since and not (was_stale and old and old.error == new.error):
        yield f"{who}: {clean(new.error, 300)}", Tone.BAD
    elif was_stale and not new.stale_since:
        yield f"{who}: live again", Tone.GOOD
    if new.health_error and not (old and old.health_error == new.health_error):
        yield f"{who}, health of the backends: {clean(new.health_error, 300)}", Tone.WAITING
