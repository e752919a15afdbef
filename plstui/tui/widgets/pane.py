"""One side's pane: its resources, and how fresh they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import var
from textual.widgets import Static

from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.snapshot import Outcome, Snapshot
from plstui.domain.states import Tone
from plstui.domain.text import clean
from plstui.domain.tree import TreeRow, rows
from plstui.domain.world import World
from plstui.tui.clock import age, clock_time
from plstui.tui.tones import styled
from plstui.tui.widgets.resource_tree import ResourceTree

GUID_HEAD = 8
"""Characters of a subscription's id that tell it from others: a guid's first group."""

QUIET_FOR = 30.0
"""Seconds after which the age of a live side's last answer is told: twice the longest pause between two refreshes."""


class SidePane(Vertical):
    """The tree of one side under a notice, which says why there is nothing to see or why it is old."""

    world: var[World] = var(World)
    read_at: var[Mapping[Side, float]] = var(dict)
    """When each side last answered, in steady seconds."""
    steady: var[float] = var(0.0)
    """The same clock now: that of the wall may be put forward or back."""
    connected: var[bool] = var(False)
    under_way: var[Mapping[ResourceId, str]] = var(dict)
    rows: var[tuple[TreeRow, ...]] = var(())
    """This side's rows, for the tree."""
    marked: var[tuple[ResourceId, ...]] = var(())
    """The connection that is selected, as its two ends: its rows are kept in view."""

    def __init__(self, side: Side) -> None:
        super().__init__(id=side.value, classes="area")
        self.side = side
        self._told: tuple[Content, Content, Content] | None = None

    def compose(self) -> ComposeResult:
        yield Static(classes="notice")
        yield ResourceTree().data_bind(SidePane.rows, SidePane.under_way, SidePane.marked)

    @property
    def snapshot(self) -> Snapshot | None:
        """This side as last seen; None while it is not configured."""
        return self.world.side(self.side)

    def on_mount(self) -> None:
        self._tell()

    def watch_world(self, before: World, world: World) -> None:
        snapshot = world.side(self.side)
        if snapshot != before.side(self.side):
            self.rows = rows(snapshot) if snapshot else ()
        self._tell()

    def watch_connected(self) -> None:
        self._tell()

    def watch_read_at(self) -> None:
        self._tell()

    def watch_steady(self) -> None:
        self._tell()

    def _tell(self) -> None:
        """Bring the frame and the notice up to date; what reads as before is left alone."""
        told = (self._title(), self._freshness(), self._notice())
        if not self.is_mounted or told == self._told:
            return
        self._told = told
        self.border_title, self.border_subtitle, notice = told
        widget = self.query_one(".notice", Static)
        widget.update(notice)
        widget.display = bool(notice)
        self.query_one(ResourceTree).display = bool(self.rows)
        self.set_class(self.snapshot is not None and self.snapshot.stale_since is not None, "-stale")

    def _title(self) -> Content:
        title = Content(f"{self.side.marker} {self.side.label}")
        if self.snapshot:
            subscription = clean(self.snapshot.subscription, 60)
            short = subscription if self.size.width >= 100 else subscription[:GUID_HEAD]
            title = Content.assemble(title, styled(f"  subscription {short}", Tone.QUIET))
        return title

    def _freshness(self) -> Content:
        snapshot, read_at = self.snapshot, self.read_at.get(self.side)
        if snapshot is None:
            return Content("")
        if read_at is None:
            return styled("✖ cannot be read", Tone.BAD) if snapshot.stale_since else styled("◷ reading…", Tone.WAITING)
        since = self.steady - read_at
        if snapshot.stale_since:
            return styled(f"✖ stale · read {_ago(since)}", Tone.BAD)
        if since < QUIET_FOR:
            return styled("● live", Tone.GOOD)
        return Content.assemble(styled("● live", Tone.GOOD), styled(f" · read {_ago(since)}", Tone.QUIET))

    def _notice(self) -> Content:
        """Why there is nothing to see, or why it is old; empty when all is well."""
        snapshot = self.snapshot
        if not self.connected:
            return styled("Connecting…", Tone.QUIET)
        if snapshot is None:
            return Content.assemble(
                Content("This side is not configured.\n"),
                styled(
                    f"Start plstui with --{self.side.value} SUBSCRIPTION, or set subscription in the section "
                    f"[{self.side.value}] of the settings file.",
                    Tone.QUIET,
                ),
            )
        if snapshot.stale_since:
            return styled(f"Since {clock_time(snapshot.stale_since)}: {clean(snapshot.error, 400)}", Tone.BAD)
        if self.side not in self.read_at:
            return styled("Reading the resources…", Tone.QUIET)
        if snapshot.not_read:
            return styled("\n".join(_not_read(snapshot)), Tone.WAITING)
        if not self.rows:
            return styled("There is nothing in this subscription yet.", Tone.QUIET)
        return Content("")


def _not_read(snapshot: Snapshot) -> Iterator[str]:
    """The types that could not be read, those with the same reason in one line."""
    kinds: dict[str, list[str]] = {}
    for kind, known in snapshot.not_read.items():
        why = "no right to read them" if known.outcome is Outcome.NOT_ALLOWED else clean(known.why, 200)
        kinds.setdefault(why, []).append(kind.plural)
    for why, names in kinds.items():
        yield f"! {', '.join(names)}: {why}"


def _ago(seconds: float) -> str:
    how_old = age(timedelta(seconds=seconds))
    return "just now" if how_old == "now" else f"{how_old} ago"
