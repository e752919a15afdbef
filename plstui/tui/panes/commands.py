"""What the panes can do: their part of the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from plstui.domain.connection import Verb
from plstui.domain.ids import ResourceId
from plstui.domain.resources import PrivateLinkService
from plstui.domain.world import Link
from plstui.engine.gate import Gate
from plstui.tui.commands import COPY, NEXT_AREA, PROGRAM, REFRESH, Command, Group, SharedHost
from plstui.tui.reasons import why_not_decide, why_not_tag


@dataclass(frozen=True, slots=True)
class Context:
    """What commands look at to say whether they are possible now."""

    connected: bool = False
    gate: Gate | None = None
    """None while still connecting."""
    link: Link | None = None
    """The connection that is selected."""
    service: PrivateLinkService | None = None
    """The service that the selected connection is with; the only one where no connection is selected."""
    under_way: frozenset[ResourceId] = frozenset()
    """What has a write under way; held here so that its change makes another context."""
    others_wait: bool = False
    """Whether another connection than the selected one waits for a decision."""
    no_targets: str = ""
    """Why there is nothing to probe, or nothing yet; empty where there is something."""
    probing: bool = False
    examining: bool = False
    """Whether the doctor is at work."""

    def refresh_why_not(self) -> str | None:
        return _connected(self)

    def copy_why_not(self) -> str | None:
        return _selected(self)


class Host(SharedHost, Protocol):
    """What the main screen does for its commands."""

    def decide(self, verb: Verb) -> None:
        """Ask for confirmation, then approve, reject or remove the selected connection."""

    def change_tags(self) -> None:
        """Ask for tags of the service, then set or remove them."""

    def start_probe(self) -> None:
        """Fetch the page from every target."""

    def start_doctor(self) -> None:
        """Find out what keeps the page from coming."""

    def show_section(self, section_id: str) -> None:
        """Bring a section to the front and focus it."""

    def start_filter(self) -> None:
        """Let the person type words that the connections are filtered by."""

    def next_pending(self) -> None:
        """Select the next connection that waits for a decision."""

    def show_details(self) -> None:
        """Show everything about the selected connection."""

    def toggle_zoom(self) -> None:
        """Give the focused area the whole screen, or take it back."""

    def open_lab(self) -> None:
        """Open the lab screen, at the step that mends the finding that a person is looking at."""


def _decide(verb: Verb) -> Callable[[Context], str | None]:
    def why_not(context: Context) -> str | None:
        if context.gate is None:
            return _connected(context)
        return why_not_decide(context.gate, verb, context.link)

    return why_not


def _connected(context: Context) -> str | None:
    return None if context.connected else "Still connecting; wait until the panes show something."


def _selected(context: Context) -> str | None:
    return None if context.link else "No connection is selected."


def _others_wait(context: Context) -> str | None:
    if not context.connected:
        return _connected(context)
    return None if context.others_wait else "No other connection in the table waits for a decision."


def _probe(context: Context) -> str | None:
    if not context.connected:
        return _connected(context)
    if context.probing:
        return "A probe is running already."
    return context.no_targets or None


def _doctor(context: Context) -> str | None:
    if context.examining:
        return "The doctor is looking at both sides already."
    return _connected(context)


COMMANDS: tuple[Command[Context, Host], ...] = (
    Command(
        "approve",
        "a",
        "Approve",
        "Let this endpoint through to the service.",
        Group.CONNECTION,
        lambda host: host.decide(Verb.APPROVE),
        _decide(Verb.APPROVE),
        asks=True,
        rank=1,
    ),
    Command(
        "reject",
        "x",
        "Reject",
        "Turn this request down; it may not be possible to approve it later.",
        Group.CONNECTION,
        lambda host: host.decide(Verb.REJECT),
        _decide(Verb.REJECT),
        asks=True,
        rank=1,
    ),
    Command(
        "remove",
        "d",
        "Remove",
        "Delete this connection for good; asks first, and Enter alone is no.",
        Group.CONNECTION,
        lambda host: host.decide(Verb.REMOVE),
        _decide(Verb.REMOVE),
        dangerous=True,
        rank=1,
    ),
    Command(
        "tags",
        "t",
        "Tags",
        "Set or remove a tag of the service that this connection is with.",
        Group.CONNECTION,
        lambda host: host.change_tags(),
        lambda context: why_not_tag(context.gate, context.service) if context.gate else _connected(context),
        asks=True,
    ),
    Command(
        "next-pending",
        "N",
        "Next pending",
        "Go to the next request that waits for a decision.",
        Group.CONNECTION,
        lambda host: host.next_pending(),
        _others_wait,
        rank=7,
    ),
    Command(
        "filter",
        "/",
        "Filter",
        "Show only the connections with these words in status, endpoint, message or service; Esc shows all again.",
        Group.CONNECTION,
        lambda host: host.start_filter(),
        _connected,
        rank=7,
    ),
    Command(
        "details",
        "i",
        "Details",
        "Show everything about the selected connection; Enter does it for any row.",
        Group.CONNECTION,
        lambda host: host.show_details(),
        _selected,
        rank=4,
    ),
    COPY,
    Command(
        "probe",
        "p",
        "Probe",
        "Fetch the Host: page from every backend and through every endpoint.",
        Group.LOOK,
        lambda host: host.start_probe(),
        _probe,
        asks=True,
        rank=1,
    ),
    Command(
        "doctor",
        "w",
        "Doctor",
        "Why does the page not come? Look at both sides, after a probe into ill machines too, and name what mends it.",
        Group.LOOK,
        lambda host: host.start_doctor(),
        _doctor,
        rank=1,
    ),
    REFRESH,
    NEXT_AREA,
    Command(
        "connections",
        "1",
        "Connections",
        "Go to the connections of both sides, joined.",
        Group.LOOK,
        lambda host: host.show_section("connections"),
    ),
    Command(
        "backends",
        "2",
        "Backends",
        "Go to the backends: the balancer's opinion and the page, side by side.",
        Group.LOOK,
        lambda host: host.show_section("backends"),
    ),
    Command(
        "probes",
        "3",
        "Probe view",
        "Go to what the last probe brought.",
        Group.LOOK,
        lambda host: host.show_section("probe"),
    ),
    Command(
        "activity",
        "4",
        "Activity",
        "Go to what has happened since the start.",
        Group.LOOK,
        lambda host: host.show_section("activity"),
    ),
    Command(
        "findings",
        "5",
        "Doctor view",
        "Go to what the doctor has found; {approve} approves, {lab} opens the lab at the step that mends it.",
        Group.LOOK,
        lambda host: host.show_section("doctor"),
    ),
    Command(
        "zoom",
        "z",
        "Zoom",
        "Give this pane or table the whole screen, and back.",
        Group.LOOK,
        lambda host: host.toggle_zoom(),
        rank=6,
    ),
    Command(
        "lab",
        "l",
        "Lab",
        "Build the workshop step by step and watch the panes fill; take it down again.",
        Group.LAB,
        lambda host: host.open_lab(),
        _connected,
        rank=1,
    ),
    *PROGRAM,
)
