"""The main screen: both panes, the sections under them, and the one place that writes what they show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.reactive import var
from textual.types import CSSPathType

from plstui.domain.absence import TARGETS, absence
from plstui.domain.connection import Verb
from plstui.domain.errors import CredentialsError, RefusedError, SignInPendingError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.states import Tone
from plstui.domain.targets import addresses
from plstui.domain.text import clean
from plstui.domain.world import World
from plstui.engine.ports import Clock
from plstui.engine.runtime import Runtime
from plstui.engine.watcher import Watcher
from plstui.tui.commands import Keys, bindings
from plstui.tui.details import details_of
from plstui.tui.messages import (
    Connected,
    DetailsRequested,
    Failed,
    LabTold,
    OpenLab,
    Probed,
    Said,
    SectionChosen,
    SnapshotFetched,
    Troubled,
    WritesMoved,
)
from plstui.tui.panes.activity import KEPT_EVENTS, ActivityLine, ActivityLog
from plstui.tui.panes.backends import BackendsTable
from plstui.tui.panes.commands import COMMANDS, Context, Host
from plstui.tui.panes.connections import ConnectionsTable
from plstui.tui.panes.decisions import Decisions
from plstui.tui.panes.deck import Deck
from plstui.tui.panes.filter_line import FilterLine
from plstui.tui.panes.ribbon import PathRibbon
from plstui.tui.panes.selecting import SelectingScreen
from plstui.tui.panes.telling import news
from plstui.tui.section import Section
from plstui.tui.state import Event, Line, ProbeRun, Sighting, sightings
from plstui.tui.widgets.bars import CommandBar, TopBar
from plstui.tui.widgets.pane import SidePane
from plstui.tui.work import work

WIDTHS: Final = [(0, "-narrow"), (120, "-wide")]
HEIGHTS: Final = [(0, "-very-low"), (20, "-low"), (40, "-high")]
"""Cells from which the style sheet has room for more: the path first, and all sections where it is wide and high."""

NO_TARGETS: Final = "There is nothing to probe yet: no backend in a pool, and no endpoint with an address."


class MainScreen(SelectingScreen):
    """Folds what the watchers, the actions and the probe report into reactives; widgets are bound to them."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(COMMANDS)]
    CSS_PATH: ClassVar[CSSPathType | None] = [
        "../styles/widgets.tcss",
        "screen.tcss",
        "ribbon.tcss",
        "../styles/dialogs.tcss",
    ]
    AUTO_FOCUS = "#connections"
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS

    world: var[World] = var(World)
    read_at: var[Mapping[Side, float]] = var(dict)
    connected: var[bool] = var(False)
    under_way: var[Mapping[ResourceId, str]] = var(dict)
    """The writes that Azure has not answered, and those whose effect no snapshot has shown yet."""
    since: var[Mapping[ResourceId, Sighting]] = var(dict)
    marked: var[tuple[ResourceId, ...]] = var(())
    """The two ends of the selected connection: its row at the service, the endpoint's at the customer."""
    probe: var[ProbeRun] = var(ProbeRun)
    happened: var[tuple[Event, ...]] = var(())
    context: var[Context] = var(Context)
    lab_note: var[Line] = var(Line)
    """How the lab goes."""

    def __init__(self, where: str, clock: Clock, keys: Keys, *, probe: Section, doctor: Section) -> None:
        super().__init__(keys, clock)
        self.css_path = [*self.css_path, probe.STYLE, doctor.STYLE]
        self._probe_section = probe
        self._doctor_section = doctor
        self._where = where
        self._runtime: Runtime | None = None
        self._decisions: Decisions | None = None
        """None while nothing is connected, and where the ISV's side is not configured."""
        self._ready = False
        """Whether what the first write needs is there, or on its way."""

    def compose(self) -> ComposeResult:
        yield TopBar(self._where).data_bind(MainScreen.now, MainScreen.read_only, note=MainScreen.lab_note)
        with Horizontal(id="panes"):
            for side in Side:
                yield SidePane(side).data_bind(
                    MainScreen.world,
                    MainScreen.read_at,
                    MainScreen.steady,
                    MainScreen.connected,
                    MainScreen.under_way,
                    MainScreen.marked,
                )
        probe, doctor = self._probe_section, self._doctor_section
        yield PathRibbon().data_bind(MainScreen.world, MainScreen.context, MainScreen.probe, MainScreen.under_way)
        yield Deck(
            (
                "connections",
                self.keys["connections"],
                ConnectionsTable.TITLE,
                ConnectionsTable().data_bind(
                    MainScreen.world,
                    MainScreen.under_way,
                    MainScreen.since,
                    MainScreen.steady,
                    MainScreen.sought,
                    links=MainScreen.shown,
                    cursor=MainScreen.selected,
                ),
            ),
            (
                "backends",
                self.keys["backends"],
                BackendsTable.TITLE,
                BackendsTable().data_bind(MainScreen.world, MainScreen.probe),
            ),
            ("probe", self.keys["probes"], probe.TITLE, probe.data_bind(MainScreen.world)),
            (
                "activity",
                self.keys["activity"],
                ActivityLog.TITLE,
                ActivityLog().data_bind(events=MainScreen.happened),
            ),
            ("doctor", self.keys["findings"], doctor.TITLE, doctor.data_bind(MainScreen.world, MainScreen.probe)),
        ).data_bind(MainScreen.notes, active=MainScreen.section)
        yield ActivityLine().data_bind(events=MainScreen.happened)
        yield FilterLine(self.keys["filter"])
        yield CommandBar().data_bind(MainScreen.offers)

    @property
    def host(self) -> Host:
        return self

    def on_mount(self) -> None:
        self.watch(self._doctor_section, "busy", self._update_context, init=False)

    # Both sides

    @on(Connected)
    def _watch_sides(self, event: Connected) -> None:
        self._runtime = event.runtime
        self._decisions = Decisions(event.runtime.gate, self.app.push_screen_wait, self.post_message)
        self.world = event.runtime.world()
        self.connected = True
        for side, watcher in event.runtime.watchers.items():
            self.run_worker(work(self._watch, watcher), group=f"watch-{side}", name=f"watch {side}")
        self._say("Watching " + " and ".join(f"{s.marker} {s.label}" for s in event.runtime.watchers))
        self._update_context()

    async def _watch(self, watcher: Watcher) -> None:
        async for snapshot in watcher.snapshots():
            self.post_message(SnapshotFetched(snapshot))

    @on(SnapshotFetched)
    def _fold(self, event: SnapshotFetched) -> None:
        snapshot = event.snapshot
        old = self.world.side(snapshot.side)
        watchers = self._runtime.watchers if self._runtime else {}
        self.read_at = {side: w.answered_at for side, w in watchers.items() if w.answered_at is not None}
        if snapshot.side is Side.ISV and self._decisions:
            self._decisions.look(snapshot)
        if snapshot != old:
            isv, customer = self.world.isv, self.world.customer
            self.world = World(snapshot, customer) if snapshot.side is Side.ISV else World(isv, snapshot)
            for text, tone in news(old, snapshot):
                self._say(text, tone)
        self._sync_under_way()
        self._leave_if_nobody_is_signed_in()
        if self._runtime and not self._ready and len(self.read_at) == len(watchers):
            self._ready = True
            # Once it is on the screen: it takes a second of work, which whoever decides at once would wait for.
            self.call_after_refresh(self.run_worker, work(self._runtime.get_ready), name="get ready")

    def watch_world(self, before: World, _: World) -> None:
        links = self.world.links()
        self.since = sightings(self.links, links, self.since, self.clock.monotonic(), watched=before.all_read)
        self.links = links
        self._update_context()

    def _leave_if_nobody_is_signed_in(self) -> None:
        """Without a sign-in for any side there is nothing to look at: end, and say so where it stays readable."""
        failures = [watcher.failure for watcher in self._runtime.watchers.values()] if self._runtime else []
        signed_out = [f for f in failures if isinstance(f, CredentialsError) and not isinstance(f, SignInPendingError)]
        if signed_out and signed_out == failures and not self.read_at:
            self.app.post_message(Failed(signed_out[0]))

    # Decisions

    def decide(self, verb: Verb) -> None:
        link, decisions = self.context.link, self._decisions
        if not link or not decisions:
            return
        if not self._is_asked(verb.value.capitalize()):
            self.take(link)
            self.run_worker(decisions.decide(verb, link, self.world), group="decide", name=f"{verb} {link.name}")

    def change_tags(self) -> None:
        service, decisions = self.context.service, self._decisions
        if service and decisions and not self._is_asked("Tags"):
            asking = decisions.change_tags(service, self.world)
            self.run_worker(asking, group="decide", name=f"tags of {service.name}")

    def _is_asked(self, title: str) -> bool:
        """Whether a person is being asked something already, and told so."""
        reason = self._decisions.why_not() if self._decisions else None
        if reason:
            self.notify(reason, title=title, severity="warning", markup=False)
        return reason is not None

    @on(WritesMoved)
    def _sync_under_way(self) -> None:
        self.under_way = self._decisions.under_way if self._decisions else {}

    def watch_under_way(self) -> None:
        self._update_context()

    # What other features do

    def start_probe(self) -> None:
        if self._runtime:
            self._probe_section.start(self._runtime, self.clock.now())
            self._take_probe()
            self.show_section("probe")

    @on(Probed)
    def _take_probe(self) -> None:
        # As it is now: the message may be of a moment before.
        self.probe = self._probe_section.probe

    def watch_probe(self) -> None:
        self._update_context()

    def start_doctor(self) -> None:
        if self._runtime:
            self._doctor_section.start(self._runtime, self.clock.now())
            self.show_section("doctor")

    def open_lab(self) -> None:
        self.post_message(OpenLab(self._doctor_section.step))

    @on(LabTold)
    def _take_note(self, event: LabTold) -> None:
        self.lab_note = event.note

    # What else commands ask for

    def refresh_all(self) -> None:
        for watcher in self._runtime.watchers.values() if self._runtime else ():
            watcher.wake()
        self._say("reading both sides", Tone.QUIET)

    def next_area(self) -> None:
        self.focus_next()

    def show_details(self) -> None:
        if self.context.link:
            self.open_details(details_of(self.world, self.context.link.id))

    def copy_az(self) -> None:
        details = details_of(self.world, self.context.link.id) if self.context.link else None
        if details:
            self.app.copy_to_clipboard(details.az)
            self.notify("Copied the az command, if your terminal allows that.", markup=False)

    def toggle_zoom(self) -> None:
        zoomed = {name for name in self.classes if name.startswith("-zoom-")}
        self.remove_class(*zoomed)
        area = (
            next((node for node in self.focused.ancestors_with_self if node.has_class("area")), None)
            if self.focused
            else None
        )
        if not zoomed and area:
            if isinstance(area, Deck):
                self.section = area.focused_section or self.section
            self.add_class(f"-zoom-{area.id}")

    def running(self) -> Iterable[tuple[str, str]]:
        """What goes on in the panes."""
        from plstui.tui.dialogs.leave import under_way

        return under_way(self._runtime, self.probe) if self._runtime else ()

    # Messages of the widgets

    @on(SectionChosen)
    def _show_chosen(self, event: SectionChosen) -> None:
        self.show_section(event.section_id)

    def selection_moved(self) -> None:
        self._update_context()

    @on(DetailsRequested)
    def _show_requested(self, event: DetailsRequested) -> None:
        self.open_details(details_of(self.world, event.resource_id))

    # Bookkeeping

    def _update_context(self) -> None:
        link = self.selection.link
        self.marked = tuple(end for end in (link.id, link.endpoint_id) if end) if link else ()
        gate = self._runtime.gate if self._runtime else None
        self.read_only = bool(gate and gate.read_only)
        self.context = Context(
            connected=self.connected,
            gate=gate,
            link=link,
            service=self.world.service_of(link) if link else self.world.only_service(),
            under_way=frozenset(self.under_way),
            others_wait=self.selection.next_pending(self.shown) is not None,
            no_targets=""
            if addresses(self.world)
            else absence(self.world, NO_TARGETS, what="probe target", needs=TARGETS),
            probing=self.probe.running,
            examining=self._doctor_section.busy,
        )

    @on(Said)
    def _take_line(self, event: Said) -> None:
        self._say(event.text, event.tone)

    def _say(self, text: str, tone: str = "") -> None:
        self.happened = (*self.happened[-KEPT_EVENTS + 1 :], Event(self.clock.now(), text, tone))

    @on(Troubled)
    def _warn(self, event: Troubled) -> None:
        text = clean(f"{event.error.message} {event.error.hint}", 500)
        severity: Final = "warning" if isinstance(event.error, RefusedError) else "error"
        self.notify(text, title=event.title, severity=severity, markup=False)
